"""What the learned rivals hear: statistics of librosa's features, and Kapre's mel spectrogram."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from antithesis.fourier import SAMPLE_RATE
from antithesis.spectra import normalize

Floats = npt.NDArray[np.float32]

WINDOW, HOP, MELS = 2048, 1024, 64
N_SAMPLES = 2 * SAMPLE_RATE
FRAMES = 1 + (N_SAMPLES - WINDOW) // HOP  # Kapre's, which are not centred
_MFCCS = 20
_ENVELOPE = 40  # points


def heard(sounds: npt.NDArray[np.floating]) -> Floats:
    """Sounds (n, any) as two seconds (n, 88200) of a common RMS: levels are solved, not learned."""
    return normalize(sounds, N_SAMPLES)


def statistics(sound: Floats) -> Floats:
    """Mean and deviation over time of 45 features of a sound (88200,), then its RMS envelope.

    MFCCs, centroid, bandwidth, roll-off, flatness, contrast, zero crossings, RMS and chroma.
    """
    import librosa

    magnitudes = np.abs(librosa.stft(sound, n_fft=WINDOW, hop_length=HOP))
    powers = magnitudes**2
    mel, chroma = _banks()
    frames = {"frame_length": WINDOW, "hop_length": HOP}
    feature = librosa.feature
    rms = np.log10(feature.rms(S=magnitudes, frame_length=WINDOW) + 1e-4)
    rows = np.concatenate(
        [
            feature.mfcc(S=librosa.power_to_db(mel @ powers), n_mfcc=_MFCCS),
            feature.spectral_centroid(S=magnitudes, sr=SAMPLE_RATE),
            feature.spectral_bandwidth(S=magnitudes, sr=SAMPLE_RATE),
            feature.spectral_rolloff(S=magnitudes, sr=SAMPLE_RATE),
            feature.spectral_flatness(S=magnitudes),
            feature.spectral_contrast(S=magnitudes, sr=SAMPLE_RATE),
            feature.zero_crossing_rate(sound, **frames),
            rms,
            librosa.util.normalize(chroma @ powers, norm=np.inf, axis=0),
        ]
    )  # (45, frames)
    envelope = rms[0, np.linspace(0, rms.shape[1] - 1, _ENVELOPE).round().astype(int)]
    return np.concatenate([rows.mean(1), rows.std(1), envelope]).astype(np.float32)


@cache
def _banks() -> tuple[Floats, Floats]:
    """Made once: librosa's own functions make them for every sound."""
    import librosa

    sizes = {"sr": SAMPLE_RATE, "n_fft": WINDOW}
    return librosa.filters.mel(**sizes, n_mels=MELS), librosa.filters.chroma(**sizes, tuning=0.0)


def spectrograms(sounds: Floats) -> Floats:
    """Mel spectrograms in decibels (n, frames, mels, 1) of sounds (n, 88200), by Kapre."""
    return np.asarray(_kapre().predict_on_batch(sounds[..., None]), np.float32)


@cache
def _kapre() -> Any:
    """Kapre's layer: 80 dB from each sound's own maximum, brought to about -1 to 1."""
    import keras
    from kapre.composed import get_melspectrogram_layer

    mel = get_melspectrogram_layer(
        n_fft=WINDOW,
        hop_length=HOP,
        sample_rate=SAMPLE_RATE,
        n_mels=MELS,
        return_decibel=True,
        input_data_format="channels_last",
        output_data_format="channels_last",
    )
    return keras.Sequential([keras.Input((N_SAMPLES, 1)), mel, keras.layers.Rescaling(1 / 40)])
