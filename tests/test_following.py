"""Following a stream: what is found in it while it goes on is what is found in all of it."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis import following
from antithesis.following import KEPT_S, Following
from antithesis.onsets import SURE_S, look, sounds
from tests import scenes
from tests.scenes import RATE

WITHIN = 0.001 * RATE  # how much is in the window has a say in where one is placed


def stretch(seconds=4.0):
    """Notes of different sizes, in silence."""
    rng = np.random.default_rng(7)
    at = np.arange(0.5, seconds - 0.6, 0.7)
    notes = [rng.uniform(0.2, 1.0) * scenes.drawn(rng) for _ in at]
    return np.float32(scenes.in_a_row(notes, list(at), seconds))


def blocks(samples, size):
    return np.split(samples, range(size, len(samples), size))


@pytest.mark.parametrize("size", [64, 1000, 13230])
def test_in_blocks_of_any_size_the_same_sounds_are_found(size):
    samples = stretch()
    follower = Following(RATE, 1234)
    for block in blocks(samples, size):
        follower.hear(block)
    assert follower.end == 1234 + len(samples)
    expected = [heard.start for heard in sounds(samples, RATE) if heard.start >= RATE]
    assert [heard.start - 1234 for heard in follower.sounds()] == expected
    assert len(expected) >= 3


def test_sounds_keep_their_places_and_those_of_long_ago_are_forgotten():
    samples = stretch(9.0)
    follower, told = Following(RATE), set()
    for block in blocks(samples, round(0.3 * RATE)):
        follower.hear(block)
        told |= {heard.start for heard in follower.sounds()}
    expected = np.array([heard.start for heard in sounds(samples, RATE)])
    off = np.abs(np.subtract.outer(expected, sorted(told)))
    assert off.min(axis=0).max() <= WITHIN
    assert off.min(axis=1).max() <= WITHIN
    assert min(heard.start for heard in follower.sounds()) >= (10.0 - KEPT_S) * RATE - 1024


def test_nothing_is_looked_at_twice(monkeypatch):
    places = []

    def looked(samples, at, rate, departs):
        begun = look(samples, at, rate, departs)
        places.append(follower._position + begun.start)
        return begun

    monkeypatch.setattr(following, "look", looked)
    follower = Following(RATE)
    for block in blocks(np.float32(scenes.music(np.random.default_rng(1), 6.0, -12.0)), 4410):
        follower.hear(block)
        follower.sounds()
    assert len(places) > 5
    assert len(places) < 1.2 * len(set(places))


def test_what_has_just_begun_is_told_once_it_is_sure():
    samples = stretch(1.6)
    follower = Following(RATE)
    begins = sounds(samples, RATE)[0].start
    follower.hear(samples[: begins + round(0.9 * SURE_S * RATE)])
    assert not follower.sounds()
    follower.hear(samples[begins + round(0.9 * SURE_S * RATE) :])
    assert [heard.start for heard in follower.sounds()] == [begins]
