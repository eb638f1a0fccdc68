"""What recordings go through: each step changes the sound, keeps its length, and repeats."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis.training import degrade

TIME = np.arange(44100) / 44100
SOUND = (0.3 * np.sign(np.sin(2 * np.pi * 110.0 * TIME)) * np.exp(-3.0 * TIME)).astype(np.float32)
STEPS = (
    *(degrade.equalized, degrade.roomy, degrade.doubled),
    *(degrade.driven, degrade.noisy, degrade.coded),
)


def level_db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_changes_the_sound_within_reason(step):
    heard = step(SOUND, np.random.default_rng(3))
    assert heard.shape == SOUND.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert not np.array_equal(heard, SOUND)
    assert abs(level_db(heard) - level_db(SOUND)) < 12.0


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_the_same_seed_degrades_alike(step):
    once, again = (step(SOUND, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(once, again)


def test_noise_stays_twenty_decibels_below():
    for seed in range(8):
        noise = degrade.noisy(SOUND, np.random.default_rng(seed)) - SOUND
        assert level_db(noise) < level_db(SOUND) - 19.9


def test_a_room_sounds_on_after_the_sound():
    click = np.zeros(44100, np.float32)
    click[:100] = 1.0
    heard = degrade.roomy(click, np.random.default_rng(0))
    assert np.abs(heard[1000:4000]).max() > 1e-4


def test_chains_of_steps_differ_from_sound_to_sound():
    rng = np.random.default_rng(11)
    heard = [degrade.degraded(SOUND, rng) for _ in range(6)]
    assert len({sound.tobytes() for sound in heard}) == 6
