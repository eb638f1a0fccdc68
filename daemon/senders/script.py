"""A script of ours inside a DAW, by system exclusive messages: it sets, and says what is held."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from antithesis.errors import SendError
from daemon import sysex
from daemon.hosts import ScriptLink
from daemon.living import Living
from daemon.midiends import MidiIn, MidiOut
from daemon.sysex import Command, Frame

if TYPE_CHECKING:
    from mido import Message

OUT: Final = "Antithesis Script Out"
IN: Final = "Antithesis Script In"
_SEQUENCES: Final = 128
_KEPT: Final = 64  # answers until they are asked for; of more, two might have one sequence
_LOOK_S: Final = 0.002


class ScriptRoute(Living):
    """Asks a script and hears its answers, over two MIDI ports: existing ones, or our own.

    Ports that went and came back are others to us: silence has them opened anew.
    """

    def __init__(self, link: ScriptLink) -> None:
        self._link = link
        self._sequence = 0
        how: dict[str, Any] = {
            "backend": link.backend,
            "settle_s": link.settle_s,
            "patience_s": link.patience_s,
        }
        self._out = MidiOut(link.port, own=OUT, **how)
        self._in = MidiIn(self._hear, link.answers, own=IN, **how)
        self._answers: deque[Frame] = deque(maxlen=_KEPT)

    def _life(self) -> Iterator[None]:
        with self._out, self._in:
            yield

    def find(self) -> str:
        """Ask the script where the plug-in is; SendError with what it says, or if it says none."""
        answer = self._ask(Command.HELLO)
        if answer is None:
            raise SendError("its script does not answer")
        return answer.text

    def write(self, values: Mapping[int, float]) -> None:
        """Send all of `values` in one message."""
        self._send(Frame(Command.SET, sysex.parameters(values), self._next()))

    def read(self) -> Mapping[int, float]:
        """Ask until the script has said what the plug-in holds, or patience ends."""
        answer = self._ask(Command.GET)
        return dict(answer.values()) if answer else {}

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Hold a note, where the script's DAW lets it play any."""
        self._send(Frame(Command.NOTE, bytes([note, velocity]), self._next()))
        time.sleep(gate_s)
        self._send(Frame(Command.NOTE, bytes([note, 0]), self._next()))

    def _ask(self, command: Command) -> Frame | None:
        """The answer to a question; SendError where it is trouble, or of another version."""
        question = Frame(command, sequence=self._next())
        deadline = time.monotonic() + self._link.patience_s
        while (now := time.monotonic()) < deadline:
            self._send(question)
            for answer in self._heard(min(now + self._link.ask_again_s, deadline)):
                if answer.sequence == question.sequence:
                    return _checked(answer)
            self._out.refresh()
            self._in.refresh()
        return None

    def _hear(self, message: Message) -> None:
        """Keep a message of ours: between sounds a DAW may send others for days, its clock say."""
        if message.type == "sysex" and (frame := Frame.decode(message.data)):
            self._answers.append(frame)

    def _heard(self, until: float) -> Iterator[Frame]:
        """Messages of ours as they come, up to a moment of the monotonic clock."""
        while time.monotonic() < until:
            if self._answers:
                yield self._answers.popleft()
            else:
                time.sleep(_LOOK_S)

    def _send(self, frame: Frame) -> None:
        message = _sysex(frame)
        try:
            self._out.send([message])
        except SendError:
            self._out.reopen()
            self._in.refresh()
            self._out.send([message])

    def _next(self) -> int:
        self._sequence = (self._sequence + 1) % _SEQUENCES
        return self._sequence


def _checked(answer: Frame) -> Frame:
    if answer.version != sysex.VERSION:
        raise SendError(
            f"its script has version {answer.version}, this program {sysex.VERSION}: install it"
            " again, and restart it"
        )
    if answer.command == Command.TROUBLE:
        raise SendError(answer.text)
    return answer


def _sysex(frame: Frame) -> Message:
    from mido import Message

    return Message("sysex", data=frame.encode())
