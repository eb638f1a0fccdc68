"""Windows of Microsoft's system, and its messages, which work a window without the pointer.

A message is obeyed before `SendMessageW` comes back, so that nothing here waits; it reaches windows
that are covered, but none of a program that runs as administrator.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import wintypes
from typing import Any, Final, Self

from antithesis.errors import SendError
from daemon.mouse.panel import Point
from daemon.mouse.places import Place
from daemon.mouse.screens import Box, Window

WINDOW_CLASS: Final = "IPlugWndClass"
MOVE: Final = 0x0200
DOWN: Final = 0x0201
UP: Final = 0x0202
DOUBLE: Final = 0x0203
WHEEL: Final = 0x020A
BUTTON: Final = 1
CONTROL: Final = 8
NOTCH: Final = 120
_ROOT: Final = 2


class WindowsScreen:
    """The desktop that this process belongs to."""

    def __init__(self) -> None:
        self._user: Any = ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]
        self._user.SetProcessDPIAware()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def windows(self) -> list[Window]:
        """All that are shown, with those inside of them."""
        found: list[int] = []
        kind = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)  # type: ignore[attr-defined, unused-ignore]

        def note(handle: int, _extra: int) -> bool:
            found.append(handle)
            return True

        noting = kind(note)
        self._user.EnumWindows(noting, 0)
        for top in tuple(found):
            self._user.EnumChildWindows(top, noting, 0)
        return [self._window(handle) for handle in found if self._user.IsWindowVisible(handle)]

    def where(self, window: Window) -> Box | None:
        """Its inside."""
        shown = self._user.IsWindowVisible(window.id)
        return self._window(window.id).box if shown else None

    def reaches(self, window: Window) -> bool:
        """Whether the pointer is over it, or is once it has been brought to the front."""
        if self._over() != window.top:
            self._user.SetForegroundWindow(window.top)
        return self._over() == window.top

    def _over(self) -> int:
        point = wintypes.POINT()
        self._user.GetCursorPos(ctypes.byref(point))
        return self._top(self._user.WindowFromPoint(point))

    def _top(self, handle: int) -> int:
        return int(self._user.GetAncestor(handle, _ROOT) or 0)

    def _window(self, handle: int) -> Window:
        inner, corner = wintypes.RECT(), wintypes.POINT(0, 0)
        self._user.GetClientRect(handle, ctypes.byref(inner))
        self._user.ClientToScreen(handle, ctypes.byref(corner))
        top = self._top(handle)
        box = Box(corner.x, corner.y, inner.right, inner.bottom)
        return Window(handle, top, top, self._text(top), box)

    def _text(self, handle: int) -> str:
        text = ctypes.create_unicode_buffer(256)
        self._user.GetWindowTextW(handle, text, len(text))
        return text.value


def takes_messages(window: Window) -> bool:
    """Whether it is IPlug's own window, which is the one that obeys them."""
    name = ctypes.create_unicode_buffer(64)
    user = ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]
    user.GetClassNameW(window.id, name, len(name))
    return name.value == WINDOW_CLASS


class MessageHand:
    """Works the panel by messages to its window.

    Raises:
        SendError: the window does not take them.
    """

    double_clicks: Final = True

    def __init__(self, place: Callable[[], Place], user: Any = None) -> None:
        self._place = place
        self._user = user or ctypes.windll.user32  # type: ignore[attr-defined, unused-ignore]

    def press(self, at: Point, times: int = 1) -> None:
        """The button down and up; the second of two is a double click."""
        inside = _packed(*self._place().inside(at))
        for number in range(times):
            self._send(DOUBLE if number else DOWN, BUTTON, inside)
            self._send(UP, 0, inside)

    def wheel(self, at: Point, notches: int, fine: bool) -> None:
        """All notches in one message; where they are is counted on the screen."""
        keys = _packed(CONTROL if fine else 0, NOTCH * notches)
        self._send(WHEEL, keys, _packed(*self._place().screen(at)))

    def drag(self, start: Point, up: int, fine: bool) -> None:
        """The button down, a way, and up."""
        keys = BUTTON | (CONTROL if fine else 0)
        place = self._place()
        self._send(DOWN, keys, _packed(*place.inside(start)))
        end = _packed(*place.inside((start[0], start[1] - up)))
        self._send(MOVE, keys, end)
        self._send(UP, 0, end)

    def _send(self, message: int, keys: int, where: int) -> None:
        window = self._place().window
        if not self._user.IsWindow(window.id):
            raise SendError("the window is gone: open Mika Micro's window again")
        self._user.SendMessageW(window.id, message, keys, where)


def _packed(low: int, high: int) -> int:
    return (high & 0xFFFF) << 16 | (low & 0xFFFF)
