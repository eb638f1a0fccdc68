"""MIDI ports of a JACK server, as a back end of mido.

mido's usual one, python-rtmidi, keeps Python's lock while it asks the server for a client or a
port, and takes it for each message that comes: the graph of all clients waits for whoever has it.
JACK-Client gives the lock away in every call, what JACK's thread runs is compiled, and a lost
server is told as well.
"""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from mido.parser import Parser
from mido.ports import BaseInput, BaseOutput

from daemon.jackclients import JackClient, any_client, load_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mido import Message

CLIENT: Final = "Antithesis"
LONGEST: Final = 8192
"""Bytes of the longest message: what a cycle of any length carries."""

_PATIENCE_S: Final = 0.5  # for the cycles of JACK that joining and last words take


def get_devices(**_settings: object) -> list[dict[str, Any]]:
    """Each MIDI port: its name, and whether it is an input or an output to us."""
    library = load_library()
    with any_client() as client:  # without it, its ports have not even names
        try:
            ports = client.get_ports(is_midi=True)
            # What is an output to JACK is something to hear, and the other way round.
            return [
                {"name": port.name, "is_input": port.is_output, "is_output": port.is_input}
                for port in ports
            ]
        except library.JackError as error:  # one of them went meanwhile
            raise OSError(f"JACK refuses: {error}") from error


class _Joined:
    """A client with one port: `name` is one to join it to or, where it is `virtual`, its own."""

    name: str

    def _open(self, *, virtual: bool = False, client_name: str = CLIENT, **_settings: Any) -> None:
        with ExitStack() as opening:
            outliving = opening.enter_context(ExitStack())
            self._client = opening.enter_context(JackClient(client_name))
            self._library = load_library()
            try:
                self._port = self._register(self.name if virtual else "port")
                self._prepare(outliving)
                self._client.jack.activate()
                if not virtual:
                    self._join()
                    self._wait_while(lambda: not self.joined)
            except self._library.JackError as error:
                raise OSError(f"JACK refuses: {error}") from error
            self._life = opening.pop_all()

    @property
    def lost(self) -> bool:
        """Whether the server has gone, and this port with it."""
        return self._client.ended.is_set()

    @property
    def joined(self) -> bool:
        """Whether it reaches the port that it was opened for: one that came back is another."""
        return not self.lost and bool(self._port.is_connected_to(self.name))

    def _wait_while(self, busy: Callable[[], bool]) -> bool:
        """Whether it came to an end before our patience and the server did."""
        deadline = time.monotonic() + _PATIENCE_S
        while busy():
            if self.lost or time.monotonic() > deadline:
                return False
            time.sleep(0.001)
        return True

    def _close(self) -> None:
        self._life.close()

    def _register(self, name: str) -> Any:
        raise NotImplementedError

    def _join(self) -> None:
        raise NotImplementedError

    def _prepare(self, outliving: ExitStack) -> None:
        """Have JACK's thread copy what comes or goes; `outliving` ends after that."""
        raise NotImplementedError


class Input(_Joined, BaseInput):  # type: ignore[misc] # mido is not typed
    """Hears; a `callback` is called by a thread of ours, never by JACK's.

    The `time` of a message is when it came, by the monotonic clock.
    """

    stamps = True

    _locking = False

    def _open(self, *, callback: Callable[[Message], None] | None = None, **settings: Any) -> None:
        self._reader = Parser()
        self._callback: Callable[[Message], None] | None = None
        self._calling: threading.Thread | None = None
        super()._open(**settings)
        self.callback = callback

    def _register(self, name: str) -> Any:
        return self._client.jack.midi_inports.register(name)

    def _join(self) -> None:
        self._client.jack.connect(self.name, self._port)

    def _prepare(self, outliving: ExitStack) -> None:
        from daemon.jackevents import Arriving  # a compiler comes with it

        self._arriving = Arriving(self._client, self._port)
        outliving.callback(self._arriving.close)

    @property
    def callback(self) -> Callable[[Message], None] | None:
        """What each message is given to, instead of waiting to be asked for."""
        return self._callback

    @callback.setter
    def callback(self, heard: Callable[[Message], None] | None) -> None:
        self._callback = None
        if self._calling is not None:
            self._arriving.wake()
            self._calling.join()
            self._calling = None
        if heard is not None:
            self._callback = heard
            self._calling = threading.Thread(target=self._call, args=(heard,), name="JACK MIDI")
            self._calling.start()

    def _call(self, heard: Callable[[Message], None]) -> None:
        while self._callback is heard:
            self._arriving.wait()
            for message in self._arrived():
                if self._callback is heard:
                    heard(message)

    def _receive(self, block: bool = True) -> None:  # noqa: ARG002 # mido waits by itself
        self._messages.extend(self._arrived())

    def _arrived(self) -> Iterator[Message]:
        for at, data in self._arriving.take():
            self._reader.feed(data)
            for message in self._reader:
                if message.type != "active_sensing":
                    yield message.copy(time=at)

    def _close(self) -> None:
        self.callback = None
        super()._close()


class Output(_Joined, BaseOutput):  # type: ignore[misc] # mido is not typed
    """Sends what it is given in JACK's next cycle, in order."""

    def _register(self, name: str) -> Any:
        return self._client.jack.midi_outports.register(name)

    def _join(self) -> None:
        self._client.jack.connect(self._port, self.name)

    def _prepare(self, _outliving: ExitStack) -> None:
        from daemon.jackevents import Leaving  # a compiler comes with it

        self._leaving = Leaving(self._client, self._port)

    def _send(self, message: Message) -> None:
        if self.lost:
            raise OSError("the JACK server has gone")
        sent = bytes(message.bytes())
        if len(sent) > LONGEST:
            raise OSError(f"{len(sent)} bytes are more than the {LONGEST} of JACK's longest")
        if not self._wait_while(lambda: not self._leaving.put(sent)):
            raise OSError("the JACK server takes nothing any more: start it anew")

    def _close(self) -> None:
        self._wait_while(lambda: self._leaving.waiting > 0)
        cycle = self._leaving.cycles
        self._wait_while(lambda: self._leaving.cycles == cycle)
        super()._close()
