"""What was taken up and what became of it, so that no sound is lost with the process.

An SQLite file that any tool opens. `jobs` has a row for each file that was taken up, on the disk
before work on it starts; it ends once, as matched or as refused, and says where or why. `at_work`
names the one job that is worked on, so that the next start knows what the last one died of.
`running` is what the daemon told about itself when it started.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from antithesis.errors import AntithesisError, ConfigError
from daemon.living import Living
from daemon.settling import Drop

JOURNAL: Final = "journal.sqlite"

KEPT_DAYS: Final = 90
"""What ended longer ago is forgotten; the outcomes themselves stay."""

_OURS: Final = 0x416E7469  # "Anti", in the header of the file
_BUSY_S: Final = 5.0

_log: Final = logging.getLogger(__name__)

# From each version to the next; the file's own number is SQLite's `user_version`.
_MIGRATIONS: Final = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        accepted_at TEXT NOT NULL,
        deaths INTEGER NOT NULL DEFAULT 0,
        ended_at TEXT,
        outcome TEXT CHECK (outcome IN ('matched', 'refused')),
        said TEXT NOT NULL DEFAULT '',
        host TEXT NOT NULL DEFAULT '',
        CHECK ((outcome IS NULL) = (ended_at IS NULL))
    );
    CREATE UNIQUE INDEX one_open_job_for_a_file ON jobs (path) WHERE outcome IS NULL;
    CREATE TABLE at_work (job INTEGER NOT NULL REFERENCES jobs);
    CREATE TABLE running (fact TEXT PRIMARY KEY, said TEXT NOT NULL);
    """,
)
VERSION: Final = len(_MIGRATIONS)


class JournalError(AntithesisError):
    """The journal cannot be written just now, as on a full disk."""


class Outcome(StrEnum):
    """How a job ends."""

    MATCHED = "matched"
    REFUSED = "refused"


@dataclass(frozen=True)
class Job:
    """A row: times as text in UTC, `said` is the reason or the result's place, `host` its word."""

    drop: Drop
    accepted_at: str
    deaths: int
    ended_at: str
    outcome: Outcome | None
    said: str
    host: str


class Journal(Living):
    """The journal at `path`; open while it is entered.

    Raises:
        ConfigError: on entering, where a newer Antithesis wrote it, or the file cannot be had.
        JournalError: by every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def _life(self) -> Iterator[None]:
        self._file = _opened(self.path)
        with self._change():
            # What was at work when the last daemon ended is what ended it.
            self._file.execute("UPDATE jobs SET deaths = deaths + 1 WHERE id IN at_work")
            self._file.execute("DELETE FROM at_work")
            self._file.execute("DELETE FROM jobs WHERE ended_at < ?", (_days_ago(KEPT_DAYS),))
        with closing(self._file):
            try:
                yield
            finally:
                with self._change():
                    self._file.execute("DELETE FROM at_work")
                    self._file.execute("DELETE FROM running")

    def tell(self, facts: Mapping[str, str]) -> None:
        """Say what runs here, for whoever asks."""
        with self._change():
            self._file.execute("DELETE FROM running")
            self._file.executemany(
                "INSERT INTO running VALUES (?, CAST(? AS TEXT))",
                [(fact, os.fsencode(said)) for fact, said in facts.items()],
            )

    def begin(self, drop: Drop, instead_of: Drop | None = None) -> Job:
        """Take a file up, or go on with it: it is on the disk when this comes back.

        A job for the file as it was before, still open, ends: it was changed. `instead_of` is the
        file as we wrote it before, whose job goes on.
        """
        key = _key(drop)
        with self._change():
            if instead_of:
                self._file.execute(
                    f"UPDATE jobs SET size = :new_size, mtime_ns = :new_mtime_ns WHERE {_THIS_JOB}",
                    _key(instead_of) | {"new_size": drop.size, "new_mtime_ns": drop.mtime_ns},
                )
            self._file.execute(
                "UPDATE jobs SET outcome = 'refused', ended_at = :now, said = 'changed before it"
                " was matched' WHERE path = CAST(:path AS TEXT) AND outcome IS NULL"
                " AND (size, mtime_ns) <> (:size, :mtime_ns)",
                key,
            )
            self._file.execute(
                "INSERT INTO jobs (path, size, mtime_ns, accepted_at)"
                " VALUES (CAST(:path AS TEXT), :size, :mtime_ns, :now) ON CONFLICT DO NOTHING",
                key,
            )
            self._file.execute("DELETE FROM at_work")
            self._file.execute(f"INSERT INTO at_work SELECT id FROM jobs WHERE {_THIS_JOB}", key)
            return _jobs(self._file, f"WHERE {_THIS_JOB}", key)[0]

    def end(self, drop: Drop, outcome: Outcome, said: str, host: str = "") -> None:
        """Say what became of a file; without an open job of it, nothing happens."""
        told = {"outcome": outcome, "said": os.fsencode(said), "host": host}
        with self._change():
            self._file.execute(
                f"DELETE FROM at_work WHERE job IN (SELECT id FROM jobs WHERE {_THIS_JOB})",
                _key(drop),
            )
            self._file.execute(
                "UPDATE jobs SET outcome = :outcome, ended_at = :now, said = CAST(:said AS TEXT),"
                f" host = :host WHERE {_THIS_JOB}",
                _key(drop) | told,
            )

    def unfinished(self) -> list[Job]:
        """Jobs without an outcome, the oldest first."""
        with _trouble():
            return _jobs(self._file, "WHERE outcome IS NULL ORDER BY id")

    @contextmanager
    def _change(self) -> Iterator[None]:
        """One transaction, on the disk at its end, or not at all."""
        with _trouble(), self._file:
            self._file.execute("BEGIN IMMEDIATE")
            yield


_THIS_JOB: Final = (
    "path = CAST(:path AS TEXT) AND size = :size AND mtime_ns = :mtime_ns AND outcome IS NULL"
)


@dataclass(frozen=True)
class Look:
    """What a journal says to whoever only reads: what runs, the last jobs, and how many of each."""

    running: Mapping[str, str]
    last: tuple[Job, ...]
    counts: Mapping[str, int]


def look(path: Path, last: int = 10) -> Look:
    """Read the journal at `path`, also while a daemon writes; an empty one if there is none.

    Raises:
        AntithesisError: it cannot be read, or a newer Antithesis wrote it.
    """
    if not path.exists():
        return Look({}, (), {})
    with _trouble(), closing(_connected(path)) as file:
        _check_version(file, path)
        return Look(
            running=dict(file.execute("SELECT fact, said FROM running")),
            last=tuple(_jobs(file, "ORDER BY coalesce(ended_at, '9'), id"))[-last:],
            counts=dict(
                file.execute("SELECT coalesce(outcome, 'open'), count(*) FROM jobs GROUP BY 1")
            ),
        )


def _opened(path: Path) -> sqlite3.Connection:
    """The journal, made or brought to our version; one that is damaged is put aside."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _migrated(path)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if isinstance(error, sqlite3.OperationalError):  # locked, read-only, full: not damaged
                raise
            said = _last_line(error)
            _log.warning("the journal %s is damaged (%s): put aside, a new one begins", path, said)
            _put_aside(path)
            return _migrated(path)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"cannot write the journal {path} ({_last_line(error)}): set another state.folder"
        ) from error


