"""Walking through the 38 controls, so that a DAW learns which controller moves which.

A controller wiggles until somebody goes on, by a key of the terminal or by a note: whoever clicks
in the DAW has the other hand on a pad. What was learned is kept at once, so that a walk may end
anywhere and go on there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from antithesis.errors import ConfigError
from antithesis.parameters import N_PARAMETERS, PARAMETERS, Parameter
from daemon import controllers
from daemon.controllers import ControlChange, Messages
from daemon.hosts import MidiLink
from daemon.keyboard import END, Keyboard
from daemon.midiear import EVERY, MidiEar
from daemon.midiends import MidiOut, control_changes

if TYPE_CHECKING:
    from mido import Message

_WIGGLE: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 0.5)
_WIGGLE_EVERY_S: Final = 0.8
_LOOK_S: Final = 0.05
_OCTAVE: Final = 12


class Step(StrEnum):
    """Where to go from a control."""

    NEXT = "learned"
    SKIP = "skip"
    BACK = "back"
    STOP = "stop"


KEYS: Final[Mapping[str, Step]] = {
    **dict.fromkeys((" ", "\n", "\r", "n", "\x1b[C"), Step.NEXT),
    "s": Step.SKIP,
    **dict.fromkeys(("b", "\x1b[D"), Step.BACK),
    **dict.fromkeys(("q", "\x1b", END), Step.STOP),
}
NOTES: Final[Mapping[int, Step]] = {0: Step.NEXT, 2: Step.SKIP, 4: Step.BACK, 5: Step.STOP}
"""By the place in the octave: C, D, E and F of any."""

HOW: Final = (
    "Space or the note C: learned, the next one; s or D: skip it; b or E: back; q or F: stop here,"
    " and go on another time"
)


@dataclass(frozen=True)
class Walk:
    """How far it got: indices that are learned, and the one that it stands at."""

    learned: frozenset[int] = frozenset()
    at: int = 0

    @classmethod
    def resumed(cls, learned: Iterable[int]) -> Walk:
        """A walk from the first control that is not learned."""
        known = frozenset(learned)
        missing = (index for index in range(N_PARAMETERS) if index not in known)
        return cls(known, next(missing, N_PARAMETERS))

    @property
    def control(self) -> Parameter | None:
        """The one that it stands at; None at the end."""
        return PARAMETERS[self.at] if self.at < N_PARAMETERS else None

    def taken(self, step: Step) -> Walk:
        """The walk after a step; one that is skipped is not learned any more."""
        if step is Step.STOP:
            return replace(self, at=N_PARAMETERS)
        if step is Step.BACK:
            return replace(self, at=max(0, self.at - 1))
        one = {self.at}
        learned = self.learned | one if step is Step.NEXT else self.learned - one
        return Walk(learned, self.at + 1)


def walk_through(
    link: MidiLink,
    walk: Walk,
    keyboard: Keyboard,
    tell: Callable[[str], object],
    keep: Callable[[frozenset[int]], object],
) -> Walk:
    """Walk on to the end, or until somebody stops; `keep` is called with what is learned.

    Raises:
        ConfigError: nothing can be learned from the messages that are configured.
        DeviceError, SendError: the MIDI port is not there, or is gone.
    """
    if link.messages is Messages.SYSEX:
        raise ConfigError("no DAW learns sysex: set midi.messages to cc, or to nrpn")
    steps: SimpleQueue[Step] = SimpleQueue()

    def hear(message: Message, _port: str, _at: float) -> None:
        if message.type == "note_on" and message.velocity and message.note % _OCTAVE in NOTES:
            steps.put(NOTES[message.note % _OCTAVE])

    out = MidiOut(link.port, backend=link.backend, settle_s=link.settle_s)
    with out, MidiEar(hear, [EVERY], backend=link.backend), keyboard:
        while (control := walk.control) is not None:
            tell(
                f"{control.index + 1:2} of {N_PARAMETERS}  {control.name}  ({_sent(link, control)})"
            )
            after = walk.taken(_step(out, link, control, keyboard, steps))
            if after.learned != walk.learned:
                keep(after.learned)
            walk = after
    return walk


def _step(
    out: MidiOut,
    link: MidiLink,
    control: Parameter,
    keyboard: Keyboard,
    steps: SimpleQueue[Step],
) -> Step:
    """Wiggle a controller until somebody goes on."""
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            if not out.there():
                out.reopen()
            for changes in _wiggle(link, control):
                out.send(control_changes(changes))
                time.sleep(_LOOK_S)
            due = time.monotonic() + _WIGGLE_EVERY_S
        if step := KEYS.get(keyboard.pressed(_LOOK_S)):
            return step
        try:
            return steps.get_nowait()
        except Empty:
            continue


def _wiggle(link: MidiLink, control: Parameter) -> Iterator[tuple[ControlChange, ...]]:
    """Of a pair the MSB alone: a DAW would learn the LSB that comes last."""
    for value in _WIGGLE:
        if link.messages is Messages.NRPN:
            yield controllers.numbered(control.index, value, link.bits)
        else:
            yield controllers.changes(control.index, value, bits=7)


def _sent(link: MidiLink, control: Parameter) -> str:
    if link.messages is Messages.NRPN:
        return f"NRPN {control.index}, channel {controllers.NRPN_CHANNEL + 1}"
    channel, number = controllers.CONTROLLERS[control.index]
    return f"controller {number}, channel {channel + 1}"
