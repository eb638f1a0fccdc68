"""What can happen to a playing synth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite

from antithesis.errors import RenderError
from antithesis.parameters import PARAMETERS


class EventKind(IntEnum):
    """Kinds of :class:`Event`; the numbers are those of the golden files."""

    NOTE_OFF = 0
    NOTE_ON = 1
    PITCH_BEND = 2
    ALL_NOTES_OFF = 3
    PARAMETER = 4


_HIGHEST = {
    EventKind.NOTE_OFF: (127, None),
    EventKind.NOTE_ON: (127, 127),
    EventKind.PITCH_BEND: (16383, None),
    EventKind.ALL_NOTES_OFF: (None, None),
    EventKind.PARAMETER: (len(PARAMETERS) - 1, None),
}


@dataclass(frozen=True)
class Event:
    """One event; it takes effect before the sample ``floor(time_s * sample_rate)``.

    ``a`` and ``b`` are note and velocity (0..127) of a note, the value (0..16383) of a pitch bend,
    or index and plain value of a parameter.
    """

    time_s: float
    kind: EventKind
    a: float = 0
    b: float = 0

    def __post_init__(self) -> None:
        if not (isfinite(self.time_s) and self.time_s >= 0):
            raise RenderError(f"event time is {self.time_s}: give seconds from 0 on")
        for name, value, highest in zip("ab", (self.a, self.b), _HIGHEST[self.kind], strict=True):
            if highest is not None and not 0 <= value <= highest:
                raise RenderError(
                    f"{self.kind.name} event with {name} = {value}: give 0 to {highest}"
                )
        if not isfinite(self.b):
            raise RenderError(f"{self.kind.name} event with b = {self.b}: give a finite number")

    @classmethod
    def from_row(cls, row: Sequence[float]) -> Event:
        """Build from ``[time_s, kind, a, b]``, the form golden files hold."""
        if len(row) != 4:
            raise RenderError(f"event row {list(row)}: give [time_s, kind, a, b]")
        time_s, kind, a, b = row
        if kind not in _HIGHEST:
            raise RenderError(f"event kind {kind}: give one of 0 to {len(EventKind) - 1}")
        return cls(float(time_s), EventKind(int(kind)), a, b)
