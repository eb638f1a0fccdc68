"""Candidates: what a search moves, and the stage on which they are rendered and measured.

A *candidate* is a place for every head of the network, with the key and the phase of the vibrato.
What it chooses (waveforms, modes, coarse tunings, which amounts are off) is its *structure*;
everything else moves continuously within it. What the user has locked is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.canonical import Notes, moved
from antithesis.encoding import (
    CONTINUOUS,
    GATE,
    HEADS,
    PLACE,
    SIZES,
    decode,
    off,
    on_places,
)
from antithesis.objective import Objective
from antithesis.parameters import BY_ID, MAXIMUM, MINIMUM, to_normalized
from antithesis.rules import audible
from antithesis.segments import MATCHED_S
from antithesis.synth import render_into

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Features = npt.NDArray[np.float32]
Sounds = npt.NDArray[np.float32]

VELOCITY: Final = 100
_AT_ONCE: Final = 32  # candidates: a new sound waits no longer than for these
_MIX: Final = PLACE["kOscMix"]
_FREQUENCY: Final = BY_ID["kLfoFrequency"].index


@dataclass(frozen=True)
class Candidate:
    """Places (heads,) of a preset and its gate, the key, and the vibrato's phase in turns."""

    places: Floats
    note: int
    phase: float = 0.0

    @property
    def structure(self) -> tuple[float, ...]:
        """What a continuous search cannot change."""
        fixed = np.where(CONTINUOUS, self._at_rest, np.round(self.places))
        return (float(self.note), *fixed.tolist())

    @property
    def switched_on(self) -> Bools:
        """Which heads (heads,) are neither off nor choices: a continuous search may move them."""
        return np.asarray(CONTINUOUS & (self._at_rest == 0))

    @property
    def alone(self) -> bool:
        """Whether one of the oscillators plays alone."""
        return bool(self.places[_MIX] in (0, SIZES[_MIX] - 1))

    @property
    def _at_rest(self) -> npt.NDArray[np.int64]:
        """1 where an amount is off; 1 or 2 where one oscillator plays alone."""
        rest = off(self.places).astype(np.int64)
        rest[_MIX] = 1 * (self.places[_MIX] == 0) + 2 * (self.places[_MIX] == SIZES[_MIX] - 1)
        return rest


@dataclass(frozen=True)
class Scored:
    """A candidate, its distance in dB, the features of its sound, and which heads one hears."""

    distance: float
    candidate: Candidate
    heard: Features = field(repr=False, compare=False)
    audible: Bools = field(repr=False, compare=False)


@dataclass(frozen=True)
class Fixed:
    """What a search must leave alone: parameters in plain units by id, velocity, gate in s, key.

    Candidates may be of other keys than the one that is pressed; there they are tuned as much apart
    as the ranges allow.
    """

    plain: Mapping[str, float] = field(default_factory=dict)
    velocity: int = VELOCITY
    gate_s: float | None = None
    note: int | None = None

    @property
    def heads(self) -> Bools:
        """Heads (heads,) with nothing left to choose."""
        return np.array(
            [
                self.gate_s is not None
                if head is GATE
                else all(id in self.plain for id in (head.id, head.fine) if id)
                for head in HEADS
            ]
        )

    def kept(self, places: Floats) -> Floats:
        """Places (n, heads) with the fixed ones where they have to be."""
        if not self.plain and self.gate_s is None:
            return places
        plain, gates = self.imposed(*decode(places))
        return np.where(self.heads, on_places(plain, gates), places)

    def imposed(self, plain: Floats, gates: Floats) -> tuple[Floats, Floats]:
        """Presets (n, 38) in plain units and gates (n,), with what is fixed put in.

        Where a coarse tuning is locked, the fine one makes up for it as far as it goes.
        """
        plain = plain.copy()
        for head in HEADS:
            if head.fine and head.id in self.plain and head.fine not in self.plain:
                total = plain[:, BY_ID[head.id].index] + plain[:, BY_ID[head.fine].index]
                fine = BY_ID[head.fine].index
                plain[:, fine] = np.clip(total - self.plain[head.id], MINIMUM[fine], MAXIMUM[fine])
        return self.put(plain), gates if self.gate_s is None else np.full(len(gates), self.gate_s)

    def put(self, plain: Floats) -> Floats:
        """Presets (n, 38) in plain units with what is locked put in, and nothing made up for it."""
        plain = plain.copy()
        for id, value in self.plain.items():
            plain[:, BY_ID[id].index] = value
        return plain

    def played(self, notes: Notes) -> Notes:
        """Presets and their keys, as the key that is pressed plays them."""
        if self.note is None:
            return notes
        return Notes(
            moved(notes, self.note - notes.note).plain, np.full_like(notes.note, self.note)
        )


