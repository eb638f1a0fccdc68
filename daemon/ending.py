"""How a process is asked to end: by signals, and by the end of the one that started it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

# A terminal that is closed sends SIGHUP; a console of Windows sends SIGBREAK.
ENDING_SIGNALS: Final[tuple[signal.Signals, ...]] = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
"""Those that this system has."""

_HANGUP: Final = getattr(signal, "SIGHUP", None)


@contextmanager
def ended_by_signals(end: Callable[[], object]) -> Iterator[None]:
    """Ending signals call `end`; outside of the main thread nothing does.

    A hangup that is ignored stays so: whoever uses nohup wants to outlive the terminal.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        end()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, on_signal)
        for number in ENDING_SIGNALS
        if number != _HANGUP or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_parent(end: Callable[[], object]) -> None:
    """Call `end` once the one that holds the pipe to our standard input has gone, however it ended.

    Only for a process with such a pipe, to which nothing is ever written.
    """

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # not by `sys.stdin`, whose lock Python wants at its end
        end()

    threading.Thread(target=wait, name="parent", daemon=True).start()
