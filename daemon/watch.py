"""A folder as a stream of settled sound files.

The system's events come from watchdog's thread and meet the caller in one queue; everything else
happens in the caller's own thread, when it asks. Events only make things fast: the folder is also
read at the start and now and then, so that a file that was dropped while nobody watched, or whose
event was lost, is found as well.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from antithesis.errors import DeviceError
from daemon.living import Living
from daemon.settling import Drop, Settling

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver

SUFFIXES: Final = frozenset(
    (
        *(".wav", ".wave", ".bwf", ".w64", ".rf64", ".aif", ".aiff", ".aifc", ".flac", ".caf"),
        *(".mp3", ".ogg", ".oga", ".opus", ".au", ".snd"),
        # Cannot be decoded: taken so that they are refused aloud, not passed over.
        *(".m4a", ".aac", ".wma"),
    )
)
_HIDDEN: Final = (".", "~")

# How often it is looked whether the folder is still there, and how often it is read.
HEARTBEAT_S: Final = 1.0
RESCAN_S: Final = 10.0
# How long after a file is gone it may take until its renaming is told.
TELLING_S: Final = 0.7
# Of a folder that was deleted: another one in its place may have the same identity.
_DELETED: Final = (-1, -1)
# What an event says of the file's writer. A file that is moved in is only "created".
_WRITTEN: Final = {"created": None, "modified": True, "closed": False, "moved": False}

_log: Final = logging.getLogger(__name__)


class _Told(NamedTuple):
    """An event, and when it came: while a sound is searched for, it is looked at late."""

    event: FileSystemEvent
    at: float


@dataclass
class _Ready:
    """A settled file that waits to be handed on, and when it was told to be deleted, if it was."""

    drop: Drop
    deleted_at: float = math.inf


def is_sound_name(name: str) -> bool:
    """Whether a file of that name is one to take: no temporary or hidden file, nothing else."""
    return not name.startswith(_HIDDEN) and Path(name).suffix.lower() in SUFFIXES


class Watch(Living):
    """Settled sound files of one folder, not of those in it; watches while it is entered.

    Iterating waits for the next file, until `close`. The folder may go and come back. After a
    `call`, and at the time of `wake`, it yields None, so that whoever iterates can do what he was
    called for.

    Raises:
        DeviceError: on entering, when the folder cannot be made.
    """

    def __init__(self, folder: Path, *, settle_s: float = 0.3) -> None:
        self.folder = folder
        self._settling = Settling(settle_s)
        # By path, in order: a file that is renamed is taken out, however many wait.
        self._ready: OrderedDict[Path, _Ready] = OrderedDict()
        self._events: SimpleQueue[_Told | Callable[[], object] | None] = SimpleQueue()
        self._called = False
        self._wake_at = math.inf
        self._closed = False
        self._identity: tuple[int, int] | None = None
        self._handed_in: tuple[int, int] | None = None
        self._observing = ExitStack()
        self._rescan_s = RESCAN_S
        self._look_at = -math.inf
        self._scan_at = -math.inf

    def _life(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(
                f"cannot make the folder {self.folder} ({error.strerror}): choose another one"
            ) from error
        with self._observing:
            self._tend(time.monotonic())
            self._handed_in = self._identity
            yield

    def __iter__(self) -> Iterator[Drop | None]:
        while not self._closed:
            if self._called:
                self._called = False
                yield None
            elif not self.waiting():
                now = time.monotonic()
                if now >= self._wake_at:
                    self._wake_at = math.inf
                    yield None
                else:
                    self._wait(min(self._settling.due(now), self._look_at, self._wake_at))
            elif self._still(first := next(iter(self._ready.values()))):
                self._handed_in = self._identity
                yield first.drop

    def waiting(self) -> bool:
        """Whether a settled file waits; comes back at once."""
        self._drain()
        now = time.monotonic()
        self._tend(now)
        self._ready.update((drop.path, _Ready(drop)) for drop in self._settling.settled(now))
        return bool(self._ready)

    def rest(self, seconds: float) -> None:
        """Wait so long, or until something happens, or until a file may have settled."""
        now = time.monotonic()
        self._wait(min(now + seconds, self._settling.due(now)))

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """End the iteration; for any thread, and for signal handlers."""
        self._closed = True
        self._events.put(None)

    def away(self) -> bool:
        """Whether the folder that the last file was in is gone, as with an unplugged drive."""
        found = _identity(self.folder)
        return found is None or found != self._handed_in

    def call(self, action: Callable[[], object]) -> None:
        """Have `action` called soon by the thread that iterates; for any thread."""
        self._events.put(action)

    def wake(self, at: float) -> None:
        """Yield None at this time of the monotonic clock, and at none that was asked for before."""
        self._wake_at = at

    def claim(self, drop: Drop) -> None:
        """Never hand on a file of our own making, as it is."""
        self._settling.claim(drop)

    def again(self, drop: Drop, after_s: float) -> None:
        """Hand a file on once more, in `after_s` seconds or when it is there again."""
        self._settling.again(drop.path, time.monotonic() + after_s)

    def _still(self, ready: _Ready) -> bool:
        """Take out a file that waited a while; whether it is one to hand on."""
        drop = ready.drop
        if (found := Drop.at(drop.path)) is None:
            self._await_renaming(ready)
        # One that was renamed, or is away with its folder, waits no more.
        waits = self._ready.pop(drop.path, None) is ready
        return waits and found in (drop, None)  # a changed one is on its way again

    def _await_renaming(self, gone: _Ready) -> None:
        """Take in what is still to be told of a file that is gone, and of its folder."""
        path, noticed = gone.drop.path, time.monotonic()
        while self._ready.get(path) is gone and not self._closed:
            end = min(noticed, gone.deleted_at) + TELLING_S
            if time.monotonic() >= end:
                break
            self._wait(end)
        self._look_at = -math.inf
        self._tend(time.monotonic())

    def _wait(self, until: float) -> None:
        try:
            self._take(self._events.get(timeout=max(0.0, until - time.monotonic())))
        except Empty:
            return

    def _drain(self) -> None:
        while not self._closed:
            try:
                self._take(self._events.get_nowait())
            except Empty:
                return

    def _take(self, told: _Told | Callable[[], object] | None) -> None:
        if told is None:
            return
        if callable(told):
            self._called = True
            told()
        elif told.event.is_directory:  # of folders nothing is heard but that they are deleted
            self._take_deleted_folder(Path(os.fsdecode(told.event.src_path)))
        else:
            self._take_file(told)

    def _take_deleted_folder(self, gone: Path) -> None:
        if os.path.realpath(gone) == os.path.realpath(self.folder):
            self._identity = _DELETED
            self._look_at = -math.inf

    def _take_file(self, told: _Told) -> None:
        event = told.event
        source, goal = self._mine(event.src_path), self._mine(event.dest_path or event.src_path)
        if event.event_type in ("moved", "deleted"):
            self._settling.forget(source)
        if event.event_type == "moved":
            # Under its new name it is the same sound, and that name is the one to answer to.
            self._ready.pop(source, None)
        elif event.event_type == "deleted" and source in self._ready:
            self._ready[source].deleted_at = told.at
        if event.event_type in _WRITTEN and is_sound_name(goal.name):
            written = _WRITTEN[event.event_type]
            self._settling.notice(goal, told.at, written=written)

    def _mine(self, path: bytes | str) -> Path:
        """The path as we name it: macOS tells of the real folder behind a link."""
        return self.folder / Path(os.fsdecode(path)).name

    def _tend(self, now: float) -> None:
        """See that the folder is there and observed, and read it when it is time."""
        if now < self._look_at:
            return
        self._look_at = now + HEARTBEAT_S
        identity = _identity(self.folder)
        if identity != self._identity:
            self._identity = identity
            self._observe()
            self._scan_at = now
        if identity and now >= self._scan_at:
            self._scan_at = now + self._rescan_s
            self._scan(now)

    def _scan(self, now: float) -> None:
        try:
            paths = [path for path in self.folder.iterdir() if is_sound_name(path.name)]
        except OSError as error:  # the next look says what is the matter
            _log.debug("%s not read: %s", self.folder, error)
            return
        self._settling.keep(set(paths))
        drops = filter(None, map(Drop.at, paths))
        for drop in sorted(drops, key=attrgetter("mtime_ns")):
            self._settling.see(drop, now)

    def _observe(self) -> None:
        self._observing.close()
        self._rescan_s = HEARTBEAT_S
        self._ready.clear()  # what is in the folder now, reading it tells
        if self._identity is None:
            _log.warning("%s is gone; waiting for it to come back", self.folder)
            self._settling.keep(set())
            return
        try:
            observer = _observer(self.folder, self._events)
        except OSError as error:  # the system's watches are used up, say
            _log.warning("no events of %s (%s); reading it every second", self.folder, error)
            return
        self._observing.callback(observer.join)
        self._observing.callback(observer.stop)
        self._rescan_s = RESCAN_S


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _observer(folder: Path, events: SimpleQueue[Any]) -> BaseObserver:
    from watchdog import events as kinds
    from watchdog.observers import Observer

    class ToQueue(kinds.FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            events.put(_Told(event, time.monotonic()))

    heard = (
        kinds.FileCreatedEvent,
        kinds.FileModifiedEvent,
        kinds.FileClosedEvent,
        kinds.FileMovedEvent,
        kinds.FileDeletedEvent,
        kinds.DirDeletedEvent,
    )
    observer = Observer()
    observer.schedule(ToQueue(), str(folder), recursive=False, event_filter=list(heard))
    observer.start()
    return observer
