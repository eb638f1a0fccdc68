"""Where sounds begin in a stream that has no beginning: the last of them is the one just heard.

What may be a beginning is looked for generously: where the level leaves the quiet, where energy
appears in bands that had none, where tones leave their course. Each is then placed exactly, and
kept if what speaks for it outweighs the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from antithesis.breaks import break_near
from antithesis.evidence import ComplexArray, Evidence, departures_db, evidence, highest
from antithesis.spectra import transforms

FloatArray = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating]

_HOP_S = 0.005
_SILENT_DBFS = -80.0
_STANDS_OUT_DB = 10.0  # out of quiet
_QUIET_SHARE = 0.1  # of the time the stream is about as quiet as it gets
_SHORTEST_QUIET = 6  # hops; less is a gap within a sound
_SHORTEST_SOUND = 2  # hops; less is a click

_WINDOW_S = 0.023
_BANDS = 48
_RANGE_HZ = (60.0, 16000.0)
_RANGE_DB = 40.0  # of what counts, below the loudest band of late
_OF_LATE = 400  # hops
_BEFORE = (3, 26)  # hops back: what a band held there is not new, but a pulse of the same sound
_MOST_DB = 30.0  # of one band's rise
_NEW_DB = 0.5  # mean rise over the bands that sound: what may be an onset,
_DEPARTS_DB = 4.0  # as may be what leaves its course by so much more than before
_PEAK = 3  # hops
_NEAR = 6  # hops around a frame in which what is seen there begins
_BELOW_DB = 20.0  # softer than the loudest of late, it is not what was meant
_ONE_S = 0.12  # within which it is one sound
_LEAST_S = 0.05  # of a sound; what began later will be known later


@dataclass(frozen=True)
class Heard:
    """A sound in a stream, from sample `start` up to, not including, `stop`.

    It stops where it has sunk into quiet, where the next one begins, or where the stream ends; in
    that case it is not `over`. `background_db` is the loudest of what sounded just before, against
    the loudest of the sound itself; -inf for silence.
    """

    start: int
    stop: int
    over: bool
    background_db: float


def sounds(samples: Samples, sample_rate: int) -> list[Heard]:
    """The sounds of a stream (n,) in their order; one that is on at its beginning is none of them.

    In silence an onset is exact to the sample; amid other sound it is where that no longer explains
    what is heard.
    """
    hop = max(1, round(_HOP_S * sample_rate))
    levels = _levels_dbfs(samples, hop)
    if len(levels) <= 2 * _NEAR:
        return []
    loud = _out_of_quiet(levels)
    starts = [begun.start for begun in beginnings(samples, sample_rate) if begun.weight > 0.0]
    found = []
    for start, following in pairwise([*starts, len(levels) * hop]):
        frame, after = start // hop, following // hop
        quiet = np.flatnonzero(~loud[frame + 2 : after])
        stop = frame + 2 + int(quiet[0]) if len(quiet) else after
        background = _background_db(levels, frame, max(stop, frame + 1))
        found.append(Heard(start, max(stop * hop, start + 1), stop < len(levels), background))
    return found


@dataclass(frozen=True)
class Beginning:
    """Where a sound may begin, and what speaks for it."""

    start: int
    evidence: Evidence

    @property
    def weight(self) -> float:
        """Whether it does, above 0."""
        return self.evidence.weight


def beginnings(samples: Samples, sample_rate: int) -> list[Beginning]:
    """Where sounds may begin in a stream (n,), in order; of some that are near, the likeliest."""
    hop = max(1, round(_HOP_S * sample_rate))
    levels = _levels_dbfs(samples, hop)
    spectra = _spectra(samples, sample_rate, len(levels))
    departs = departures_db(spectra, sample_rate / (2 * spectra.shape[1] - 2))
    kept: list[Beginning] = []
    for frame in _worth_a_look(levels, _novelty_db(_bands_db(spectra, sample_rate)), departs):
        start = break_near(samples, frame * hop, sample_rate)
        if (kept and start <= kept[-1].start) or start > len(samples) - _LEAST_S * sample_rate:
            continue
        near = departs[max(0, start // hop - _PEAK) : start // hop + 2 * _PEAK]
        unforeseen_db = float(near.max(initial=0.0))
        found = Beginning(start, evidence(samples, start, sample_rate, unforeseen_db))
        if not kept or start - kept[-1].start > _ONE_S * sample_rate:
            kept.append(found)
        elif found.weight > kept[-1].weight:
            kept[-1] = found
    return kept


def _worth_a_look(levels: FloatArray, new: FloatArray, departs: FloatArray) -> list[int]:
    """Frames in which sounds may begin; those out of quiet come first where both see one."""
    loud = _out_of_quiet(levels)
    found = [start for start, _ in _runs(loud) if start]
    seen = ((new > _NEW_DB) & _peaks(new)) | ((departs > _DEPARTS_DB) & _peaks(departs))
    near_loudest = highest(levels, range(-4 * _NEAR, 1)) > _highest_of_late(levels) - _BELOW_DB
    for frame in np.flatnonzero(seen & (levels > _SILENT_DBFS) & near_loudest).tolist():
        if frame > _NEAR and all(abs(frame - other) > _NEAR for other in found):
            found.append(frame)
    return sorted(found)


def _peaks(values: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(values >= highest(values, range(-_PEAK, _PEAK + 1)))


def _levels_dbfs(samples: Samples, hop: int) -> FloatArray:
    """RMS of each whole `hop`."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64)
    return np.asarray(10 * np.log10(np.maximum(np.einsum("ij,ij->i", frames, frames) / hop, 1e-20)))