def _migrated(path: Path) -> sqlite3.Connection:
    file = _connected(path)
    try:
        version = _check_version(file, path)
        if (found := file.execute("PRAGMA quick_check").fetchall()) != [("ok",)]:
            raise sqlite3.DatabaseError(found[0][0])
        file.execute("PRAGMA journal_mode = WAL")  # readers and we do not wait for one another
        file.execute("PRAGMA synchronous = FULL")
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            file.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA application_id = {_OURS};"
                f" PRAGMA user_version = {number}; COMMIT"
            )
        _jobs(file, "WHERE outcome IS NULL")  # what we are to go on with can be read
    except BaseException:
        file.close()
        raise
    return file


def _connected(path: Path) -> sqlite3.Connection:
    # In autocommit mode, so that transactions are where they are written. The daemon's own tests
    # make it in one thread and run it in another.
    file = sqlite3.connect(path, _BUSY_S, isolation_level=None, check_same_thread=False)
    file.text_factory = os.fsdecode  # a file's name need not be UTF-8
    return file


def _check_version(file: sqlite3.Connection, path: Path) -> int:
    (version,) = file.execute("PRAGMA user_version").fetchone()
    (owner,) = file.execute("PRAGMA application_id").fetchone()
    if (owner, version) != (0, 0) and owner != _OURS:
        raise ConfigError(f"{path} is no journal of Antithesis: move it, or set state.folder")
    if version > VERSION:
        raise ConfigError(
            f"{path} is of version {version}, and this Antithesis knows {VERSION}: update"
            " Antithesis, or set state.folder to another folder"
        )
    return int(version)


def _put_aside(path: Path) -> None:
    """Give a damaged journal another name, with what SQLite keeps beside it."""
    place = path.with_name(f"{path.stem}-damaged-{time.time_ns()}{path.suffix}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(place.with_name(place.name + suffix))


def _jobs(file: sqlite3.Connection, which: str, key: Mapping[str, Any] | None = None) -> list[Job]:
    rows = file.execute(
        "SELECT path, size, mtime_ns, accepted_at, deaths, coalesce(ended_at, ''), outcome, said,"
        f" host FROM jobs {which}",
        key or {},
    )
    try:
        return [
            Job(
                Drop(Path(path), size, mtime_ns),
                at,
                deaths,
                ended,
                outcome and Outcome(outcome),
                *told,
            )
            for path, size, mtime_ns, at, deaths, ended, outcome, *told in rows
        ]
    except (TypeError, ValueError) as error:
        raise sqlite3.DatabaseError(f"a damaged row: {error}") from error


def _key(drop: Drop) -> dict[str, Any]:
    path = os.fsencode(drop.path)
    return {"path": path, "size": drop.size, "mtime_ns": drop.mtime_ns, "now": _days_ago(0)}


def _days_ago(days: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - days * 86400))


@contextmanager
def _trouble() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        said = _last_line(error)
        raise JournalError(f"the journal cannot be written or read ({said})") from error


def _last_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip("* ")]
    return lines[-1] if lines else repr(error)
