"""Being shown where the panel is: its two corners, under the pointer, one after the other."""

from __future__ import annotations

from collections.abc import Callable

from antithesis.errors import DeviceError
from daemon.mouse.panel import Point
from daemon.mouse.pointer import pointer_at
from daemon.mouse.screens import Box, Window, open_screen


def shown(ask: Callable[[str], None]) -> tuple[str, Box]:
    """The window's title, and where the panel is in it; `ask` comes back when the user points.

    Raises:
        DeviceError: there is no screen to point at, or what was shown is no panel.
    """
    with open_screen() as screen:
        ask("put the pointer on the upper left corner of Mika Micro's panel")
        x, y = pointer_at()
        ask("put the pointer on its lower right corner")
        right, bottom = pointer_at()
        around = _around(screen.windows(), (x, y))
    if around is None or right <= x or bottom <= y:
        raise DeviceError(f"no titled window with a panel from {x}, {y} to {right}, {bottom}")
    corner = x - around.box.x, y - around.box.y
    return around.title, Box(*corner, right - x + 1, bottom - y + 1)


def _around(windows: list[Window], at: Point) -> Window | None:
    """The window there that has a title of its own."""
    titled = (w for w in windows if w.id == w.named and w.title and w.box.holds(*at))
    return next(titled, None)
