"""What a producer can ask of the running daemon, by key, controller, script or command."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from daemon.capture.clips import Clip


class Action(StrEnum):
    """What is asked."""

    CAPTURE = "capture"  # the sound just heard; asked again, the one before it
    HOLD = "hold"  # what is heard from press to release
    ARM = "arm"  # capture each sound by itself, or no longer
    NEXT = "next"
    PREVIOUS = "previous"
    UNDO = "undo"
    STOP = "stop"  # refining
    LEARN = "learn"  # the hotkeys that the configuration has by now


HOTKEYS: Final = tuple(action for action in Action if action is not Action.LEARN)
"""What a hotkey can be for."""


@dataclass(frozen=True)
class Answer:
    """What became of it: `well` if it was done, a line, and what else there is to say."""

    well: bool
    said: str
    facts: Mapping[str, object] = field(default_factory=dict)


def _nobody(_answer: Answer) -> None:
    """Nobody waits for the answer: the log has it."""


@dataclass(frozen=True)
class Press:
    """A key that went down, or up, at a time of the monotonic clock.

    `back` is how many sounds before the last one are meant; `clip` is what was captured already.
    """

    action: Action
    down: bool = True
    at: float = field(default_factory=time.monotonic)
    back: int = 0
    clip: Clip | None = None
    answer: Callable[[Answer], None] = _nobody


WAITING_AT_MOST: Final = 64
"""A controller that sends more at once is not a person."""


PATIENCE_S: Final = 1.0
"""What is asked for waits so many seconds for a file to be decoded, which is begun again then."""


def _come_round() -> None:
    """All that the loop is called for: it looks for presses by itself."""


class Presses:
    """Presses on their way to the one loop that obeys them; `call` has it come round."""

    def __init__(self, call: Callable[[Callable[[], object]], object]) -> None:
        self._call = call
        self._waiting: deque[Press] = deque()
        self._coming = threading.Lock()

    def __iter__(self) -> Iterator[Press]:
        while self._waiting:
            yield self._waiting.popleft()

    def press(self, press: Press) -> None:
        """Ask for something; for any thread. Beyond a sane number it is answered right away."""
        with self._coming:
            taken = len(self._waiting) < WAITING_AT_MOST
            if taken:
                self._waiting.append(press)
        if taken:
            self._call(_come_round)
        else:
            press.answer(Answer(False, "too many at once; this one was left out"))

    def waiting(self) -> bool:
        """Whether something is asked for; for any thread."""
        return bool(self._waiting)

    def urgent(self) -> bool:
        """Whether something was asked for over `PATIENCE_S` ago; for any thread."""
        since = time.monotonic() - PATIENCE_S
        return any(press.at < since for press in self._waiting.copy())
