"""What a search minimises: a fast cousin of MSS that also minds the envelope.

MSS as it is scored (:mod:`antithesis.distances`) has windows that no fast transform likes. Here
they are powers of two, all is float32, the target's side is computed once, and each core takes
whole candidates: on a machine shared with a DAW, cores that wait for each other wait long.
"""

from __future__ import annotations

from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from antithesis.fourier import SAMPLE_RATE, Floats32
from antithesis.jit import kernel, parallel_kernel, part
from antithesis.mels import BLOCK, energies_of, mel_powers, scratch, tables
from antithesis.wide import LANES, larger, load, magnitude, octaves, spread, store, total

# Windows and hops in samples, mels.
_VIEWS: Final = (tables(512, 384, 32), tables(1024, 768, 64), tables(4096, 3072, 128))
_TABLES: Final = (_VIEWS[0].arrays, _VIEWS[1].arrays, _VIEWS[2].arrays)
_RANGE_DB: Final = 80.0
_ENVELOPE_RANGE_DB: Final = 60.0
_ENVELOPE_WEIGHT: Final = 0.25  # of the level's course beside the spectra
_BLUR_S: Final = 0.2
_HOPS: Final = (*(view.hop for view in _VIEWS), BLOCK)
_WIDTHS: Final = np.array([max(round(_BLUR_S * SAMPLE_RATE / hop), 1) for hop in _HOPS])
_MARGIN: Final = 3072 * (LANES + 1)
_SILENCE: Final = 1e-14  # of the loudest block: far below the range, whatever the spectrum
_TINY: Final = np.float32(1e-30)  # of what a logarithm is taken
_SILENT_DB: Final = np.float32(-200.0)  # a peak below that is silence
_DB_PER_OCTAVE: Final = np.float32(10.0 * np.log10(2.0))


