"""What the built-in synth understands: OSC and MIDI messages in, samples and answers out.

OSC addresses (normalized values, MIDI numbers):

    /mika/parameter/<id> f      set one
    /mika/parameters f*38       set all, in order
    /mika/get                   answered by /mika/parameters f*38, what it plays now
    /mika/note ii               note, velocity
    /mika/note_off i            note
    /mika/position              answered by /mika/position h, samples rendered so far
    /mika/ping                  answered by /mika/pong s, the version

MIDI: notes and pitch bend on every channel, the control changes of `controllers`, and messages of
`sysex` that set parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from antithesis.parameters import N_PARAMETERS, PARAMETERS
from antithesis.synth import Synth
from daemon.controllers import ControlChange, Ear
from daemon.hosts import BUILTIN
from daemon.osc import Argument, MalformedOsc, OscMessage
from daemon.sysex import VERSION, Command, Frame

if TYPE_CHECKING:
    from mido import Message

_SET_ONE: Final[Mapping[str, int]] = {
    BUILTIN.set_one.address.format(id=p.id): p.index for p in PARAMETERS
}
_SET_ALL: Final = BUILTIN.told[0].address
_GET: Final = BUILTIN.ask[0].address
_HIGHEST_MIDI: Final = 127
_BEND_CENTRE: Final = 8192

Arguments = tuple[Argument, ...]


class Player:
    """A synth that obeys messages; `rendered` counts its samples."""

    def __init__(self, synth: Synth) -> None:
        self.rendered = 0
        self._version = _version()
        self._synth = synth
        self._ear = Ear()
        self._handlers: dict[str, Callable[[Arguments], OscMessage | None]] = {
            _SET_ALL: self._set_all,
            _GET: self._get,
            "/mika/note": self._note,
            "/mika/note_off": self._note_off,
            "/mika/position": self._position,
            "/mika/ping": self._ping,
        }

    @property
    def at_rest(self) -> bool:
        """Whether it is silent until the next message."""
        return self._synth.at_rest

    def process(self, n: int) -> npt.NDArray[np.float64]:
        """The next `n` samples, mono."""
        self.rendered += n
        return self._synth.process(n)

    def hear_osc(self, message: OscMessage) -> OscMessage | None:
        """Obey a message and return the answer it asks for.

        Raises:
            MalformedOsc: an unknown address, or other arguments than it takes.
        """
        if message.address in _SET_ONE:
            self._set_one(_SET_ONE[message.address], message.arguments)
            return None
        if message.address not in self._handlers:
            raise MalformedOsc(f"no address {message.address!r}")
        return self._handlers[message.address](message.arguments)

    def hear_midi(self, message: Message) -> None:
        """Obey a message; one that means nothing to a Mika Micro is none of ours."""
        if message.type == "note_on":
            self._synth.note_on(message.note, message.velocity)
        elif message.type == "note_off":
            self._synth.note_off(message.note)
        elif message.type == "pitchwheel":
            self._synth.bend(message.pitch + _BEND_CENTRE)
        elif message.type == "control_change":
            change = ControlChange(message.channel, message.control, message.value)
            if heard := self._ear.hear(change):
                self._synth.set_normalized(*heard)
        elif message.type == "sysex":
            self._hear_sysex(Frame.decode(message.data))

    def _hear_sysex(self, frame: Frame | None) -> None:
        if frame and (frame.version, frame.command) == (VERSION, Command.SET):
            for heard in frame.values():
                self._synth.set_normalized(*heard)

    def _set_one(self, index: int, arguments: Arguments) -> None:
        (value,) = _numbers(arguments, 1)
        self._synth.set_normalized(index, value)

    def _set_all(self, arguments: Arguments) -> None:
        for index, value in enumerate(_numbers(arguments, N_PARAMETERS)):
            self._synth.set_normalized(index, value)

    def _get(self, _arguments: Arguments) -> OscMessage:
        return OscMessage(_SET_ALL, tuple(map(float, self._synth.normalized)))

    def _note(self, arguments: Arguments) -> None:
        note, velocity = _midi_numbers(arguments, 2)
        self._synth.note_on(note, velocity)

    def _note_off(self, arguments: Arguments) -> None:
        (note,) = _midi_numbers(arguments, 1)
        self._synth.note_off(note)

    def _position(self, _arguments: Arguments) -> OscMessage:
        return OscMessage("/mika/position", (self.rendered,))

    def _ping(self, _arguments: Arguments) -> OscMessage:
        return OscMessage("/mika/pong", (self._version,))


def _version() -> str:
    try:
        return version("antithesis")
    except PackageNotFoundError:  # a checkout that is run without being installed
        return "unknown"


def _numbers(arguments: Arguments, count: int) -> list[float]:
    numbers = [float(a) for a in arguments if isinstance(a, int | float) and math.isfinite(a)]
    if not len(arguments) == len(numbers) == count:
        raise MalformedOsc(f"arguments {arguments}: send {count} finite numbers")
    return numbers


def _midi_numbers(arguments: Arguments, count: int) -> list[int]:
    numbers = [a for a in arguments if isinstance(a, int) and 0 <= a <= _HIGHEST_MIDI]
    if not len(arguments) == len(numbers) == count:
        raise MalformedOsc(f"arguments {arguments}: send {count} integers, 0 to {_HIGHEST_MIDI}")
    return numbers
