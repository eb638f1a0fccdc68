"""Cutting clips out of what was heard: again, held, whole; with their keys and their gaps."""

from __future__ import annotations

import time

import numpy as np
import pytest

from antithesis.audio import Played
from antithesis.errors import AudioError
from daemon.capture.clips import Cutter
from daemon.capture.contract import Device
from daemon.capture.listener import Condition, Take
from daemon.capture.notes import Notes
from daemon.capture.silence import why_silent
from tests import scenes
from tests.scenes import RATE

NOW = 1000.0  # when the stretch in the ring ends


class Heard:
    """A listener that has heard a stretch, which ends at `NOW`."""

    def __init__(self, stretch, loopback=True):
        self.take = Take(Device("speakers", "fake", RATE, 1, loopback), 30.0)
        self.take.hear(np.asarray(stretch, np.float32)[:, None], False)
        self.take._clock = (len(stretch), NOW)
        self.condition = Condition("speakers")

    def catch_up(self):
        """All of it is there."""


def tone(hz=220.0, seconds=0.4, decay=6.0):
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * hz * t + 1.0) * np.exp(-decay * t)


@pytest.fixture
def row():
    """Three sounds, at 1, 2 and 3 seconds of 4."""
    sounds = [tone(220), tone(330), tone(440)]
    return Cutter(Heard(scenes.in_a_row(sounds, [1.0, 2.0, 3.0], 4.0)), Notes())


def begins(clip, hz):
    return np.allclose(clip.frames[:50, 0], tone(hz)[:50], atol=1e-6)


def test_the_last_sound_is_cut_from_its_onset_to_its_end(row):
    clip = row.just_heard(NOW)
    assert begins(clip, 440)
    assert clip.over
    assert clip.ago_s == pytest.approx(1.0, abs=0.001)
    assert clip.duration_s == pytest.approx(0.4, abs=0.01)


def test_again_with_nothing_new_goes_one_further_back_each_time(row):
    assert [begins(row.just_heard(NOW + k), hz) for k, hz in enumerate((440, 330, 220))] == [
        True,
        True,
        True,
    ]
    with pytest.raises(AudioError, match=r"no sound before that one.*capture\.seconds"):
        row.just_heard(NOW + 3)


def test_so_many_back_can_be_asked_for(row):
    assert begins(row.just_heard(NOW, back=2), 220)


def test_what_came_after_the_press_does_not_count(row):
    assert begins(row.just_heard(NOW - 1.01), 330)


def test_what_began_right_before_the_press_is_not_what_a_finger_answers_to(row):
    assert begins(row.just_heard(NOW - 0.98), 330)


def test_something_new_is_the_sound_just_heard_again():
    heard = Heard(scenes.in_a_row([tone(220)], [1.0], 2.0))
    cutter = Cutter(heard, Notes())
    assert begins(cutter.just_heard(NOW), 220)
    heard.take.hear(np.float32(scenes.in_a_row([tone(550)], [0.5], 1.5))[:, None], False)
    heard.take._clock = (heard.take.ring.written, NOW + 1.5)
    assert begins(cutter.just_heard(NOW + 1.5), 550)


def test_from_press_to_release_is_what_was_heard_between(row):
    clip = row.held(NOW - 2.25, NOW - 1.25)
    assert clip.duration_s == pytest.approx(1.0)
    sound = clip.sound("held.wav")
    assert np.allclose(sound.samples[:50], tone(330)[:50], atol=1e-6)


def test_held_sound_has_the_key_that_made_it_and_not_the_one_before_the_press(row):
    row._notes.hear(50, 0, 90, NOW - 2.3)
    row._notes.hear(64, 0, 90, NOW - 2.01)
    row._notes.hear(64, 0, 0, NOW - 1.7)
    clip = row.held(NOW - 2.25, NOW - 1.25)
    assert clip.sound("held.wav").played == Played(64, 90, pytest.approx(0.31))


def test_held_for_long_it_is_as_long_and_what_is_forgotten_is_said():
    cutter = Cutter(Heard(np.tile(tone(seconds=1.0), 35)), Notes())
    assert cutter.held(NOW - 20.0, NOW).duration_s == pytest.approx(20.0)
    clip = cutter.held(NOW - 34.0, NOW)
    assert clip.duration_s == pytest.approx(30.0)
    assert "its first 4 s are forgotten; see capture.seconds" in str(clip)


def test_silence_from_press_to_release_is_said_with_what_to_do(row):
    with pytest.raises(AudioError, match=r"only silence came from speakers .* if you heard"):
        row.held(NOW - 0.5, NOW)


