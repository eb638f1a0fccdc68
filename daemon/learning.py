"""Learning a hotkey by pressing it: whatever comes first, from whichever port."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from antithesis.errors import DeviceError
from daemon.bindings import Binding
from daemon.midiear import EVERY, PORT, MidiEar

if TYPE_CHECKING:
    from mido import Message


def learn(backend: str, patience_s: float) -> Binding:
    """The first key or pedal that goes down on any MIDI input, or on a port of ours.

    Raises:
        DeviceError: there is no input, or nothing came in time.
    """
    heard: SimpleQueue[Binding] = SimpleQueue()

    def hear(message: Message, port: str, _at: float) -> None:
        binding = Binding.of(message, "" if port == PORT else port)
        if binding is not None:
            heard.put(binding)

    with MidiEar(hear, [EVERY], backend=backend) as ear:
        if not ear.ports:
            raise DeviceError("there is no MIDI input: plug a controller in, or see doctor")
        try:
            return heard.get(timeout=patience_s)
        except Empty:
            raise DeviceError(
                f"nothing was pressed in {patience_s:.0f} s; heard were: {', '.join(ear.ports)}"
            ) from None
