"""Gauss-Newton on sounds: downhill to where it was put, in few renders, within its bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from antithesis.descent import Descent, step_together
from antithesis.objective import Objective

RATE = 44100
TIME = np.arange(RATE) / RATE
NOISE = np.random.default_rng(5).normal(size=RATE)
NO_WRAPS = np.zeros(3, np.bool_)
WANTED = np.array([0.6, 0.3, 0.8])


def sound(point: np.ndarray) -> np.ndarray:
    """A tone with an attack and a decay, and noise: three numbers, each heard by itself."""
    decay, mix, attack = point
    envelope = np.exp(-8.0 * decay * TIME) * (1.0 - np.exp(-TIME / (0.001 + 0.1 * attack)))
    return envelope * ((1.0 - mix) * np.sin(2 * np.pi * 500.0 * TIME) + 0.1 * mix * NOISE)


class Counted:
    """Features of points, and how many were asked for."""

    def __init__(self) -> None:
        self.objective = Objective(sound(WANTED))
        self.renders = 0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        assert (points >= 0.0).all()
        assert (points <= 1.0).all()
        self.renders += len(points)
        return self.objective.features(np.stack([sound(point) for point in points]))

    def descent(self, start: np.ndarray) -> Descent:
        return Descent(self.objective, start, self(start[None])[0], NO_WRAPS)


def step(descent: Descent, features: Callable[[np.ndarray], np.ndarray]) -> None:
    step_together([descent], lambda asked: [features(points) for points in asked])


def test_it_finds_what_made_the_sound_in_a_hundred_renders():
    features = Counted()
    descent = features.descent(np.array([0.3, 0.5, 0.4]))
    first = descent.distance
    while features.renders < 100:
        step(descent, features)
    assert descent.distance < 0.02 * first
    assert descent.point == pytest.approx(WANTED, abs=0.01)


def test_all_steps_within_its_reach_change_the_sound_about_as_much():
    features = Counted()
    descent = features.descent(np.array([0.5, 0.4, 0.6]))
    lengths, ways = np.linalg.eigh(descent.reach(features(descent.moved())))
    steps = ways.T * np.sqrt(lengths)[:, None]
    size = 0.02 / np.abs(steps).max()
    changes = features.objective.apart(descent.heard, features(descent.point + size * steps))
    assert np.sqrt(lengths.max() / lengths.min()) > 4.0  # though some are much longer
    assert changes.max() < 2.0 * changes.min()


def test_it_never_loses_ground_and_gives_up_at_the_bottom():
    features = Counted()
    descent = features.descent(np.array([0.9, 0.9, 0.1]))
    distances = [descent.distance]
    while not descent.exhausted:
        step(descent, features)
        distances.append(descent.distance)
    assert distances == sorted(distances, reverse=True)
    assert len(distances) < 60


def test_a_target_beyond_the_bounds_is_approached_along_them():
    features = Counted()
    features.objective = Objective(sound(np.array([0.5, 0.3, 1.6])))
    descent = features.descent(np.array([0.6, 0.4, 0.9]))
    for _ in range(12):
        step(descent, features)
    assert descent.point[2] == 1.0


def test_what_wraps_may_pass_its_end():
    objective = Objective(np.sin(2 * np.pi * 300.0 * TIME) * (1.2 + np.cos(2 * np.pi * 3.0 * TIME)))

    def features(points: np.ndarray) -> np.ndarray:
        swell = 1.2 + np.cos(2 * np.pi * (3.0 * TIME + points))
        return objective.features(np.sin(2 * np.pi * 300.0 * TIME) * swell)

    start = np.array([0.9])
    descent = Descent(objective, start, features(start[None])[0], np.array([True]))
    for _ in range(8):
        step(descent, features)
    assert descent.point[0] == pytest.approx(1.0, abs=0.01)
