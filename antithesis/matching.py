"""A sound in, the preset that plays it out: the network's guess at once, then ever better ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis import pitch
from antithesis.distances import Target, mss
from antithesis.encoding import decode
from antithesis.errors import AudioError
from antithesis.network import Network
from antithesis.parameters import BY_ID, DEFAULT, MAXIMUM
from antithesis.preset import Preset
from antithesis.rules import audible
from antithesis.search import (
    VELOCITY,
    Scored,
    Stage,
    propose,
    refine,
    retuned,
)
from antithesis.spectra import SAMPLE_RATE
from antithesis.synth import render_notes
from antithesis.synth.waves import SEMITONE

Floats = npt.NDArray[np.float64]

MATCHED_S: Final = 2.0  # what of a sound is matched
_DRAWS: Final = 7  # candidates a key besides the likeliest
_KEYS: Final = 4  # asked about, at most
_OCTAVE: Final = 12
_NOTE_RANGE: Final = (12, 115)
_SURE: Final = 0.5  # confidence from which a pitch is believed
_MISTUNED: Final = (0.01, 1.0)  # semitones worth correcting, and that can be a mistuning
_TUNING_COSTS_DB: Final = 0.5  # what a match may lose by being put in tune
_GAIN: Final = BY_ID["kMasterVolume"].index
_KEPT: Final = (_GAIN, BY_ID["kVoiceMode"].index)


@dataclass(frozen=True)
class Match:
    """A preset and the key that plays it, with how near it comes.

    ``distance`` is MSS in dB at the vibrato phase of ``warmup_s``; ``level_error_db`` says by how
    much the match is too quiet (negative) where the master volume ends.
    """

    preset: Preset
    note: int
    velocity: int
    gate_s: float
    distance: float
    elapsed_s: float
    evaluations: int
    warmup_s: float
    level_error_db: float
    f0_hz: float | None = None

    def render(self, *, duration_s: float = MATCHED_S) -> Floats:
        """The match as sound (samples,) at 44.1 kHz."""
        sounds = render_notes(
            self.preset.normalized[None],
            self.note,
            self.velocity,
            self.gate_s,
            duration_s=duration_s,
            warmup_s=self.warmup_s,
        )
        return np.asarray(sounds[0])


def match(
    samples: npt.NDArray[np.floating],
    network: Network,
    *,
    budget_s: float,
    note: int | None = None,
    named: int | None = None,
    seed: int = 0,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Match]:
    """Match a sound, for as long as the budget and whoever asks allow.

    Yields the best of the network's candidates first, then a match whenever a better one is found.

    Args:
        samples: The sound (n,), mono at 44.1 kHz, from its onset on; its first 2 s are matched.
        network: From :func:`antithesis.network.load_network`.
        budget_s: Seconds of searching; 0 stops after the network's candidates.
        note: MIDI note of the sound, where it is known for certain.
        named: MIDI note that a file's name or header gives: its octave is no more than a hint.
        seed: The same seed makes the same draws.
        stop: Asked after every dozen renders; the search ends when it says so.

    Raises:
        AudioError: the sound is empty, silent or not finite.
    """
    return _Matcher(_prepared(samples), network, budget_s, note, named, seed).run(stop)


def _prepared(samples: npt.NDArray[np.floating]) -> Floats:
    sound = np.array(samples, np.float64)[: round(MATCHED_S * SAMPLE_RATE)]
    if sound.ndim != 1 or not sound.size:
        raise AudioError(f"a sound of shape {sound.shape}: give mono samples (n,)")
    if not np.isfinite(sound).all():
        raise AudioError("the sound holds NaN or infinite samples: export it again")
    if not np.abs(sound).max() > 1e-6:
        raise AudioError("the sound is silent: nothing to match")
    return np.asarray(np.pad(sound, (0, round(MATCHED_S * SAMPLE_RATE) - len(sound))))


class _Matcher:
    """One match: the target, what was heard of it, and the way from guess to best."""

    def __init__(
        self,
        target: Floats,
        network: Network,
        budget_s: float,
        note: int | None,
        named: int | None,
        seed: int,
    ) -> None:
        self._started = time.monotonic()
        self._target = target
        self._network = network
        self._budget_s = budget_s
        self._note = note
        self._named = named
        self._rng = np.random.default_rng(seed)
        self._stage = Stage(target)
        self._scoring = Target(target)

    def run(self, stop: Callable[[], bool]) -> Iterator[Match]:
        """The matches, best last."""
        keys = self._keys()
        tables = self._network.predict(self._target[None], keys)
        pool = self._stage.score(propose(tables, keys, self._rng, _DRAWS))
        best = min(pool, key=lambda s: s.distance)
        told = self._match(self._in_tune(best))
        yield told
        if self._elapsed_s >= self._budget_s:
            return
        for found in refine(self._stage, pool, self._rng):
            if found.distance < best.distance:
                best = found
                better = self._match(self._in_tune(best))
                if better.distance < told.distance:
                    told = better
                    yield told
            if self._elapsed_s >= self._budget_s or stop():
                return

    @property
    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started

    @cached_property
    def _heard(self) -> pitch.Pitch:
        return pitch.track(self._target, SAMPLE_RATE)

    def _keys(self) -> list[int]:
        """Keys to ask the network about: the user's, else the named one's and the tracker's."""
        if self._note is not None:
            return [self._note]
        heard = self._heard
        guesses = [pitch.nearest_note(hz)[0] for hz in heard.hypotheses] or [48, 60]
        guesses += [guesses[0] + _OCTAVE, guesses[0] - _OCTAVE]
        if self._named is not None:
            octaves = round((guesses[0] - self._named) / _OCTAVE)
            guesses = [self._named + _OCTAVE * octaves, self._named, *guesses]
        keys = [int(np.clip(key, *_NOTE_RANGE)) for key in guesses]
        return list(dict.fromkeys(keys))[:_KEYS]

    def _in_tune(self, scored: Scored) -> Scored:
        """The candidate with its pitch where the target's is, if that can be told and is near."""
        if not self._heard.f0_hz or self._heard.confidence < _SURE:
            return scored
        its = pitch.track(self._stage.render([scored.candidate])[0], SAMPLE_RATE)
        if not its.f0_hz or its.confidence < _SURE:
            return scored
        semitones = float(np.log(self._heard.f0_hz / its.f0_hz) / np.log(SEMITONE))
        if not _MISTUNED[0] < abs(semitones) < _MISTUNED[1]:
            return scored
        tuned = self._stage.score([retuned(scored.candidate, semitones)])[0]
        return tuned if tuned.distance < scored.distance + _TUNING_COSTS_DB else scored

    def _match(self, scored: Scored) -> Match:
        candidate = scored.candidate
        sound = self._stage.render([candidate])[0]
        plain, gates = decode(candidate.places[None])
        plain = _tidied(plain, gates)
        wanted = plain[0, _GAIN] * _rms(self._target) / max(_rms(sound), 1e-9)
        plain[0, _GAIN] = min(wanted, MAXIMUM[_GAIN])
        frequency = plain[0, BY_ID["kLfoFrequency"].index]
        return Match(
            preset=Preset.from_plain(plain[0]),
            note=candidate.note,
            velocity=VELOCITY,
            gate_s=float(gates[0]),
            distance=float(self._scoring.compare(mss, sound)[0]),
            elapsed_s=self._elapsed_s,
            evaluations=self._stage.evaluations,
            warmup_s=candidate.phase / float(frequency),
            level_error_db=float(20 * np.log10(plain[0, _GAIN] / wanted)),
            f0_hz=float(self._heard.f0_hz) or None,
        )


def _tidied(plain: Floats, gates: Floats) -> Floats:
    """What the note does not let hear stands at its default: fewer knobs to move or wonder at."""
    heard = audible(plain, velocity=VELOCITY, gate_s=gates)
    heard[:, list(_KEPT)] = True
    return np.where(heard, plain, DEFAULT)


def _rms(sound: Floats) -> float:
    return float(np.sqrt(np.mean(sound**2)))
