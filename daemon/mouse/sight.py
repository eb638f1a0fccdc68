"""What can be seen of the panel: where it is, where its faders stand, and what is greyed out.

The panel's looks are said in numbers: the colours of its plates, and a handle that is wider than
its track. How its switches look is learned from the screen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis.errors import DeviceError
from daemon.mouse.panel import FADER_TRAVEL, HANDLE, HEIGHT, WIDTH
from daemon.mouse.screens import Box

Picture = npt.NDArray[np.int16]
"""Red, green and blue (height, width, 3)."""

SCALES: Final = (2.0, 1.75, 1.5, 1.25, 1.0)
_CORNER: Final = (424, 356)  # where three plates meet
_LEFT, _RIGHT, _FOOT, _BADGE = (77, 77, 77), (51, 51, 51), (142, 16, 85), (189, 21, 113)
_PROBES: Final = (
    *((x, y, _LEFT) for x, y in ((3, 3), (200, 20), (415, 100), (415, 200), (60, 200))),
    *((x, y, _RIGHT) for x, y in ((432, 3), (892, 3), (660, 40), (892, 320), (432, 320))),
    *((x, y, _FOOT) for x, y in ((3, 365), (300, 370), (300, 440), (3, 444), (390, 440))),
    *((x, y, _BADGE) for x, y in ((500, 366), (892, 366), (892, 444), (500, 444))),
)
_NEAR: Final = 14  # of 255: so much may a colour differ
_ENOUGH: Final = 0.9  # of the probes
_SPECKS: Final = 6  # pixels that may differ in what is alike
_AROUND: Final = 5  # points from the corner, clear of its blurred edges


class Eyes:
    """Pictures of the screen, in its points.

    Raises:
        DeviceError: this program may not look.
    """

    def everything(self) -> Picture:
        """All of it."""
        return np.asarray(self._grabbed().convert("RGB"), np.int16)

    def at(self, box: Box) -> Picture:
        """A rectangle of it; what lies beyond the edge is black."""
        corners = (box.x, box.y, box.x + box.width, box.y + box.height)
        return np.asarray(self._grabbed().crop(corners).convert("RGB"), np.int16)

    def _grabbed(self) -> Any:
        """The screen, a point a pixel."""
        from PIL import ImageGrab

        try:
            grabbed = ImageGrab.grab()
        except OSError as error:
            raise DeviceError(f"cannot look at the screen: {error}") from error
        if sys.platform != "darwin":
            return grabbed
        import pyautogui  # a point is several pixels on a Mac's screen, and it knows how many

        size = pyautogui.size()
        return grabbed.resize((size.width, size.height))


def panels_in(picture: Picture) -> Iterator[tuple[int, int, float]]:
    """Left, top and scale of each panel in a picture, looked for by the corner of its plates."""
    for x, y in _corners(picture):
        for scale in SCALES:  # the largest that fits: a smaller one has the same plates
            left, top = round(x - scale * _CORNER[0]), round(y - scale * _CORNER[1])
            if _fits(picture, left, top, scale):
                yield left, top, scale
                break


def _corners(picture: Picture) -> list[tuple[int, int]]:
    """Points with the left plate above to the left, the right one beside it, the foot below."""
    grey = np.ptp(picture, axis=2) < _NEAR
    level = picture[..., 1]
    left, right = (grey & (abs(level - plate) < _NEAR) for plate in (70, 46))
    foot = abs(picture - _FOOT).max(axis=2) < _NEAR
    a = _AROUND
    above, below = slice(0, -2 * a), slice(2 * a, None)
    here = left[above, above] & right[above, below] & foot[below, above] & foot[below, below]
    corners: list[tuple[int, int]] = []
    for y, x in np.argwhere(here):
        if not any(abs(x + a - cx) <= 2 * a and abs(y + a - cy) <= 2 * a for cx, cy in corners):
            near = np.argwhere(here[y : y + 2 * a, max(0, x - 2 * a) : x + 2 * a])
            dy, dx = near.mean(axis=0)
            # Half the points that qualify are before the corner, and half behind it.
            corners.append((round(max(0, x - 2 * a) + dx + a + 0.5), round(y + dy + a + 0.5)))
    return corners


def _fits(picture: Picture, left: int, top: int, scale: float) -> bool:
    height, width, _ = picture.shape
    if left < 0 or top < 0 or left + scale * WIDTH > width + 1 or top + scale * HEIGHT > height + 1:
        return False
    seen = [picture[int(top + scale * y), int(left + scale * x)] for x, y, _ in _PROBES]
    wanted = [colour for _, _, colour in _PROBES]
    return bool((abs(np.array(seen) - wanted).max(axis=1) < _NEAR).mean() >= _ENOUGH)


def contrast(picture: Picture) -> float:
    """How much there is to see; a greyed control has a quarter of what it had."""
    return float(picture.std(axis=(0, 1)).max())


def handle(picture: Picture) -> float | None:
    """The normalized value that a fader's handle shows, to a place; None if there is none."""
    height, width, _ = picture.shape
    edge = max(1, width * 3 // 25)  # the track is narrower than its handle
    sides = np.concatenate([picture[:, :edge], picture[:, -edge:]], axis=1)
    rows = np.flatnonzero(abs(sides - np.median(sides, axis=0)).max(axis=2).min(axis=1) > _NEAR)
    scale = height / (FADER_TRAVEL + HANDLE)
    if not len(rows) or abs(rows[-1] + 1 - rows[0] - HANDLE * scale) > 2 * scale:
        return None
    return float(1 - rows[0] / scale / FADER_TRAVEL)


def alike(one: Picture, other: Picture) -> bool:
    """Whether two pictures show the same, but for a shimmer."""
    return one.shape == other.shape and bool((abs(one - other).max(axis=2) > _NEAR).sum() < _SPECKS)
