"""MIDI ports of a JACK server, as a back end of mido.

mido's usual one, python-rtmidi, keeps Python's lock while it asks the server for a client or a
port. The server answers once a cycle of its graph is over, and the cycle waits for our real-time
thread, which waits for the lock: the graph stands still until the server throws a client out.
JACK-Client gives the lock away in every call, and with it a lost server is told as well.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from mido.parser import Parser
from mido.ports import BaseInput, BaseOutput

from daemon.jackclients import JackClient, any_client, load_library

if TYPE_CHECKING:
    from collections.abc import Callable

    from mido import Message

CLIENT: Final = "Antithesis"
LONGEST: Final = 8192
"""Bytes of the longest message: what a cycle of any length carries."""

_LOOK_S: Final = 0.05
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
            self._client = opening.enter_context(JackClient(client_name))
            self._library = load_library()
            try:
                self._port = self._register(self.name if virtual else "port")
                self._client.jack.set_process_callback(self._process)
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

    def _wait_while(self, busy: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while busy() and not self.lost and time.monotonic() < deadline:
            time.sleep(0.001)

    def _close(self) -> None:
        self._life.close()

    def _register(self, name: str) -> Any:
        raise NotImplementedError

    def _join(self) -> None:
        raise NotImplementedError

    def _process(self, frames: int) -> None:
        """Called by JACK's real-time thread."""
        raise NotImplementedError


class Input(_Joined, BaseInput):  # type: ignore[misc] # mido is not typed
    """Hears; a `callback` is called by a thread of ours, never by JACK's."""

    _locking = False

    def _open(self, *, callback: Callable[[Message], None] | None = None, **settings: Any) -> None:
        self._arrived: SimpleQueue[bytes] = SimpleQueue()
        self._reader = Parser()
        self._callback: Callable[[Message], None] | None = None
        self._calling: threading.Thread | None = None
        super()._open(**settings)
        self.callback = callback

    def _register(self, name: str) -> Any:
        return self._client.jack.midi_inports.register(name)

    def _join(self) -> None:
        self._client.jack.connect(self.name, self._port)

    def _process(self, _frames: int) -> None:
        for _frame, event in self._port.incoming_midi_events():
            self._arrived.put(bytes(event))

    @property
    def callback(self) -> Callable[[Message], None] | None:
        """What each message is given to, instead of waiting to be asked for."""
        return self._callback

    @callback.setter
    def callback(self, heard: Callable[[Message], None] | None) -> None:
        self._callback = None
        if self._calling is not None:
            self._arrived.put(b"")  # wakes it
            self._calling.join()
            self._calling = None
        if heard is not None:
            self._callback = heard
            self._calling = threading.Thread(target=self._call, args=(heard,), name="JACK MIDI")
            self._calling.start()

    def _call(self, heard: Callable[[Message], None]) -> None:
        while self._callback is heard:
            if message := self._next(timeout=None):
                heard(message)

    def _receive(self, block: bool = True) -> Message | None:
        return self._next(timeout=_LOOK_S if block else 0.0)

    def _next(self, timeout: float | None) -> Message | None:
        """The next message, if there is one after what arrives first in `timeout` seconds."""
        message: Message | None
        while (message := self._reader.get_message()) is None:
            try:
                self._reader.feed(self._arrived.get(block=timeout != 0.0, timeout=timeout))
            except Empty:
                return None
            if self._calling is not None and self._callback is None:
                return None
        return message if message.type != "active_sensing" else None

    def _close(self) -> None:
        self.callback = None
        super()._close()


class Output(_Joined, BaseOutput):  # type: ignore[misc] # mido is not typed
    """Sends what it is given in JACK's next cycle, in order."""

    def _open(self, **settings: Any) -> None:
        self._waiting: deque[bytes] = deque()
        self._cycles = 0
        super()._open(**settings)

    def _register(self, name: str) -> Any:
        return self._client.jack.midi_outports.register(name)

    def _join(self) -> None:
        self._client.jack.connect(self._port, self.name)

    def _process(self, _frames: int) -> None:
        self._port.clear_buffer()
        self._cycles += 1
        try:
            while self._waiting:
                self._port.write_midi_event(0, self._waiting[0])
                self._waiting.popleft()
        except self._library.JackError:  # no more room: the rest goes with the next cycle
            return

    def _send(self, message: Message) -> None:
        if self.lost:
            raise OSError("the JACK server has gone")
        sent = bytes(message.bytes())
        if len(sent) > LONGEST:
            raise OSError(f"{len(sent)} bytes are more than the {LONGEST} of JACK's longest")
        self._waiting.append(sent)

    def _close(self) -> None:
        self._wait_while(lambda: bool(self._waiting))
        cycle = self._cycles
        self._wait_while(lambda: self._cycles == cycle)
        super()._close()
