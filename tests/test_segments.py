"""The first sound is found where it begins and kept until it is over."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antithesis.audio import Sound, excerpt
from antithesis.parameters import BY_ID
from antithesis.segments import MATCHED_S, Segment, find_sound
from antithesis.synth import render_notes
from evaluation.targets import choose, rendered

FloatArray = npt.NDArray[np.float64]
RATE = 44100


@cache
def some_targets() -> FloatArray:
    return rendered(choose(["musical", "uniform"], limit=20))


def silence(seconds: float) -> FloatArray:
    return np.zeros(round(seconds * RATE))


def tone(seconds: float, hz: float = 220.0, decay_s: float = np.inf) -> FloatArray:
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.5 * np.cos(2 * np.pi * hz * t) * np.exp(-t / decay_s)


def hiss(n: int, level_db: float) -> FloatArray:
    return 10 ** (level_db / 20) * np.random.default_rng(0).normal(size=n)


def note(gate_s: float, **plain_by_id: float) -> FloatArray:
    values = {p.id: p.default for p in BY_ID.values()} | plain_by_id
    normalized = np.array([p.to_normalized(values[p.id]) for p in BY_ID.values()])
    return render_notes(normalized[None], 57, 100, gate_s)[0]


def test_in_silence_the_onset_is_exact() -> None:
    sound = np.concatenate([silence(1.234), tone(0.5), silence(1)])
    found = find_sound(sound, RATE)
    assert found.start == len(silence(1.234))
    assert found.stop == pytest.approx(len(silence(1.234)) + 0.5 * RATE, abs=RATE // 100)


@settings(max_examples=20, deadline=None)
@given(lead=st.integers(0, 3 * RATE), gain=st.floats(1e-3, 10))
def test_a_shift_shifts_the_segment_and_gain_does_not(lead: int, gain: float) -> None:
    sound = np.concatenate([tone(0.4, decay_s=0.1), silence(0.5)])
    found = find_sound(gain * np.pad(sound, (lead, 0)), RATE)
    assert found.start == lead
    assert find_sound(np.pad(sound, (lead, 0)), RATE) == found


@pytest.mark.parametrize("noise_db", [-200.0, -70.0, -60.0])
def test_onsets_of_real_notes_are_found_within_two_milliseconds(noise_db: float) -> None:
    errors = []
    for i, target in enumerate(some_targets()):
        lead = 3000 + 1237 * i
        sound = np.pad(target, (lead, RATE // 2))
        sound += np.abs(target).max() / 3 * hiss(len(sound), noise_db)
        errors.append(abs(find_sound(sound, RATE).start - lead) / RATE)
    assert np.mean(np.array(errors) < 0.002) > 0.95


def test_real_notes_are_kept_whole() -> None:
    lost = []
    for target in some_targets():
        found = find_sound(np.pad(target, (RATE, RATE)), RATE)
        missed = target[max(0, found.stop - RATE) :]
        lost.append(np.sum(missed**2) / np.sum(target**2))
    assert np.mean(np.array(lost) > 1e-4) < 0.02


@pytest.mark.parametrize("attack_s", [0.001, 0.1, 1.0])
def test_a_slow_attack_begins_where_it_begins(attack_s: float) -> None:
    swell = tone(2.0) * np.minimum(1, np.arange(2 * RATE) / RATE / attack_s)
    assert find_sound(np.pad(swell, (RATE, 0)), RATE).start == pytest.approx(RATE, abs=90)
    noisy = np.pad(swell, (RATE, 0)) + hiss(3 * RATE, -70)
    assert find_sound(noisy, RATE).start == pytest.approx(RATE, abs=0.01 * RATE)


def test_a_slow_attack_at_the_very_start_is_kept() -> None:
    swell = tone(2.0) * np.minimum(1, np.arange(2 * RATE) / RATE)
    assert find_sound(swell, RATE).start < 90


def test_it_ends_at_most_so_long_after_it_began() -> None:
    sound = np.concatenate([silence(0.5), tone(5)])
    assert find_sound(sound, RATE) == Segment(RATE // 2, RATE // 2 + round(MATCHED_S * RATE))
    assert find_sound(sound, RATE, longest_s=4.0).stop == RATE // 2 + 4 * RATE


def test_it_ends_where_the_next_note_is_struck() -> None:
    first, second = tone(0.7, decay_s=0.1), tone(0.7, 330.0, decay_s=0.1)
    found = find_sound(np.concatenate([silence(0.25), first, second]), RATE)
    assert found.stop == pytest.approx(0.95 * RATE, abs=0.01 * RATE)


def test_a_tremolo_is_one_sound() -> None:
    t = np.arange(2 * RATE) / RATE
    sound = tone(2.0) * (0.5 + 0.5 * np.cos(2 * np.pi * 5 * t))
    assert find_sound(sound, RATE) == Segment(0, 2 * RATE)


def test_it_ends_where_it_sinks_into_the_noise() -> None:
    pluck = np.pad(tone(1.0, decay_s=0.08), (RATE, RATE))
    found = find_sound(pluck + hiss(len(pluck), -60), RATE)
    assert 0.3 * RATE < found.stop - found.start < 0.8 * RATE


def test_of_two_sounds_the_first_counts_though_the_second_is_louder() -> None:
    sound = np.concatenate([silence(0.5), 0.1 * tone(0.3), silence(0.5), tone(0.3)])
    found = find_sound(sound, RATE)
    assert found.start == RATE // 2
    assert found.stop == pytest.approx(0.8 * RATE, abs=0.01 * RATE)


def test_a_click_before_the_sound_is_passed_over() -> None:
    sound = np.concatenate([silence(1), tone(0.5)])
    sound[RATE // 4] = 0.9
    assert find_sound(sound, RATE).start == RATE


@pytest.mark.parametrize("n", [0, 1, 100, 3 * RATE])
def test_silence_is_all_there_is(n: int) -> None:
    assert find_sound(np.zeros(n), RATE) == Segment(0, min(n, 2 * RATE))


@pytest.mark.parametrize("n", [1, 5, 441, 1000])
def test_the_shortest_sounds_are_kept_whole(n: int) -> None:
    assert find_sound(np.ones(n), RATE) == Segment(0, n)


@pytest.mark.parametrize("rate", [8000, 22050, 44099, 48000, 96000])
def test_excerpt_is_cut_as_if_all_had_been_resampled(rate: int) -> None:
    samples = 0.1 * np.random.default_rng(0).normal(size=3 * rate)
    whole = excerpt(Sound(samples, rate), 0, len(samples))
    start, stop = rate // 2, 2 * rate
    cut = excerpt(Sound(samples, rate, start_s=1.0), start, stop)
    begin = round(start * RATE / rate)
    assert cut.samples == pytest.approx(whole.samples[begin:][: len(cut.samples)], abs=1e-5)
    assert len(cut.samples) == pytest.approx(1.5 * RATE, abs=1)
    assert (cut.sample_rate, cut.start_s) == (RATE, 1.0 + start / rate)
