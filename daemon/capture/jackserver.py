"""A JACK server: whatever goes into its physical outputs, or what one client plays.

We are a client with two inputs, which compiled code copies. Who plays into the outputs is looked up
time and again, and joined to us too; a client that ends and comes back is so heard again at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from daemon.capture.contract import MOST_CHANNELS, Device, Hear, OpenDevice
from daemon.jackclients import JackClient, any_client, load_library, refusals

if TYPE_CHECKING:
    from daemon.capture.jackcopy import Copied

EVERYTHING: Final = "everything that plays"
CLIENT: Final = "Antithesis Ear"

_BACKEND: Final = "jack"


def devices() -> list[Device]:
    """What goes to the outputs, and each client that plays."""
    with any_client() as client, refusals():
        rate = client.samplerate
        players = client.get_ports(is_audio=True, is_output=True)
        names = dict.fromkeys(_client_of(port) for port in players)
    found = [Device(EVERYTHING, _BACKEND, rate, MOST_CHANNELS, loopback=True, usual=True)]
    return found + [Device(name, _BACKEND, rate, MOST_CHANNELS) for name in names]


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Ear]:
    """Hear a client, or all that goes to the outputs; who is not there yet may come."""
    from daemon.capture.jackcopy import Copied  # a compiler comes with it

    with JackClient(CLIENT) as client:
        with refusals():
            inputs = [client.jack.inports.register(f"in_{n + 1}") for n in range(MOST_CHANNELS)]
            copied = Copied(client, inputs)
            ear = _Ear(client, device, inputs, copied, hear)
            client.jack.activate()
        ear.there()
        try:
            yield ear
        finally:
            copied.end()


class _Ear(OpenDevice):
    """Our client: `there` joins it to who plays, and `bring` brings what was copied."""

    def __init__(
        self, joined: JackClient, device: Device, inputs: list[Any], copied: Copied, hear: Hear
    ) -> None:
        self._ended = joined.ended
        self._client = client = joined.jack
        self._device = device
        self._inputs = inputs
        self._copied = copied
        self._hear = hear
        self._changed = threading.Event()
        self._changed.set()
        client.set_port_connect_callback(self._connected)
        client.set_port_registration_callback(self._registered)

    def there(self) -> bool:
        """Whether the server is; joins us to those who play, where the graph has changed."""
        if self._ended.is_set() or self._client.samplerate != self._device.sample_rate:
            return False
        if self._changed.is_set():
            self._changed.clear()
            try:
                self._join()
            except load_library().JackError:  # a port went away in between: look again
                self._changed.set()
        return not self._ended.is_set()

    def bring(self) -> None:
        """Hand on what JACK has brought."""
        self._copied.bring(self._hear)

    def _join(self) -> None:
        for number, port in enumerate(self._inputs):
            wanted = {source.name for source in self._sources(number)}
            joined = {source.name for source in self._client.get_all_connections(port)}
            for name in wanted - joined:
                self._client.connect(name, port)
            for name in joined - wanted:
                self._client.disconnect(name, port)

    def _sources(self, number: int) -> list[Any]:
        """What one of our inputs is to hear; something in mono is heard on both."""
        client = self._client
        if self._device.name == EVERYTHING:
            outputs = client.get_ports(is_audio=True, is_input=True, is_physical=True)
            mine = outputs[number::MOST_CHANNELS]
            return [source for output in mine for source in client.get_all_connections(output)]
        players = client.get_ports(is_audio=True, is_output=True)
        his = [port for port in players if _client_of(port) == self._device.name]
        return his[number:MOST_CHANNELS:MOST_CHANNELS] or his[:1]

    def _connected(self, _from: object, _to: object, _joined: bool) -> None:
        self._changed.set()

    def _registered(self, _port: object, _there: bool) -> None:
        self._changed.set()


def _client_of(port: Any) -> str:
    return str(port.name.rpartition(":")[0])
