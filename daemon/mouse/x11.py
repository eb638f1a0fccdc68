"""Windows of an X display."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any, Final, Self

from antithesis.errors import DeviceError
from daemon.mouse.screens import Box, Window

_RAISED_S: Final = 0.3
_LOOK_S: Final = 0.01


class X11Screen:
    """The display that `DISPLAY` names."""

    def __init__(self) -> None:
        try:
            from Xlib import X, display, error
        except ImportError as missing:
            raise DeviceError(
                "the mouse route needs pyautogui: pip install 'antithesis[mouse]'"
            ) from missing
        self._x, self._error = X, error
        try:
            with redirect_stdout(sys.stderr):  # where it tells of what it does without
                self._display = display.Display()
        except (error.DisplayError, error.XauthError, OSError) as trouble:
            name = os.environ.get("DISPLAY", "")
            raise DeviceError(
                f"cannot reach the X display {name!r}: start Antithesis in your desktop session"
                f" ({trouble})"
            ) from trouble
        self._root = self._display.screen().root

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._display.close()

    def windows(self) -> list[Window]:
        """All that are shown, with those inside of them."""
        return [
            window
            for child in self._root.query_tree().children
            for window in self._below(child, child.id, 0, 0, (child.id, ""))
        ]

    def where(self, window: Window) -> Box | None:
        """Its corner, counted from the root's."""
        ours = self._display.create_resource_object("window", window.id)
        try:
            corner = ours.translate_coords(self._root, 0, 0)
        except self._error.BadWindow:
            return None
        # The corner of the root, seen from the window: the other way round.
        box = self._box(ours, 0, 0)
        return box and Box(-corner.x, -corner.y, box.width, box.height)

    def reaches(self, window: Window) -> bool:
        """Whether the pointer is over it; a window manager may take a moment to raise it."""
        for raised in (None, window.named, window.top):
            if raised is not None:
                ours = self._display.create_resource_object("window", raised)
                ours.configure(stack_mode=self._x.Above)
                self._display.sync()
            deadline = time.monotonic() + (_RAISED_S if raised else 0.0)
            while not (over := self._over(window)) and time.monotonic() < deadline:
                time.sleep(_LOOK_S)
            if over and raised:  # one that always stays in front may be back in a moment
                time.sleep(_RAISED_S)
                over = self._over(window)
            if over:
                return True
        return False

    def _over(self, window: Window) -> bool:
        # The server leaves out what takes no input, such as the overlay of a compositor.
        child = self._root.query_pointer().child
        return bool(child) and child.id == window.top

    def _below(
        self, window: Any, top: int, x: int, y: int, named: tuple[int, str]
    ) -> Iterator[Window]:
        """A window and those inside; one without a title goes by that of the one around it."""
        box = self._box(window, x, y)
        if box is None:
            return
        try:
            title = _text(window.get_wm_name())
            children = window.query_tree().children
        except self._error.BadWindow:
            return
        named = (window.id, title) if title else named
        yield Window(window.id, named[0], top, named[1], box)
        for child in children:
            yield from self._below(child, top, box.x, box.y, named)

    def _box(self, window: Any, x: int, y: int) -> Box | None:
        """Where it is shown, if it is; `x` and `y` are where the window around it is."""
        try:
            attributes = window.get_attributes()
            shape = window.get_geometry()
        except (self._error.BadWindow, self._error.BadDrawable):  # closed while we looked
            return None
        seen = attributes.map_state == self._x.IsViewable
        if not seen or attributes.win_class == self._x.InputOnly:
            return None
        border = shape.border_width
        return Box(x + shape.x + border, y + shape.y + border, shape.width, shape.height)


def _text(name: Any) -> str:
    return name.decode("utf-8", "replace") if isinstance(name, bytes) else name or ""
