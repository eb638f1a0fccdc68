"""MIDI control changes: 7-bit controllers, or 14-bit pairs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from antithesis.errors import SendError
from daemon import controllers, midiports
from daemon.hosts import MidiLink

PORT_NAME: Final = "Antithesis Out"


class MidiRoute:
    """Sends parameters as control changes; MIDI tells nothing back."""

    def __init__(self, link: MidiLink) -> None:
        self._link = link
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._port = midiports.open_output(
            self._link.port or PORT_NAME,
            backend=self._link.backend,
            virtual=not self._link.port,
        )
        self._open.callback(self._port.close)
        time.sleep(self._link.settle_s)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def find(self) -> str:
        """Whatever was mapped: control changes are not answered."""
        return "where its controllers were mapped"

    def write(self, values: Mapping[int, float]) -> None:
        """Send `values`, one parameter a pace: a burst overruns what a DAW's input can queue."""
        due = time.monotonic()
        for index, value in values.items():
            for channel, number, step in controllers.changes(index, value, self._link.bits):
                self._send("control_change", channel=channel, control=number, value=step)
            due += self._link.pace_s
            time.sleep(max(0.0, due - time.monotonic()))

    def read(self) -> Mapping[int, float]:
        """Nothing: control changes are not answered."""
        return {}

    def play(self, note: int, velocity: int, gate_s: float) -> None:
        """Hold a note, on the first channel."""
        self._send("note_on", note=note, velocity=velocity)
        time.sleep(gate_s)
        self._send("note_off", note=note)

    def _send(self, kind: str, **fields: int) -> None:
        from mido import Message

        try:
            self._port.send(Message(kind, **fields))
        except (OSError, RuntimeError) as error:
            raise SendError(f"MIDI port {self._port.name!r} is gone: {error}") from error
