"""An X display without a screen, for tests and trials of the mouse."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from types import TracebackType
from typing import Self

# Modules that keep a connection to the display which there was when they were imported.
_KEEPING = ("pyautogui._pyautogui_x11", "mouseinfo")


class XServerError(Exception):
    """There is no display to be had."""


class XServer:
    """Runs while it is entered; `environment` leads programs to it.

    Without `-noreset` it would start over whenever its last client goes, and turn away those that
    come meanwhile: in 15 s of one client after another, 2 of 23 (with it, none of 288).
    """

    def __init__(self, size: str = "1440x800") -> None:
        self._size = size

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._authority = opening.enter_context(tempfile.NamedTemporaryFile())
            self._said = opening.enter_context(tempfile.TemporaryFile())
            self._start()
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in _KEEPING:
            if name in sys.modules:
                sys.modules[name]._display.close()
        self._stop()
        self._open.close()

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead a program to the display."""
        where = {"DISPLAY": self.display, "XAUTHORITY": self._authority.name}
        return where | {"XDG_SESSION_TYPE": "x11"}

    def revived(self) -> str:
        """Start it anew if it has died; why it has, or nothing."""
        status = self._server.poll()
        if status is None:
            return ""
        self._said.seek(0)
        last = self._said.read().decode(errors="replace").strip()[-300:]
        self._stop()
        self._start()
        self._reconnect()
        return f"Xvfb has ended with status {status} and was started anew; it said: {last!r}"

    def _start(self) -> None:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{self._size}x24"]
        self._server = subprocess.Popen(
            [*command, "-noreset", "-nolisten", "tcp"], pass_fds=[writing], stderr=self._said
        )
        os.close(writing)
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        if not number:
            self._stop()
            raise XServerError("Xvfb does not start here")
        self.display = f":{number}"

    def _reconnect(self) -> None:
        """Lead modules to the new display that were led to the old one."""
        for module in (sys.modules[name] for name in _KEEPING if name in sys.modules):
            from Xlib import display

            module._display.display.socket.close()
            module._display = display.Display(self.display)

    def _stop(self) -> None:
        self._server.terminate()
        self._server.wait(10)
