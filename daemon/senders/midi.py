"""MIDI: control changes of 7 bits or in pairs, NRPNs, or one system exclusive message for all."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from antithesis.errors import SendError
from daemon import controllers, sysex
from daemon.controllers import Messages
from daemon.hosts import MidiLink
from daemon.living import Living
from daemon.midiends import MidiOut, control_changes
from daemon.sysex import Command, Frame

if TYPE_CHECKING:
    from mido import Message

_TRIES: Final = 3


class MidiRoute(Living):
    """Sends parameters as a `MidiLink` says; MIDI tells nothing back.

    What was sent to a port that went meanwhile is sent to the one that comes back, with all that
    it was sent before: behind it there may be a DAW that was opened anew.
    """

    def __init__(self, link: MidiLink) -> None:
        self._link = link
        self._out = MidiOut(
            link.port, backend=link.backend, settle_s=link.settle_s, patience_s=link.patience_s
        )
        self._sent: dict[int, float] = {}

    def _life(self) -> Iterator[None]:
        self._sent = {}
        with self._out:
            yield

    def find(self) -> str:
        """Whatever was mapped, if the port is there: what is sent is not answered."""
        self._out.refresh()
        return "where its controllers were mapped"

    def write(self, values: Mapping[int, float]) -> None:
        """Send `values`, one parameter a pace: a burst overruns what a DAW's input can queue.

        Raises:
            SendError: the port is gone, and does not come back in time.
        """
        self._sent.update(values)
        if self._out.refresh():
            values = self._sent
        for _ in range(_TRIES):
            self._say(values)
            if self._out.there():
                return
            self._out.reopen()
            values = self._sent
        raise SendError(f"the MIDI port {self._link.port!r} comes and goes: see its cable or DAW")

    def read(self) -> Mapping[int, float]:
        """Nothing: MIDI is not answered."""
        return {}

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Hold a note, on the first channel."""
        from mido import Message

        self._out.send([Message("note_on", note=note, velocity=velocity)])
        time.sleep(gate_s)
        self._out.send([Message("note_off", note=note)])

    def _say(self, values: Mapping[int, float]) -> None:
        due = time.monotonic()
        for messages in self._messages(values):
            self._out.send(messages)
            due += self._link.pace_s
            time.sleep(max(0.0, due - time.monotonic()))

    def _messages(self, values: Mapping[int, float]) -> Iterator[Iterable[Message]]:
        """What is sent at once, pace by pace."""
        from mido import Message

        bits = self._link.bits
        if self._link.messages is Messages.SYSEX:
            frame = Frame(Command.SET, sysex.parameters(values))
            yield [Message("sysex", data=frame.encode())]
        elif self._link.messages is Messages.CC:
            for index, value in values.items():
                yield control_changes(controllers.changes(index, value, bits))
        else:
            for index, value in values.items():
                yield control_changes(controllers.numbered(index, value, bits))
            yield control_changes(controllers.released())
