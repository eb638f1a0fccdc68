"""Stretches of what a computer might play, drawn by chance, with where their notes begin.

Each kind of scene is a function that puts a cast of notes (one preset struck twice, at another
pitch, and another preset) into a few seconds, and what sounds under them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from antithesis import sampling
from antithesis.audio import FloatArray
from antithesis.synth import render_notes

RATE = 44100
SOUND_S = 3.0
LONGEST_S = 6.0
STRUCK_S = 0.02
HEARD_S = 0.2

_BATCH = 16
_FRAME = 220
_QUIET_DBFS = -45.0
_AUDIBLE_DB = -60.0
_RISEN_DB = -20.0
_UNLIKE_DB = 6.0
_INTERVALS = (-12, -7, -5, -4, -3, -2, 2, 3, 4, 5, 7, 12)


@dataclass(frozen=True)
class Note:
    """A sound (n,) whose key was pressed at its first sample, and for how long it was held."""

    samples: FloatArray
    gate_s: float

    @property
    def levels(self) -> FloatArray:
        """Power of each frame."""
        return _powers(self.samples)

    @property
    def struck(self) -> bool:
        """Whether it comes near its loudest at once; others swell."""
        return bool(np.argmax(self.levels > self._below_peak(_RISEN_DB)) * _FRAME < STRUCK_S * RATE)

    @property
    def audible(self) -> int:
        """The first sample that could be heard in silence."""
        threshold = np.sqrt(self._below_peak(_AUDIBLE_DB))
        return int(np.argmax(np.abs(self.samples) > threshold))

    def as_loud_as(self, other: Note, softer_db: float) -> Note:
        """At its loudest, but for so many dB."""
        scale = np.sqrt(other.levels.max() / self.levels.max()) * 10 ** (-softer_db / 20)
        return replace(self, samples=scale * self.samples)

    def _below_peak(self, db: float) -> float:
        return float(self.levels.max() * 10 ** (db / 10))


@dataclass(frozen=True)
class Placed:
    """A note in a scene: its key was pressed at `start`, and by `stop` it stands out of the rest.

    Between these two nobody can say where it begins.
    """

    note: Note
    start: int
    stop: int = 0

    def late_by(self, found: int) -> int:
        """By how many samples a beginning is too late; negative if too early."""
        return found - min(max(found, self.start), self.stop)


@dataclass(frozen=True)
class Scene:
    """A stretch (n,), which ends when somebody asks for the last of its notes."""

    samples: FloatArray
    notes: list[Placed]

    @property
    def fair(self) -> bool:
        """Whether the last note could be heard for a while."""
        return len(self.samples) - self.notes[-1].stop > HEARD_S * RATE


@dataclass(frozen=True)
class Cast:
    """Notes of two presets: one struck twice, the same at another pitch, and the other."""

    note: Note
    again: Note
    elsewhere: Note
    other: Note


def casts(rng: np.random.Generator, presets: str) -> Iterator[Cast]:
    """Without end, of a distribution of `antithesis.sampling`; none too quiet to be heard."""
    while True:
        drawn = sampling.DISTRIBUTIONS[presets](rng, 2 * _BATCH)
        key = drawn.note + rng.choice(_INTERVALS, len(drawn))
        notes = list(
            zip(
                _struck(drawn, drawn.note, drawn.gate_s, rng),
                _struck(drawn, drawn.note, rng.uniform(0.3, 1.7, len(drawn)), rng),
                _struck(drawn, key, drawn.gate_s, rng),
                strict=True,
            )
        )
        heard = [kept for kept in notes if all(_loud_enough(note) for note in kept)]
        for first, second in zip(heard[::2], heard[1::2], strict=False):
            softer_db = rng.uniform(-_UNLIKE_DB, _UNLIKE_DB)
            yield Cast(*first, second[0].as_loud_as(first[0], softer_db))


def _struck(
    drawn: sampling.Sample, key: npt.ArrayLike, gates_s: FloatArray, rng: np.random.Generator
) -> list[Note]:
    warmup_s = drawn.warmup_s + rng.uniform(0.0, 1.0, len(drawn))
    sounds = render_notes(
        *(drawn.normalized, key, drawn.velocity, gates_s),
        duration_s=SOUND_S,
        warmup_s=warmup_s,
    )
    return [Note(sound, float(gate_s)) for sound, gate_s in zip(sounds, gates_s, strict=True)]


def _loud_enough(note: Note) -> bool:
    rms = np.sqrt(np.mean(note.samples**2) + 1e-20)
    return bool(np.isfinite(rms) and 20 * np.log10(rms) > _QUIET_DBFS)


def scenes(rng: np.random.Generator, kind: str, presets: str) -> Iterator[Scene]:
    """Scenes of a kind without end, with notes of a distribution; all fair."""
    drawn = (KINDS[kind](rng, cast) for cast in casts(rng, presets))
    return (scene for scene in drawn if scene.fair)


def alone(rng: np.random.Generator, cast: Cast) -> Scene:
    """One note in silence."""
    return _scene(rng, [(cast.note, rng.uniform(0.5, 2.0))])


def in_a_row(rng: np.random.Generator, cast: Cast) -> Scene:
    """Three notes of two presets, each after the one before was let go of."""
    notes, at = [], rng.uniform(0.3, 0.6)
    for note in (cast.note, cast.other, cast.elsewhere):
        note = replace(note, gate_s=min(note.gate_s, 1.0))
        notes.append((note, at))
        at += note.gate_s + rng.uniform(0.1, 0.6)
    return _scene(rng, notes)


def close_other(rng: np.random.Generator, cast: Cast) -> Scene:
    """Another preset begins while the first one sounds."""
    return _close(rng, cast.note, cast.other)


def close_pitch(rng: np.random.Generator, cast: Cast) -> Scene:
    """The same preset at another pitch begins while the first one sounds."""
    return _close(rng, cast.note, cast.elsewhere)


def close_same(rng: np.random.Generator, cast: Cast) -> Scene:
    """The same key is struck again while it still sounds."""
    return _close(rng, cast.note, cast.again)


def chord(rng: np.random.Generator, cast: Cast) -> Scene:
    """Two keys at once."""
    both = cast.note.samples + cast.elsewhere.samples
    return _scene(rng, [(Note(both, cast.note.gate_s), rng.uniform(0.5, 2.0))])


def over_notes(rng: np.random.Generator, cast: Cast) -> Scene:
    """One note over a tune of the other preset."""
    at = np.arange(0.1, LONGEST_S, rng.uniform(0.15, 0.4))
    return _over(rng, cast, [(cast.other.samples, start) for start in at])


def over_plucks(rng: np.random.Generator, cast: Cast) -> Scene:
    """One note over plucked chords."""
    at = np.arange(0.1, LONGEST_S, rng.uniform(0.15, 0.4))
    keys = rng.integers(0, 24, (len(at), 3))
    return _over(
        rng,
        cast,
        [
            (_pluck(rng, 110 * 2 ** (key / 12)), start)
            for start, chosen in zip(at, keys, strict=True)
            for key in chosen
        ],
    )


def over_drums(rng: np.random.Generator, cast: Cast) -> Scene:
    """One note over drums."""
    beat_s = rng.uniform(0.1, 0.2)
    played = ((_drum(rng, step), 0.1 + step * beat_s) for step in range(int(LONGEST_S / beat_s)))
    return _over(rng, cast, list(played))


def over_noise(rng: np.random.Generator, cast: Cast) -> Scene:
    """One note over steady noise, from hiss to rumble."""
    noise = rng.normal(size=round(LONGEST_S * RATE))
    spectrum = np.fft.rfft(noise) / np.maximum(1, np.arange(len(noise) // 2 + 1)) ** rng.uniform(
        0, 1
    )
    return _over(rng, cast, [(np.fft.irfft(spectrum, len(noise)), 0.0)])


KINDS: Mapping[str, Callable[[np.random.Generator, Cast], Scene]] = {
    "alone": alone,
    "chord": chord,
    "in a row": in_a_row,
    "close, other preset": close_other,
    "close, other pitch": close_pitch,
    "close, same key": close_same,
    "over a tune": over_notes,
    "over plucks": over_plucks,
    "over drums": over_drums,
    "over noise": over_noise,
}


def _close(rng: np.random.Generator, first: Note, second: Note) -> Scene:
    at = rng.uniform(0.5, 1.5)
    return _scene(rng, [(first, at), (second, at + rng.uniform(0.1, 0.6))])


def _over(rng: np.random.Generator, cast: Cast, music: list[tuple[FloatArray, float]]) -> Scene:
    """A note over music that is 12 to 24 dB softer where both are at their loudest."""
    under = np.zeros(round(LONGEST_S * RATE))
    for samples, start_s in music:
        _add(under, samples, round(start_s * RATE))
    softer_db = rng.uniform(12.0, 24.0)
    loudest = cast.note.levels.max() / max(_powers(under).max(), 1e-20)
    under *= np.sqrt(loudest * 10 ** (-softer_db / 10))
    return _scene(rng, [(cast.note, rng.uniform(1.5, 3.0))], under)


def _scene(
    rng: np.random.Generator, notes: list[tuple[Note, float]], under: FloatArray | None = None
) -> Scene:
    last, last_s = notes[-1]
    over_s = min(LONGEST_S, last_s + rng.uniform(0.3, last.gate_s + 0.8))
    stretch = np.zeros(round(LONGEST_S * RATE)) if under is None else under
    placed = []
    for note, at_s in notes:
        start = round(at_s * RATE)
        placed.append(Placed(note, start, start + _stands_out(note, stretch[start:])))
        _add(stretch, note.samples, start)
    scale = 0.5 / np.abs(stretch).max()
    return Scene((scale * stretch[: round(over_s * RATE)]).astype(np.float32), placed)


def _stands_out(note: Note, under: FloatArray) -> int:
    """The first sample from which on a note is no softer than what is under it, if ever."""
    below = _powers(under)[: len(note.levels)]
    clear = np.flatnonzero(note.levels[: len(below)] > np.maximum(below, 1e-20))
    return max(note.audible, int(clear[0]) * _FRAME) if len(clear) else len(under)


def _powers(samples: FloatArray) -> FloatArray:
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    return np.asarray(np.mean(frames**2, axis=1))


def _add(stretch: FloatArray, samples: FloatArray, start: int) -> None:
    kept = samples[: max(0, len(stretch) - start)]
    stretch[start : start + len(kept)] += kept


def _pluck(rng: np.random.Generator, f0_hz: float) -> FloatArray:
    """A string (n,) after Karplus and Strong."""
    period = round(RATE / f0_hz)
    wave = rng.uniform(-1.0, 1.0, period)
    turns = []
    for _ in range(RATE // period):
        turns.append(wave)
        wave = 0.498 * (wave + np.roll(wave, 1))
    return np.concatenate(turns)


def _drum(rng: np.random.Generator, step: int) -> FloatArray:
    """A bass drum, a snare or a hi-hat."""
    t = np.arange(round(0.3 * RATE)) / RATE
    noise = rng.normal(size=len(t))
    if step % 4 == 0:
        return np.asarray(
            np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-30 * t)))) * np.exp(-12 * t)
        )
    if step % 4 == 2:
        return np.asarray((0.5 * noise + np.sin(2 * np.pi * 190 * t)) * 0.5 * np.exp(-20 * t))
    return np.asarray(0.2 * np.diff(noise, prepend=0.0) * np.exp(-60 * t))
