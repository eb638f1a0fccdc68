"""Who plays the built-in synth over OSC, as a DAW's track would."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from antithesis.errors import DeviceError
from daemon import osc
from daemon.hosts import BUILTIN
from daemon.living import Living
from daemon.osc import Argument, OscMessage

_PATIENCE_S: Final = 5.0
_POLL_S: Final = 0.02


class Played(NamedTuple):
    """The sample at which a note began, and by how much too long it was held."""

    start: int
    late_s: float


class SynthClient(Living):
    """A socket that speaks to the built-in synth on `port`; open while it is entered.

    Raises:
        DeviceError: on asking, when no answer comes.
    """

    def __init__(self, port: int) -> None:
        self._synth = (BUILTIN.address, port)

    def _life(self) -> Iterator[None]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as self._socket:
            self._socket.settimeout(_PATIENCE_S)
            yield

    def normalized(self) -> npt.NDArray[np.float64]:
        """What the synth holds, (38,)."""
        return np.array(self._ask(OscMessage("/mika/get")), dtype=np.float64)

    def position(self) -> int:
        """Samples that the synth has rendered so far."""
        return self._position(OscMessage("/mika/position"))

    def play(self, note: int, velocity: int, gate_s: float, duration_s: float, rate: int) -> Played:
        """Play a note to the end of `duration_s`, as well as a busy machine lets us."""
        # In a bundle all messages are of one block, so that the position is the note's own.
        start = self._position(
            OscMessage("/mika/position"), OscMessage("/mika/note", (note, velocity))
        )
        self._wait_for(start + round(gate_s * rate), rate)
        end = self._position(OscMessage("/mika/position"), OscMessage("/mika/note_off", (note,)))
        self._wait_for(start + round(duration_s * rate), rate)
        return Played(start, late_s=(end - start) / rate - gate_s)

    def _wait_for(self, position: int, rate: int) -> None:
        while (left := position - self.position()) > 0:
            time.sleep(max(_POLL_S / 4, left / rate - _POLL_S))

    def _position(self, *messages: OscMessage) -> int:
        (position,) = self._ask(*messages)
        assert isinstance(position, int)
        return position

    def _ask(self, *messages: OscMessage) -> tuple[Argument, ...]:
        self._send(*messages)
        try:
            (answer,) = osc.decode(self._socket.recv(osc.MAX_BYTES))
        except OSError as error:
            raise DeviceError(
                f"no synth answers on UDP port {self._synth[1]}: start it with: antithesis synth"
            ) from error
        return answer.arguments

    def _send(self, *messages: OscMessage) -> None:
        for packet in osc.bundles(map(osc.encode, messages), osc.MAX_BYTES):
            self._socket.sendto(packet, self._synth)
