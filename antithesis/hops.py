"""What is known of a stream every few milliseconds: how loud it is, in which bands, and whether it
keeps its course; and what of that is new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from antithesis.evidence import ComplexArray, departures, highest
from antithesis.fourier import transforms

FloatArray = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating]

HOP_S: Final = 0.005
SILENT_DBFS: Final = -80.0
NEXT: Final = 12
"""So many hops, the next moment, count to what was of late."""

_STANDS_OUT_DB: Final = 10.0  # out of quiet
_QUIET_SHARE: Final = 0.1  # of the time the stream is about as quiet as it gets
_SHORTEST_QUIET: Final = 6  # hops; less is a gap within a sound
_SHORTEST_SOUND: Final = 2  # hops; less is a click

_WINDOW_S: Final = 0.023
_BANDS: Final = 48
_RANGE_HZ: Final = (60.0, 16000.0)
_RANGE_DB: Final = 40.0  # of what counts, below the loudest band of late
_OF_LATE: Final = 400  # hops
_BEFORE: Final = (3, 26)  # hops back: what a band held there is not new, but a pulse of the sound
_MOST_DB: Final = 30.0  # of one band's rise
_EDGE: Final = 8  # hops on which what is beyond an end has its say


def hop_of(sample_rate: int) -> int:
    """Samples of a hop."""
    return max(1, round(HOP_S * sample_rate))


@dataclass(frozen=True)
class Hops:
    """Of each whole hop of a stream.

    Attributes:
        levels: (n,) RMS in dBFS.
        bands: (n, bands) power in dB, around the beginning of each.
        departures: (n,) by how much levels and phases leave their course there.
    """

    levels: FloatArray
    bands: FloatArray
    departures: FloatArray

    @classmethod
    def of(cls, samples: Samples, sample_rate: int) -> Self:
        """Of a stream (n,)."""
        levels = _levels_dbfs(samples, hop_of(sample_rate))
        spectra = _spectra(samples, sample_rate, len(levels))
        resolution_hz = sample_rate / (2 * spectra.shape[1] - 2)
        return cls(levels, _bands_db(spectra, sample_rate), departures(spectra, resolution_hz))

    def __len__(self) -> int:
        return len(self.levels)

    def __getitem__(self, which: slice) -> Self:
        return type(self)(self.levels[which], self.bands[which], self.departures[which])

    def with_more(self, samples: Samples, sample_rate: int) -> Self:
        """Of the whole of a stream (n,) whose beginning these are of, but for its last few hops."""
        count, hop = len(self), hop_of(sample_rate)
        whole = len(samples) // hop - _EDGE
        if whole <= count:
            return self
        first = max(0, count - _EDGE)
        more = type(self).of(samples[first * hop :], sample_rate)[count - first : whole - first]
        return type(self)(
            np.concatenate([self.levels, more.levels]),
            np.concatenate([self.bands, more.bands]),
            np.concatenate([self.departures, more.departures]),
        )

    def loud(self) -> npt.NDArray[np.bool_]:
        """Which stand out of the quiet (n,), be that silence, hiss or soft music."""
        quiet = max(float(np.quantile(self.levels, _QUIET_SHARE)), SILENT_DBFS - _STANDS_OUT_DB)
        loud = self.levels > quiet + _STANDS_OUT_DB
        for start, stop in runs(~loud):
            loud[start:stop] = start > 0 and stop < len(loud) and stop - start < _SHORTEST_QUIET
        for start, stop in runs(loud):
            loud[start:stop] = stop - start >= _SHORTEST_SOUND
        return loud

    def novelty_db(self) -> FloatArray:
        """How much the bands that sound have risen (n,), above what they and those beside held."""
        loudest = highest_of_late(self.bands.max(axis=1))
        bottom = np.maximum(loudest - _RANGE_DB, SILENT_DBFS)[:, None]
        bands = np.maximum(self.bands, bottom)
        weight = np.clip((bands - bottom) / _RANGE_DB, 0.0, 1.0)
        held = np.maximum(bands, np.maximum(np.roll(bands, 1, axis=1), np.roll(bands, -1, axis=1)))
        before = highest(held, range(_BEFORE[0], _BEFORE[1] + 1))
        rise = np.clip(bands - before, 0.0, _MOST_DB)
        return np.asarray((weight * rise).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0))


def runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where a mask is true, as half-open ranges."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def highest_of_late(values: FloatArray) -> FloatArray:
    """The highest of the last two seconds, and of the next moment."""
    return highest(values, range(1 - NEXT, _OF_LATE + 1))


def _levels_dbfs(samples: Samples, hop: int) -> FloatArray:
    """RMS of each whole `hop`."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64)
    return np.asarray(10 * np.log10(np.maximum(np.einsum("ij,ij->i", frames, frames) / hop, 1e-20)))


def _spectra(samples: Samples, sample_rate: int, count: int) -> ComplexArray:
    """Spectra (count, bins) of windows around the beginning of each hop."""
    hop = hop_of(sample_rate)
    size = int(2 ** np.round(np.log2(_WINDOW_S * sample_rate)))
    padded = np.pad(np.asarray(samples, np.float32), (size // 2, size))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    shape = np.hanning(size).astype(np.float32)
    return transforms(windows, shape / shape.sum())


def _bands_db(spectra: ComplexArray, sample_rate: int) -> FloatArray:
    """Power (count, bands) of each of the spectra."""
    power = spectra.real**2 + spectra.imag**2
    size = 2 * spectra.shape[1] - 2
    edges = np.geomspace(_RANGE_HZ[0], min(_RANGE_HZ[1], 0.45 * sample_rate), _BANDS + 1)
    bins = np.unique(np.rint(edges * size / sample_rate).astype(int))
    bands = np.add.reduceat(power, bins, axis=1)[:, :-1]
    return np.asarray(10 * np.log10(np.maximum(bands, 1e-20)), np.float64)
