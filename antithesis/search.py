"""From a guess to the preset: racing searches on the exact synth.

A *candidate* is a place for every head of the network, with the key and the phase of the vibrato.
What it chooses (waveforms, modes, coarse tunings, which amounts are off) is its structure; within
a structure CMA-ES moves everything continuous that can be heard. A few structures race, the worse
half is dropped time and again, and now and then the leader tries another structure one step away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.cma import CMA
from antithesis.encoding import CONTINUOUS, GATE, HEADS, SIZES, decode, draw, likeliest, off
from antithesis.objective import Objective
from antithesis.parameters import BY_ID, MAXIMUM, MINIMUM, to_normalized
from antithesis.rules import audible
from antithesis.spectra import SAMPLE_RATE
from antithesis.synth import render_notes

Floats = npt.NDArray[np.float64]

VELOCITY: Final = 100
_CHAINS: Final = 4
_GENERATIONS: Final = 5  # of each chain between two cuts
_FIRST_STEP: Final = 0.06  # of a parameter's whole range
_RESTART_STEP: Final = 0.02
_PLACE: Final = {head.id: k for k, head in enumerate(HEADS)}


@dataclass(frozen=True)
class Candidate:
    """Places (heads,) of a preset and its gate, the key, and the vibrato's phase in turns."""

    places: Floats
    note: int
    phase: float = 0.0

    @property
    def structure(self) -> tuple[float, ...]:
        """What a continuous search cannot change."""
        fixed = np.where(CONTINUOUS, off(self.places), np.round(self.places))
        return (float(self.note), *fixed.tolist())


@dataclass(frozen=True)
class Scored:
    """A candidate with its distance in dB."""

    distance: float
    candidate: Candidate


class Stage:
    """Renders candidates and measures them against one target; counts what that took."""

    def __init__(self, target: npt.NDArray[np.floating]) -> None:
        self._objective = Objective(target)
        self._duration_s = (len(target) + 0.5) / SAMPLE_RATE
        self.evaluations = 0

    def render(self, candidates: list[Candidate]) -> Floats:
        """Sounds (n, samples) of candidates."""
        plain, gates = decode(np.array([c.places for c in candidates]))
        frequency = plain[:, BY_ID["kLfoFrequency"].index]
        return render_notes(
            np.clip(to_normalized(plain), 0.0, 1.0),
            [c.note for c in candidates],
            VELOCITY,
            gates,
            warmup_s=np.array([c.phase for c in candidates]) / frequency,
            duration_s=self._duration_s,
        )

    def score(self, candidates: list[Candidate]) -> list[Scored]:
        """Distances of candidates, in their order."""
        self.evaluations += len(candidates)
        distances = self._objective(self.render(candidates))
        return [Scored(float(d), c) for d, c in zip(distances, candidates, strict=True)]


def propose(
    distributions: Floats, notes: list[int], rng: np.random.Generator, draws: int
) -> list[Candidate]:
    """Candidates from the network's distributions (keys, heads, WIDTH): the likeliest and draws."""
    found = []
    for table, note in zip(distributions, notes, strict=True):
        found.append(Candidate(likeliest(table[None])[0], note))
        found += [Candidate(row, note) for row in draw(table, rng, draws, 1.3)]
    return [replace(c, phase=float(rng.random())) for c in found]


