"""When is a dropped file complete? Once it has rested.

No clock and no thread here: whoever watches says what happened to which file, and when.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, Self

# A file that somebody still holds open, or that is empty, has to rest that many times longer: a DAW
# that renders in real time fills its buffer for seconds before it writes.
UNFINISHED_FACTOR: Final = 10
# A file that does not open is handed on after this long at rest, so that somebody says why.
UNOPENED_S: Final = 5.0


class Drop(NamedTuple):
    """A file as it was when it was looked at: size in bytes, and when it was last changed."""

    path: Path
    size: int
    mtime_ns: int

    @classmethod
    def at(cls, path: Path) -> Self | None:
        """The regular file at `path` as it is now; None where there is none."""
        try:
            found = path.stat()
        except (OSError, ValueError):
            return None
        return cls(path, found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None

    def opens(self) -> bool:
        """Whether it can be read: on Windows a DAW that still writes keeps others out."""
        try:
            with self.path.open("rb"):
                return True
        except OSError:
            return False


@dataclass
class _Pending:
    """A file on its way: as it was last seen, since when, and whether a writer holds it."""

    drop: Drop
    since: float
    written: bool = False


class Settling:
    """Files on their way. Times are seconds of any clock that never goes back."""

    def __init__(self, settle_s: float) -> None:
        self._settle_s = settle_s
        self._pending: dict[Path, _Pending] = {}
        self._taken: dict[Path, Drop] = {}

    def notice(self, path: Path, now: float, *, written: bool | None = None) -> None:
        """Look at a file of which something is heard, that happened at the time `now`.

        `written` says that a writer holds it, or no longer does, where that is known.
        """
        if drop := Drop.at(path):
            self.see(drop, now, written=written)
        else:
            self._pending.pop(path, None)

    def see(self, drop: Drop, now: float, *, written: bool | None = None) -> None:
        """Take in how a file was found that was looked at already; else as `notice`."""
        path = drop.path
        if drop == self._taken.get(path):
            self._pending.pop(path, None)
            return
        pending = self._pending.setdefault(path, _Pending(drop, now))
        if pending.drop != drop:
            pending.drop, pending.since = drop, now
        elif written:  # of an event that is heard late, what was written later is seen already
            pending.since = max(pending.since, now)
        if written is not None:
            pending.written = written

    def claim(self, drop: Drop) -> None:
        """The file is known as it is."""
        self._pending.pop(drop.path, None)
        self._taken[drop.path] = drop

    def forget(self, path: Path) -> None:
        """The file is gone: what comes under its name is new, whatever it looks like."""
        self._pending.pop(path, None)
        self._taken.pop(path, None)

    def keep(self, paths: set[Path]) -> None:
        """Forget every file but these."""
        for path in (self._pending.keys() | self._taken.keys()) - paths:
            self.forget(path)

    def again(self, path: Path, at: float) -> None:
        """Hand a file on once more, when it has rested from the time `at`."""
        self.forget(path)
        drop = Drop.at(path)
        if drop is not None:
            self._pending[path] = _Pending(drop, at)

    def settled(self, now: float) -> Iterator[Drop]:
        """Files that have rested, each of them once for each of its states."""
        for path, pending in list(self._pending.items()):
            if now - pending.since < self._rest_s(pending):
                continue
            self.notice(path, now)  # an event may be late, or there are none here
            if now - pending.since < self._rest_s(pending) or path not in self._pending:
                continue
            if pending.drop.opens() or now - pending.since >= UNOPENED_S:
                del self._pending[path]
                self._taken[path] = pending.drop
                yield pending.drop

    def due(self, now: float) -> float:
        """When to ask for settled files again; infinity if none is on its way."""
        dues = (pending.since + self._rest_s(pending) for pending in self._pending.values())
        # One that is overdue did not open.
        return min((due if due > now else now + self._settle_s for due in dues), default=math.inf)

    def _rest_s(self, pending: _Pending) -> float:
        finished = pending.drop.size and not pending.written
        return self._settle_s * (1 if finished else UNFINISHED_FACTOR)