def test_note_that_we_play_ourselves_is_no_sound(row):
    row.leave_out(NOW - 1.1, NOW - 0.8)
    assert begins(row.just_heard(NOW), 330)
    assert [clip.duration_s for _, clip in row.sounds_since(row._listener.take, RATE * 3 // 2, NOW)]
    assert begins(row.just_heard(NOW), 220)


def test_sound_that_is_placed_a_little_later_at_another_look_is_the_same(row):
    take = row._listener.take
    ((position, _),) = row.sounds_since(take, round(2.5 * RATE), NOW)
    assert not row.sounds_since(take, position - RATE // 100, NOW)


def test_sound_that_is_still_on_can_be_had_whole_later():
    heard = Heard(scenes.in_a_row([tone(seconds=1.0)], [1.0], 1.3))
    heard.take._clock = (heard.take.ring.written, time.monotonic())
    cutter = Cutter(heard, Notes())
    clip = cutter.just_heard(time.monotonic())
    assert not clip.enough
    assert clip.missing_s == pytest.approx(1.7, abs=0.02)
    rest = np.concatenate([tone(seconds=1.0)[round(0.3 * RATE) :], np.zeros(RATE)])
    heard.take.hear(np.float32(rest)[:, None], False)
    whole = cutter.whole(clip)
    assert whole.enough
    assert whole.duration_s == pytest.approx(1.0, abs=0.01)
    assert np.array_equal(whole.frames[: len(clip.frames)], clip.frames)


def test_the_key_a_sound_was_played_by_is_known_with_velocity_and_gate(row):
    row._notes.hear(64, 0, 90, NOW - 1.02)
    row._notes.hear(64, 0, 0, NOW - 0.72)
    clip = row.just_heard(NOW)
    assert clip.played.note == 64
    assert clip.played.velocity == 90
    assert clip.played.gate_s == pytest.approx(0.3)
    assert clip.sound("x").played == clip.played
    assert clip.file_name.endswith(" E4.wav")


def test_key_that_is_still_down_has_no_gate_yet(row):
    row._notes.hear(64, 0, 90, NOW - 1.02)
    assert row.just_heard(NOW).played == Played(64, 90, None)


def test_sustain_pedal_keeps_a_note_on_after_its_key_is_up(row):
    row._notes.hear(64, 0, 90, NOW - 1.02)
    row._notes.pedal(0, True, NOW - 0.9)
    row._notes.hear(64, 0, 0, NOW - 0.8)
    assert row.just_heard(NOW).played.gate_s is None
    row._notes.pedal(0, False, NOW - 0.42)
    assert row._notes.played(NOW - 1.0).gate_s == pytest.approx(0.6)


def test_sustain_pedal_that_goes_up_leaves_keys_that_are_down(row):
    row._notes.pedal(0, True, NOW - 1.5)
    row._notes.hear(64, 0, 90, NOW - 1.02)
    row._notes.pedal(0, False, NOW - 0.8)
    assert row._notes.played(NOW - 1.0).gate_s is None
    row._notes.hear(64, 0, 0, NOW - 0.62)
    assert row._notes.played(NOW - 1.0).gate_s == pytest.approx(0.4)


def test_sustain_pedal_is_its_channels_alone(row):
    row._notes.pedal(1, True, NOW - 1.5)
    row._notes.hear(64, 0, 90, NOW - 1.02)
    row._notes.hear(64, 0, 0, NOW - 0.82)
    assert row._notes.played(NOW - 1.0).gate_s == pytest.approx(0.2)


def test_key_struck_again_under_the_pedal_ends_the_note_before(row):
    row._notes.pedal(0, True, NOW - 2.5)
    row._notes.hear(64, 0, 90, NOW - 2.02)
    row._notes.hear(64, 0, 0, NOW - 1.9)
    row._notes.hear(64, 0, 70, NOW - 1.02)
    assert row._notes.played(NOW - 2.0).gate_s == pytest.approx(1.0)
    assert row._notes.played(NOW - 1.0) == Played(64, 70, None)


@pytest.mark.parametrize(
    ("notes", "why"),
    [
        ([], "nobody played"),
        ([(60, -1.01), (64, -1.0)], "a chord has no one key"),
        ([(60, -1.5)], "too long before"),
        ([(60, -0.9)], "after the onset"),
    ],
)
def test_where_no_one_key_made_the_sound_none_is_claimed(row, notes, why):
    for note, at in notes:
        row._notes.hear(note, 0, 100, NOW + at)
    assert row.just_heard(NOW).played is None, why


def test_dropped_block_in_a_clip_is_counted_and_said(row):
    row._listener.take.gaps.append(round(3.1 * RATE))
    clip = row.just_heard(NOW)
    assert clip.gaps == 1
    assert "1 dropped block in it" in str(clip)


def test_only_silence_is_said_with_what_to_do():
    cutter = Cutter(Heard(np.zeros(5 * RATE)), Notes())
    with pytest.raises(AudioError, match="only silence came from speakers in the last 5 s"):
        cutter.just_heard(NOW)


def test_steady_noise_has_no_beginning():
    noise = 0.1 * np.random.default_rng(0).normal(size=5 * RATE)
    with pytest.raises(AudioError, match="no beginning of a sound in the last 5 s"):
        Cutter(Heard(noise), Notes()).just_heard(NOW)


@pytest.mark.parametrize(
    ("system", "word"), [("win32", "ASIO"), ("darwin", "multi-output"), ("linux", "PipeWire")]
)
def test_why_a_loopback_is_silent_depends_on_the_system(monkeypatch, system, word):
    monkeypatch.setattr("sys.platform", system)
    said = why_silent(Device("Speakers", "x", RATE, 2, loopback=True), 30.0, notes=3)
    assert word in said
    assert "while 3 notes were played" in said
    assert "bouncing into the watched folder" in said


def test_silent_input_is_to_be_turned_up():
    assert "turned up" in why_silent(Device("Line In", "x", RATE, 2), 30.0)


def test_listening_to_nothing_is_said_with_the_trouble():
    heard = Heard(np.zeros(10))
    heard.take, heard.condition = None, Condition(trouble="no JACK server answers")
    with pytest.raises(AudioError, match="no JACK server answers"):
        Cutter(heard, Notes()).just_heard(NOW)
