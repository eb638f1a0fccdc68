"""Where the panel is on the screen: by its window's title and size, its looks, or as was shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from antithesis.errors import SendError
from daemon.mouse.panel import HEIGHT, WIDTH, Point
from daemon.mouse.screens import Box, Screen, Window
from daemon.mouse.sight import Eyes, panels_in

LARGEST_SCALE: Final = 2.0
_OFF: Final = 2  # points that looks may be off
_LOPSIDED: Final = 0.01  # so much may width and height differ in scale


@dataclass(frozen=True)
class Place:
    """A panel: its window, and its rectangle in that window's points."""

    window: Window
    panel: Box

    @property
    def scale(self) -> float:
        """Points of the screen to a point of the panel."""
        return self.panel.width / WIDTH

    @property
    def box(self) -> Box:
        """Its rectangle on the screen."""
        x, y = self.window.box.x + self.panel.x, self.window.box.y + self.panel.y
        return Box(x, y, self.panel.width, self.panel.height)

    def inside(self, at: Point) -> Point:
        """A point of the panel, in the window: the first of those that are scaled onto it."""
        x, y = (math.ceil(self.scale * n - 1e-9) for n in at)
        return x + self.panel.x, y + self.panel.y

    def screen(self, at: Point) -> Point:
        """A point of the panel, on the screen."""
        x, y = self.inside(at)
        return x + self.window.box.x, y + self.window.box.y


@dataclass(frozen=True)
class Shown:
    """What a user pointed at: part of the window's title, and the panel in that window."""

    title: str
    panel: Box | None = None


def find_place(screen: Screen, eyes: Eyes, shown: Shown) -> Place:
    """The panel, however it can be found.

    Raises:
        SendError: it is nowhere, or there are several.
    """
    windows = screen.windows()
    titled = [w for w in windows if shown.title.casefold() in w.title.casefold()]
    ways = (_as_shown(titled, shown.panel), _of_its_size(titled), _by_looks(windows, eyes))
    for way in ways:
        found = list(way)
        if len(found) == 1:
            return found[0]
        if found:
            raise SendError(
                f"{len(found)} windows may be Mika Micro's: close all but one, or show which:"
                " antithesis learn window"
            )
    raise SendError(
        f"no window called {shown.title!r} shows Mika Micro's panel: open it, uncovered, or show"
        " it: antithesis learn window"
    )


def look_again(screen: Screen, place: Place) -> Place:
    """The same place, wherever its window is by now; SendError where it is gone."""
    box = screen.where(place.window)
    if box is None:
        raise SendError("Mika Micro's window was closed: open it again")
    return replace(place, window=replace(place.window, box=box))


def _as_shown(titled: Sequence[Window], panel: Box | None) -> Iterator[Place]:
    for window in titled:
        if panel and window.id == window.named:
            yield Place(window, panel)


def _of_its_size(titled: Sequence[Window]) -> Iterator[Place]:
    """Windows of the panel's proportions; of several at one place, the innermost."""
    places: dict[Box, Place] = {}
    for window in titled:
        across, down = window.box.width / WIDTH, window.box.height / HEIGHT
        if abs(across / down - 1) < _LOPSIDED and 1 - _LOPSIDED < across <= LARGEST_SCALE:
            panel = Box(0, 0, window.box.width, window.box.height)
            places[window.box] = Place(window, panel)
    yield from places.values()


def _by_looks(windows: Sequence[Window], eyes: Eyes) -> Iterator[Place]:
    """Panels that can be seen, in the smallest window around each."""
    for x, y, scale in panels_in(eyes.everything()):
        width, height = round(scale * WIDTH), round(scale * HEIGHT)
        middle = x + width // 2, y + height // 2
        around = [w for w in windows if w.box.holds(*middle) and w.box.width >= width - _OFF]
        if around:
            window = min(around, key=lambda w: w.box.width * w.box.height)
            yield Place(window, Box(x - window.box.x, y - window.box.y, width, height))
