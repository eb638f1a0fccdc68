"""The journal: one open job a file, one outcome a job, on the disk when it says so."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from antithesis.errors import ConfigError
from daemon import journal as journals
from daemon.journal import Journal, Outcome, look
from daemon.settling import Drop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "journal.sqlite"


def drop(tmp_path, name="a.wav", size=5, mtime_ns=7):
    return Drop(tmp_path / name, size, mtime_ns)


def test_job_is_open_until_it_ends(path, tmp_path):
    with Journal(path) as journal:
        assert journal.begin(drop(tmp_path)).outcome is None
        assert [job.drop for job in journal.unfinished()] == [drop(tmp_path)]
        journal.end(drop(tmp_path), Outcome.MATCHED, "/results/a.wav.antithesis", "REAPER: sent")
        assert journal.unfinished() == []
    (job,) = look(path).last
    assert (job.outcome, job.said, job.host) == (
        "matched",
        "/results/a.wav.antithesis",
        "REAPER: sent",
    )
    assert job.ended_at >= job.accepted_at


def test_job_that_is_taken_up_again_is_the_same_job(path, tmp_path):
    with Journal(path) as journal:
        for _ in range(3):
            journal.begin(drop(tmp_path))
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
        assert len(journal.unfinished()) == 1


def test_job_ends_once(path, tmp_path):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
        journal.end(drop(tmp_path), Outcome.MATCHED, "there")
        journal.end(drop(tmp_path), Outcome.REFUSED, "silent")
    assert [job.outcome for job in look(path).last] == ["matched"]


def test_file_that_changed_ends_the_job_of_what_it_was(path, tmp_path):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
        journal.begin(drop(tmp_path, size=6))
        assert [job.drop.size for job in journal.unfinished()] == [6]
    first = next(job for job in look(path).last if job.drop.size == 5)
    assert (first.outcome, first.said) == ("refused", "changed before it was matched")


def test_job_of_a_file_that_we_wrote_anew_goes_on(path, tmp_path):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path), instead_of=drop(tmp_path, size=0))
        journal.begin(drop(tmp_path, size=6), instead_of=drop(tmp_path))
        journal.end(drop(tmp_path, size=6), Outcome.MATCHED, "there")
    assert [(job.drop.size, job.outcome) for job in look(path).last] == [(6, "matched")]


def test_same_file_may_come_again_after_its_end(path, tmp_path):
    with Journal(path) as journal:
        for _ in range(2):
            journal.begin(drop(tmp_path))
            journal.end(drop(tmp_path), Outcome.MATCHED, "there")
    assert look(path).counts == {"matched": 2}


def test_what_the_last_daemon_died_of_is_counted_and_nothing_else(path, tmp_path):
    script = (
        "import os, sys; from pathlib import Path; from daemon.journal import Journal;"
        " from daemon.settling import Drop;"
        " journal = Journal(Path(sys.argv[1])).__enter__();"
        " [journal.begin(Drop(Path(name), 1, 1)) for name in ('waits.wav', 'kills.wav')];"
        " os.kill(os.getpid(), 9)"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", script, str(path)], check=False)
    with Journal(path) as journal:
        deaths = {job.drop.path.name: job.deaths for job in journal.unfinished()}
    assert deaths == {"waits.wav": 0, "kills.wav": 2}


def test_end_in_good_order_is_no_death(path, tmp_path):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
    with Journal(path) as journal:
        assert journal.begin(drop(tmp_path)).deaths == 0


@pytest.mark.parametrize("name", ["new\nline.wav", "k\udce9ck.wav", "音.wav", "'; --.wav"])
def test_any_name_comes_back_as_it_was(path, tmp_path, name):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path, name))
        assert [job.drop.path.name for job in journal.unfinished()] == [name]


def test_it_is_read_while_a_daemon_writes(path, tmp_path):
    with Journal(path) as journal:
        journal.tell({"watching": "/drops"})
        journal.begin(drop(tmp_path))
        seen = look(path)
        assert seen.running == {"watching": "/drops"}
        assert [job.outcome for job in seen.last] == [None]
    assert look(path).running == {}


def test_a_person_reads_it_with_any_tool(path, tmp_path):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
        journal.end(drop(tmp_path), Outcome.REFUSED, "silent")
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT path, outcome, said FROM jobs").fetchall()
    assert rows == [(str(tmp_path / "a.wav"), "refused", "silent")]


def test_old_ends_are_forgotten(path, tmp_path, monkeypatch):
    with Journal(path) as journal:
        for name in ("ended.wav", "open.wav"):
            journal.begin(drop(tmp_path, name))
        journal.end(drop(tmp_path, "ended.wav"), Outcome.MATCHED, "there")
    monkeypatch.setattr(journals, "KEPT_DAYS", -1)
    with Journal(path):
        pass
    assert [job.drop.path.name for job in look(path).last] == ["open.wav"]


def test_none_yet_is_an_empty_one(path):
    assert look(path).last == ()
    assert not path.exists()


def test_one_of_a_newer_version_is_refused_with_the_remedy(path):
    with Journal(path):
        pass
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {journals.VERSION + 1}")
    with pytest.raises(ConfigError, match="update"), Journal(path):
        pass
    with pytest.raises(ConfigError, match="update"):
        look(path)


def test_one_of_an_older_version_is_brought_up_to_date(path, tmp_path, monkeypatch):
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
    more = "ALTER TABLE jobs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'"
    monkeypatch.setattr(journals, "_MIGRATIONS", (*journals._MIGRATIONS, more))
    monkeypatch.setattr(journals, "VERSION", journals.VERSION + 1)
    with Journal(path) as journal:
        assert [job.drop for job in journal.unfinished()] == [drop(tmp_path)]
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT colour FROM jobs").fetchall() == [("red",)]


def test_the_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as file:
        file.executescript("PRAGMA user_version = 1; CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="no journal of Antithesis"), Journal(path):
        pass
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + bytes(90)])
def test_damaged_one_is_put_aside_and_told(path, tmp_path, content, caplog):
    path.parent.mkdir()
    path.write_bytes(content)
    with Journal(path) as journal:
        journal.begin(drop(tmp_path))
    assert "is damaged" in caplog.text
    (aside,) = path.parent.glob("journal-damaged-*.sqlite")
    assert aside.read_bytes() == content


def test_one_with_a_damaged_page_is_put_aside(path, tmp_path):
    with Journal(path) as journal:
        for number in range(500):
            journal.begin(drop(tmp_path, f"{number}.wav"))
    data = bytearray(path.read_bytes())
    data[3 * 4096 : 5 * 4096] = os.urandom(2 * 4096)
    path.write_bytes(data)
    with Journal(path) as journal:
        assert journal.unfinished() == []
    assert list(path.parent.glob("journal-damaged-*"))


def test_folder_that_cannot_be_written_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "state").write_text("a file stands where the folder should be")
    with pytest.raises(ConfigError, match=r"state\.folder"), Journal(tmp_path / "state" / "j"):
        pass
