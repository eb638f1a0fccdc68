"""What speaks for it that a sound begins, piece by piece, and how much all of it says together.

A note that swells again (an envelope on the filter, two tones that beat) grows, but from what was
there, and slowly. A note that is struck brings what was not foreseen: at new frequencies, out of
phase, at once.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex64]
Samples = npt.NDArray[np.floating]

_FLOOR: Final = 1e-10  # of power
_LATE_S: Final = 0.12
_GROWS_S: Final = 0.06
_OF_LATE_S: Final = 1.0
_PIECE_S: Final = 0.005
_MUCH_SOFTER: Final = 0.01  # of power

_LONG_S: Final = 0.093  # of a window that tells neighbouring keys apart
_BEFORE_S: Final = (0.0, 0.04, 0.09, 0.15)  # ends of such windows, before the onset
_BESIDE: Final = 2  # bins in which vibrato and windows spread a tone

_FORESEEN_HZ: Final = (60.0, 12000.0)
_FORESEEN_HOPS: Final = range(4, 25)  # back: how much was unforeseen before


@dataclass(frozen=True)
class Evidence:
    """For a beginning at some sample.

    Attributes:
        unforeseen_db: By how much levels and phases leave their course, against the moment before.
        new: Share of the energy at frequencies that had less of it, had all been as loud before.
        loud_db: Against the loudest of the last second.
        grows_db: The power after, against that before.
        stays_db: The power a little later, against that before.
        struck_db: The sharpest that comes, against the moment before; a blow is sharp.
        sharpest_db: The same against the last second.
        rose_db: By how much it was rising before; negative where it fell.
        quiet_ago: Seconds since it was much softer, up to one: their logarithm to base ten.
    """

    unforeseen_db: float
    new: float
    loud_db: float
    grows_db: float
    stays_db: float
    struck_db: float
    sharpest_db: float
    rose_db: float
    quiet_ago: float

    @property
    def values(self) -> FloatArray:
        """As numbers, each within what is still telling."""
        return np.asarray(np.clip(astuple(self), *_TELLING))

    @property
    def weight(self) -> float:
        """The logarithm of the odds that a sound begins."""
        return _odds().weight(self.values)


_TELLING: Final = np.array(
    [(0, 30), (0, 1), (-30, 10), (-20, 40), (-20, 40), (-20, 40), (-20, 40), (-30, 30), (-2, 0)]
).T


@dataclass(frozen=True)
class Odds:
    """How much pieces of evidence (n,) say together: one layer of tanh, for one tells of another.

    A soft note out of silence is one, a soft blow amid a loud sound a part of it.
    """

    hidden: FloatArray  # (n, units)
    bias: FloatArray  # (units,)
    out: FloatArray  # (units,)
    offset: float

    def weight(self, values: FloatArray) -> float:
        """The logarithm of the odds."""
        return float(np.tanh(values @ self.hidden + self.bias) @ self.out + self.offset)


ODDS: Final = Path(__file__).parent / "data" / "onset_odds.json"
"""What was learnt; `scripts/onset_trials.py --fit` writes it."""


@cache
def _odds() -> Odds:
    learnt = json.loads(ODDS.read_text("utf-8"))
    hidden, bias, out = (np.array(learnt[name]) for name in ("hidden", "bias", "out"))
    return Odds(hidden, bias, out, learnt["offset"])


def evidence(samples: Samples, start: int, sample_rate: int, unforeseen_db: float) -> Evidence:
    """What speaks for a beginning at sample `start` of a stream (n,)."""
    first = max(0, start - round((_OF_LATE_S + _GROWS_S) * sample_rate))
    near = samples[first : start + round(_LATE_S * sample_rate)].astype(np.float64)
    sharp = np.diff(near, 2, prepend=np.zeros(2))
    energy, edges = (np.concatenate([[0.0], np.cumsum(x**2)]) for x in (near, sharp))

    def power(begin_s: float, end_s: float, piece_s: float, of: FloatArray = energy) -> float:
        """The highest power of a piece between two times from the start on, in dB."""
        begin, end = (max(0, start - first + round(s * sample_rate)) for s in (begin_s, end_s))
        return _loudest_db(of[begin : end + 1], round(piece_s * sample_rate))

    sharpest = power(0.0, 0.03, 0.005, edges)
    return Evidence(
        unforeseen_db,
        _news(samples, start, sample_rate),
        loud_db=power(0.0, _LATE_S, 0.02) - power(-_OF_LATE_S, 0.0, 0.02),
        grows_db=power(0.0, _GROWS_S, _GROWS_S) - power(-_GROWS_S, 0.0, _GROWS_S),
        stays_db=power(0.03, 0.1, 0.07) - power(-0.07, 0.0, 0.07),
        struck_db=sharpest - power(-0.1, 0.0, 0.005, edges),
        sharpest_db=sharpest - power(-_OF_LATE_S, 0.0, 0.005, edges),
        rose_db=power(-0.05, 0.0, 0.05) - power(-0.15, -0.1, 0.05),
        quiet_ago=_quiet_ago(energy[: start - first + 1], round(_PIECE_S * sample_rate)),
    )


def _quiet_ago(energy: FloatArray, piece: int) -> float:
    """The logarithm to base ten of the seconds since a piece was much softer than the last few."""
    levels = np.diff(energy[::-1][::piece][::-1])
    soft = np.flatnonzero(levels[:-2] < levels[-4:].max(initial=0.0) * _MUCH_SOFTER)
    pieces = len(levels) - int(soft[-1]) if len(soft) else round(_OF_LATE_S / _PIECE_S)
    return float(np.log10(pieces * _PIECE_S))


def _loudest_db(energy: FloatArray, piece: int) -> float:
    """Power of the loudest of the pieces, a quarter of their length apart, by sums of energy."""
    piece = max(1, min(piece, len(energy) - 1))
    starts = np.arange(0, len(energy) - piece, max(1, piece // 4))
    if not len(starts):
        return float(10 * np.log10(_FLOOR))
    return float(10 * np.log10((energy[starts + piece] - energy[starts]).max() / piece + _FLOOR))


def _news(samples: Samples, start: int, sample_rate: int) -> float:
    """Share of the energy that is at new frequencies, had what was before been as loud."""
    there = min(len(samples) - start, _LONG_S * sample_rate * 2**0.5)
    size = int(2 ** np.floor(np.log2(there)))
    ends = (start + size, *(start - round(before_s * sample_rate) for before_s in _BEFORE_S))
    power = np.abs(np.fft.rfft([_up_to(samples, end, size) * _window(size) for end in ends])) ** 2
    after, before = power[0], power[1:].max(axis=0)
    spread = [np.roll(before, shift) for shift in range(-_BESIDE, _BESIDE + 1)]
    before = 2 * np.max(spread, axis=0)
    before *= max(1.0, 2 * after.sum() / max(before.sum(), 1e-20))
    return float(np.clip(after - before, 0.0, None).sum() / max(after.sum(), 1e-20))


def _up_to(samples: Samples, end: int, size: int) -> FloatArray:
    """The `size` samples that end there, with silence around the stream."""
    inside = samples[max(0, end - size) : max(0, end)]
    whole = np.zeros(size)
    first = max(0, size - end)
    whole[first : first + len(inside)] = inside
    return whole


@cache
def _window(size: int) -> FloatArray:
    return np.hanning(size)


def departures(spectra: ComplexArray, resolution_hz: float) -> FloatArray:
    """By how much each frame (n,) of spectra (n, bins) leaves its course.

    A steady tone goes on at its level, and its phase at its pace (Duxbury, Bello, Davies and
    Sandler, 2003).
    """
    first, last = (round(hz / resolution_hz) for hz in _FORESEEN_HZ)
    spectra = spectra[:, first : last + 1]
    course = spectra / np.maximum(np.abs(spectra), 1e-12)
    expected = spectra[1:-1] * course[1:-1] * np.conj(course[:-2])
    departed = np.abs(spectra[2:] - expected).sum(axis=1)
    return np.pad(departed.astype(np.float64), (len(spectra) - len(departed), 0))


def departures_db(departed: FloatArray) -> FloatArray:
    """By how much more each frame (n,) leaves its course than those before."""
    before = highest(departed, _FORESEEN_HOPS)
    return np.asarray(20 * np.log10((departed + 1e-7) / (before + 1e-7)))


def highest(values: FloatArray, shifts: range) -> FloatArray:
    """The highest of `values` so many frames back, or ahead where negative; the ends go on."""
    beyond = [(shifts[-1], max(0, -shifts[0])), *[(0, 0)] * (values.ndim - 1)]
    highest, reach = np.pad(values, beyond, mode="edge"), 1
    while 2 * reach <= len(shifts):  # of twice as many frames each time
        highest, reach = np.maximum(highest[:-reach], highest[reach:]), 2 * reach
    rest = len(shifts) - reach
    return np.asarray(np.maximum(highest[: len(values)], highest[rest : rest + len(values)]))
