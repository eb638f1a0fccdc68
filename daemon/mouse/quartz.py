"""Windows of macOS. It lets no program bring another's forward: what is covered stays so."""

from __future__ import annotations

from typing import Any, Self

from antithesis.errors import DeviceError
from daemon.mouse.screens import Box, Window

_NORMAL_LAYER = 0


class QuartzScreen:
    """The screen of this login; titles come only with the right to record it."""

    def __init__(self) -> None:
        try:
            import Quartz
        except ImportError as missing:
            raise DeviceError(
                "the mouse route needs pyautogui: pip install 'antithesis[mouse]'"
            ) from missing
        self._quartz: Any = Quartz

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def windows(self) -> list[Window]:
        """Those of programs, from the front to the back."""
        listed = self._quartz.CGWindowListCopyWindowInfo(
            self._quartz.kCGWindowListOptionOnScreenOnly, self._quartz.kCGNullWindowID
        )
        return [_window(entry) for entry in listed if entry["kCGWindowLayer"] == _NORMAL_LAYER]

    def where(self, window: Window) -> Box | None:
        """Its rectangle, title bar and all."""
        return next((w.box for w in self.windows() if w.id == window.id), None)

    def reaches(self, window: Window) -> bool:
        """Whether it is the first of those under the pointer."""
        at = self._quartz.CGEventGetLocation(self._quartz.CGEventCreate(None))
        return next((w.id for w in self.windows() if w.box.holds(at.x, at.y)), 0) == window.id


def _window(entry: Any) -> Window:
    bounds = entry["kCGWindowBounds"]
    box = Box(*(round(bounds[side]) for side in ("X", "Y", "Width", "Height")))
    number = int(entry["kCGWindowNumber"])
    return Window(number, number, number, str(entry.get("kCGWindowName") or ""), box)
