"""The daemon's loop: real files, a real watch, and at the end real processes and UDP."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from antithesis.audio import read_sound
from antithesis.errors import DeviceError, SendError
from antithesis.parameters import BY_ID
from antithesis.presetfiles import read_preset
from antithesis.report import draw_match
from antithesis.segments import first_sound_of
from daemon import companion
from daemon.companion import WORTH_SENDING_DB, Companion, built_in_synth, run_companion
from daemon.config import Config, as_toml, changed, host_rows, load
from daemon.decoding import Decoder
from daemon.ending import ENDING_SIGNALS
from daemon.hosts import HOSTS
from daemon.journal import Journal, look
from daemon.orders import order
from daemon.outcomes import Outcomes
from daemon.ports import free_port
from daemon.presses import Action
from daemon.routing import open_router
from daemon.senders import History, Manner, Router, Sender, open_sender
from daemon.senders.memory import MemoryRoute
from daemon.settling import Drop
from daemon.watch import Watch
from tests.fakematch import FakeMatcher, at_distance, searching
from tests.synthprocess import SynthProcess

RATE = 44100
PATIENCE_S = 60.0


def write_tone(path, hz=220.0, seconds=0.2):
    """A file that is complete once it is seen."""
    tone = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    part = path.with_name(f"{path.name}.part")
    soundfile.write(part, tone, RATE, format="AIFF" if path.suffix == ".aiff" else "WAV")
    part.rename(path)


class Log(logging.Handler):
    """What the daemon said, and a way to wait for it."""

    def __init__(self):
        super().__init__()
        self.lines = []
        self._more = threading.Condition()

    def emit(self, record):
        with self._more:
            self.lines.append(record.getMessage())
            self._more.notify_all()

    def wait_for(self, word, count=1):
        with self._more:
            self._more.wait_for(lambda: len(self.of(word)) >= count, PATIENCE_S)
        assert len(self.of(word)) >= count, self.lines
        return self.of(word)

    def of(self, word):
        return [line for line in self.lines if word in line]


def write_little(match, target, folder, *, facts):
    """A report of the least that is to be there."""
    content = {"match": {"distance": match.distance}, **facts}
    (folder / f"{Path(target.source).stem}.json").write_text(json.dumps(content))


class Running:
    """A companion in a thread, with its folders, its log, and the host in memory."""

    @staticmethod
    def draw(_folder):
        """Draw nothing: a picture takes a second."""

    def __init__(self, tmp_path, log):
        self.drops = tmp_path / "drops"
        self.results = tmp_path / "results"
        self.journal = tmp_path / "state" / "journal.sqlite"
        self.log = log
        self.route = MemoryRoute()
        self.history = History(tmp_path / "before.json")
        self.notices = []
        self.busy = threading.Event()

    @contextmanager
    def __call__(self, matcher, sender=None, **wishes):
        outcomes = Outcomes(self.results).make_ready()
        with (
            Journal(self.journal) as journal,
            Router([sender or Sender(HOSTS["memory"], self.route)], self.history) as router,
            Watch(self.drops, settle_s=0.05) as watch,
        ):
            companion = Companion(
                watch,
                journal,
                outcomes,
                first_sound_of,
                router,
                matcher,
                60.0,
                self.draw,
                notify=self.notices.append,
                busy=self.busy.is_set,
                **wishes,
            )
            thread = threading.Thread(target=companion.run)
            thread.start()
            try:
                yield
            finally:
                watch.close()
                thread.join(PATIENCE_S)
                assert not thread.is_alive()

    def outcomes(self):
        return sorted(path.name for path in self.results.iterdir())

    def facts(self, name):
        folder = self.results / f"{name}.antithesis"
        return json.loads((folder / f"{Path(name).stem}.json").read_text("utf-8"))


@pytest.fixture
def log():
    handler = Log()
    logger = logging.getLogger("daemon")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def running(tmp_path, log):
    (tmp_path / "drops").mkdir()
    return Running(tmp_path, log)


@pytest.fixture
def little_reports(monkeypatch):
    monkeypatch.setattr(companion, "write_files", write_little)


def test_dropped_sound_becomes_a_preset_at_the_host_and_files_beside_it(running):
    running.draw = draw_match
    with running(FakeMatcher(3.0, 1.5)):
        write_tone(running.drops / "Bass A2.wav")
        running.log.wait_for("Bass A2.wav: matched")
    assert running.outcomes() == ["Bass A2.wav.antithesis"]
    folder = running.results / "Bass A2.wav.antithesis"
    names = {"Bass A2.txt", "Bass A2.json", "Bass A2.fxp", "target.wav", "match.wav", "match.png"}
    assert {path.name for path in folder.iterdir()} == names
    expected = at_distance(1.5).preset
    assert read_preset(folder / "Bass A2.txt") == expected
    host = [running.route.values[index] for index in range(38)]
    assert host == pytest.approx(list(expected.normalized))
    facts = running.facts("Bass A2.wav")
    assert facts["first_sent"]["distance"] == 3.0
    assert facts["last_sent"]["distance"] == 1.5
    assert facts["last_sent"]["grade"] == "confirmed"


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="names here are Unicode")
def test_sound_whose_name_is_no_utf8_becomes_a_preset_too(running):
    running.draw = draw_match
    write_tone(running.drops.with_name("a.wav"))
    with running(FakeMatcher()):
        running.drops.with_name("a.wav").rename(running.drops / os.fsdecode(b"\xffbad.wav"))
        running.log.wait_for("matched")
    folder = running.results / os.fsdecode(b"\xffbad.wav.antithesis")
    assert (folder / "match.png").exists()


@pytest.mark.usefixtures("little_reports")
def test_file_that_is_no_sound_is_refused_and_the_next_is_matched(running):
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        (running.drops / "b.wav").write_bytes(b"RIFF, but no more")
        write_tone(running.drops / "c.wav")
        running.log.wait_for("matched", 2)
        running.log.wait_for("refused")
    assert running.outcomes() == ["a.wav.antithesis", "b.wav.refused.txt", "c.wav.antithesis"]
    assert "export it again" in (running.results / "b.wav.refused.txt").read_text()


@pytest.mark.usefixtures("little_reports")
def test_mended_file_is_matched_and_no_longer_refused(running):
    with running(FakeMatcher()):
        (running.drops / "a.wav").write_bytes(b"RIFF, but no more")
        running.log.wait_for("refused")
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert running.outcomes() == ["a.wav.antithesis"]


@pytest.mark.usefixtures("little_reports")
def test_every_file_of_a_burst_has_its_outcome(running):
    names = [f"{number:02}.wav" for number in range(50)]
    matcher = FakeMatcher(ends=0)
    with running(matcher):
        for name in names:
            write_tone(running.drops / name, seconds=0.02)
        # The last one is searched for as long as nobody else waits.
        running.log.wait_for("dB away", 50)
        assert matcher.searching.wait(PATIENCE_S)
    with running(FakeMatcher()):
        running.log.wait_for("matched", 50)
    assert running.outcomes() == [f"{name}.antithesis" for name in names]
    assert sorted(matcher.heard) == names


@pytest.mark.usefixtures("little_reports")
def test_newer_file_ends_the_search_and_keeps_what_it_found(running):
    matcher = FakeMatcher(3.0, 2.0, ends=0)
    with running(matcher):
        write_tone(running.drops / "old.wav")
        assert matcher.searching.wait(PATIENCE_S)
        assert running.outcomes() == []
        write_tone(running.drops / "new.wav")
        running.log.wait_for("new.wav: 2.00 dB away")
    assert "old.wav: matched" in " ".join(running.log.lines)
    assert running.facts("old.wav")["match"]["distance"] == 2.0


@pytest.mark.usefixtures("little_reports")
def test_newer_file_is_heard_before_the_older_one_is_written(running):
    matcher = FakeMatcher(ends=0)
    with running(matcher):
        write_tone(running.drops / "old.wav")
        assert matcher.searching.wait(PATIENCE_S)
        write_tone(running.drops / "new.wav")
        running.log.wait_for("new.wav: 3.00 dB away")
    heard = running.log.lines.index(running.log.of("new.wav: 3.00 dB")[0])
    assert not any("old.wav: matched" in line for line in running.log.lines[:heard])


@pytest.mark.usefixtures("little_reports")
def test_end_amid_a_search_writes_the_best_so_far(running):
    matcher = FakeMatcher(3.0, ends=0)
    with running(matcher):
        write_tone(running.drops / "a.wav")
        assert matcher.searching.wait(PATIENCE_S)
    assert running.outcomes() == ["a.wav.antithesis"]


@pytest.mark.usefixtures("little_reports")
def test_only_improvements_worth_it_travel_but_the_best_always_does(running):
    little = 0.4 * WORTH_SENDING_DB
    with running(FakeMatcher(3.0, 3.0 - little, 2.0, 2.0 - little)):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    sent = [line.split(" dB")[0] for line in running.log.of("dB away")]
    assert sent == ["a.wav: 3.00", "a.wav: 2.00", f"a.wav: {2.0 - little:.2f}"]
    assert running.facts("a.wav")["last_sent"]["distance"] == 2.0 - little


@pytest.mark.usefixtures("little_reports")
def test_best_that_was_sent_already_is_not_sent_twice(running):
    with running(FakeMatcher(3.0, 2.0)):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert len(running.log.of("dB away")) == 2


class Broken(MemoryRoute):
    def write(self, values):
        raise SendError("the port is closed")


@pytest.mark.usefixtures("little_reports")
def test_match_that_cannot_be_delivered_is_written_and_says_so(running):
    with running(FakeMatcher(), Sender(HOSTS["memory"], Broken())):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert running.facts("a.wav")["last_sent"]["grade"] == "failed"
    assert running.facts("a.wav")["last_sent"]["reason"] == "the port is closed"
    assert running.log.of("failed the port is closed")


class Unplugged(MemoryRoute):
    def write(self, values):
        raise DeviceError("the interface was pulled out")


@pytest.mark.usefixtures("little_reports")
def test_sender_that_gives_up_does_not_lose_the_match(running):
    with running(FakeMatcher(), Sender(HOSTS["memory"], Unplugged())):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert running.facts("a.wav")["first_sent"]["reason"] == "the interface was pulled out"


@pytest.mark.usefixtures("little_reports")
def test_what_is_locked_is_matched_around_as_the_host_holds_it(running):
    index = BY_ID["kFilterCutoff"].index
    matcher = FakeMatcher(3.0)
    with running(
        matcher, Sender(HOSTS["memory"], running.route, Manner(locked=frozenset({index})))
    ):
        running.route.values[index] = 0.25
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert matcher.locked == [{"kFilterCutoff": BY_ID["kFilterCutoff"].to_plain(0.25)}]
    assert running.route.values[index] == 0.25


@pytest.mark.usefixtures("little_reports")
def test_bug_in_one_job_is_told_and_the_next_goes_on(running, caplog):
    @searching
    def matcher(sound, *, budget_s, locked, stop):
        if sound.source.endswith("a.wav"):
            raise ZeroDivisionError("a bug")
        yield at_distance(3.0)

    with running(matcher):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("refused")
        write_tone(running.drops / "b.wav")
        running.log.wait_for("matched")
    assert running.outcomes() == ["a.wav.refused.txt", "b.wav.antithesis"]
    assert "internal error" in (running.results / "a.wav.refused.txt").read_text()
    assert "ZeroDivisionError: a bug" in caplog.text  # with its traceback


def test_bug_in_writing_is_told_as_well(running, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(companion, "write_files", broken)
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("refused")
    assert running.outcomes() == ["a.wav.refused.txt"]


def test_outcome_that_could_not_be_written_is_tried_again(running, monkeypatch):
    failures = iter([OSError(28, "No space left on device")])

    def full_at_first(*arguments, **options):
        for failure in failures:
            raise failure
        write_little(*arguments, **options)

    monkeypatch.setattr(companion, "write_files", full_at_first)
    monkeypatch.setattr(companion, "RETRY_S", 0.1)
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("No space left on device")
        running.log.wait_for("matched")
    assert running.outcomes() == ["a.wav.antithesis"]


class Disk:
    """Where reports are written: full until there is `room`; so often it was `tried` in vain."""

    def __init__(self):
        self.room = threading.Event()
        self.tried = 0

    def write(self, *arguments, **options):
        if not self.room.is_set():
            self.tried += 1
            raise OSError(28, "No space left on device")
        write_little(*arguments, **options)

    def wait_for_tries(self, count):
        end = time.monotonic() + PATIENCE_S
        while self.tried < count:
            assert time.monotonic() < end
            threading.Event().wait(0.01)


@pytest.fixture
def full_disk(monkeypatch):
    disk = Disk()
    monkeypatch.setattr(companion, "write_files", disk.write)
    monkeypatch.setattr(companion, "RETRY_S", 0.01)
    return disk


def test_match_that_cannot_be_written_is_neither_searched_for_nor_sent_again(running, full_disk):
    matcher = FakeMatcher()
    with running(matcher):
        write_tone(running.drops / "a.wav")
        full_disk.wait_for_tries(5)
        full_disk.room.set()
        running.log.wait_for("a.wav: matched")
    assert matcher.heard == ["a.wav"]
    assert len(running.log.of("dB away")) == 1
    assert len(running.log.of("No space left on device")) == 1
    assert running.facts("a.wav")["last_sent"]["distance"] == 3.0


def test_other_sound_under_the_name_of_one_that_cannot_be_written_is_matched(running, full_disk):
    matcher = FakeMatcher()
    with running(matcher):
        write_tone(running.drops / "a.wav")
        full_disk.wait_for_tries(2)
        write_tone(running.drops / "a.wav", hz=440.0, seconds=0.3)
        running.log.wait_for("dB away", 2)
        full_disk.room.set()
        running.log.wait_for("a.wav: matched")
    assert running.facts("a.wav")["dropped"]["size"] == (running.drops / "a.wav").stat().st_size
    assert len(running.log.of(": matched")) == 1
    assert matcher.heard == ["a.wav", "a.wav"]


def test_same_sound_brought_back_before_its_match_is_written_is_not_matched_again(
    running, full_disk, tmp_path
):
    matcher = FakeMatcher()
    with running(matcher):
        write_tone(running.drops / "a.wav")
        full_disk.wait_for_tries(2)
        (running.drops / "a.wav").rename(tmp_path / "a.wav")
        (tmp_path / "a.wav").rename(running.drops / "a.wav")
        write_tone(running.drops / "b.wav")
        running.log.wait_for("b.wav: 3.00 dB away")
        full_disk.room.set()
        running.log.wait_for(": matched", 2)
    assert matcher.heard == ["a.wav", "b.wav"]


def test_match_that_could_not_be_written_before_the_end_is_made_by_the_next_daemon(
    running, full_disk
):
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        full_disk.wait_for_tries(2)
    assert look(running.journal).counts == {"open": 1}
    full_disk.room.set()
    with running(FakeMatcher()):
        running.log.wait_for("a.wav: matched")
    assert look(running.journal).counts == {"matched": 1}


def test_matches_that_cannot_be_written_are_bounded_and_each_file_has_its_outcome(
    running, full_disk, monkeypatch
):
    monkeypatch.setattr(companion, "UNWRITTEN_AT_MOST", 2)
    matcher = FakeMatcher()
    names = [f"{number}.wav" for number in range(4)]
    with running(matcher):
        for name in names:
            write_tone(running.drops / name)
        running.log.wait_for("let go of", 2)
        full_disk.room.set()
        running.log.wait_for(": matched", 4)
    assert running.outcomes() == [f"{name}.antithesis" for name in names]
    assert len(matcher.heard) == 6


@pytest.mark.usefixtures("little_reports")
def test_done_files_are_not_matched_again_after_a_restart_and_changed_ones_are(running):
    write_tone(running.drops / "same.wav")
    write_tone(running.drops / "changed.wav")
    (running.drops / "refused.wav").write_bytes(b"RIFF, but no more")
    with running(FakeMatcher()):
        running.log.wait_for("matched", 2)
        running.log.wait_for("refused:")
    write_tone(running.drops / "changed.wav", hz=440.0, seconds=0.3)
    write_tone(running.drops / "new.wav")
    matcher = FakeMatcher()
    with running(matcher):
        running.log.wait_for("matched", 4)
    assert sorted(matcher.heard) == ["changed.wav", "new.wav"]
    assert len(running.log.of("refused:")) == 1


@pytest.mark.usefixtures("little_reports")
def test_files_of_one_name_but_another_kind_do_not_overwrite_each_other(running):
    with running(FakeMatcher()):
        write_tone(running.drops / "kick.wav")
        write_tone(running.drops / "kick.aiff")
        running.log.wait_for("matched", 2)
    assert running.outcomes() == ["kick.aiff.antithesis", "kick.wav.antithesis"]


@pytest.mark.usefixtures("little_reports")
def test_file_that_goes_with_its_folder_is_not_refused(running):
    @searching
    def matcher(sound, *, budget_s, locked, stop):
        running.drops.rename(running.drops.with_name("unplugged"))
        read_sound(sound.source)
        yield at_distance(3.0)

    with running(matcher):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("gone with its folder")
    assert running.outcomes() == []


@pytest.mark.usefixtures("little_reports")
def test_results_that_wait_to_be_written_are_bounded(running, monkeypatch):
    monkeypatch.setattr(companion, "UNWRITTEN_AT_MOST", 2)
    for number in range(6):
        write_tone(running.drops / f"{number}.wav", seconds=0.02)
    with running(FakeMatcher()):
        running.log.wait_for("matched", 6)
    waiting = most = 0
    for line in running.log.lines:
        waiting += ("dB away" in line) - (": matched" in line)
        most = max(most, waiting)
    assert most == 3


@pytest.mark.usefixtures("little_reports")
def test_journal_says_what_became_of_each_file(running):
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
        (running.drops / "b.wav").write_bytes(b"RIFF, but no more")
        running.log.wait_for("refused")
    first, second = look(running.journal).last
    assert (first.drop.path.name, first.outcome) == ("a.wav", "matched")
    assert (first.said, first.host) == (
        str(running.results / "a.wav.antithesis"),
        "nowhere (dry run): confirmed",
    )
    assert (second.drop.path.name, second.outcome) == ("b.wav", "refused")
    assert "export it again" in second.said


@pytest.mark.usefixtures("little_reports")
def test_job_whose_file_was_taken_away_meanwhile_is_refused_and_matched_when_it_is_back(running):
    write_tone(running.drops / "a.wav")
    drop = Drop.at(running.drops / "a.wav")
    with Journal(running.journal) as journal:
        journal.begin(drop)
    drop.path.rename(running.drops.with_name("elsewhere"))
    with running(FakeMatcher()):
        running.log.wait_for("a.wav: refused: taken away before it was matched; drop it again")
        running.drops.with_name("elsewhere").rename(drop.path)
        running.log.wait_for("a.wav: matched")
    assert running.outcomes() == ["a.wav.antithesis"]
    assert [job.outcome for job in look(running.journal).last] == ["refused", "matched"]


@pytest.mark.usefixtures("little_reports")
def test_job_in_a_folder_that_is_no_longer_watched_is_done_all_the_same(running, tmp_path):
    write_tone(tmp_path / "a.wav")
    with Journal(running.journal) as journal:
        journal.begin(Drop.at(tmp_path / "a.wav"))
    with running(FakeMatcher()):
        write_tone(running.drops / "b.wav")
        running.log.wait_for("matched", 2)
    assert running.outcomes() == ["a.wav.antithesis", "b.wav.antithesis"]


@pytest.mark.usefixtures("little_reports")
def test_outcome_that_the_journal_did_not_hear_of_is_made_up_for(running):
    with running(FakeMatcher()):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    with closing(sqlite3.connect(running.journal)) as file:
        file.execute("UPDATE jobs SET outcome = NULL, ended_at = NULL")
        file.commit()
    matcher = FakeMatcher()
    with running(matcher):
        write_tone(running.drops / "b.wav")
        running.log.wait_for("b.wav: matched")
    assert matcher.heard == ["b.wav"]
    assert look(running.journal).counts == {"matched": 2}


@pytest.mark.usefixtures("little_reports")
def test_file_at_which_the_program_died_again_and_again_is_refused(running):
    write_tone(running.drops / "deadly.wav")
    for _ in range(companion.DEATHS_AT_MOST):
        with Journal(running.journal) as journal:
            journal.begin(Drop.at(running.drops / "deadly.wav"))
        with closing(sqlite3.connect(running.journal)) as file:  # as a killed process leaves it
            file.execute("INSERT INTO at_work SELECT id FROM jobs")
            file.commit()
    matcher = FakeMatcher()
    with running(matcher):
        running.log.wait_for("deadly.wav: refused: Antithesis ended 3 times at this file")
    assert matcher.heard == []


def run_with_a_decoder_that_hangs(tmp_path):
    chosen = settings(Path(tmp_path))
    Path(tmp_path, "port").write_text(str(chosen.orders.port))
    companion.Decoder = partial(Decoder, reading="tests.badreaders:read")
    run_companion(chosen, matcher=FakeMatcher())


def test_command_is_obeyed_while_a_file_is_decoded(tmp_path):
    (tmp_path / "drops").mkdir()
    with process(tmp_path, "run_with_a_decoder_that_hangs") as daemon:
        said(daemon, "watching")
        write_tone(tmp_path / "drops" / "hang.wav")
        journal = tmp_path / "state" / "journal.sqlite"
        while look(journal).counts != {"open": 1}:
            threading.Event().wait(0.01)
        assert order(int((tmp_path / "port").read_text()), Action.STOP).well


def test_second_daemon_is_told_that_one_runs(tmp_path):
    (tmp_path / "drops").mkdir()
    with process(tmp_path) as first:
        said(first, "watching")
        with process(tmp_path) as second:
            assert second.wait(PATIENCE_S) != 0
            assert f"Antithesis runs already (process {first.pid})" in second.stderr.read()
        write_tone(tmp_path / "drops" / "a.wav")
        said(first, "a.wav: 3.00 dB")


@pytest.mark.usefixtures("little_reports")
def test_search_waits_while_others_need_the_machine_but_for_nothing_else(running, monkeypatch):
    monkeypatch.setattr(companion, "BUSY_POLL_S", 0.01)
    running.busy.set()
    matcher = FakeMatcher(3.0, ends=0)
    with running(matcher):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("a.wav: 3.00 dB away")
        running.log.wait_for("others need the machine: the search waits")
        assert not matcher.searching.is_set()
        running.busy.clear()
        assert matcher.searching.wait(PATIENCE_S)
        running.busy.set()
        running.log.wait_for("the search waits", 2)
        write_tone(running.drops / "b.wav")
        running.log.wait_for("b.wav: 3.00 dB away")
        running.log.wait_for("a.wav: matched")
    assert running.outcomes() == ["a.wav.antithesis", "b.wav.antithesis"]


@pytest.mark.usefixtures("little_reports")
def test_first_match_that_is_applied_is_shown_on_the_desktop(running):
    with running(FakeMatcher(3.0, 2.0, 1.0)):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    (notice,) = running.notices
    assert notice.startswith("a.wav: 3.00 dB away (related), A3, after ")
    assert notice.endswith("nowhere (dry run): confirmed")


@pytest.mark.usefixtures("little_reports")
@pytest.mark.parametrize(("audition", "played"), [(True, [(57, 100, 0.3)]), (False, [])])
def test_note_of_the_first_match_is_played_where_that_is_wanted(running, audition, played):
    heard = []
    running.route.play = lambda *note: heard.append(note)
    with running(FakeMatcher(3.0, 1.5), audition=audition):
        write_tone(running.drops / "Bass A2.wav")
        running.log.wait_for("Bass A2.wav: matched")
    assert heard == played


@pytest.mark.usefixtures("little_reports")
def test_match_that_did_not_arrive_is_not_shown_as_applied(running):
    with running(FakeMatcher(), Sender(HOSTS["memory"], Broken())):
        write_tone(running.drops / "a.wav")
        running.log.wait_for("matched")
    assert running.notices == []


@pytest.mark.parametrize("days", [-4000.0, 4000.0])
@pytest.mark.usefixtures("little_reports")
def test_clock_that_jumps_changes_nothing(running, monkeypatch, days):
    now = time.time
    with running(FakeMatcher()):
        write_tone(running.drops / "before.wav")
        running.log.wait_for("before.wav: matched")
        monkeypatch.setattr(time, "time", lambda: now() + days * 86400.0)
        write_tone(running.drops / "after.wav")
        running.log.wait_for("after.wav: matched")
    with running(FakeMatcher()):
        write_tone(running.drops / "last.wav")
        running.log.wait_for("last.wav: matched")
    assert len(running.outcomes()) == 3


@pytest.mark.usefixtures("little_reports")
def test_files_of_the_past_and_of_the_future_are_matched(running):
    with running(FakeMatcher()):
        for name, date in (("old.wav", 0), ("new.wav", 4e9)):
            write_tone(running.drops / f"{name}.tmp")
            os.utime(running.drops / f"{name}.tmp", (date, date))
            (running.drops / f"{name}.tmp").rename(running.drops / name)
        running.log.wait_for("matched", 2)
    assert running.outcomes() == ["new.wav.antithesis", "old.wav.antithesis"]


def test_first_sound_starts_at_its_onset(tmp_path):
    tone = 0.5 * np.sin(2 * np.pi * 220.0 * np.arange(RATE // 2) / RATE)
    soundfile.write(tmp_path / "a.wav", np.concatenate([np.zeros(RATE), tone]), RATE)
    sound = first_sound_of(tmp_path / "a.wav")
    assert sound.start_s == pytest.approx(1.0, abs=0.02)
    assert sound.duration_s == pytest.approx(0.5, abs=0.05)
    assert sound.source == str(tmp_path / "a.wav")


# In a process of its own, as it is run.

PROGRAM = """
import sys
from tests import test_companion
getattr(test_companion, sys.argv[2])(sys.argv[1])
"""


def settings(tmp_path, state="", **watch):
    folders = {"folder": str(tmp_path / "drops"), "output": str(tmp_path / "results")}
    sections = {
        "watch": folders | {"settle_s": 0.05} | watch,
        "host": {"route": "memory"},
        "orders": {"port": free_port()},
        "capture": {"listen": False},
        "state": {"folder": state or str(tmp_path / "state")},
        "machine": {"priority": "normal"},  # or the tests' own process steps back, for good
    }
    return changed(Config(), sections)


def run_in_process(tmp_path):
    """A daemon whose reports are small and take a while, so that it can be killed amid them."""

    def write_slowly(*arguments, **options):
        write_little(*arguments, **options)
        threading.Event().wait(0.1)

    companion.write_files = write_slowly
    companion.Pictures.draw = lambda _self, _folder: None
    run_companion(settings(Path(tmp_path)), matcher=FakeMatcher(ends=0))


@contextmanager
def process(tmp_path, run="run_in_process"):
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), run]
    # Tests that were started with nohup have hangups ignored, and children inherit that.
    heeding = None if os.name == "nt" else lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heeding) as daemon:
        try:
            yield daemon
        finally:
            daemon.kill()


def said(daemon, word, count=1):
    """Lines up to the one that says `word` for the `count`-th time."""
    lines = []
    while count:
        lines.append(daemon.stderr.readline())
        count -= word in lines[-1]
        assert lines[-1], f"it ended without saying {word!r}: {lines}"
    return lines


def test_killed_daemon_leaves_no_half_and_the_next_does_each_remaining_file_once(tmp_path):
    results, drops = tmp_path / "results", tmp_path / "drops"
    drops.mkdir()
    names = [f"{number:02}.wav" for number in range(20)]
    for age, name in enumerate(names):
        write_tone(drops / name, seconds=0.02)
        os.utime(drops / name, (1000 + age, 1000 + age))
    with process(tmp_path) as daemon:
        said(daemon, "19.wav: 3.00 dB")  # the last one is heard, and nothing was written yet
        said(daemon, "matched", 3)
        daemon.kill()
    done = {path.name: path.stat().st_mtime_ns for path in results.glob("[!.]*")}
    assert 3 <= len(done) < len(names)
    with process(tmp_path) as daemon:
        lines = said(daemon, "19.wav: 3.00 dB")
        lines += said(daemon, "matched", len(names) - len(done) - 1)  # the last is searched for
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0
        lines += daemon.stderr.readlines()
    assert sorted(path.name for path in results.iterdir()) == [f"{n}.antithesis" for n in names]
    for name in names:
        matched = sum(f"{name}: matched" in line for line in lines)
        assert matched == (f"{name}.antithesis" not in done), name
    assert all((results / name).stat().st_mtime_ns == time for name, time in done.items())


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_signal_ends_it_amid_a_search(tmp_path, number):
    (tmp_path / "drops").mkdir()
    write_tone(tmp_path / "drops" / "a.wav")
    with process(tmp_path) as daemon:
        said(daemon, "dB away")
        daemon.send_signal(number)
        assert daemon.wait(PATIENCE_S) == 0
        rest = daemon.stderr.read()
    assert "a.wav: matched" in rest
    assert "stopped" in rest
    assert "Traceback" not in rest
    assert (tmp_path / "results" / "a.wav.antithesis").is_dir()


@pytest.mark.parametrize("number", ENDING_SIGNALS)
def test_signal_ends_it_while_it_gets_ready(tmp_path, number):
    (tmp_path / "drops").mkdir()
    with process(tmp_path, "run_that_never_gets_ready") as daemon:
        said(daemon, "loading")
        daemon.send_signal(number)
        assert daemon.wait(PATIENCE_S) == 0
        assert "Traceback" not in daemon.stderr.read()


def run_that_never_gets_ready(tmp_path):
    """A daemon whose compiler takes for ever."""

    def load(_grid):
        logging.getLogger("daemon").warning("loading")
        threading.Event().wait()

    companion.load_matcher = load
    run_companion(settings(Path(tmp_path)))


# With the built-in synth, over UDP.


def with_synth(tmp_path, port, wav=None):
    sections = {
        "synth": {"port": port, "wav": str(wav) if wav else ""},
        "host": {"route": "builtin"},
        "state": {"folder": str(tmp_path / "state")},
    }
    return changed(Config(), sections)


@pytest.mark.usefixtures("little_reports")
def test_preset_arrives_at_a_built_in_synth_over_udp(running, tmp_path):
    with SynthProcess(tmp_path / "synth.wav") as synth:
        (row,) = host_rows(with_synth(tmp_path, synth.port))
        sender = open_sender(row)
        with running(FakeMatcher(3.0, 1.0), sender):
            write_tone(running.drops / "a.wav")
            running.log.wait_for("matched")
    assert running.log.of("the built-in synth: confirmed")
    assert running.facts("a.wav")["last_sent"]["grade"] == "confirmed"


def test_synth_is_started_where_none_answers(tmp_path, monkeypatch, log):
    port = free_port()
    config = with_synth(tmp_path, port, tmp_path / "synth.wav")
    (tmp_path / "config.toml").write_text(f"[synth]\nport = {port}\nwav = '{config.synth.wav}'\n")
    monkeypatch.setenv("ANTITHESIS_CONFIG", str(tmp_path / "config.toml"))
    with open_router(config) as router:
        with built_in_synth(config, router) as play:
            play()
            assert router.apply(at_distance(3.0).preset).grade == "confirmed"
        assert router.apply(at_distance(2.0).preset).grade == "failed"
    assert (tmp_path / "synth.wav").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this is how POSIX ends a process")
def test_synth_that_it_started_ends_with_it_when_it_is_killed(tmp_path):
    config = with_synth(tmp_path, free_port(), tmp_path / "synth.wav")
    (tmp_path / "config.toml").write_text(as_toml(config))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path), "run_a_synth_alone"],
        env=os.environ | {"ANTITHESIS_CONFIG": str(tmp_path / "config.toml")},
        stdout=subprocess.PIPE,
        text=True,
    ) as daemon:
        synth = psutil.Process(int(daemon.stdout.readline()))
        daemon.kill()
    try:
        synth.wait(PATIENCE_S)
    finally:
        with suppress(psutil.NoSuchProcess):
            synth.kill()


def run_a_synth_alone(_tmp_path):
    """Start a synth as the daemon does; once it plays, its process is told."""
    config = load()
    with open_router(config) as router, built_in_synth(config, router) as play:
        play()
        (synth,) = psutil.Process().children()
        os.write(1, b"%d\n" % synth.pid)
        threading.Event().wait()


def test_synth_that_runs_already_is_used_and_left_running(tmp_path, log):
    with SynthProcess(tmp_path / "synth.wav") as synth:
        config = with_synth(tmp_path, synth.port)
        with open_router(config) as router:
            with built_in_synth(config, router):
                assert not log.lines
            assert router.apply(at_distance(3.0).preset).grade == "confirmed"


def test_without_synth_and_audio_device_it_says_so_and_goes_on(tmp_path, monkeypatch, log):
    monkeypatch.setattr(companion, "output_devices", list)
    config = with_synth(tmp_path, free_port())
    with open_router(config) as router, built_in_synth(config, router):
        assert log.of("antithesis synth")


def test_results_go_beside_the_watched_folder_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setattr(companion.Companion, "run", lambda self: None)
    config = settings(tmp_path, output="")
    run_companion(config, matcher=FakeMatcher())
    assert (tmp_path / "drops").is_dir()
    shutil.rmtree(tmp_path / "drops")
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
