"""Where Mika Micro's controls are, and what the mouse does to them.

Places are the plug-in's own layout, in points of its 896 x 448 panel (y grows downwards); laws are
those of IPlug's `IControl.cpp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from antithesis.parameters import BY_ID, PARAMETERS, Kind

WIDTH: Final = 896
HEIGHT: Final = 448
KNOB_TRAVEL: Final = 256  # points of a drag from one end to the other
FINE: Final = 10  # so much slower are drag and wheel with Ctrl
FADER_TRAVEL: Final = 72
FADER_TOP: Final = 4  # half of the handle: where the pointer is when it is at the top
HANDLE: Final = 8
NOTCHES: Final = 100  # of the wheel from one end to the other
MENU: Final = (50, 12)  # where the study's own build shows its menu

Point = tuple[int, int]


class Widget(StrEnum):
    """How a control is worked."""

    KNOB = "knob"
    FADER = "fader"
    SWITCH = "switch"


_SIZES: Final = {Widget.KNOB: (64, 64), Widget.FADER: (25, 80), Widget.SWITCH: (64, 64)}


@dataclass(frozen=True)
class Control:
    """The control of a parameter, and the corner of its rectangle."""

    index: int
    widget: Widget
    left: int
    top: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return _SIZES[self.widget]

    @property
    def centre(self) -> Point:
        """Its middle."""
        width, height = self.size
        return self.left + width // 2, self.top + height // 2

    @property
    def states(self) -> int:
        """How many a switch has; 1 for what turns."""
        return (PARAMETERS[self.index].steps or 0) + 1 if self.widget is Widget.SWITCH else 1


def _row(top: int, left: int, step: int, *ids: str) -> dict[str, Point]:
    return {id: (left + step * number, top) for number, id in enumerate(ids)}


def _envelope(top: int, prefix: str) -> dict[str, Point]:
    return _row(top, 482, 32, *(f"{prefix}{stage}" for stage in "ADSRV"))


_PLACES: Final = (
    _row(40, 88, 64, "kOsc1Wave", "kOsc1Coarse", "kOsc1Fine", "kOsc1Split")
    | _row(104, 88, 64, "kOsc2Wave", "kOsc2Coarse", "kOsc2Fine", "kOsc2Split")
    | _row(64, 362, 0, "kOscMix")
    | _row(168, 88, 64, "kFmMode", "kFmCoarse", "kFmFine")
    | _row(248, 88, 64, "kFilterEnabled", "kFilterCutoff", "kFilterResonance", "kFilterKeyTrack")
    | _envelope(92, "kVolEnv")
    | _envelope(230, "kModEnv")
    | _row(54, 684, 64, "kLfoAmount", "kLfoFrequency", "kLfoDelay")
    | _row(202, 684, 64, "kVolEnvFm", "kModEnvFm", "kLfoFm")
    | _row(266, 684, 64, "kVolEnvCutoff", "kModEnvCutoff", "kLfoCutoff")
    | _row(360, 24, 64, "kVoiceMode", "kGlideSpeed", "kMasterVolume")
)


def _widget(id: str) -> Widget:
    if BY_ID[id].kind in (Kind.ENUM, Kind.BOOL):
        return Widget.SWITCH
    return Widget.FADER if id == "kOscMix" or id[:-1] in ("kVolEnv", "kModEnv") else Widget.KNOB


CONTROLS: Final = tuple(Control(p.index, _widget(p.id), *_PLACES[p.id]) for p in PARAMETERS)
