"""Random presets, each with the note that plays it: what training and evaluation draw from.

Every function is pure: a numpy Generator and a count in, a `Sample` out, and the same seed gives
the same bits. The shares and ranges of each distribution stand in its docstring. What is too quiet
to learn from (the project rejects under -45 dBFS RMS) is only known after rendering, so rejecting
it is the caller's.

An envelope time of tau seconds is the rate 1 / tau, which its knob holds reversed, as
`min + max - 1 / tau`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis.parameters import BY_ID, PARAMETERS, Kind, to_normalized, to_plain
from antithesis.presetfiles import read_presets

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Columns = dict[str, FloatArray]

STUDY_NINE = (
    *("kOsc1Wave", "kOsc1Coarse", "kOsc1Fine", "kOsc1Split"),
    *("kVolEnvA", "kVolEnvD", "kVolEnvS", "kVolEnvR", "kVolEnvV"),
)
"""The parameters that the study of 2019 varied; all others stood at Init."""

_WAVE_WEIGHTS = (0.12, 0.16, 0.28, 0.22, 0.16, 0.06)  # sine, triangle, saw, square, pulse, noise
_INTERVALS = (-24, -12, -5, 5, 7, 12, 19, 24)  # octaves, fifths and fourths
_NOTES = (36, 84)
_VELOCITIES = (40, 127)
_GATES_S = (0.3, 1.7)
_WARMUPS_S = (0.2, 4.0)


@dataclass(frozen=True)
class Sample:
    """`n` presets in plain units (n, 38), each with the one note that plays it (arrays (n,))."""

    plain: FloatArray
    note: IntArray
    velocity: IntArray
    gate_s: FloatArray
    warmup_s: FloatArray

    def __len__(self) -> int:
        return len(self.plain)

    @property
    def normalized(self) -> FloatArray:
        """The presets in normalized units, shape (n, 38)."""
        return to_normalized(self.plain)

    @property
    def columns(self) -> tuple[npt.NDArray[np.generic], ...]:
        """All arrays, in the order of the fields."""
        return (self.plain, self.note, self.velocity, self.gate_s, self.warmup_s)

    def of(self, rows: npt.NDArray[np.generic] | slice) -> Sample:
        """Some of its presets, by their rows, a mask or a slice."""
        some: Iterator[Any] = (column[rows] for column in self.columns)
        return Sample(*some)


def uniform(rng: np.random.Generator, n: int) -> Sample:
    """Every parameter uniform in normalized units; poly, master volume 0.25; any note in range."""
    return _played(rng, _as_single_note(to_plain(rng.random((n, len(PARAMETERS))))))


def nine(rng: np.random.Generator, n: int) -> Sample:
    """The study's nine uniform in normalized units, the rest at Init; note 60, velocity 100."""
    varied = to_plain(rng.random((n, len(PARAMETERS))))
    plain = _from_columns(n, {id: varied[:, BY_ID[id].index] for id in STUDY_NINE})
    return _played(rng, plain, notes=(60, 60), velocities=(100, 100))


def split(rng: np.random.Generator, n: int) -> Sample:
    """Oscillator 1 alone, tonal, |split| uniform in 0.001 to 0.025.

    A decay of 50 ms to 2 s to a sustain of 0.2 to 1; half of them filtered (cutoff log-uniform
    500 to 8,000 Hz, resonance up to 0.7).
    """
    filtered = rng.random(n) < 0.5
    columns = {
        "kOsc1Wave": rng.integers(0, 5, n).astype(np.float64),
        "kOsc1Split": rng.choice((-1.0, 1.0), n) * rng.uniform(0.001, 0.025, n),
        "kFilterEnabled": filtered.astype(np.float64),
        "kFilterCutoff": np.where(filtered, _log_uniform(rng, 500.0, 8000.0, n), 8000.0),
        "kFilterResonance": np.where(filtered, rng.uniform(0.0, 0.7, n), 0.0),
        "kVolEnvD": _knob("kVolEnvD", _log_uniform(rng, 0.05, 2.0, n)),
        "kVolEnvS": rng.uniform(0.2, 1.0, n),
    }
    return _played(rng, _from_columns(n, columns))


def musical(rng: np.random.Generator, n: int) -> Sample:
    """What a producer might set: most amounts off with some probability, times log-spread.

    The shares stand where they are drawn: `_oscillator`, `_fm`, `_filter`, `_envelope`,
    `_vibrato`.
    """
    alone = rng.random(n)  # oscillator 1 alone in 40 %, 2 alone in 5 %, else a mix
    mix = np.select([alone < 0.40, alone < 0.45], [1.0, 0.0], rng.uniform(0.1, 0.9, n))
    columns = {
        "kOscMix": mix,
        **_oscillator(rng, n, "kOsc1"),
        **_oscillator(rng, n, "kOsc2"),
        **_fm(rng, n),
        **_filter(rng, n),
        **_envelope(rng, n, "kVolEnv"),
        **_envelope(rng, n, "kModEnv"),
        **_vibrato(rng, n),
    }
    return _played(rng, _from_columns(n, columns))


