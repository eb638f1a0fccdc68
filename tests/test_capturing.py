"""Captures and the other keys in the daemon's loop: a fake device, and everything else real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest
import soundfile
from mido import Message

from antithesis import files
from antithesis.audio import Played
from antithesis.segments import first_sound_of
from daemon import companion
from daemon.capture.ear import Ear
from daemon.companion import Companion
from daemon.config import Config, changed
from daemon.hosts import HOSTS
from daemon.journal import Journal, look
from daemon.outcomes import Outcomes
from daemon.presses import WAITING_AT_MOST, Action, Press, Presses
from daemon.senders import Router, Sender
from daemon.senders.history import History
from daemon.senders.memory import MemoryRoute
from daemon.watch import Watch
from tests import scenes
from tests.fakeear import RATE, FakeDevices
from tests.fakematch import FakeMatcher, at_distance, searching

PATIENCE_S = 30


def write_little(match, target, folder, *, facts):
    content = {"match": {"distance": match.distance}, **facts}
    (folder / "facts.json").write_text(json.dumps(content))


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def tone(hz=220.0, seconds=0.4):
    t = np.arange(round(seconds * RATE)) / RATE
    return 0.4 * np.sin(2 * np.pi * hz * t + 1.0) * np.exp(-6 * t)


class Desk:
    """The daemon's loop in a thread: `do` presses and waits for the answer."""

    def __init__(
        self, tmp_path, devices, matcher, *, audition=False, reader=first_sound_of, **capture
    ):
        self.drops, self.results = tmp_path / "drops", tmp_path / "results"
        self.devices = devices
        self.route = MemoryRoute()
        self._tmp_path = tmp_path
        self._matcher = matcher
        self._audition = audition
        self._reader = reader
        self._config = changed(Config(), {"capture": capture}) if capture else Config()

    def __enter__(self):
        with ExitStack() as opening:
            journal = opening.enter_context(Journal(self._tmp_path / "journal.sqlite"))
            history = History(self._tmp_path / "before.json")
            sender = Sender(replace(HOSTS["memory"], lasting=True), self.route)
            router = opening.enter_context(Router([sender], history))
            watch = opening.enter_context(Watch(self.drops, settle_s=0.05))
            self.presses = Presses(watch.call)
            self.ear = opening.enter_context(Ear(self._config, self.presses.press))
            loop = Companion(
                watch,
                journal,
                Outcomes(self.results).make_ready(),
                self._reader,
                router,
                self._matcher,
                60.0,
                lambda _folder: None,
                audition=self._audition,
                presses=self.presses,
                ear=self.ear,
            )
            thread = threading.Thread(target=loop.run)
            thread.start()
            opening.callback(thread.join, PATIENCE_S)
            self.call, self.close = watch.call, watch.close
            opening.callback(self.close)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *trouble):
        self._open.close()

    def holds(self, distance):
        """Whether the host holds the preset of a match at that distance."""
        wanted = at_distance(distance).preset.normalized
        return [self.route.values.get(i) for i in range(38)] == pytest.approx(list(wanted))

    def do(self, action, **how):
        answers = SimpleQueue()
        self.presses.press(Press(action, answer=answers.put, **how))
        return answers.get(timeout=PATIENCE_S)

    def play(self, samples, after_s=0.5):
        stretch = np.concatenate([np.zeros(RATE // 2), samples, np.zeros(round(after_s * RATE))])
        self.devices.play(stretch)
        time.sleep(0.02)  # the press comes after what was heard

    def outcome(self, count=1):
        end = time.monotonic() + PATIENCE_S
        while len(found := sorted(self.results.glob("Capture*"))) < count:
            assert time.monotonic() < end
            threading.Event().wait(0.01)
        return [json.loads((folder / "facts.json").read_text()) for folder in found]


@pytest.fixture
def devices(monkeypatch):
    monkeypatch.setattr(companion, "write_files", write_little)
    fake = FakeDevices(monkeypatch)
    fake.plug()
    return fake


def test_capture_is_at_the_host_and_saved_as_a_file_with_its_match(devices, tmp_path):
    matcher = FakeMatcher(3.0, 1.0)
    with Desk(tmp_path, devices, matcher) as desk:
        desk.play(tone())
        answer = desk.do(Action.CAPTURE)
        assert answer.well
        assert "from everything that plays" in answer.said
        assert "3.00 dB away" in answer.said
        (facts,) = desk.outcome()
    assert facts["last_sent"]["distance"] == 1.0
    assert facts["captured"]["background_db"] is None
    (saved,) = desk.drops.iterdir()
    assert facts["dropped"]["file"] == saved.name
    frames, rate = soundfile.read(saved, dtype="float32")
    assert rate == RATE
    assert np.allclose(frames[:1000, 0], tone()[:1000], atol=1e-6)
    assert matcher.heard == [saved.name]  # taken from memory, and not again from the disk
    assert desk.holds(1.0)


def test_preset_does_not_wait_for_the_disk_which_then_has_the_clip(devices, tmp_path, monkeypatch):
    awake = threading.Event()
    disk = files.bring_to_disk

    def asleep(path):
        assert awake.wait(PATIENCE_S)
        disk(path)

    with Desk(tmp_path, devices, FakeMatcher(3.0)) as desk:
        desk.play(tone())
        monkeypatch.setattr(files, "bring_to_disk", asleep)
        answers = SimpleQueue()
        desk.presses.press(Press(Action.CAPTURE, answer=answers.put))
        until(lambda: desk.holds(3.0))
        assert not list(desk.drops.glob("Capture*"))
        awake.set()
        assert answers.get(timeout=PATIENCE_S).well
        desk.outcome()
    assert len(list(desk.drops.iterdir())) == 1


def test_clip_is_saved_before_the_search_goes_on(devices, tmp_path):
    matcher = FakeMatcher(3.0, ends=0)
    with Desk(tmp_path, devices, matcher) as desk:
        desk.play(tone())
        desk.do(Action.CAPTURE)
        assert matcher.searching.wait(PATIENCE_S)
        (saved,) = desk.drops.iterdir()
        assert soundfile.info(saved).duration == pytest.approx(0.4, abs=0.1)
        assert look(tmp_path / "journal.sqlite").counts == {"open": 1}


@searching
def left_at_once(_sound, **_how):
    """A search that is left before its first match."""
    yield from ()


def test_clip_whose_match_was_left_is_saved_and_matched_by_the_next_daemon(devices, tmp_path):
    with Desk(tmp_path, devices, left_at_once) as desk:
        desk.play(tone())
        desk.presses.press(Press(Action.CAPTURE))
        until(lambda: desk.drops.exists() and list(desk.drops.iterdir()))
    assert not list(desk.results.iterdir())
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        (facts,) = desk.outcome()
    (saved,) = desk.drops.iterdir()
    assert facts["dropped"]["file"] == saved.name


def test_press_that_comes_with_the_end_is_still_obeyed(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        desk.play(tone())
        ending = threading.Event()
        desk.call(partial(ending.wait, PATIENCE_S))
        desk.presses.press(Press(Action.CAPTURE))
        desk.close()
        ending.set()
    (saved,) = desk.drops.iterdir()
    assert (desk.results / f"{saved.name}.antithesis").is_dir()


def die_at(folder, moment):
    """Capture a tone, and be killed at a moment after its first preset; in a process of its own."""

    def die(*_arguments, **_options):
        os.kill(os.getpid(), signal.SIGKILL)

    @searching
    def matcher(_sound, **_how):
        yield at_distance(3.0)
        if moment == "searching":
            die()
        if moment == "sending":
            desk.route.write = die
        yield at_distance(1.0)

    with pytest.MonkeyPatch.context() as patch:
        devices = FakeDevices(patch)
        devices.plug()
        with Desk(Path(folder), devices, matcher) as desk:
            patch.setattr(companion, "write_files", die)
            desk.play(tone())
            desk.do(Action.CAPTURE)
            threading.Event().wait(PATIENCE_S)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("moment", ["searching", "sending", "writing"])
def test_capture_at_which_the_daemon_was_killed_is_matched_by_the_next(devices, tmp_path, moment):
    program = f"from tests.test_capturing import die_at; die_at({str(tmp_path)!r}, {moment!r})"
    killed = subprocess.run([sys.executable, "-c", program], timeout=PATIENCE_S, check=False)
    assert killed.returncode == -signal.SIGKILL
    with Desk(tmp_path, devices, FakeMatcher(2.0)) as desk:
        (facts,) = desk.outcome()
    (saved,) = desk.drops.iterdir()
    assert facts["dropped"]["file"] == saved.name
    assert soundfile.info(saved).duration == pytest.approx(0.4, abs=0.1)
    assert look(tmp_path / "journal.sqlite").counts == {"matched": 1}


def test_a_press_ends_the_search_for_the_sound_before(devices, tmp_path):
    matcher = FakeMatcher(3.0, ends=0)
    with Desk(tmp_path, devices, matcher) as desk:
        desk.play(tone(220))
        desk.do(Action.CAPTURE)
        assert matcher.searching.wait(PATIENCE_S)
        assert desk.do(Action.STOP).well
        desk.play(tone(330))
        desk.do(Action.CAPTURE)
        desk.do(Action.STOP)
        assert len(desk.outcome(2)) == 2


def test_sound_that_is_still_on_is_matched_at_once_and_again_when_it_is_over(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        long = scenes.in_a_row([np.repeat(1.0, 4 * RATE)], [0.0], 4.0) * 0.1
        long *= np.sin(np.arange(len(long)) * 0.05)
        desk.play(long[: RATE // 2], after_s=0.0)
        answer = desk.do(Action.CAPTURE)
        assert "still sounding" in answer.said
        desk.devices.play(long[RATE // 2 :])
        desk.outcome()
    assert len(desk._matcher.heard) == 2
    (saved,) = desk.drops.iterdir()
    assert soundfile.info(saved).duration > 0.5
    assert look(tmp_path / "journal.sqlite").counts == {"matched": 1}


def test_key_is_held_and_let_go_of_once(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        desk.play(np.zeros(10))
        assert desk.do(Action.HOLD, down=True).said == "recording until the release"
        assert "too short" in desk.do(Action.HOLD, down=False).said
        assert "without having been pressed" in desk.do(Action.HOLD, down=False).said


def test_while_armed_each_loud_enough_sound_is_captured_by_itself(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher(), armed=True) as desk:
        desk.play(np.zeros(RATE))
        for hz in (220, 330):
            desk.play(tone(hz))
            time.sleep(0.2)
        desk.play(0.001 * tone(440))
        assert len(desk.outcome(2)) == 2
        assert desk.do(Action.ARM).said == "not armed"
        desk.play(tone(550))
        time.sleep(0.3)
    assert len(list(desk.results.glob("Capture*"))) == 2


def test_notes_that_we_play_ourselves_are_not_captured_again(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher(), armed=True, audition=True) as desk:
        played = []

        def play(note, velocity, gate_s):
            played.append(note)
            for block in np.split(np.concatenate([tone(330), np.zeros(RATE // 2)]), 30):
                time.sleep(len(block) / RATE)  # when it was heard is what tells it
                devices.play(block)

        desk.route.play = play
        desk.play(np.zeros(RATE))
        desk.play(tone(220))
        desk.outcome()
        until(lambda: played)
        time.sleep(1.0)  # an armed ear looks three times a second
        assert len(desk.outcome()) == len(played) == 1


def test_no_note_is_played_into_a_sound_that_is_still_on(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher(), audition=True) as desk:
        played = []
        desk.route.play = lambda *note: played.append(note)
        steady = 0.1 * np.sin(np.arange(4 * RATE) * 0.05)
        desk.play(steady[:RATE], after_s=0.0)
        assert "still sounding" in desk.do(Action.CAPTURE).said
        assert not played
        desk.devices.play(steady[RATE:])
        desk.outcome()
        assert len(played) == 1


def test_pedal_makes_the_note_of_a_sound_as_long_as_it_was(devices, tmp_path):
    played = []

    @searching
    def matcher(sound, **_how):
        played.append(sound.played)
        yield at_distance(3.0)

    with Desk(tmp_path, devices, matcher) as desk:
        desk.play(tone())
        onset_at = time.monotonic() - 0.92
        for at, message in (
            (0.0, Message("note_on", note=57, velocity=90)),
            (0.1, Message("control_change", control=64, value=127)),
            (0.2, Message("note_off", note=57)),
            (0.3, Message("control_change", control=64, value=0)),
        ):
            desk.ear._hear_midi(message, "keys", onset_at + at)
        assert desk.do(Action.CAPTURE).well
    assert played == [Played(57, 90, pytest.approx(0.3))]


def test_silence_while_notes_are_played_is_told_once_unasked(devices, tmp_path, caplog):
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        devices.play(np.zeros(RATE))
        for note in (60, 64, 67, 72):
            desk.ear._hear_midi(Message("note_on", note=note), "keys", time.monotonic())
        until(lambda: "notes were played" in caplog.text)
        time.sleep(0.1)
    assert caplog.text.count("only silence came from everything that plays") == 1


def test_next_and_previous_step_through_the_candidates_of_the_last_sound(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher(3.0, 2.0, 1.0)) as desk:
        assert "nothing was matched yet" in desk.do(Action.NEXT).said
        desk.play(tone())
        desk.do(Action.CAPTURE)
        desk.outcome()
        assert "2 of 3: 2.00 dB away" in desk.do(Action.NEXT).said
        assert desk.holds(2.0)
        assert "3 of 3: 3.00 dB away" in desk.do(Action.NEXT).said
        assert "this is 3 of 3" in desk.do(Action.NEXT).said
        assert "2 of 3: 2.00 dB away" in desk.do(Action.PREVIOUS).said


def test_undo_puts_back_what_the_host_held_before_the_sound(devices, tmp_path):
    matcher = FakeMatcher(3.0)
    with Desk(tmp_path, devices, matcher) as desk:
        for distance in (3.0, 1.0):
            matcher.distances = (distance,)
            desk.play(tone())
            desk.do(Action.CAPTURE)
        assert desk.do(Action.UNDO).well
        assert desk.holds(3.0)


def test_silence_is_answered_with_what_to_do_and_the_next_press_works(devices, tmp_path):
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        desk.play(np.zeros(RATE))
        answer = desk.do(Action.CAPTURE)
        assert not answer.well
        assert "only silence came from everything that plays" in answer.said
        desk.play(tone())
        assert desk.do(Action.CAPTURE).well


def test_bug_in_a_capture_is_told_and_the_loop_goes_on(devices, tmp_path):
    matcher = FakeMatcher()
    with Desk(tmp_path, devices, matcher) as desk:
        matcher.distances = (None,)
        desk.play(tone())
        assert "internal error" in desk.do(Action.CAPTURE).said
        (refused,) = desk.results.glob("Capture*.refused.txt")
        assert len(list(desk.drops.iterdir())) == 1
        assert "internal error" in refused.read_text()
        matcher.distances = (3.0,)
        assert desk.do(Action.CAPTURE, back=0).said


def test_press_during_a_long_decoding_is_obeyed_and_the_file_is_matched_then(devices, tmp_path):
    decoding = threading.Event()

    def slow_at_first(path):
        if decoding.is_set():
            return first_sound_of(path)
        decoding.set()
        until(desk.presses.urgent)
        return None

    matcher = FakeMatcher()
    with Desk(tmp_path, devices, matcher, reader=slow_at_first) as desk:
        soundfile.write(desk.drops / "long.wav", tone(), RATE)
        assert decoding.wait(PATIENCE_S)
        assert desk.do(Action.STOP).well
        until(lambda: list(desk.results.glob("long.wav.antithesis")))
    assert matcher.heard == ["long.wav"]


def test_flood_while_the_loop_is_away_is_answered_and_not_kept(devices, tmp_path):
    answers = SimpleQueue()
    away, back = threading.Event(), threading.Event()
    with Desk(tmp_path, devices, FakeMatcher()) as desk:
        desk.call(lambda: (away.set(), back.wait(PATIENCE_S)))
        assert away.wait(PATIENCE_S)
        for _ in range(1000):
            desk.presses.press(Press(Action.STOP, answer=answers.put))
        assert answers.qsize() == 1000 - WAITING_AT_MOST
        back.set()
        done = [answers.get(timeout=PATIENCE_S).well for _ in range(1000)]
    assert done.count(True) == WAITING_AT_MOST


def test_flood_of_presses_is_answered_and_not_kept():
    answers = []
    presses = Presses(lambda action: action())
    for _ in range(100):
        presses.press(Press(Action.NEXT, answer=answers.append))
    assert len(answers) == 36
    assert not answers[0].well
