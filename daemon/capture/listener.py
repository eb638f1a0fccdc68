"""Always listening: one device, heard into a ring, by a thread that sees that it is there."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from antithesis.errors import DeviceError
from antithesis.ring import Ring
from daemon.capture.contract import (
    Device,
    Frames,
    OpenDevice,
    choose,
    is_meant,
    open_device,
    sources,
)
from daemon.living import Living, working

TEND_S: Final = 0.1
"""How often the device is looked after."""

RETRY_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0, 15.0)
"""How long to wait before a device that is not there is looked for again.

A look takes 30 ms of a core, for PortAudio has to begin anew: every 5 s it was half of all that a
daemon at rest takes."""

SILENT_DBFS: Final = -80.0

_GAPS: Final = 100  # are remembered
_PAUSE_S: Final = 0.1  # without a block, and positions before it are told by when it began

_log: Final = logging.getLogger(__name__)


class Take:
    """What one device brought in one format: its ring, and when that was.

    `gaps` are the positions before which something is missing: a dropped block, or a time in which
    the device was away.
    """

    def __init__(self, device: Device, seconds: float) -> None:
        self.device = device
        self.ring = Ring(round(seconds * device.sample_rate), device.channels)
        self.dropped = 0
        self.gaps: deque[int] = deque(maxlen=_GAPS)
        self._clock = (0, time.monotonic())
        self._pauses: deque[tuple[int, float]] = deque(maxlen=_GAPS)  # what the clock was then

    def hear(self, frames: Frames, lost: bool, ago_s: float = 0.0) -> None:
        """Copy a block; what a device calls back."""
        if lost and self.ring.written:  # the first block ever has always missed something
            self.dropped += 1
            self.gaps.append(self.ring.written)
        now = time.monotonic() - ago_s
        if now - self._clock[1] - len(frames) / self.device.sample_rate > _PAUSE_S:
            self._pauses.append(self._clock)
        self.ring.write(frames)
        self._clock = (self.ring.written, now)

    def position(self, at: float) -> int:
        """The frame that was heard at a time of the monotonic clock, or the next one after it."""
        position = 0
        for begin, end, then in self._stretches():
            position = end - max(0, round((then - at) * self.device.sample_rate))
            if position > begin:
                break
        return position

    def time(self, position: int) -> float:
        """When a frame was heard."""
        end, then = next((end, then) for begin, end, then in self._stretches() if position >= begin)
        return then - (end - position) / self.device.sample_rate

    def _stretches(self) -> Iterator[tuple[float, int, float]]:
        """What came without a pause, newest first: from where to where, and when its end was."""
        pauses = [*self._pauses]
        begins = [-math.inf, *(begin for begin, _ in pauses)]
        for begin, (end, then) in zip(
            reversed(begins), reversed([*pauses, self._clock]), strict=True
        ):
            yield begin, end, then

    def fits(self, device: Device) -> bool:
        """Whether what `device` brings can go on in this ring."""
        mine = self.device
        return (mine.sample_rate, mine.channels) == (device.sample_rate, device.channels)


@dataclass(frozen=True)
class Condition:
    """How listening goes: what is heard, how loud it was just now, and what is wrong."""

    device: str = ""
    level_dbfs: float = -math.inf
    silent_s: float = 0.0
    dropped: int = 0
    trouble: str = ""


class Listener(Living):
    """Listens while it is entered; `take` is what it has, `condition` how it goes.

    `device` and `backend` are as configured; empty ones mean whatever hears what the computer
    plays. `tending` is called ten times a second by the listener's own thread.
    """

    def __init__(
        self,
        device: str = "",
        backend: str = "",
        *,
        seconds: float = 30.0,
        tending: Callable[[Take], None] = lambda _take: None,
    ) -> None:
        self.take: Take | None = None
        self.condition = Condition()
        self._wanted = device
        self._backend = backend
        self._seconds = seconds
        self._tending = tending
        self._stop = threading.Event()
        self._opened: OpenDevice | None = None
        self._told = ""
        self._gone = ""  # how the line begins that tells of a device that was heard and went

    def _life(self) -> Iterator[None]:
        with working(self._listen, "listener", self._stop.set):
            yield

    def catch_up(self) -> None:
        """Have in the ring what has come since the device was last tended."""
        if opened := self._opened:
            opened.bring()

    def _listen(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                self._hear(self._found())
                failures = 0
            except DeviceError as error:
                self._miss(logging.WARNING, str(error))
                failures += 1
            except Exception as error:  # noqa: BLE001 # a bug, which the next try may not meet
                trouble = f"internal error: {error!r}; the log has more of it"
                self._miss(logging.ERROR, trouble, error)
                failures += 1
            self._stop.wait(RETRY_S[min(failures, len(RETRY_S) - 1)])

    def _found(self) -> Device:
        devices, troubles = sources(self._backend, partial(is_meant, self._wanted))
        device = choose(self._wanted, devices)
        if device is not None:
            return replace(device, usual=device.usual and not self._wanted)
        if self._wanted:
            there = ", ".join(repr(device.name) for device in devices) or "nothing"
            raise DeviceError(f"capture.device {self._wanted!r} is not there; there is: {there}")
        reasons = f" ({'; '.join(troubles)})" if troubles else ""
        raise DeviceError(
            f"nothing here hears what the computer plays{reasons}: see `antithesis devices`, and"
            " name an input in capture.device"
        )

    def _hear(self, device: Device) -> None:
        """Listen to a device until it is gone."""
        if self.take is None or not self.take.fits(device):
            take = Take(device, self._seconds)
        else:
            take = self.take
            take.device = device
            take.gaps.append(take.ring.written)
        with open_device(device, take.hear) as opened:
            self.take = take
            self.condition = Condition(device.name)
            self._tell(logging.INFO, f"listening to {_named(device)}")
            self._gone = f"{device.name} is gone; "
            self._opened = opened
            try:
                self._tend(take, opened)
            finally:
                self._opened = None

    def _tend(self, take: Take, opened: OpenDevice) -> None:
        heard = take.ring.written
        silent_since = time.monotonic()
        while opened.there() and not self._stop.wait(TEND_S):
            opened.bring()
            _, frames = take.ring.read(heard, take.ring.written)
            heard += len(frames)
            level = _level_dbfs(frames)
            now = time.monotonic()
            silent_since = silent_since if level < SILENT_DBFS else now
            self.condition = Condition(take.device.name, level, now - silent_since, take.dropped)
            self._tending(take)

    def _miss(self, level: int, trouble: str, bug: Exception | None = None) -> None:
        self.condition = Condition(trouble=trouble)
        self._tell(level, f"{self._gone}not listening: {trouble}", bug)

    def _tell(self, level: int, line: str, bug: Exception | None = None) -> None:
        """Log what is new: a device may be looked for time and again, and be the same."""
        if line != self._told:
            _log.log(level, "%s", line, exc_info=bug)
        self._told = line


def _level_dbfs(frames: Frames) -> float:
    """The highest sample."""
    peak = float(np.abs(frames).max(initial=0.0))
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def _named(device: Device) -> str:
    loopback = "" if device.loopback else ", an input"
    return f"{device.name} ({device.backend}, {device.sample_rate} Hz{loopback})"
