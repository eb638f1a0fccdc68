"""Cutting what was just heard: onsets in silence, hiss, tails and music."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onset_trials import trials

from antithesis.onsets import sounds
from tests import scenes
from tests.scenes import RATE

WITHIN = 0.005 * RATE


def starts(stretch, rate=RATE):
    return [heard.start for heard in sounds(stretch, rate)]


def tone(hz=220.0, seconds=1.0, decay=4.0, rate=RATE):
    t = np.arange(round(seconds * rate)) / rate
    return 0.4 * np.sin(2 * np.pi * hz * t + 1.0) * np.exp(-decay * t)


def test_ten_sounds_in_a_row_are_each_cut_at_their_onset():
    rng = np.random.default_rng(0)
    at = [1.0 + 2.0 * k for k in range(10)]
    stretch = scenes.in_a_row([scenes.drawn(rng) for _ in at], at, 22.0)
    assert np.array(starts(stretch)) == pytest.approx(np.array(at) * RATE, abs=WITHIN)


@pytest.mark.parametrize(
    ("kind", "least"),
    [("alone", 0.95), ("chord", 0.95), ("over a tune", 0.5)],
)
def test_of_notes_drawn_by_chance_so_many_are_cut_within_5_ms_of_their_onset(kind, least):
    outcomes = [trial.outcome for trial in trials(kind, "musical", 20, seed=5)]
    assert outcomes.count("right") >= least * len(outcomes), outcomes


@pytest.mark.parametrize("gap_s", [0.15, 0.3, 0.6])
def test_two_close_together_are_two_although_the_first_still_rings(gap_s):
    stretch = scenes.in_a_row([tone(220), tone(330)], [1.0, 1.0 + gap_s], 3.0)
    first, second = starts(stretch)
    assert first == RATE
    assert abs(second - (1.0 + gap_s) * RATE) <= WITHIN


def test_onset_in_silence_is_exact_to_the_sample():
    for start in (20000, 20001, 20110, 20219):
        stretch = np.zeros(RATE * 2)
        stretch[start : start + RATE // 2] = tone(seconds=0.5)
        assert starts(stretch) == [start]


@pytest.mark.parametrize("noise_dbfs", [-70.0, -50.0, -40.0])
def test_hiss_is_quiet_and_a_sound_in_it_is_cut_within_5_ms(noise_dbfs):
    rng = np.random.default_rng(4)
    stretch = scenes.hiss(rng, 4.0, noise_dbfs) + scenes.in_a_row([tone()], [2.0], 4.0)
    (heard,) = sounds(stretch, RATE)
    assert abs(heard.start - 2 * RATE) <= WITHIN
    assert heard.background_db == pytest.approx(noise_dbfs + 11.0, abs=3.0)


def test_sound_over_music_is_found_and_said_to_have_music_under_it():
    rng = np.random.default_rng(5)
    stretch = scenes.music(rng, 6.0, -36.0)
    stretch += scenes.in_a_row([tone(seconds=0.4, decay=2.0)], [4.0], 6.0)
    near = [heard for heard in sounds(stretch, RATE) if abs(heard.start - 4.0 * RATE) <= WITHIN]
    assert len(near) == 1
    assert -30.0 < near[0].background_db < -8.0


def test_soft_sound_after_a_loud_one_counts_in_silence():
    stretch = scenes.in_a_row([tone(), 0.01 * tone(330)], [0.5, 2.5], 4.0)
    assert starts(stretch) == [RATE // 2, RATE * 5 // 2]


def test_silence_clicks_and_what_was_always_on_are_no_sounds():
    assert starts(np.zeros(RATE)) == []
    assert starts(np.zeros(0)) == []
    assert starts(np.zeros(100)) == []
    assert starts(tone(decay=0.0, seconds=3.0)) == []


def test_sound_that_the_stream_ends_in_is_not_over():
    stretch = scenes.in_a_row([tone(decay=0.0)], [0.5], 1.0)
    (heard,) = sounds(stretch, RATE)
    assert not heard.over
    assert heard.stop == len(stretch) // 220 * 220


def test_sound_that_sank_into_silence_is_over():
    stretch = scenes.in_a_row([tone(seconds=0.5)], [0.5], 2.0)
    (heard,) = sounds(stretch, RATE)
    assert heard.over
    assert abs(heard.stop - RATE) <= 0.02 * RATE
    assert heard.background_db == -np.inf


@pytest.mark.parametrize("rate", [22050, 48000, 96000, 192000])
def test_any_rate_will_do(rate):
    stretch = np.zeros(3 * rate)
    for at, hz in ((0.5, 220.0), (1.1, 277.0)):
        sound = tone(hz, rate=rate)
        stretch[round(at * rate) : round(at * rate) + len(sound)] += sound
    found = starts(stretch, rate)
    assert np.abs(np.array(found) - np.array([0.5, 1.1]) * rate).max() <= 0.005 * rate


def test_loudness_as_such_changes_nothing():
    rng = np.random.default_rng(6)
    stretch = scenes.in_a_row([scenes.drawn(rng), scenes.drawn(rng)], [0.5, 1.5], 3.0)
    assert starts(stretch) == starts(stretch * 0.25)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), rate=st.sampled_from([8000, 44100]))
def test_whatever_is_played_sounds_are_in_order_and_inside(seed, rate):
    rng = np.random.default_rng(seed)
    pieces = [
        rng.normal(0.0, 10 ** rng.uniform(-6, 0), rng.integers(1, 4000)) * rng.integers(0, 2)
        for _ in range(12)
    ]
    stretch = np.concatenate(pieces)
    found = sounds(stretch, rate)
    for heard in found:
        assert 0 <= heard.start < heard.stop <= len(stretch)
    assert [heard.start for heard in found] == sorted(heard.start for heard in found)