class Objective:
    """Distance in dB of candidates to one target, both float (samples,) at 44.1 kHz.

    A sound's *features* are the decibels of all views and of the envelope in one row; the distance
    is their mean difference, weighted: ``sum(weights * abs(features - target))``.
    """

    def __init__(self, target: npt.NDArray[np.floating]) -> None:
        sound = np.ascontiguousarray(target, np.float32)
        self._n_samples = len(sound)
        shapes = [(1 + len(sound) // view.hop, len(view.weights)) for view in _VIEWS]
        shapes.append((len(sound) // BLOCK, 1))
        sizes = [rows * columns for rows, columns in shapes]
        shares = [1.0 / len(_VIEWS)] * len(_VIEWS) + [_ENVELOPE_WEIGHT]
        self._shapes = np.array(shapes)
        # For each thread, so that none asks for memory: that takes as long as a transform.
        threads = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # the most
        self._rooms = np.tile(scratch(max(len(view.window) for view in _VIEWS)), (threads, 1))
        self._padded = np.zeros((threads, len(sound) + 2 * _MARGIN), np.float32)
        self.weights: Floats32 = np.repeat(np.divide(shares, sizes), sizes).astype(np.float32)
        self.target: Floats32 = self.features(sound[None])[0]

    def features(self, sounds: npt.NDArray[np.floating]) -> Floats32:
        """Features (n, k) of sounds (n, samples), as long as the target."""
        if sounds.ndim != 2 or sounds.shape[1] != self._n_samples:
            raise ValueError(f"sounds {sounds.shape}: give (n, {self._n_samples})")
        out = np.empty((len(sounds), len(self.weights)), np.float32)
        _describe_all(
            np.ascontiguousarray(sounds, np.float32),
            *_TABLES,
            self._shapes,
            self._padded,
            self._rooms,
            out,
        )
        return out

    def distances(self, features: Floats32) -> npt.NDArray[np.float64]:
        """Distances (n,) of features (n, k) from the target."""
        return self.apart(self.target, features)

    def apart(self, reference: Floats32, features: Floats32) -> npt.NDArray[np.float64]:
        """Distances (n,) of features (n, k) from those of another sound (k,)."""
        out = np.empty(len(features))
        _apart(np.ascontiguousarray(features), reference, self.weights, out)
        return out

    def blurred(self, features: Floats32) -> Floats32:
        """Features (n, k) with every level's course averaged over ``_BLUR_S`` around each moment.

        What beats, wavers or is modulated has a hill for each beat that falls on another; averaged
        over some of them, it has few.
        """
        out = np.empty_like(features)
        _blur_all(np.ascontiguousarray(features), self._shapes, _WIDTHS, out)
        return out

    def __call__(self, sounds: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Distances (n,) of sounds (n, samples)."""
        return self.distances(self.features(sounds))


@parallel_kernel
def _blur_all(features: Any, shapes: Any, widths: Any, out: Any) -> None:
    for n in numba.prange(features.shape[0]):
        at = 0
        for view in range(shapes.shape[0]):
            frames, columns = shapes[view]
            end = at + frames * columns
            course = features[n, at:end].reshape((frames, columns))
            _blur(course, widths[view], out[n, at:end].reshape((frames, columns)))
            at = end


@kernel
def _blur(course: Any, width: Any, out: Any) -> None:
    """Means (frames, columns) over so many frames around each; the ends go on as they are."""
    last = course.shape[0] - 1
    before, after = width // 2, width - width // 2
    sums = np.zeros(course.shape[1], np.float32)
    for at in range(-before, after):
        sums += course[min(max(at, 0), last)]
    share = np.float32(1.0 / width)
    for at in range(last + 1):
        comes, goes = course[min(at + after, last)], course[max(at - before, 0)]
        for column in range(course.shape[1]):
            out[at, column] = share * sums[column]
            sums[column] += comes[column] - goes[column]


@parallel_kernel
def _describe_all(
    sounds: Any,
    short: Any,
    middle: Any,
    long: Any,
    shapes: Any,
    padded: Any,
    rooms: Any,
    out: Any,
) -> None:
    for n in numba.prange(sounds.shape[0]):
        thread = numba.get_thread_id()  # type: ignore[attr-defined]
        _describe(sounds[n], short, middle, long, shapes, padded[thread], rooms[thread], out[n])


@kernel
def _describe(
    sound: Any,
    short: Any,
    middle: Any,
    long: Any,
    shapes: Any,
    padded: Any,
    room: Any,
    out: Any,
) -> None:
    """Fill a row with the decibels of all views and of the envelope."""
    ends = np.cumsum(shapes[:, 0] * shapes[:, 1])
    envelope = out[ends[2] :]
    for i in range(sound.shape[0]):
        padded[_MARGIN + i] = sound[i]
    silence = _SILENCE * energies_of(padded[_MARGIN : _MARGIN + sound.shape[0]], envelope)
    first = out[: ends[0]].reshape((shapes[0, 0], shapes[0, 1]))
    second = out[ends[0] : ends[1]].reshape((shapes[1, 0], shapes[1, 1]))
    third = out[ends[1] : ends[2]].reshape((shapes[2, 0], shapes[2, 1]))
    mel_powers(padded, _MARGIN, envelope, silence, short, room, first)
    mel_powers(padded, _MARGIN, envelope, silence, middle, room, second)
    mel_powers(padded, _MARGIN, envelope, silence, long, room, third)
    _to_levels(out)
    _to_decibels(out[: ends[0]], _RANGE_DB)
    _to_decibels(out[ends[0] : ends[1]], _RANGE_DB)
    _to_decibels(out[ends[1] : ends[2]], _RANGE_DB)
    _to_decibels(envelope, _ENVELOPE_RANGE_DB)


@kernel
def _apart(features: Any, reference: Any, weights: Any, out: Any) -> None:
    """Weighted absolute differences."""
    whole = reference.shape[0] // LANES * LANES
    for n in range(features.shape[0]):
        row = features[n]
        sums = spread(np.float32(0.0))
        for at in range(0, whole, LANES):
            sums = sums + load(weights, at) * magnitude(load(row, at) - load(reference, at))
        out[n] = total(sums)
        for i in range(whole, reference.shape[0]):
            out[n] += weights[i] * abs(row[i] - reference[i])


@part
def _to_levels(powers: Any) -> None:
    """Powers to decibels, in place; all at once, for the last ones overlap those before them."""
    end = powers.shape[0] - LANES
    last = _levels(load(powers, end))
    for at in range(0, end, LANES):
        store(powers, at, _levels(load(powers, at)))
    store(powers, end, last)


@part
def _levels(powers: Any) -> Any:
    return octaves(larger(powers, spread(_TINY))) * _DB_PER_OCTAVE


@part
def _to_decibels(levels: Any, range_db: float) -> None:
    """Levels to decibels below their own peak, in place, cut at the range."""
    peak = max(levels.max(), _SILENT_DB)
    floor = np.float32(-range_db)
    for i in range(levels.shape[0]):
        levels[i] = max(levels[i] - peak, floor)
