"""What happens to sounds on their way from a synth to a sample: rooms, equalizers, noise, codecs.

A network that has heard nothing but the synth itself takes a room's tail for a release. Here a
share of the training sounds is put through what recordings go through; the labels stay. All
arithmetic on arrays (samples,), the randomness comes in as a generator.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import scipy.fft
import soundfile

from antithesis.fourier import SAMPLE_RATE

Floats = npt.NDArray[np.float32]

SHARES: Final = {"equalized": 0.6, "roomy": 0.4, "doubled": 0.2, "driven": 0.2, "noisy": 0.5}
"""How many of the degraded sounds get each, in this order; and then :data:`CODEC_SHARE`."""

CODEC_SHARE: Final = 0.1  # of the degraded ones: 40 ms each
_OCTAVE_RANGE: Final = (-3.0, 3.0)  # dB per octave of tilt
_BELLS: Final = 3


def degraded(sound: Floats, rng: np.random.Generator) -> Floats:
    """One sound (samples,) at 44.1 kHz as a recording might have it, as long."""
    for name, share in SHARES.items():
        if rng.random() < share:
            sound = _STEPS[name](sound, rng)
    return coded(sound, rng) if rng.random() < CODEC_SHARE else sound


def equalized(sound: Floats, rng: np.random.Generator) -> Floats:
    """Tilted by up to 3 dB an octave around 1 kHz, with three bells of up to 6 dB."""
    octaves = _octaves(len(sound))
    gain_db = rng.uniform(*_OCTAVE_RANGE) * octaves
    for _ in range(_BELLS):
        centre, width = rng.uniform(-4.0, 4.0), rng.uniform(0.2, 1.5)
        gain_db = gain_db + rng.uniform(-6.0, 6.0) * np.exp(-(((octaves - centre) / width) ** 2))
    return _filtered(sound, np.exp(np.log(10.0) / 20.0 * gain_db))


def roomy(sound: Floats, rng: np.random.Generator) -> Floats:
    """With a room: decaying noise of 0.1 to 0.8 s (-60 dB), 6 to 26 dB below the sound."""
    decay_s = np.exp(rng.uniform(np.log(0.1), np.log(0.8)))
    n = min(len(sound), round(decay_s * SAMPLE_RATE))
    fall = np.exp(np.arange(n) * (-3.0 * np.log(10.0) / (decay_s * SAMPLE_RATE))).astype(np.float32)
    room = rng.standard_normal(n, np.float32) * fall
    size = scipy.fft.next_fast_len(len(sound) + n, real=True)
    wet = scipy.fft.irfft(scipy.fft.rfft(sound, size) * scipy.fft.rfft(room, size), size)
    return np.asarray(sound + _at(wet[: len(sound)], sound, -rng.uniform(6.0, 26.0)))


def doubled(sound: Floats, rng: np.random.Generator) -> Floats:
    """Two channels summed that are up to 2 ms apart: a stereo recording as mono."""
    delay = int(rng.integers(1, round(0.002 * SAMPLE_RATE)))
    late = np.concatenate([np.zeros(delay, np.float32), sound[:-delay]])
    return np.asarray(sound + rng.uniform(0.1, 0.9) * late)


def driven(sound: Floats, rng: np.random.Generator) -> Floats:
    """Gently overdriven: the peak is 0 to 12 dB into a tanh."""
    gain = 10.0 ** (rng.uniform(0.0, 12.0) / 20.0) / max(float(np.abs(sound).max()), 1e-9)
    return np.asarray(np.tanh(gain * sound) / gain)


def noisy(sound: Floats, rng: np.random.Generator) -> Floats:
    """Over noise between white and brown, 20 to 60 dB below."""
    tilt = np.exp2(_octaves(len(sound)) * -rng.uniform(0.0, 1.0))
    noise = _filtered(rng.standard_normal(len(sound), np.float32), tilt)
    return sound + _at(noise, sound, -rng.uniform(20.0, 60.0))


def coded(sound: Floats, rng: np.random.Generator) -> Floats:
    """There and back through MP3 or Vorbis, at a quality anywhere in the codec's range."""
    peak = max(float(np.abs(sound).max()), 1e-9)
    kind = ("MP3", "MPEG_LAYER_III") if rng.random() < 0.5 else ("OGG", "VORBIS")
    level = float(rng.uniform(0.1, 0.95))
    file = io.BytesIO()
    with soundfile.SoundFile(
        file, "w", SAMPLE_RATE, 1, kind[1], format=kind[0], compression_level=level
    ) as out:
        out.write(0.7 / peak * sound)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32")
    out_sound = np.zeros_like(sound)
    n = min(len(sound), len(decoded))
    out_sound[:n] = decoded[:n]
    return out_sound * (peak / 0.7)


@lru_cache(maxsize=2)
def _octaves(n: int) -> Floats:
    """Octaves from 1 kHz of the bins that a filter of n samples has."""
    hertz = scipy.fft.rfftfreq(_size(n), 1.0 / SAMPLE_RATE)
    return np.asarray(np.log2(np.maximum(hertz, 20.0) / 1000.0), np.float32)


def _size(n: int) -> int:
    return int(scipy.fft.next_fast_len(n + n // 8, real=True))  # room for a filter's ringing


def _filtered(sound: Floats, gain: Floats) -> Floats:
    size = _size(len(sound))
    gain = gain.astype(np.float32)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(sound, size) * gain, size)[: len(sound)])


def _at(added: Floats, sound: Floats, level_db: float) -> Floats:
    """``added`` scaled to so many decibels of ``sound``."""
    ratio = np.sqrt(np.mean(sound**2)) / max(float(np.sqrt(np.mean(added**2))), 1e-12)
    return np.asarray(added * (ratio * 10.0 ** (level_db / 20.0)))


_STEPS = {
    "equalized": equalized,
    "roomy": roomy,
    "doubled": doubled,
    "driven": driven,
    "noisy": noisy,
}