def neighbours(rng: np.random.Generator, n: int) -> Sample:
    """Factory presets, each moved a little.

    Continuous knobs move by a normal step in normalized units, its width log-uniform from 0.003 to
    0.1 per preset; each whole number of semitones is drawn anew in 10 %, each switch in 5 %. A knob
    at rest stays there in half of the cases: "off" is what makes many of these sounds.
    """
    plain = factory_presets()
    start = to_normalized(plain)[rng.integers(0, len(plain), n)]
    width = _log_uniform(rng, 0.003, 0.1, n)[:, None]
    moved = start + rng.normal(0.0, 1.0, start.shape) * width
    keep = (start == to_normalized(_init())) & (rng.random(start.shape) < 0.5)
    changed = rng.random(start.shape) < _CHANGE_SHARE
    fresh = np.where(changed, rng.random(start.shape), start)
    moved = np.where(_CONTINUOUS, np.where(keep, start, np.clip(moved, 0.0, 1.0)), fresh)
    return _played(rng, _as_single_note(to_plain(moved)))


DISTRIBUTIONS: Mapping[str, Callable[[np.random.Generator, int], Sample]] = {
    "uniform": uniform,
    "musical": musical,
    "nine": nine,
    "split": split,
    "neighbours": neighbours,
}


def mixture(rng: np.random.Generator, n: int, weights: Mapping[str, float]) -> Sample:
    """`n` draws in random order from several of `DISTRIBUTIONS`, in proportion to `weights`."""
    shares = np.array(list(weights.values()), dtype=np.float64)
    counts = rng.multinomial(n, shares / shares.sum())
    parts = [DISTRIBUTIONS[name](rng, int(k)) for name, k in zip(weights, counts, strict=True)]
    columns = zip(*(part.columns for part in parts), strict=True)
    return Sample(*(np.concatenate(column) for column in columns)).of(rng.permutation(n))


def factory(rng: np.random.Generator, n: int) -> Sample:
    """Factory presets as they are, each in its turn, on any note in range.

    Training hears their neighbours, not these.
    """
    plain = factory_presets()
    return _played(rng, _as_single_note(plain[np.arange(n) % len(plain)]))


@cache
def factory_presets() -> FloatArray:
    """The plug-in's Init and 13 of its factory presets in plain units, shape (14, 38), read-only.

    Mika Micro, MIT licence, Andrew Minnich 2018.
    """
    table = resources.files("antithesis").joinpath("data/factory_presets.csv")
    with resources.as_file(table) as path:
        plain = np.stack([preset.plain for preset in read_presets(path)])
    plain.flags.writeable = False
    return plain


_CONTINUOUS = np.array([parameter.kind is Kind.DOUBLE for parameter in PARAMETERS])
_CHANGE_SHARE = np.array([0.10 if p.kind is Kind.INT else 0.05 for p in PARAMETERS])


def _oscillator(rng: np.random.Generator, n: int, prefix: str) -> Columns:
    """Coarse 0 in 55 %, an interval in 30 %, any in 15 %; fine and split off in half."""
    share = rng.random(n)
    interval = rng.choice(_INTERVALS, n)
    fine = np.clip(rng.normal(0.0, 0.15, n), -1.0, 1.0)
    return {
        f"{prefix}Wave": rng.choice(len(_WAVE_WEIGHTS), n, p=_WAVE_WEIGHTS).astype(np.float64),
        f"{prefix}Coarse": np.select(
            [share < 0.55, share < 0.85], [0, interval], rng.integers(-24, 25, n)
        ).astype(np.float64),
        f"{prefix}Fine": _sometimes(rng, 0.5, fine),
        f"{prefix}Split": _sometimes(rng, 0.5, rng.uniform(-0.025, 0.025, n)),
    }


def _fm(rng: np.random.Generator, n: int) -> Columns:
    """On in 30 %: coarse exponential with mean 10, fine in 35 %.

    The envelopes to it in 25 and 40 %, vibrato in 10 %.
    """
    mode = np.where(rng.random(n) < 0.30, rng.integers(1, 3, n), 0)
    columns = {
        "kFmCoarse": np.minimum(np.floor(rng.exponential(10.0, n)), 48.0),
        "kFmFine": _sometimes(rng, 0.35, rng.uniform(-1.0, 1.0, n)),
        "kVolEnvFm": _sometimes(rng, 0.25, np.clip(rng.normal(0.0, 9.0, n), -24.0, 24.0)),
        "kModEnvFm": _sometimes(rng, 0.40, np.clip(rng.normal(0.0, 9.0, n), -24.0, 24.0)),
        "kLfoFm": _sometimes(rng, 0.10, np.clip(rng.normal(0.0, 6.0, n), -24.0, 24.0)),
    }
    return {"kFmMode": mode.astype(np.float64), **_only_where(mode > 0, columns)}


