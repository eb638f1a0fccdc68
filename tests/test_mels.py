"""Sixteen frames abreast give what one transform after the other gives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from antithesis.mels import LANES, mel_powers, tables
from antithesis.spectra import hann, mel_bank


def reference(sound: np.ndarray, window: int, hop: int, n_mels: int) -> np.ndarray:
    padded = np.pad(sound, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    powers = np.abs(scipy.fft.rfft(frames * hann(window), axis=1)) ** 2
    return mel_bank(window, n_mels).weigh(powers)


@pytest.mark.parametrize("window", [256, 512, 1024, 2048, 4096])
@pytest.mark.parametrize("n_samples", [3000, 44100])
def test_equal_to_the_library(window, n_samples):
    sound = np.random.default_rng(0).normal(size=n_samples).astype(np.float32)
    hop, n_mels = window // 2, 40
    margin = window // 2 + hop * LANES
    out = np.empty((1 + n_samples // hop, n_mels), np.float32)
    padded = np.pad(sound, margin)
    mel_powers(padded, margin, tables(window, hop, n_mels).arrays, out)
    wanted = reference(sound, window, hop, n_mels)
    assert out.shape == wanted.shape
    assert np.abs(out - wanted).max() < 1e-5 * wanted.max()


def test_a_tone_falls_into_its_band_alone():
    seconds = np.arange(44100) / 44100
    margin = 512 * (LANES + 1)
    padded = np.pad(np.sin(2 * np.pi * 1000 * seconds).astype(np.float32), margin)
    out = np.empty((87, 64), np.float32)
    mel_powers(padded, margin, tables(1024, 512, 64).arrays, out)
    middle = out[40]
    weights = mel_bank(1024, 64).weights
    loudest = middle.argmax()
    assert weights[loudest].argmax() * 44100 / 1024 == pytest.approx(1000, abs=60)
    assert np.delete(middle, [loudest - 1, loudest, loudest + 1]).max() < 1e-2 * middle.max()
