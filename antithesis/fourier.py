"""Windows, Fourier transforms and mel filters, for all that looks at a sound's spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis.jit import kernel

Floats32 = npt.NDArray[np.float32]

SAMPLE_RATE = 44100
_AT_ONCE = 1 << 15  # samples of frames that are transformed together


def powers(
    frames: npt.NDArray[np.floating], shape: npt.NDArray[np.floating]
) -> npt.NDArray[np.floating]:
    """Power spectra (n, bins) of frames (n, window) times ``shape`` (window,), in its type.

    A few frames at a time stay in the nearest caches: for all at once, fresh memory would take
    longer than the transforms. In float64, since numpy's of float32 takes up to five times as long.
    """
    out = np.empty((len(frames), frames.shape[1] // 2 + 1), shape.dtype)
    for first, tones in _transformed(frames, shape):
        out[first : first + len(tones)] = tones.real**2 + tones.imag**2
    return out


def transforms(
    frames: npt.NDArray[np.floating], shape: npt.NDArray[np.floating]
) -> npt.NDArray[np.complex64]:
    """Spectra (n, bins) of frames (n, window) times ``shape`` (window,), as :func:`powers` does."""
    out = np.empty((len(frames), frames.shape[1] // 2 + 1), np.complex64)
    for first, tones in _transformed(frames, shape):
        out[first : first + len(tones)] = tones
    return out


def _transformed(
    frames: npt.NDArray[np.floating], shape: npt.NDArray[np.floating]
) -> Iterator[tuple[int, npt.NDArray[np.complex128]]]:
    """Spectra of a few frames at a time, with the number of the first."""
    weights, count = shape.astype(np.float64), max(1, _AT_ONCE // frames.shape[1])
    for first in range(0, len(frames), count):
        yield first, np.fft.rfft(frames[first : first + count] * weights, axis=1)


@lru_cache(maxsize=8)
def hann(window: int) -> Floats32:
    """Periodic Hann window, scaled so that a full-scale sine has power 1/4 at any length."""
    shape = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    return np.asarray(shape * 2.0 / window, np.float32)


@dataclass(frozen=True)
class MelBank:
    """Slaney's triangles over the bins of a transform, each with a peak of 1."""

    weights: npt.NDArray[np.float64]  # (mels, bins)
    limits: npt.NDArray[np.int64]  # (mels, 2): first bin of each band, and the one after its last
    widths_hz: npt.NDArray[np.float64]  # (mels,): from edge to edge

    def weigh(self, powers: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Powers (frames, bins) as mel powers (frames, mels)."""
        out = np.empty((len(powers), len(self.weights)))
        _weigh(powers, self.weights, self.limits, out)
        return out


@kernel
def _weigh(powers: Any, weights: Any, limits: Any, out: Any) -> None:
    # Nearly all weights are 0: a library's dense product takes five times as long, on all cores.
    for row in range(out.shape[0]):
        for m in range(out.shape[1]):
            total = 0.0
            for k in range(limits[m, 0], limits[m, 1]):
                total += powers[row, k] * weights[m, k]
            out[row, m] = total


@lru_cache(maxsize=32)
def mel_bank(window: int, n_mels: int, sample_rate: int = SAMPLE_RATE) -> MelBank:
    """Triangles evenly spaced on Slaney's scale from 0 Hz to half the sample rate."""
    top = float(_to_mel(np.array(sample_rate / 2)))
    corners = _to_hz(np.linspace(0.0, top, n_mels + 2))
    low, centre, high = (corners[i : n_mels + i, None] for i in range(3))
    hz = np.arange(window // 2 + 1) * sample_rate / window
    weights = np.maximum(
        0.0, np.minimum((hz - low) / (centre - low), (high - hz) / (high - centre))
    )
    live = weights > 0.0
    first = live.argmax(axis=1)
    after = np.where(live.any(axis=1), len(hz) - live[:, ::-1].argmax(axis=1), first)
    return MelBank(weights, np.stack([first, after], axis=1), (high - low)[:, 0])


# Slaney's scale: 15 mels linear up to 1 kHz, then 27 to each factor of 6.4.


def _to_mel(hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    octaves = np.log(np.maximum(hz, 1e-9) / 1000.0) / np.log(6.4) * 27.0
    return np.where(hz >= 1000.0, 15.0 + octaves, hz * 3.0 / 200.0)


def _to_hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel >= 15.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0), mel * 200.0 / 3.0)
