"""How far one sound is from another: MSS, SOT, RMS-cos, log-mel L1 and wMFCC.

Mono arrays (samples,) at any rate, 44.1 kHz in all published figures. Two sounds of unequal length
are padded with silence. Float32 samples are analysed in float32 (for a search: about 1e-3 dB off),
everything else in float64. Sounds from elsewhere must be finite: a NaN makes every distance NaN.

Spectra have a periodic Hann window as long as the transform, centred frames and Slaney mels (area
norm) up to half the sample rate, as in librosa.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from antithesis.fourier import SAMPLE_RATE, mel_bank, powers
from antithesis.jit import kernel

FloatArray = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating]
Features = Sequence[Samples]

_MSS_CONFIGS = ((0.010, 0.005, 32), (0.025, 0.010, 64), (0.100, 0.050, 128))  # window, hop, mels
_LOG_MEL_CONFIGS = ((512, 40), (1024, 64), (4096, 128))  # window in samples, mels; hop a quarter
_MSS_RANGE_DB = 80.0
_LOG_MEL_RMS = 0.1


@dataclass(frozen=True)
class Metric:
    """One distance in two halves: what is kept of a sound, and what two of those differ by."""

    features: Callable[[Samples, int], Features]
    compare: Callable[[Features, Features], float]

    def __call__(self, a: Samples, b: Samples, sample_rate: int = SAMPLE_RATE) -> float:
        """The distance between two sounds (samples,) of any lengths."""
        length = max(len(a), len(b))
        first, second = (_samples(x, length) for x in (a, b))
        return self.compare(self.features(first, sample_rate), self.features(second, sample_rate))


class Target:
    """One sound to which many candidates are compared: its own side is computed once."""

    def __init__(self, samples: Samples, sample_rate: int = SAMPLE_RATE) -> None:
        self._samples = _samples(samples, len(samples))
        self._sample_rate = sample_rate
        self._features: dict[Metric, Features] = {}

    def compare(self, metric: Metric, candidates: Samples) -> FloatArray:
        """Distances (n,) of candidates (n, samples), or (1,) of one (samples,).

        A candidate shorter than the target is padded; a longer one is a ValueError, since the
        target's side stands already.
        """
        length = len(self._samples)
        rows = (_samples(x, length) for x in np.atleast_2d(candidates))
        mine = self._side(metric)
        # One at a time: the frames of one candidate fit the cache, those of a batch do not.
        return np.array(
            [metric.compare(mine, metric.features(row, self._sample_rate)) for row in rows]
        )

    def _side(self, metric: Metric) -> Features:
        if metric not in self._features:
            self._features[metric] = metric.features(self._samples, self._sample_rate)
        return self._features[metric]


def _samples(x: Samples, length: int) -> Samples:
    if not 0 < len(x) <= length:
        raise ValueError(f"{len(x)} samples: give 1 to {length}, the length of the target")
    dtype = np.float32 if x.dtype == np.float32 else np.float64
    return np.pad(x.astype(dtype, copy=False), (0, length - len(x)))


def _mss_features(x: Samples, sample_rate: int) -> Features:
    """Log-mel spectrograms in dB below the sound's own maximum, each (frames, mels)."""
    spectra = []
    for window_s, hop_s, n_mels in _MSS_CONFIGS:
        window, hop = int(sample_rate * window_s), int(sample_rate * hop_s)
        level = _db(_mel_power(x, window, hop, n_mels, sample_rate), floor=1e-10)
        spectra.append(np.maximum(level - level.max(), -_MSS_RANGE_DB))
    return spectra


