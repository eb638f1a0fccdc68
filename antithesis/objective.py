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

from antithesis.jit import kernel, parallel_kernel
from antithesis.mels import LANES, mel_powers, tables

# Windows and hops in samples, mels.
_VIEWS: Final = (tables(512, 256, 32), tables(1024, 512, 64), tables(4096, 2048, 128))
_TABLES: Final = (_VIEWS[0].arrays, _VIEWS[1].arrays, _VIEWS[2].arrays)
_RANGE_DB: Final = 80.0
_ENVELOPE_FRAME: Final = 441  # 10 ms
_ENVELOPE_RANGE_DB: Final = 60.0
_ENVELOPE_WEIGHT: Final = 0.25  # of the level's course beside the spectra
_MARGIN: Final = 2048 * (LANES + 1)
_DB_PER_OCTAVE: Final = np.float32(10.0 * np.log10(2.0))


class Objective:
    """Distance in dB of candidates to one target, both float (samples,) at 44.1 kHz."""

    def __init__(self, target: npt.NDArray[np.floating]) -> None:
        sound = np.ascontiguousarray(target, np.float64)
        self._n_samples = len(sound)
        self._views = tuple(
            np.empty((1 + len(sound) // view.hop, len(view.weights)), np.float32) for view in _VIEWS
        )
        self._envelope = np.empty((len(sound) // _ENVELOPE_FRAME, 1), np.float32)
        _describe(sound, *_TABLES, self._views, self._envelope)

    def __call__(self, candidates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Distances (n,) of candidates (n, samples), as long as the target."""
        if candidates.ndim != 2 or candidates.shape[1] != self._n_samples:
            raise ValueError(f"candidates {candidates.shape}: give (n, {self._n_samples})")
        out = np.empty(len(candidates))
        sounds = np.ascontiguousarray(candidates, np.float64)
        _measure(sounds, *_TABLES, self._views, self._envelope, out)
        return out


@parallel_kernel
def _measure(
    sounds: Any, short: Any, middle: Any, long: Any, views: Any, envelope: Any, out: Any
) -> None:
    for n in numba.prange(sounds.shape[0]):
        its = (np.empty_like(views[0]), np.empty_like(views[1]), np.empty_like(views[2]))
        its_envelope = np.empty_like(envelope)
        _describe(sounds[n], short, middle, long, its, its_envelope)
        spectra = _apart(views[0], its[0]) + _apart(views[1], its[1]) + _apart(views[2], its[2])
        out[n] = spectra / 3.0 + _ENVELOPE_WEIGHT * _apart(envelope, its_envelope)


@kernel
def _describe(sound: Any, short: Any, middle: Any, long: Any, views: Any, envelope: Any) -> None:
    """Fill the decibels of all views and of the envelope."""
    padded = np.zeros(sound.shape[0] + 2 * _MARGIN, np.float32)
    for i in range(sound.shape[0]):
        padded[_MARGIN + i] = sound[i]
    mel_powers(padded, _MARGIN, short, views[0])
    mel_powers(padded, _MARGIN, middle, views[1])
    mel_powers(padded, _MARGIN, long, views[2])
    for i in range(envelope.shape[0]):
        power = 0.0
        for k in range(i * _ENVELOPE_FRAME, (i + 1) * _ENVELOPE_FRAME):
            power += sound[k] * sound[k]
        envelope[i, 0] = power
    for view in views:
        _to_decibels(view.ravel(), _RANGE_DB)
    _to_decibels(envelope.ravel(), _ENVELOPE_RANGE_DB)


@kernel
def _to_decibels(powers: Any, range_db: float) -> None:
    """Powers to decibels below their own peak, in place, cut at the range."""
    peak = max(powers.max(), np.float32(1e-20))
    floor = peak * np.float32(10.0 ** (-range_db / 10.0))
    for i in range(powers.shape[0]):
        powers[i] = _DB_PER_OCTAVE * np.log2(max(powers[i], floor) / peak)


@kernel
def _apart(mine: Any, its: Any) -> float:
    """Mean absolute difference."""
    total = 0.0
    for i in range(mine.shape[0]):
        for j in range(mine.shape[1]):
            total += float(abs(mine[i, j] - its[i, j]))
    return total / float(mine.size)
