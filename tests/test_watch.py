"""A folder as a stream of settled files: real files, real events."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import threading
from contextlib import contextmanager

import pytest

from antithesis.errors import DeviceError
from daemon import watch
from daemon.watch import Watch, is_sound_name

SETTLE_S = 0.05
PATIENCE_S = 30.0


class Taken:
    """Takes what a watch yields in a thread, so that a test can wait for it with an end in time."""

    def __init__(self, watching):
        self.drops = []
        self._watching = watching
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self):
        for drop in self._watching:
            with self._changed:
                self.drops.append(drop)
                self._changed.notify_all()

    def names(self, count):
        """Names of the first `count` drops, in order; all that came where patience ends."""
        with self._changed:
            self._changed.wait_for(lambda: len(self.drops) >= count, PATIENCE_S)
            return [drop.path.name for drop in self.drops]

    def end(self):
        self._watching.close()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


@contextmanager
def watching(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        taken = Taken(watched)
        try:
            yield taken
        finally:
            taken.end()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "drops"
    path.mkdir()
    return path


@pytest.fixture
def taken(folder):
    # Events only: what a test sees was not found by reading the folder once more.
    with watching(folder) as taken:
        yield taken


@pytest.fixture(autouse=True)
def _no_rescan(monkeypatch):
    monkeypatch.setattr(watch, "RESCAN_S", 3600.0)


def test_new_file_is_taken(folder, taken):
    (folder / "kick.wav").write_bytes(b"sound")
    assert taken.names(1) == ["kick.wav"]
    assert taken.drops[0].size == 5
    assert taken.drops[0].path == folder / "kick.wav"


def test_file_moved_in_is_taken(folder, taken, tmp_path):
    (tmp_path / "kick.wav").write_bytes(b"sound")
    (tmp_path / "kick.wav").rename(folder / "kick.wav")
    assert taken.names(1) == ["kick.wav"]


def test_file_renamed_to_a_sound_is_taken_under_its_new_name(folder, taken):
    (folder / "kick.wav.part").write_bytes(b"sound")
    (folder / "kick.wav.part").rename(folder / "kick.wav")
    assert taken.names(1) == ["kick.wav"]


def test_file_replaced_by_a_rename_is_taken_again(folder, taken):
    (folder / "kick.wav").write_bytes(b"sound")
    taken.names(1)
    (folder / ".kick.tmp").write_bytes(b"other sound")
    (folder / ".kick.tmp").replace(folder / "kick.wav")
    assert taken.names(2) == ["kick.wav", "kick.wav"]
    assert [drop.size for drop in taken.drops] == [5, 11]


def test_slowly_written_file_is_taken_once_and_whole(folder, taken):
    with (folder / "render.wav").open("wb", buffering=0) as file:
        for _ in range(8):
            file.write(b"x" * 1000)
            threading.Event().wait(2 * SETTLE_S)  # a DAW's own pace, longer than a file rests
    assert taken.names(1) == ["render.wav"]
    assert taken.drops[0].size == 8000


def test_burst_is_taken_whole(folder, taken):
    names = [f"sound {number:02}.wav" for number in range(50)]
    for name in names:
        (folder / name).write_bytes(name.encode())
    assert sorted(taken.names(50)) == names


def test_what_was_dropped_while_away_is_taken_oldest_first(folder):
    for age, name in enumerate(("b.wav", "a.wav", "c.wav")):
        (folder / name).write_bytes(b"sound")
        os.utime(folder / name, (1000 + age, 1000 + age))
    with watching(folder) as taken:
        assert taken.names(3) == ["b.wav", "a.wav", "c.wav"]


def test_nothing_else_is_taken(folder, taken):
    for name in ("~kick.wav", ".kick.wav", "kick.wav.part", "kick.asd", "kick.wav.reapeaks"):
        (folder / name).write_bytes(b"sound")
    (folder / "kick.wav.antithesis").mkdir()
    (folder / "kick.wav.antithesis" / "match.wav").write_bytes(b"sound")
    (folder / "folder.wav").mkdir()
    (folder / "last.wav").write_bytes(b"sound")
    assert taken.names(1) == ["last.wav"]


def test_missing_folder_is_made(tmp_path):
    with watching(tmp_path / "a" / "b") as taken:
        (tmp_path / "a" / "b" / "here.wav").write_bytes(b"sound")
        assert taken.names(1) == ["here.wav"]


def test_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DeviceError, match="choose another"), Watch(tmp_path / "file" / "drops"):
        pass


def test_folder_that_vanishes_and_returns_is_watched_again(folder, monkeypatch, caplog):
    monkeypatch.setattr(watch, "HEARTBEAT_S", 0.05)
    with watching(folder) as taken:
        (folder / "before.wav").write_bytes(b"sound")
        taken.names(1)
        shutil.rmtree(folder)
        assert wait_until(lambda: "is gone" in caplog.text)
        folder.mkdir()
        (folder / "after.wav").write_bytes(b"sound")
        assert taken.names(2) == ["before.wav", "after.wav"]
        (folder / "later.wav").write_bytes(b"sound")
        assert taken.names(3)[-1] == "later.wav"


def test_folder_made_anew_within_a_heartbeat_is_watched_again(folder):
    with watching(folder) as taken:
        (folder / "before.wav").write_bytes(b"sound")
        taken.names(1)
        shutil.rmtree(folder)
        folder.mkdir()  # some file systems give it the identity of the one before
        (folder / "after.wav").write_bytes(b"sound")
        assert taken.names(2) == ["before.wav", "after.wav"]
        (folder / "later.wav").write_bytes(b"sound")
        assert taken.names(3)[-1] == "later.wav"


def test_folder_deleted_within_the_watched_one_changes_nothing(folder, taken):
    (folder / folder.name).mkdir()
    (folder / folder.name).rmdir()
    (folder / "folder.wav").mkdir()
    (folder / "folder.wav").rmdir()
    (folder / "kick.wav").write_bytes(b"sound")
    assert taken.names(1) == ["kick.wav"]


def test_without_events_the_folder_is_read_again_and_again(folder, monkeypatch, caplog):
    def used_up(*_arguments):
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr(watch, "_observer", used_up)
    monkeypatch.setattr(watch, "HEARTBEAT_S", 0.05)
    with caplog.at_level(logging.WARNING), watching(folder) as taken:
        assert "limit reached" in caplog.text
        (folder / "kick.wav").write_bytes(b"sound")
        assert taken.names(1) == ["kick.wav"]


def test_lost_event_is_made_up_for(folder, monkeypatch):
    monkeypatch.setattr(watch, "_WRITTEN", {})  # as if no event ever came
    monkeypatch.setattr(watch, "HEARTBEAT_S", 0.05)
    monkeypatch.setattr(watch, "RESCAN_S", 0.05)
    with watching(folder) as taken:
        (folder / "kick.wav").write_bytes(b"sound")
        assert taken.names(1) == ["kick.wav"]


def wait_until(condition):
    for _ in range(round(PATIENCE_S / 0.01)):
        if condition():
            return True
        threading.Event().wait(0.01)
    return False


def test_waiting_tells_of_a_file_without_taking_it(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        assert not watched.waiting()
        (folder / "kick.wav").write_bytes(b"sound")
        assert wait_until(watched.waiting)
        assert watched.waiting()
        assert next(iter(watched)).path.name == "kick.wav"
        assert not watched.waiting()


def test_waiting_file_that_is_renamed_is_taken_once(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        (folder / "old.wav").write_bytes(b"sound")
        assert wait_until(watched.waiting)
        (folder / "old.wav").rename(folder / "new.wav")
        assert next(iter(watched)).path.name == "new.wav"
        assert not watched.waiting()


def test_waiting_file_that_changes_is_taken_as_it_became(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        (folder / "kick.wav").write_bytes(b"sound")
        assert wait_until(watched.waiting)
        (folder / "kick.wav").write_bytes(b"longer sound")
        assert next(iter(watched)).size == 12
        assert not watched.waiting()


def test_waiting_file_that_is_deleted_is_still_told(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        (folder / "kick.wav").write_bytes(b"sound")
        assert wait_until(watched.waiting)
        (folder / "kick.wav").unlink()
        assert next(iter(watched)).path.name == "kick.wav"


def test_many_waiting_files_that_are_renamed_are_taken_once_each(folder):
    for number in range(100):
        (folder / f"old {number:02}.wav").write_bytes(b"sound")
    with Watch(folder, settle_s=SETTLE_S) as watched:
        assert wait_until(watched.waiting)  # for all of them, which were there before
        for path in sorted(folder.iterdir()):
            path.rename(folder / path.name.replace("old", "new"))
        (folder / "last.wav").write_bytes(b"sound")
        taken = Taken(watched)
        assert len(taken.names(101)) == 101
        taken.end()
    assert {drop.path for drop in taken.drops} == set(folder.iterdir())


def test_many_waiting_files_that_are_deleted_are_told_without_a_wait_for_each(folder):
    for number in range(100):
        (folder / f"{number:02}.wav").write_bytes(b"sound")
    assert 100 * watch.TELLING_S > 2 * PATIENCE_S
    with Watch(folder, settle_s=SETTLE_S) as watched:
        assert wait_until(watched.waiting)
        for path in folder.iterdir():
            path.unlink()
        (folder / "new.wav").write_bytes(b"sound")
        taken = Taken(watched)
        names = taken.names(101)
        taken.end()
    assert len(names) == 101
    assert names[-1] == "new.wav"


def test_after_its_end_nothing_more_is_taken_in(folder):
    told = []
    with Watch(folder) as watched:
        watched.call(watched.close)
        watched.call(lambda: told.append("late"))
        watched.waiting()
        assert watched.closed
    assert told == []


def test_files_that_went_with_their_folder_are_taken_when_it_returns(folder, tmp_path):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        (folder / "kick.wav").write_bytes(b"sound")
        assert wait_until(watched.waiting)
        folder.rename(tmp_path / "unplugged")
        comes_back = threading.Timer(0.3, (tmp_path / "unplugged").rename, [folder])
        comes_back.start()
        drop = next(iter(watched))
        comes_back.join()
        assert drop.path.name == "kick.wav"
        assert drop.path.exists()


def test_file_is_handed_on_again_when_asked(folder):
    with Watch(folder, settle_s=SETTLE_S) as watched:
        (folder / "kick.wav").write_bytes(b"sound")
        drops = iter(watched)
        first = next(drops)
        watched.again(first, 0.1)
        assert next(drops) == first


def test_close_ends_the_iteration_from_a_signal_handler(folder):
    with Watch(folder) as watched:
        before = signal.signal(signal.SIGTERM, lambda *_: watched.close())
        try:
            threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()
            assert list(watched) == []
            assert watched.closed
        finally:
            signal.signal(signal.SIGTERM, before)


def test_leaving_ends_every_thread(folder):
    before = set(threading.enumerate())
    with Watch(folder):
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    "name", ["a.wav", "A.WAV", "a.b.aiff", "ü.flac", "x.mp3", "x.ogg", "x.aif", "cut\noff.wav"]
)
def test_sounds_are_known_by_their_names(name):
    assert is_sound_name(name)


@pytest.mark.parametrize(
    "name", ["a.txt", "wav", ".wav", "._a.wav", "~a.wav", "a.wav~", "a.wav.tmp", "a.wav.asd", "a"]
)
def test_other_names_are_not_taken(name):
    assert not is_sound_name(name)
