"""Laws of the front end that hold without Kapre."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.spectra import FrontEnd, bands, mel_view, normalize, power, views
from antithesis.synth import render_notes
from antithesis.synth.live import note_frequency

EARS = FrontEnd()
SECONDS = np.arange(EARS.n_samples) / 44100


def sine(hz: float) -> np.ndarray:
    return normalize(np.sin(2 * np.pi * hz * SECONDS)[None], EARS.n_samples)[0]


def fine(sound: np.ndarray, key_hz: float) -> np.ndarray:
    powers = power(sound, EARS.fine_window, EARS.fine_hop)
    return bands(powers, EARS.band_edges(key_hz), EARS.floor_db)[0]


def test_level_changes_nothing():
    sound = np.random.default_rng(0).normal(size=(1, EARS.n_samples))
    loud, quiet = normalize(sound, EARS.n_samples), normalize(1e-3 * sound, EARS.n_samples)
    assert np.allclose(loud, quiet, atol=1e-6)


def test_silence_is_the_floor_and_not_a_number():
    seen = views(EARS, normalize(np.zeros((1, 100)), EARS.n_samples), [261.6])
    assert (seen.mel == -1.0).all()
    assert (seen.fine == -1.0).all()


def test_a_short_sound_is_padded_and_a_long_one_cut():
    assert normalize(np.ones((2, 10)), 50).shape == (2, 50)
    assert normalize(np.ones((2, 90)), 50).shape == (2, 50)


@pytest.mark.parametrize("hz", [110.0, 440.0, 1760.0])
def test_a_tone_on_its_key_stands_in_the_bands_above_octave_0(hz):
    loudest = fine(sine(hz * 2 ** (0.5 / EARS.fine_per_octave)), hz)[3].argmax()
    # At 110 Hz a band is narrower than a bin of the window.
    assert abs(loudest - EARS.fine_octaves_below * EARS.fine_per_octave) <= 1


def test_the_same_tuning_looks_alike_on_every_key():
    preset = np.full((1, 38), 0.5)
    preset[:, [0, 4]] = 0.4
    preset[:, [9, 12]] = 0.0
    looks = []
    for note in (48, 60):
        sound = render_notes(preset, note, 100, 9.0, drift=False)
        looks.append(fine(normalize(sound, EARS.n_samples)[0], note_frequency(note))[4])
    audible = slice(60, 280)
    assert np.corrcoef(looks[0][audible], looks[1][audible])[0, 1] > 0.8


def test_detuning_of_ten_cents_is_seen():
    pure, off = fine(sine(880.0), 440.0), fine(sine(880.0 * 2 ** (10 / 1200)), 440.0)
    assert np.abs(pure - off).max() > 0.02


def test_mel_keeps_the_time_of_an_onset():
    late = np.zeros(EARS.n_samples)
    late[44100:] = np.random.default_rng(0).normal(size=EARS.n_samples - 44100)
    course = mel_view(EARS, normalize(late[None], EARS.n_samples)[0]).mean(axis=1)
    onset = np.flatnonzero(course > -0.9)[0] * EARS.mel_hop / 44100
    assert onset == pytest.approx(1.0, abs=0.03)


def test_one_sound_is_seen_from_each_key_as_if_it_were_one_for_each() -> None:
    sound = normalize(np.random.default_rng(0).normal(size=(1, EARS.n_samples)), EARS.n_samples)
    keys_hz = [110.0, 261.6, 880.0]
    together, apart = views(EARS, sound, keys_hz), views(EARS, np.tile(sound, (3, 1)), keys_hz)
    assert together.mel.shape == (1, EARS.mel_frames, EARS.n_mels)
    assert np.array_equal(np.tile(together.mel, (3, 1, 1)), apart.mel)
    assert np.array_equal(together.fine, apart.fine)
