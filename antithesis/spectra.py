"""What the network hears: a mel spectrogram, and a long-window spectrum counted from the key.

The twin in numpy of the Kapre layers in :mod:`antithesis.training.front_end`, equal to them to 1e-4
by test, and light enough to live beside a DAW. All in float32, the type that Kapre computes in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis.jit import kernel

Floats = npt.NDArray[np.float32]

SAMPLE_RATE = 44100
_AT_ONCE = 1 << 15  # samples of frames that are transformed together
RMS = 0.1  # every sound is brought to this level before it is looked at


@dataclass(frozen=True)
class FrontEnd:
    """Sizes of the two views of a sound.

    The mel spectrogram keeps time; the long window tells two copies of an oscillator apart, in
    bands counted in octaves from the key, so that the same tuning looks alike on every key.
    """

    n_samples: int = 2 * SAMPLE_RATE
    mel_window: int = 1024
    mel_hop: int = 441
    n_mels: int = 64
    fine_window: int = 16384
    fine_hop: int = 8192
    fine_octaves_below: float = 1.5
    fine_octaves_above: float = 6.0
    fine_per_octave: int = 48
    floor_db: float = -70.0

    @property
    def mel_frames(self) -> int:
        """Frames of the mel spectrogram."""
        return 1 + (self.n_samples - self.mel_window) // self.mel_hop

    @property
    def fine_frames(self) -> int:
        """Frames of the long-window spectrum."""
        return 1 + (self.n_samples - self.fine_window) // self.fine_hop

    @property
    def fine_bands(self) -> int:
        """Bands of the long-window spectrum."""
        return round((self.fine_octaves_below + self.fine_octaves_above) * self.fine_per_octave)

    def band_edges(self, key_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Edges of the bands as fractional bins of the long window, (n, bands + 1)."""
        octaves = np.arange(self.fine_bands + 1) / self.fine_per_octave - self.fine_octaves_below
        hz = np.atleast_1d(np.asarray(key_hz, np.float64))[:, None] * 2.0**octaves
        return np.minimum(hz * self.fine_window / SAMPLE_RATE, self.fine_window / 2)


@dataclass(frozen=True)
class Views:
    """A batch of sounds as the network sees it: values about -1 to 1."""

    mel: Floats  # (n, mel frames, mels)
    fine: Floats  # (n, fine frames, bands)


def normalize(samples: npt.NDArray[np.floating], n_samples: int) -> Floats:
    """Sounds (n, any) cut or padded to (n, n_samples) and brought to a common RMS."""
    cut = np.asarray(samples, np.float32)[:, :n_samples]
    padded = np.pad(cut, ((0, 0), (0, n_samples - cut.shape[1])))
    rms = np.sqrt(np.mean(padded**2, axis=1, keepdims=True, dtype=np.float64))
    return np.asarray(padded * (RMS / np.maximum(rms, 1e-9)), np.float32)


def views(front_end: FrontEnd, samples: Floats, key_hz: npt.ArrayLike) -> Views:
    """Both views of normalized sounds (n, n_samples) for keys of ``key_hz`` (n,).

    One sound (1, n_samples) is looked at once and seen from each of the keys.
    """
    edges = front_end.band_edges(key_hz)
    times = len(edges) if len(samples) == 1 else 1
    mel = [mel_view(front_end, sound) for sound in samples] * times
    powers = [power(x, front_end.fine_window, front_end.fine_hop) for x in samples] * times
    fine = [bands(p, edge, front_end.floor_db) for p, edge in zip(powers, edges, strict=True)]
    return Views(np.stack(mel), np.stack(fine))


def mel_view(front_end: FrontEnd, sound: Floats) -> Floats:
    """Mel spectrogram (frames, mels) of one normalized sound, scaled dB."""
    frames = power(sound, front_end.mel_window, front_end.mel_hop)
    bank = mel_bank(front_end.mel_window, front_end.n_mels)
    return to_unit(bank.weigh(frames), front_end.floor_db)


def bands(powers: Floats, edges: npt.NDArray[np.float64], floor_db: float) -> Floats:
    """Energy of each band (frames, bands) from powers (frames, bins), scaled dB.

    Differences of a running sum in float64: in float32 a loud low partial would drown high ones.
    """
    used = int(edges[-1]) + 1
    total = np.zeros((len(powers), used + 1))
    np.cumsum(powers[:, :used], axis=1, out=total[:, 1:], dtype=np.float64)
    low = np.floor(edges).astype(np.int64)
    at_edges = total[:, low] + (edges - low) * powers[:, low]
    return to_unit(np.diff(at_edges, axis=1), floor_db)


def to_unit(powers: npt.NDArray[np.floating], floor_db: float) -> Floats:
    """Decibels, with the floor at -1 and full scale (0 dB) at 1."""
    db = 10.0 * np.log10(np.maximum(powers, 10.0 ** (floor_db / 10.0)))
    return np.asarray(1.0 - 2.0 * db / floor_db, np.float32)


def power(sound: Floats, window: int, hop: int) -> Floats:
    """Short-time power spectra (frames, bins) of one sound, frames wholly inside it."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    return np.asarray(powers(frames, hann(window)), np.float32)


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
def hann(window: int) -> Floats:
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
