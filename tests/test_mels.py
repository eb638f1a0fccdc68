"""Sixteen frames abreast give what one transform after the other gives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft

from antithesis.fourier import hann, mel_bank
from antithesis.mels import BLOCK, LANES, energies_of, mel_powers, scratch, tables


def reference(sound: np.ndarray, window: int, hop: int, n_mels: int) -> np.ndarray:
    padded = np.pad(sound, window // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    powers = np.abs(scipy.fft.rfft(frames * hann(window), axis=1)) ** 2
    return mel_bank(window, n_mels).weigh(powers)


def powers(sound: np.ndarray, window: int, hop: int, n_mels: int, quiet: float = -1.0):
    """Mel powers (frames, mels), blocks below ``quiet`` of the loudest one taken for empty."""
    margin = window // 2 + hop * LANES
    padded = np.pad(sound.astype(np.float32), margin)
    energies = np.empty(len(sound) // BLOCK, np.float32)
    silence = quiet * energies_of(padded[margin:-margin], energies)
    out = np.full((1 + len(sound) // hop, n_mels), np.nan, np.float32)
    table = tables(window, hop, n_mels).arrays
    mel_powers(padded, margin, energies, silence, table, scratch(window), out)
    return out


@pytest.mark.parametrize("window", [256, 512, 1024, 2048, 4096])
@pytest.mark.parametrize("n_samples", [3000, 44100])
def test_equal_to_the_library(window, n_samples):
    sound = np.random.default_rng(0).normal(size=n_samples)
    heard = powers(sound, window, window // 2, 40)
    wanted = reference(sound, window, window // 2, 40)
    assert heard.shape == wanted.shape
    assert np.abs(heard - wanted).max() < 1e-5 * wanted.max()


def test_a_tone_falls_into_its_band_alone():
    seconds = np.arange(44100) / 44100
    middle = powers(np.sin(2 * np.pi * 1000 * seconds), 1024, 512, 64)[40]
    weights = mel_bank(1024, 64).weights
    loudest = middle.argmax()
    assert weights[loudest].argmax() * 44100 / 1024 == pytest.approx(1000, abs=60)
    assert np.delete(middle, [loudest - 1, loudest, loudest + 1]).max() < 1e-2 * middle.max()


def test_frames_in_silent_blocks_are_empty_and_the_others_are_not():
    sound = np.zeros(44100)
    sound[30000], sound[100] = 1.0, 1e-9
    heard = powers(sound, 1024, 512, 64, quiet=1e-14)
    assert not heard[:32].any()
    assert (heard[58:60] > 0.0).any(axis=1).all()
    assert np.isfinite(heard).all()


def test_energies_are_those_of_blocks():
    sound = np.random.default_rng(1).normal(size=3 * BLOCK + 5).astype(np.float32)
    out = np.empty(3, np.float32)
    most = energies_of(sound, out)
    assert out == pytest.approx((sound[: 3 * BLOCK].reshape(3, BLOCK) ** 2).sum(axis=1), rel=1e-5)
    assert most == out.max()