def refine(stage: Stage, pool: list[Scored], rng: np.random.Generator) -> Iterator[Scored]:
    """Ever better candidates, for as long as one asks.

    Yields after every generation (a dozen renders) the best so far, so that whoever asks can stop.
    """
    chains = [Chain(stage, start, rng, _FIRST_STEP) for start in _distinct(pool, _CHAINS)]
    best = min(pool, key=_distance)
    while True:
        for chain in chains:
            for _ in range(_GENERATIONS):
                best = min(best, chain.step(), key=_distance)
                yield best
        chains.sort(key=lambda chain: chain.best.distance)
        chains = chains[: max(1, len(chains) // 2)]
        changed = min(stage.score(_neighbours(best.candidate, rng)), key=_distance)
        best = min(best, changed, key=_distance)
        yield best
        if changed is best or chains[-1].exhausted:
            chains.append(Chain(stage, best, rng, _RESTART_STEP))
        chains = [chain for chain in chains if not chain.exhausted] or chains[-1:]


class Chain:
    """CMA-ES within one structure, over what of it can be heard."""

    def __init__(self, stage: Stage, start: Scored, rng: np.random.Generator, step: float) -> None:
        self.best = start
        self._stage = stage
        self._free = _free(start.candidate)
        mean = np.append(_units(start.candidate.places)[self._free], start.candidate.phase)
        low, high = np.zeros(len(mean)), np.ones(len(mean))
        low[-1], high[-1] = -4.0, 5.0  # the phase goes round
        self._cma = CMA(mean, step, low=low, high=high, rng=rng)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to gain here."""
        return self._cma.exhausted

    def step(self) -> Scored:
        """One generation; returns the chain's best."""
        asked = self._cma.ask()
        scored = self._stage.score([self._candidate(x) for x in asked])
        self._cma.tell(asked, [s.distance for s in scored])
        self.best = min(self.best, *scored, key=_distance)
        return self.best

    def _candidate(self, x: Floats) -> Candidate:
        places = self.best.candidate.places.copy()
        places[self._free] = x[:-1] * (SIZES[self._free] - 1)
        return replace(self.best.candidate, places=places, phase=float(x[-1] % 1.0))


def _distance(scored: Scored) -> float:
    return scored.distance


def _units(places: Floats) -> Floats:
    return np.asarray(places / (SIZES - 1))


def _free(candidate: Candidate) -> npt.NDArray[np.int64]:
    """Heads that are continuous, switched on, and heard."""
    plain, gates = decode(candidate.places[None])
    heard = audible(plain, velocity=127, gate_s=gates)[0]
    live = [head is GATE or bool(heard[BY_ID[head.id].index]) for head in HEADS]
    return np.flatnonzero(CONTINUOUS & np.array(live) & ~off(candidate.places))


def _distinct(pool: list[Scored], count: int) -> list[Scored]:
    """The best of each structure, best first."""
    found: dict[tuple[float, ...], Scored] = {}
    for scored in sorted(pool, key=_distance):
        found.setdefault(scored.candidate.structure, scored)
    return list(found.values())[:count]


def _neighbours(candidate: Candidate, rng: np.random.Generator) -> list[Candidate]:
    """A dozen structures one step away: another choice, or an amount switched on or off."""
    found = []
    for k in rng.permutation(len(HEADS)):
        head = HEADS[k]
        if head is GATE or (head.id not in _heard_ids(candidate)):
            continue
        places = candidate.places.copy()
        if head.choice:
            places[k] = _another_choice(places[k], head.size, rng)
        elif off(places)[k]:
            places[k] = np.clip(places[k] + rng.normal(0.0, 5.0), 0, head.size - 1)
        else:
            places[k] = (head.size - 1) / 2 if rng.random() < 0.5 else rng.uniform(0, head.size - 1)
        found.append(replace(candidate, places=places))
    return found[:12]


def _another_choice(place: float, size: int, rng: np.random.Generator) -> float:
    if size <= 6:
        return float((place + rng.integers(1, size)) % size)
    step = rng.choice([-12, -7, -5, -2, -1, 1, 2, 5, 7, 12])
    return float(np.clip(place + step, 0, size - 1))


def _heard_ids(candidate: Candidate) -> set[str]:
    plain, gates = decode(candidate.places[None])
    heard = audible(plain, velocity=127, gate_s=gates)[0]
    return {id for id, p in BY_ID.items() if heard[p.index]}


def retuned(candidate: Candidate, semitones: float) -> Candidate:
    """The candidate with both oscillators ``semitones`` (the synth's) higher, by fine tuning."""
    places = candidate.places.copy()
    for id in ("kOsc1Fine", "kOsc2Fine"):
        head, index = HEADS[_PLACE[id]], BY_ID[id].index
        fine = head.plain(places[_PLACE[id]]) + semitones
        places[_PLACE[id]] = head.position(np.clip(fine, MINIMUM[index], MAXIMUM[index]))
    return replace(candidate, places=places)