class Stopped(Exception):
    """Whoever asked for candidates to be heard no longer waits for them."""


class Stage:
    """Renders candidates and measures them against one target; counts what that took.

    ``stop`` is asked between batches of candidates; where it says so, the rest is not rendered.
    """

    def __init__(self, target: npt.NDArray[np.floating], fixed: Fixed | None = None) -> None:
        self.objective = Objective(target)
        self.fixed = fixed or Fixed()
        self.evaluations = 0
        self.stop: Callable[[], bool] = bool  # never
        self._room = np.empty((0, len(target)), np.float32)  # fresh memory takes time to fill

    def played(self, candidates: Sequence[Candidate]) -> tuple[Notes, Floats]:
        """Presets (n, 38) in plain units with their keys, and gates in s (n,), of candidates."""
        plain, gates = self.fixed.imposed(*decode(np.array([c.places for c in candidates])))
        return self.fixed.played(Notes(plain, np.array([c.note for c in candidates]))), gates

    def render(self, candidates: Sequence[Candidate]) -> Sounds:
        """Sounds (n, samples) of candidates, for as long as nothing else is rendered."""
        notes, gates = self.played(candidates)
        if len(candidates) > len(self._room):
            self._room = np.empty((len(candidates), self._room.shape[1]), np.float32)
        out = self._room[: len(candidates)]
        render_into(
            out,
            np.clip(to_normalized(notes.plain), 0.0, 1.0),
            notes.note,
            self.fixed.velocity,
            gates,
            warmup_s=np.array([c.phase for c in candidates]) / notes.plain[:, _FREQUENCY],
        )
        return out

    def features(self, candidates: Sequence[Candidate]) -> Features:
        """What the objective hears of candidates, (n, k).

        Raises:
            Stopped: ``stop`` said so before all were heard.
        """
        heard: list[Features] = []
        for part in np.array_split(np.arange(len(candidates)), -(-len(candidates) // _AT_ONCE)):
            if heard and self.stop():
                raise Stopped
            batch = [candidates[i] for i in part]
            heard.append(self.objective.features(self.render(batch)))
            self.evaluations += len(batch)
        return np.concatenate(heard)

    def give_back(self) -> None:
        """Let go of the room that sounds were rendered into; it is made again when it is needed."""
        self._room = self._room[:0].copy()

    def score(self, candidates: Sequence[Candidate]) -> list[Scored]:
        """Candidates with their distances, in their order."""
        heard = self.features(candidates)
        distances = self.objective.distances(heard)
        audible = audible_heads(candidates)
        columns = zip(distances, candidates, heard, audible, strict=True)
        # A copy, for who keeps one of them would keep them all: 75 kB each.
        return [Scored(float(d), c, h.copy(), a) for d, c, h, a in columns]


def audible_heads(candidates: Sequence[Candidate]) -> Bools:
    """Which heads (n, heads) candidates let hear."""
    plain, gates = decode(np.array([c.places for c in candidates]))
    heard = heard_of(plain, gates, velocity=127)
    always = np.ones(len(plain), np.bool_)
    columns = [always if head is GATE else heard[:, BY_ID[head.id].index] for head in HEADS]
    return np.stack(columns, axis=1)


def heard_of(plain: Floats, gates: Floats, *, velocity: int) -> Bools:
    """Which parameters (..., 38) a note lets hear in what is matched of it.

    Presets (..., 38) in plain units, gates (...) in s. No key that is held to the end of it is let
    go, so that no release is heard.
    """
    return audible(plain, velocity=velocity, gate_s=gates, note_off=gates < MATCHED_S)


def retuned(candidate: Candidate, semitones: float) -> Candidate:
    """The candidate with both oscillators ``semitones`` (the synth's) higher, by fine tuning."""
    places = candidate.places.copy()
    for id in ("kOsc1Fine", "kOsc2Fine"):
        head, index = HEADS[PLACE[id]], BY_ID[id].index
        fine = head.plain(places[PLACE[id]]) + semitones
        places[PLACE[id]] = head.position(np.clip(fine, MINIMUM[index], MAXIMUM[index]))
    return replace(candidate, places=places)
