"""Which key a sound was played by, from the notes that passed a MIDI port."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from antithesis.audio import Played

_BEFORE_S: Final = 0.25  # a sound comes so much later than its note, at most: what a DAW buffers
_AFTER_S: Final = 0.03  # or sooner: what the capturing device buffers
_CHORD_S: Final = 0.04
_REMEMBERED: Final = 512

SUSTAIN: Final = 64
"""The control of the pedal that keeps notes sounding whose keys are up."""


@dataclass
class _Note:
    number: int
    channel: int
    velocity: int
    on_at: float
    off_at: float | None = None
    kept: bool = False  # by the pedal: its key is up


class Notes:
    """The last notes, with their times on the monotonic clock; one thread tells, any may ask."""

    def __init__(self) -> None:
        self._notes: deque[_Note] = deque(maxlen=_REMEMBERED)
        self._pedals: set[int] = set()  # channels whose pedal is down

    def hear(self, number: int, channel: int, velocity: int, at: float) -> None:
        """A key went down, or up where the velocity is 0."""
        mine = [n for n in self._sounding(channel) if n.number == number]
        if velocity:
            self._end([note for note in mine if note.kept], at)  # struck again, it is another note
            self._notes.append(_Note(number, channel, velocity, at))
        elif channel in self._pedals:
            for note in mine:
                note.kept = True
        else:
            self._end(mine, at)

    def pedal(self, channel: int, down: bool, at: float) -> None:
        """The sustain pedal went down, or up, which ends what it kept."""
        if down:
            self._pedals.add(channel)
            return
        self._pedals.discard(channel)
        self._end([note for note in self._sounding(channel) if note.kept], at)

    def played(self, onset_at: float) -> Played | None:
        """The key of a sound that began at a time; None if none is known, or it was a chord."""
        near = [n for n in list(self._notes) if -_BEFORE_S <= n.on_at - onset_at <= _AFTER_S]
        if not near:
            return None
        note = max(near, key=lambda n: n.on_at)
        if any(n.number != note.number and note.on_at - n.on_at < _CHORD_S for n in near):
            return None
        gate_s = None if note.off_at is None else note.off_at - note.on_at
        return Played(note.number, note.velocity, gate_s)

    def since(self, at: float) -> int:
        """How many keys went down since a time."""
        return sum(note.on_at >= at for note in list(self._notes))

    def _sounding(self, channel: int) -> list[_Note]:
        return [n for n in list(self._notes) if n.channel == channel and n.off_at is None]

    def _end(self, notes: list[_Note], at: float) -> None:
        for note in notes:
            note.off_at = at