def _filter(rng: np.random.Generator, n: int) -> Columns:
    """On in 65 %: cutoff log-uniform, resonance in 75 %, key track in 35 %.

    The envelopes to the cutoff in 20 and 55 %, vibrato in 15 %.
    """
    on = rng.random(n) < 0.65
    columns = {
        "kFilterCutoff": _log_uniform(rng, 60.0, 8000.0, n),
        "kFilterResonance": _sometimes(rng, 0.75, rng.beta(1.5, 2.0, n)),
        "kFilterKeyTrack": _sometimes(rng, 0.35, rng.uniform(-1.0, 1.0, n)),
        "kVolEnvCutoff": _sometimes(rng, 0.20, _sweep_hz(rng, 1000.0, 2800.0, n)),
        "kModEnvCutoff": _sometimes(rng, 0.55, _sweep_hz(rng, 2000.0, 3500.0, n)),
        "kLfoCutoff": _sometimes(rng, 0.15, _sweep_hz(rng, 1500.0, 4000.0, n)),
    }
    return {"kFilterEnabled": on.astype(np.float64), **_only_where(on, columns)}


def _envelope(rng: np.random.Generator, n: int, prefix: str) -> Columns:
    """Attack 1 ms in 45 %, else up to 0.8 s; decay 20 ms to 2 s; release 4 ms to 1 s.

    Sustain 0 in 25 %, 1 in 20 %; velocity sensitivity in 40 %.
    """
    attack_s = np.where(rng.random(n) < 0.45, 0.001, _log_uniform(rng, 0.001, 0.8, n))
    held = rng.random(n)
    sustain = np.select([held < 0.25, held < 0.45], [0.0, 1.0], rng.random(n))
    return {
        f"{prefix}A": _knob(f"{prefix}A", attack_s),
        f"{prefix}D": _knob(f"{prefix}D", _log_uniform(rng, 0.02, 2.0, n)),
        f"{prefix}S": sustain,
        f"{prefix}R": _knob(f"{prefix}R", _log_uniform(rng, 0.004, 1.0, n)),
        f"{prefix}V": _sometimes(rng, 0.40, rng.random(n)),
    }


def _vibrato(rng: np.random.Generator, n: int) -> Columns:
    """An amount in 25 %, mostly shallow; 0.3 to 10 Hz; delayed by 25 ms to 5 s in a third."""
    depth = rng.choice((-1.0, 1.0), n) * np.minimum(rng.exponential(0.01, n), 0.1)
    delay = _knob("kLfoDelay", _log_uniform(rng, 0.025, 5.0, n))
    return {
        "kLfoAmount": _sometimes(rng, 0.25, depth),
        "kLfoFrequency": _log_uniform(rng, 0.3, 10.0, n),
        "kLfoDelay": np.where(rng.random(n) < 0.33, delay, BY_ID["kLfoDelay"].default),
    }


def _played(
    rng: np.random.Generator,
    plain: FloatArray,
    notes: tuple[int, int] = _NOTES,
    velocities: tuple[int, int] = _VELOCITIES,
) -> Sample:
    n = len(plain)
    return Sample(
        plain=plain,
        note=rng.integers(notes[0], notes[1] + 1, n),
        velocity=rng.integers(velocities[0], velocities[1] + 1, n),
        gate_s=rng.uniform(*_GATES_S, n),
        warmup_s=rng.uniform(*_WARMUPS_S, n),
    )


def _init() -> FloatArray:
    return _as_single_note(np.array([parameter.default for parameter in PARAMETERS]))


def _as_single_note(plain: FloatArray) -> FloatArray:
    """Poly at the default volume: one note tells no voice mode, and volume is but level."""
    plain[..., BY_ID["kVoiceMode"].index] = 0.0
    plain[..., BY_ID["kMasterVolume"].index] = BY_ID["kMasterVolume"].default
    return plain


def _from_columns(n: int, columns: Columns) -> FloatArray:
    """Init, with `columns` in place: plain, shape (n, 38)."""
    plain = np.tile(_init(), (n, 1))
    for id, values in columns.items():
        plain[:, BY_ID[id].index] = values
    return plain


def _only_where(on: npt.NDArray[np.bool_], columns: Columns) -> Columns:
    return {id: np.where(on, values, BY_ID[id].default) for id, values in columns.items()}


def _sometimes(rng: np.random.Generator, share: float, values: FloatArray) -> FloatArray:
    return np.where(rng.random(len(values)) < share, values, 0.0)


def _sweep_hz(rng: np.random.Generator, mean: float, spread: float, n: int) -> FloatArray:
    return np.clip(rng.normal(mean, spread, n), -8000.0, 8000.0)


def _log_uniform(rng: np.random.Generator, low: float, high: float, n: int) -> FloatArray:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def seconds(id: str, plain: FloatArray) -> FloatArray:
    """The time of a knob that holds a rate reversed, as those of envelopes do."""
    return 1.0 / (BY_ID[id].min + BY_ID[id].max - plain)


def _knob(id: str, tau_s: FloatArray) -> FloatArray:
    """The plain value of a reversed rate whose time is `tau_s`."""
    return BY_ID[id].min + BY_ID[id].max - 1.0 / tau_s
