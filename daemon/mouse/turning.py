"""Gestures that bring a knob or a fader to a value, whatever it held before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.grid import Grid
from antithesis.parameters import DEFAULT, to_normalized
from daemon.mouse.panel import (
    CONTROLS,
    FADER_TOP,
    FADER_TRAVEL,
    FINE,
    HEIGHT,
    KNOB_TRAVEL,
    NOTCHES,
    Control,
    Point,
    Widget,
)

Floats = npt.NDArray[np.float64]

# A press so near to the last one counts as a double click, which resets: begin elsewhere.
_APART: Final = 8
_INSIDE: Final = 3  # from the edge of a control
_MARGIN: Final = 2  # from the edge of the panel
_DEFAULTS: Final = to_normalized(DEFAULT)


class Method(StrEnum):
    """How values are brought in."""

    WHEEL = "wheel"
    DRAG = "drag"
    TEXT = "text"


@dataclass(frozen=True)
class Press:
    """The button down and up, once or twice."""

    at: Point
    times: int = 1


@dataclass(frozen=True)
class Wheel:
    """Notches of the wheel, upwards where positive; `fine` with Ctrl."""

    at: Point
    notches: int
    fine: bool = False


@dataclass(frozen=True)
class Drag:
    """The button down, a way of some points (upwards where positive), and up."""

    start: Point
    up: int
    fine: bool = False


Gesture = Press | Wheel | Drag


def gestures(
    control: Control, normalized: float, method: Method, *, double_clicks: bool = True
) -> Iterator[Gesture]:
    """The gestures; exact at both ends and at the default, elsewhere to a step's half.

    `double_clicks` is whether two presses count as one, which on macOS those of programs do not.
    """
    default = _DEFAULTS[control.index]
    steps = _steps(control, method)
    step = round(normalized * steps) / steps
    if abs(normalized - default) <= abs(normalized - step) and double_clicks:
        yield Press(control.centre, times=2)
    elif _pressed(control, method):
        down = FADER_TOP + round((1 - normalized) * FADER_TRAVEL)
        yield Press((control.centre[0], control.top + down))
    elif control.widget is Widget.KNOB and (method is Method.DRAG or normalized == default):
        # Halves of a drag's 256 points are exact; halves of the wheel's 100 notches are not.
        yield from _dragged(control, normalized)
    elif double_clicks:
        yield Press(control.centre, times=2)
        yield from _notches(control.centre, default, normalized)
    else:
        # From the nearer end, which one notch too many is sure to reach.
        down = normalized < 0.5
        yield Wheel(control.centre, -(NOTCHES + 1) if down else NOTCHES + 1)
        yield from _notches(control.centre, 0.0 if down else 1.0, normalized)


@cache
def reachable(method: Method) -> Grid | None:
    """The values that the gestures of a method reach; None for a text, which carries all."""
    if method is Method.TEXT:
        return None
    steps = [_steps(control, method) for control in CONTROLS]
    return Grid.even(steps).with_levels(_DEFAULTS)


def _steps(control: Control, method: Method) -> int:
    if method is Method.WHEEL:
        return NOTCHES * FINE
    return FADER_TRAVEL if control.widget is Widget.FADER else KNOB_TRAVEL * FINE


def _pressed(control: Control, method: Method) -> bool:
    return control.widget is Widget.FADER and method is Method.DRAG


def _notches(at: Point, start: float, end: float) -> Iterator[Wheel]:
    """Whole notches and fine ones; beyond an end, where that is where it goes."""
    if end in (0.0, 1.0) and start != end:
        yield Wheel(at, NOTCHES + 1 if end else -(NOTCHES + 1))
        return
    thousandths = round((end - start) * NOTCHES * FINE)
    coarse = int(thousandths / FINE)  # not beyond it: there may be an end in between
    for notches, fine in ((coarse, False), (thousandths - FINE * coarse, True)):
        if notches:
            yield Wheel(at, notches, fine)


def _dragged(control: Control, normalized: float) -> Iterator[Drag]:
    """From the lower end, in strokes that stay on the panel."""
    coarse, fine = divmod(round(normalized * KNOB_TRAVEL * FINE), FINE)
    ways = ((-KNOB_TRAVEL - 4, False), (coarse, False), (fine, True))
    strokes = ((stroke, fine) for way, fine in ways for stroke in _strokes(control, way))
    x, _ = control.centre
    for number, (stroke, fine) in enumerate(strokes):
        side = _APART if number % 2 else -_APART
        yield Drag((x + side, _start(control, stroke)), stroke, fine)


def _strokes(control: Control, way: int) -> Iterator[int]:
    start = _start(control, way)
    room = start - _MARGIN if way > 0 else HEIGHT - 1 - _MARGIN - start
    while way:
        stroke = max(-room, min(room, way))
        yield stroke
        way -= stroke


def _start(control: Control, way: int) -> int:
    return control.top + (control.size[1] - 1 - _INSIDE if way > 0 else _INSIDE)
