"""What the daemon does, from what it keeps on the disk: asking it costs it nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from daemon.alone import runs
from daemon.config import Config, host_rows, results_folder
from daemon.journal import JOURNAL, Job, look
from daemon.logs import NAME as LOG
from daemon.outcomes import Outcomes
from daemon.settling import Drop
from daemon.watch import is_sound_name


@dataclass(frozen=True)
class Status:
    """What runs, what it listens to, how many files wait, what the host said, the last matches.

    `waiting` is None where the watched folder cannot be read.
    """

    process: int | None
    running: Mapping[str, str]
    waiting: int | None
    counts: Mapping[str, int]
    last: tuple[Job, ...]
    log: str

    @property
    def host_said(self) -> str:
        """What the host answered to the last match, and when; empty if none was sent."""
        told = [job for job in self.last if job.host]
        return f"{told[-1].host}, {told[-1].ended_at} UTC" if told else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        facts = asdict(self) | {"host_said": self.host_said, "last": list(map(_row, self.last))}
        return facts | {"running": dict(self.running), "counts": dict(self.counts)}

    def as_lines(self) -> Iterator[str]:
        """Yield the lines for a person."""
        if self.process is None:
            yield "not running: start it with antithesis start, or antithesis service install"
        else:
            yield f"running as process {self.process} since {self.running.get('since', 'just now')}"
        for fact in ("watching", "results", "host"):
            yield f"{fact:10}  {self.running[fact]}"
        yield f"{'answer':10}  {self.host_said or 'nothing was sent yet'}"
        done = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.items())
        unread = "the watched folder cannot be read: see its permissions"
        waiting = unread if self.waiting is None else f"{self.waiting} waiting"
        yield f"{'files':10}  {waiting}; {done or 'none done yet'}"
        yield f"{'log':10}  {self.log}"
        for job in self.last:
            yield f"{job.ended_at or job.accepted_at}  {_shown(job)}"


def look_at(config: Config, last: int = 10) -> Status:
    """Look at what the daemon of this configuration does, or did.

    Raises:
        AntithesisError: the journal cannot be read.
    """
    journal = look(config.state.folder / JOURNAL, last)
    configured = {
        "watching": str(config.watch.folder),
        "results": str(results_folder(config)),
        "host": ", else ".join(row.title for row in host_rows(config)),
    }
    return Status(
        process=runs(config.state.folder),
        running=configured | dict(journal.running),
        waiting=_waiting(config),
        counts=journal.counts,
        last=journal.last,
        log=str(config.state.folder / LOG),
    )


def _waiting(config: Config) -> int | None:
    """How many files in the watched folder have no outcome yet; None where it cannot be read."""
    outcomes = Outcomes(results_folder(config))
    try:
        paths = [path for path in config.watch.folder.iterdir() if is_sound_name(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError:
        return None
    return sum(not outcomes.known(drop) for drop in map(Drop.at, paths) if drop)


def _row(job: Job) -> dict[str, Any]:
    file = {"file": str(job.drop.path), "size": job.drop.size, "mtime_ns": job.drop.mtime_ns}
    return file | {key: value for key, value in vars(job).items() if key != "drop"}


def _shown(job: Job) -> str:
    name = job.drop.path.name
    said = ": ".join(filter(None, (name, job.outcome or "in work", job.said)))
    shown = said if said.isprintable() else ascii(said)
    return f"{shown} ({job.host})" if job.host else shown
