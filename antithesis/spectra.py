"""What the network hears: a mel spectrogram, and a long-window spectrum counted from the key.

The twin of the Kapre layers in :mod:`antithesis.training.front_end`, equal to them to 1e-4 by test,
and light enough to live beside a DAW. All in float32, the type that Kapre computes in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis.fourier import SAMPLE_RATE, Floats32, hann, powers
from antithesis.mels import mel_powers, scratch, tables
from antithesis.wide import LANES

RMS = 0.1  # every sound is brought to this level before it is looked at
_NO_POWER = np.finfo(np.float32).tiny  # far below any floor, and a logarithm can be taken of it


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

    mel: Floats32  # (n, mel frames, mels), or (1, mel frames, mels) where all are of one sound
    fine: Floats32  # (n, fine frames, bands)


def normalize(samples: npt.NDArray[np.floating], n_samples: int) -> Floats32:
    """Sounds (n, any) cut or padded to (n, n_samples) and brought to a common RMS."""
    cut = np.asarray(samples, np.float32)[:, :n_samples]
    padded = np.pad(cut, ((0, 0), (0, n_samples - cut.shape[1])))
    rms = np.sqrt(np.mean(padded**2, axis=1, keepdims=True, dtype=np.float64))
    return np.asarray(padded * (RMS / np.maximum(rms, 1e-9)), np.float32)


def views(front_end: FrontEnd, samples: Floats32, key_hz: npt.ArrayLike) -> Views:
    """Both views of normalized sounds (n, n_samples) for keys of ``key_hz`` (n,).

    One sound (1, n_samples) is looked at once; only its fine view depends on the key.
    """
    edges = front_end.band_edges(key_hz)
    mel = np.stack([mel_view(front_end, sound) for sound in samples])
    powers = [power(sound, front_end.fine_window, front_end.fine_hop) for sound in samples]
    shares = np.split(edges, len(samples))
    fine = [bands(p, e, front_end.floor_db) for p, e in zip(powers, shares, strict=True)]
    return Views(mel, np.concatenate(fine))


def mel_view(front_end: FrontEnd, sound: Floats32) -> Floats32:
    """Mel spectrogram (frames, mels) of one normalized sound, scaled dB."""
    window, hop = front_end.mel_window, front_end.mel_hop
    padded = np.pad(sound, (0, LANES * hop))
    no_blocks = np.empty(0, np.float32)  # of which to know that they are silent
    table = tables(window, hop, front_end.n_mels).arrays
    heard = np.empty((front_end.mel_frames, front_end.n_mels), np.float32)
    mel_powers(padded, window // 2, no_blocks, 0.0, table, scratch(window), heard)
    return to_unit(heard, front_end.floor_db)


def bands(powers: Floats32, edges: npt.NDArray[np.float64], floor_db: float) -> Floats32:
    """Energy of each band (keys, frames, bands) from powers (frames, bins), scaled dB.

    ``edges`` (keys, bands + 1) are fractional bins. Differences of a running sum in float64: in
    float32 a loud low partial would drown high ones.
    """
    used = int(edges[:, -1].max()) + 1
    total = np.zeros((len(powers), used + 1))
    np.cumsum(powers[:, :used], axis=1, out=total[:, 1:], dtype=np.float64)
    low = np.floor(edges).astype(np.int64)
    at_edges = total[:, low] + (edges - low) * powers[:, low]
    return to_unit(np.diff(at_edges).swapaxes(0, 1), floor_db)


def to_unit(powers: npt.NDArray[np.floating], floor_db: float) -> Floats32:
    """Decibels, with the floor at -1 and full scale (0 dB) at 1."""
    # The floor is set after the logarithm, whose last bit is not the same on all processors.
    db = np.maximum(10.0 * np.log10(np.maximum(powers, _NO_POWER)), floor_db)
    return np.asarray(1.0 - 2.0 * db / floor_db, np.float32)


def power(sound: Floats32, window: int, hop: int) -> Floats32:
    """Short-time power spectra (frames, bins) of one sound, frames wholly inside it."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    return np.asarray(powers(frames, hann(window)), np.float32)
