"""When a dropped file counts as complete; time is made up, files are real."""

from __future__ import annotations

import math
import os

import pytest

from daemon.settling import UNFINISHED_FACTOR, UNOPENED_S, Drop, Settling

SETTLE_S = 0.5


@pytest.fixture
def settling():
    return Settling(SETTLE_S)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "kick.wav"
    path.write_bytes(b"RIFF")
    return path


def paths(settling, now):
    return [drop.path for drop in settling.settled(now)]


def test_file_is_taken_once_it_has_rested(settling, file):
    settling.notice(file, 10.0)
    assert paths(settling, 10.4) == []
    assert settling.due(10.4) == pytest.approx(10.5)
    assert paths(settling, 10.5) == [file]
    assert paths(settling, 99.0) == []
    assert settling.due(99.0) == math.inf


def test_growing_file_rests_anew(settling, file):
    settling.notice(file, 10.0)
    file.write_bytes(b"RIFF more")
    settling.notice(file, 10.4)
    assert paths(settling, 10.6) == []
    assert paths(settling, 10.9) == [file]


def test_growth_of_which_all_is_heard_late_counts_from_its_last_event(settling, file):
    settling.notice(file, 10.0, written=True)
    settling.notice(file, 10.4, written=True)
    settling.notice(file, 10.4, written=False)
    assert paths(settling, 10.8) == []
    assert paths(settling, 10.9) == [file]


def test_growth_that_no_event_told_is_seen(settling, file):
    settling.notice(file, 10.0)
    file.write_bytes(b"RIFF more")
    assert paths(settling, 10.5) == []
    assert [drop.size for drop in settling.settled(11.0)] == [9]


def test_file_that_a_writer_holds_rests_longer(settling, file):
    settling.notice(file, 10.0, written=True)
    assert paths(settling, 10.5) == []
    settling.notice(file, 11.0, written=False)
    assert paths(settling, 11.0) == [file]


def test_writer_that_never_closes_is_not_waited_for_for_ever(settling, file):
    settling.notice(file, 10.0, written=True)
    assert paths(settling, 10.0 + SETTLE_S * UNFINISHED_FACTOR) == [file]


def test_empty_file_is_waited_for_but_not_for_ever(settling, file):
    file.write_bytes(b"")
    settling.notice(file, 10.0)
    assert paths(settling, 10.5) == []
    assert paths(settling, 10.0 + SETTLE_S * UNFINISHED_FACTOR) == [file]


def test_changed_file_is_taken_again_and_an_unchanged_one_is_not(settling, file):
    settling.notice(file, 10.0)
    assert paths(settling, 11.0) == [file]
    settling.notice(file, 12.0, written=False)
    assert paths(settling, 13.0) == []
    os.utime(file, ns=(1, 1))
    settling.notice(file, 14.0)
    assert paths(settling, 15.0) == [file]


def test_file_that_went_away_is_not_taken(settling, file):
    settling.notice(file, 10.0)
    file.unlink()
    assert paths(settling, 11.0) == []
    assert settling.due(11.0) == math.inf


def test_same_file_dropped_again_after_it_was_gone_is_new(settling, file):
    settling.notice(file, 10.0)
    assert paths(settling, 11.0) == [file]
    settling.forget(file)
    settling.notice(file, 12.0)
    assert paths(settling, 13.0) == [file]


def test_only_files_that_are_kept_are_remembered(settling, file, tmp_path):
    other = tmp_path / "snare.wav"
    other.write_bytes(b"RIFF")
    settling.notice(file, 10.0)
    settling.notice(other, 10.0)
    settling.keep({other})
    assert paths(settling, 11.0) == [other]


def test_file_comes_again_when_it_was_asked_for(settling, file):
    settling.notice(file, 10.0)
    assert paths(settling, 11.0) == [file]
    settling.again(file, 20.0)
    assert paths(settling, 20.0) == []
    assert paths(settling, 20.5) == [file]


def test_file_that_does_not_open_is_waited_for_but_not_for_ever(settling, file, monkeypatch):
    monkeypatch.setattr(Drop, "opens", lambda drop: False)
    settling.notice(file, 10.0)
    assert paths(settling, 11.0) == []
    assert 11.0 < settling.due(11.0) <= 11.0 + SETTLE_S
    assert paths(settling, 10.0 + UNOPENED_S) == [file]


def test_drop_tells_whether_its_file_opens(file):
    drop = Drop.at(file)
    assert drop.opens()
    file.unlink()
    assert not drop.opens()


def test_folders_links_to_nothing_and_pipes_are_no_drops(tmp_path):
    (tmp_path / "folder.wav").mkdir()
    assert Drop.at(tmp_path / "folder.wav") is None
    assert Drop.at(tmp_path / "nothing.wav") is None
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.wav")
        assert Drop.at(tmp_path / "pipe.wav") is None