def _out_of_quiet(levels: FloatArray) -> npt.NDArray[np.bool_]:
    """Which frames stand out of the quiet, be that silence, hiss or soft music."""
    quiet = max(float(np.quantile(levels, _QUIET_SHARE)), _SILENT_DBFS - _STANDS_OUT_DB)
    loud = levels > quiet + _STANDS_OUT_DB
    for start, stop in _runs(~loud):
        loud[start:stop] = start > 0 and stop < len(loud) and stop - start < _SHORTEST_QUIET
    for start, stop in _runs(loud):
        loud[start:stop] = stop - start >= _SHORTEST_SOUND
    return loud


def _runs(mask: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where a mask is true, as half-open ranges."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _highest_of_late(values: FloatArray) -> FloatArray:
    """The highest of the last two seconds, and of the next moment."""
    return highest(values, range(1 - 2 * _NEAR, _OF_LATE + 1))


def _spectra(samples: Samples, sample_rate: int, count: int) -> ComplexArray:
    """Spectra (count, bins) of windows around the beginning of each hop."""
    hop = max(1, round(_HOP_S * sample_rate))
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


def _novelty_db(bands: FloatArray) -> FloatArray:
    """How much the bands that sound have risen, each above what it and its neighbours held."""
    bottom = np.maximum(_highest_of_late(bands.max(axis=1)) - _RANGE_DB, _SILENT_DBFS)[:, None]
    bands = np.maximum(bands, bottom)
    weight = np.clip((bands - bottom) / _RANGE_DB, 0.0, 1.0)
    held = np.maximum(bands, np.maximum(np.roll(bands, 1, axis=1), np.roll(bands, -1, axis=1)))
    before = highest(held, range(_BEFORE[0], _BEFORE[1] + 1))
    rise = np.clip(bands - before, 0.0, _MOST_DB)
    return np.asarray((weight * rise).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0))


def _background_db(levels: FloatArray, frame: int, stop: int) -> float:
    before = levels[max(0, frame - 2 * _NEAR) : max(1, frame - 2)].max()
    return float(before - levels[frame:stop].max()) if before > _SILENT_DBFS else -np.inf
