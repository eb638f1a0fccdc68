"""What speaks for it that a sound begins, piece by piece, and how much all of it says together.

A note that swells again (an envelope on the filter, two tones that beat) grows, but from what was
there, and slowly. A note that is struck brings what was not foreseen: at new frequencies, out of
phase, at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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
    """

    unforeseen_db: float
    new: float
    loud_db: float
    grows_db: float

    @property
    def values(self) -> FloatArray:
        """As numbers, each within what is still telling: what `WEIGHTS` weigh."""
        return np.array(
            [
                np.clip(self.unforeseen_db, 0.0, 20.0),
                self.new,
                np.clip(self.loud_db, -20.0, 0.0),
                np.clip(self.grows_db, -10.0, 20.0),
                1.0,
            ]
        )

    @property
    def weight(self) -> float:
        """The logarithm of the odds that a sound begins."""
        return float(self.values @ WEIGHTS)


WEIGHTS: Final = np.array([0.07, 3.48, 0.35, 0.146, -3.3])
"""Of each piece, and for none: after the logistic regression of `onset_trials.py --fit` (12 scenes
of each kind, seed 1); the last one so that a note in fifty is cut in two out of silence.
"""


def evidence(samples: Samples, start: int, sample_rate: int, unforeseen_db: float) -> Evidence:
    """What speaks for a beginning at sample `start` of a stream (n,)."""

    def power(begin_s: float, end_s: float, piece_s: float) -> float:
        """The highest power of a piece between two times from the start on, in dB."""
        begin = max(0, start + round(begin_s * sample_rate))
        return _loudest_db(
            samples[begin : max(0, start + round(end_s * sample_rate))],
            round(piece_s * sample_rate),
        )

    return Evidence(
        unforeseen_db,
        _news(samples, start, sample_rate),
        loud_db=power(0.0, _LATE_S, 0.02) - power(-_OF_LATE_S, 0.0, 0.02),
        grows_db=power(0.0, _GROWS_S, _GROWS_S) - power(-_GROWS_S, 0.0, _GROWS_S),
    )


def _loudest_db(stretch: Samples, piece: int) -> float:
    """Power of the loudest of the pieces, a quarter of their length apart."""
    sums = np.concatenate([[0.0], np.cumsum(np.square(stretch, dtype=np.float64))])
    piece = max(1, min(piece, len(stretch)))
    starts = np.arange(0, len(sums) - piece, max(1, piece // 4))
    if not len(starts):
        return float(10 * np.log10(_FLOOR))
    return float(10 * np.log10((sums[starts + piece] - sums[starts]).max() / piece + _FLOOR))


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


def departures_db(spectra: ComplexArray, resolution_hz: float) -> FloatArray:
    """By how much each frame (n,) of spectra (n, bins) leaves its course more than those before.

    A steady tone goes on at its level, and its phase at its pace (Duxbury, Bello, Davies and
    Sandler, 2003).
    """
    first, last = (round(hz / resolution_hz) for hz in _FORESEEN_HZ)
    spectra = spectra[:, first : last + 1]
    course = spectra / np.maximum(np.abs(spectra), 1e-12)
    expected = spectra[1:-1] * course[1:-1] * np.conj(course[:-2])
    departure = np.pad(np.abs(spectra[2:] - expected).sum(axis=1), (2, 0)).astype(np.float64)
    before = highest(departure, _FORESEEN_HOPS)
    return np.asarray(20 * np.log10((departure + 1e-7) / (before + 1e-7)))


def highest(values: FloatArray, shifts: range) -> FloatArray:
    """The highest of `values` so many frames back, or ahead where negative; the ends go on."""
    beyond = [(shifts[-1], max(0, -shifts[0])), *[(0, 0)] * (values.ndim - 1)]
    highest, reach = np.pad(values, beyond, mode="edge"), 1
    while 2 * reach <= len(shifts):  # of twice as many frames each time
        highest, reach = np.maximum(highest[:-reach], highest[reach:]), 2 * reach
    rest = len(shifts) - reach
    return np.asarray(np.maximum(highest[: len(values)], highest[rest : rest + len(values)]))
