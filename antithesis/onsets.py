"""Where sounds begin in a stream that has no beginning: the last of them is the one just heard.

Two things begin a sound. Out of quiet (what the stream sinks to, time and again) it is the level
that rises. Amid other sound, a ringing tail or music, it is energy in bands where there was none.
Where exactly, the past tells: a linear predictor learns the sound before, and where it first fails
is the onset.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from antithesis.spectra import powers

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
_NEW_DB = 3.0  # mean rise of an onset, over the bands that sound
_NEAR = 6  # hops within which an onset is one
_LOUD_DB = 12.0  # a sound comes this near to the loudest of late,
_CLEAR_DB = 25.0  # or rises by this
_FALLS_DB = 1.0  # amid other sound, it is at least nearly as loud as that

_AROUND_S = 0.03
_LEARNT_S = 0.06
_STEP_S = 0.006
_ORDER = 32
_RISE_SAMPLES = 400  # at most, of an onset that takes its time
_CALM_SAMPLES = 48


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
    what is heard, within 5 ms for an attack that stands out.
    """
    hop = max(1, round(_HOP_S * sample_rate))
    levels = _levels_dbfs(samples, hop)
    if len(levels) <= 2 * _NEAR:
        return []
    loud = _out_of_quiet(levels)
    frames = _onsets(levels, loud, _amid(samples, sample_rate, len(levels)))
    found = []
    for frame, following in pairwise([*frames, len(levels)]):
        quiet = np.flatnonzero(~loud[frame + 2 : following])
        stop = frame + 2 + int(quiet[0]) if len(quiet) else following
        start = _exactly(samples, frame * hop, sample_rate)
        background = _background_db(levels, frame, stop)
        found.append(Heard(start, stop * hop, stop < len(levels), background))
    return found


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


def _onsets(
    levels: FloatArray, loud: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_]
) -> list[int]:
    """Frames in which sounds begin; those out of quiet come first where both see one."""
    soon = _highest(levels, range(-4 * _NEAR, 1))
    of_late = _highest_of_late(levels)
    near_loudest = soon > of_late - _LOUD_DB
    grows = soon > _highest(levels, range(3, 2 * _NEAR)) - _FALLS_DB
    found = [
        start
        for start, _ in _runs(loud)
        if start and (near_loudest[start] or soon[start] > levels[start - 1] + _CLEAR_DB)
    ]
    for frame in np.flatnonzero(new & loud & near_loudest & grows).tolist():
        if all(not -_NEAR <= frame - other <= 2 * _NEAR for other in found):
            found.append(frame)
    return sorted(found)


def _highest_of_late(values: FloatArray) -> FloatArray:
    """The highest of the last two seconds, and of the next moment."""
    return _highest(values, range(1 - 2 * _NEAR, _OF_LATE + 1))


def _amid(samples: Samples, sample_rate: int, count: int) -> npt.NDArray[np.bool_]:
    """Frames (count,) at which energy appears in bands where there was none."""
    new = _novelty_db(_bands_db(samples, sample_rate, count))
    return np.asarray((new > _NEW_DB) & (new >= _highest(new, range(-_NEAR, _NEAR + 1))))


