"""Single keys of the terminal, without Enter."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from daemon.living import Living

END: Final = "\x04"  # Ctrl-D, and the end of a pipe
_ESCAPE: Final = "\x1b"
_LOOK_S: Final = 0.02


class Keyboard(Living):
    """Hands out what is pressed while it is entered; from a pipe, its characters."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._pressed: list[str] = []

    def _life(self) -> Iterator[None]:
        with ExitStack() as ending:
            if sys.platform != "win32" and os.isatty(self._descriptor):
                import termios
                import tty

                before = termios.tcgetattr(self._descriptor)
                tty.setcbreak(self._descriptor)
                ending.callback(termios.tcsetattr, self._descriptor, termios.TCSADRAIN, before)
            yield

    def pressed(self, patience_s: float) -> str:
        """The next key, such as "n" or, of an arrow, its escape sequence; "" if none comes."""
        if not self._pressed:
            self._pressed = _keys(_read(self._descriptor, patience_s))
        return self._pressed.pop(0) if self._pressed else ""


def _keys(read: str) -> list[str]:
    """What was read at once is one key if it begins as the sequence of one does."""
    return [read] if read.startswith(_ESCAPE) else list(read)


def _read(descriptor: int, patience_s: float) -> str:
    if sys.platform == "win32" and os.isatty(descriptor):
        return _read_console(patience_s)
    if not select.select([descriptor], [], [], patience_s)[0]:
        return ""
    return os.read(descriptor, 32).decode("latin-1") or END


def _read_console(patience_s: float) -> str:
    """Windows cannot wait for its console and for something else."""
    import msvcrt

    deadline = time.monotonic() + patience_s
    while not msvcrt.kbhit():  # type: ignore[attr-defined]
        if time.monotonic() > deadline:
            return ""
        time.sleep(_LOOK_S)
    return str(msvcrt.getwch())  # type: ignore[attr-defined]