def _log_mel_features(x: Samples, sample_rate: int) -> Features:
    """Log-mel spectrograms in dB of the sound at an RMS of 0.1, each (frames, mels)."""
    rms = np.sqrt(np.mean(x**2))
    x = x / rms * x.dtype.type(_LOG_MEL_RMS) if rms > 1e-9 else x
    return [
        _db(_mel_power(x, window, window // 4, n_mels, sample_rate) / window, floor=1e-9)
        for window, n_mels in _LOG_MEL_CONFIGS
    ]


def _sot_features(x: Samples, sample_rate: int) -> Features:
    """The share of each frame's magnitude at or below each bin, (frames, bins)."""
    magnitude = np.sqrt(_power(x, int(0.05 * sample_rate), int(0.02 * sample_rate)))
    share = magnitude / (magnitude.sum(axis=1, keepdims=True) + 1e-9)
    return [np.cumsum(share, axis=1)]


def _rms_features(x: Samples, sample_rate: int) -> Features:
    """The RMS envelope, (frames,)."""
    window, hop = int(0.05 * sample_rate), int(0.025 * sample_rate)
    x = np.pad(x, (0, max(0, window - len(x))))
    frames = np.lib.stride_tricks.sliding_window_view(x, window)[::hop]
    return [np.sqrt(np.mean(frames**2, axis=1))]


def _mfcc_features(x: Samples, sample_rate: int) -> Features:
    """20 MFCCs of 128 mels as librosa computes them (frames, 20)."""
    power = _mel_power(x, int(0.05 * sample_rate), int(0.01 * sample_rate), 128, sample_rate)
    level = _db(power, floor=1e-10)
    return [np.maximum(level, level.max() - 80).astype(np.float64) @ _cosines(128, 20)]


def _mean_absolute(a: Features, b: Features) -> float:
    return float(np.mean([np.abs(x - y).mean() for x, y in zip(a, b, strict=True)]))


def _cosine(a: Features, b: Features) -> float:
    norms = np.linalg.norm(a[0]) * np.linalg.norm(b[0])
    return float(a[0] @ b[0] / (norms + 1e-12))


def _warped(a: Features, b: Features) -> float:
    return _warp_cost(np.ascontiguousarray(a[0]), np.ascontiguousarray(b[0]))


@kernel
def _warp_cost(a: FloatArray, b: FloatArray) -> float:
    """Dynamic time warping, L1: the cost of the cheapest path by its number of steps."""
    cost = np.full(len(b) + 1, np.inf)
    cost[0] = 0.0
    steps = np.zeros(len(b) + 1)
    for i in range(len(a)):
        diagonal, diagonal_steps = cost[0], steps[0]
        cost[0] = np.inf
        for j in range(1, len(b) + 1):
            best, best_steps = diagonal, diagonal_steps
            if cost[j - 1] < best:
                best, best_steps = cost[j - 1], steps[j - 1]
            if cost[j] < best:
                best, best_steps = cost[j], steps[j]
            diagonal, diagonal_steps = cost[j], steps[j]
            cost[j] = best + np.abs(a[i] - b[j - 1]).sum()
            steps[j] = best_steps + 1
    return float(cost[-1] / steps[-1])


mss = Metric(_mss_features, _mean_absolute)
"""Multi-scale spectral distance in dB: windows of 10, 25 and 100 ms.

Deaf to gain, as long as the 80 dB below a sound's maximum end above a power of 1e-10: of softer
sounds less is heard."""

log_mel_l1 = Metric(_log_mel_features, _mean_absolute)
"""Log-mel distance in dB at equal RMS: hears the envelope that MSS's own maximum hides."""

sot = Metric(_sot_features, _mean_absolute)
"""Spectral optimal transport: Wasserstein-1 along frequency in bins, divided by their number;
windows of 50 ms, the mean of all."""

rms_cos = Metric(_rms_features, _cosine)
"""Cosine similarity of the RMS envelopes (1 is best); windows of 50 ms."""

wmfcc = Metric(_mfcc_features, _warped)
"""Distance of 20 MFCCs along the cheapest time warp, L1, divided by the path's length; windows of
50 ms. Deaf to nothing: a change of gain moves the first coefficient."""

METRICS = {
    "mss_db": mss,
    "sot": sot,
    "rms_cos": rms_cos,
    "log_mel_l1_db": log_mel_l1,
    "wmfcc": wmfcc,
}


def _db(power: Samples, floor: float) -> Samples:
    return 10 * np.log10(np.maximum(power, power.dtype.type(floor)))


def _mel_power(x: Samples, window: int, hop: int, n_mels: int, sample_rate: int) -> Samples:
    bank = mel_bank(window, n_mels, sample_rate)
    # Slaney's norm: each triangle of area 1.
    powers = bank.weigh(_power(x, window, hop)) * (2 / bank.widths_hz)
    return powers.astype(x.dtype, copy=False)


def _power(x: Samples, window: int, hop: int) -> Samples:
    """The power spectrogram of centred frames, (frames, window // 2 + 1)."""
    padded = np.pad(x, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return powers(frames, _hann(window, x.dtype.char))


@lru_cache(maxsize=32)
def _hann(window: int, dtype: str) -> Samples:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(dtype)


@lru_cache(maxsize=2)
def _cosines(n: int, kept: int) -> FloatArray:
    """The first `kept` columns of the orthonormal DCT-II, (n, kept)."""
    angles = np.pi / n * (np.arange(n)[:, None] + 0.5) * np.arange(kept)
    scale = np.where(np.arange(kept) == 0, np.sqrt(1 / n), np.sqrt(2 / n))
    return np.asarray(np.cos(angles) * scale)