def _bands_db(samples: Samples, sample_rate: int, count: int) -> FloatArray:
    """Power (count, bands) in windows around the beginning of each hop."""
    hop = max(1, round(_HOP_S * sample_rate))
    size = 2 ** round(np.log2(_WINDOW_S * sample_rate))
    padded = np.pad(np.asarray(samples, np.float32), (size // 2, size))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    shape = np.hanning(size).astype(np.float32)
    power = powers(windows, shape / shape.sum())
    highest = min(_RANGE_HZ[1], 0.45 * sample_rate)
    edges = np.geomspace(_RANGE_HZ[0], highest, _BANDS + 1) * size / sample_rate
    bands = np.add.reduceat(power, np.unique(np.rint(edges).astype(int)), axis=1)[:, :-1]
    return np.asarray(10 * np.log10(np.maximum(bands, 1e-20)), np.float64)


def _novelty_db(bands: FloatArray) -> FloatArray:
    """How much the bands that sound have risen, each above what it and its neighbours held."""
    bottom = np.maximum(_highest_of_late(bands.max(axis=1)) - _RANGE_DB, _SILENT_DBFS)[:, None]
    bands = np.maximum(bands, bottom)
    weight = np.clip((bands - bottom) / _RANGE_DB, 0.0, 1.0)
    held = np.maximum(bands, np.maximum(np.roll(bands, 1, axis=1), np.roll(bands, -1, axis=1)))
    before = _highest(held, range(_BEFORE[0], _BEFORE[1] + 1))
    rise = np.clip(bands - before, 0.0, _MOST_DB)
    return np.asarray((weight * rise).sum(axis=1) / np.maximum(weight.sum(axis=1), 1.0))


def _highest(values: FloatArray, shifts: range) -> FloatArray:
    """The highest of `values` so many frames back, or ahead where negative; the ends go on."""
    beyond = [(shifts[-1], max(0, -shifts[0])), *[(0, 0)] * (values.ndim - 1)]
    highest, reach = np.pad(values, beyond, mode="edge"), 1
    while 2 * reach <= len(shifts):  # of twice as many frames each time
        highest, reach = np.maximum(highest[:-reach], highest[reach:]), 2 * reach
    rest = len(shifts) - reach
    return np.asarray(np.maximum(highest[: len(values)], highest[rest : rest + len(values)]))


def _background_db(levels: FloatArray, frame: int, stop: int) -> float:
    before = levels[max(0, frame - 2 * _NEAR) : max(1, frame - 2)].max()
    return float(before - levels[frame:stop].max()) if before > _SILENT_DBFS else -np.inf


def _exactly(samples: Samples, at: int, sample_rate: int) -> int:
    """The sample near `at` from which on the sound before does not explain what is heard."""
    around, learnt = round(_AROUND_S * sample_rate), round(_LEARNT_S * sample_rate)
    first = max(0, at - around)
    past = samples[max(0, first - learnt) : first].astype(np.float64)
    near = samples[max(0, first - _ORDER) : at + around].astype(np.float64)
    surprise = np.abs(near)[-(at + around - first) :]
    if len(past) <= 4 * _ORDER or not past.any():
        return first + int(np.argmax(surprise > 1e-3 * surprise.max(initial=0.0)))
    whitener = _whitener(past)
    known = np.abs(np.convolve(past, whitener, "valid"))
    surprise = np.abs(np.convolve(near, whitener)[: len(near)])[-(at + around - first) :]
    step = _steepest(surprise, known, round(_STEP_S * sample_rate))
    limit = max(1.5 * known.max(), 1e-3 * surprise.max())
    begin = max(0, step - round(_STEP_S * sample_rate))
    clear = surprise[begin:] > limit
    if not clear.any():
        return first + step
    return first + _back(surprise, begin + int(np.argmax(clear)), 4 * float(np.median(known)))


def _back(surprise: FloatArray, at: int, usual: float) -> int:
    """Where the rise began that is clear `at`: up to there, surprise was as usual for a while."""
    before = surprise[max(0, at - _RISE_SAMPLES) : at]
    if not len(before):
        return at
    calm = np.flatnonzero(_highest(before, range(_CALM_SAMPLES)) <= usual)
    return at - len(before) + int(calm[-1]) + 1 if len(calm) else at


def _steepest(surprise: FloatArray, known: FloatArray, width: int) -> int:
    """The sample at which the power of what surprises grows most, from `width` to `width`."""
    power = np.concatenate([known[-width:], surprise]) ** 2
    sums = np.concatenate([[0.0], np.cumsum(power)])
    mean = (sums[width:] - sums[:-width]) / width
    before, after = mean[:-width], mean[width:]
    return int(np.argmax(np.log(after + 1e-16) - np.log(before + 1e-16)))


def _whitener(past: FloatArray) -> FloatArray:
    """The filter that leaves of a sound only what its last `_ORDER` samples do not foretell."""
    lags = np.correlate(past, past, "full")[len(past) - 1 :][: _ORDER + 1]
    lags[0] *= 1.0 + 1e-6
    distance = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    return np.concatenate([[1.0], -np.linalg.solve(lags[distance], lags[1:])])
