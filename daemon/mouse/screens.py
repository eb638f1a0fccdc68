"""Windows on the screen, by the means of each system, which are imported when it is opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Final, Protocol

from antithesis.errors import DeviceError

_SCREENS: Final = {
    "win32": "daemon.mouse.windows:WindowsScreen",
    "darwin": "daemon.mouse.quartz:QuartzScreen",
}
_X11: Final = "daemon.mouse.x11:X11Screen"


@dataclass(frozen=True)
class Box:
    """A rectangle of the screen, in its points."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return 0 <= x - self.x < self.width and 0 <= y - self.y < self.height


@dataclass(frozen=True)
class Window:
    """A window that is shown, or one in it; the outermost is `top`, and `named` has the title."""

    id: int
    named: int
    top: int
    title: str
    box: Box


class Screen(Protocol):
    """What a system tells of its windows."""

    def windows(self) -> list[Window]:
        """Those that are shown, in no order."""

    def where(self, window: Window) -> Box | None:
        """Where it is by now; None if it is not shown any more."""

    def reaches(self, window: Window) -> bool:
        """Whether a click where the pointer is goes to it, brought to the front if need be."""


@contextmanager
def open_screen() -> Iterator[Screen]:
    """The screen of this system.

    Raises:
        DeviceError: there is none, or it is one that lets no program work another's windows.
    """
    wayland = os.environ.get("XDG_SESSION_TYPE") == "wayland" or "WAYLAND_DISPLAY" in os.environ
    if sys.platform.startswith("linux") and wayland:
        raise DeviceError(
            "this desktop is Wayland, where no program may move the pointer or see another's"
            " windows: log in to an X11 session, or take another route"
        )
    with resolve_name(_SCREENS.get(sys.platform, _X11))() as screen:
        yield screen
