"""A JACK server: whatever goes into its physical outputs, or what one client plays.

We are a client with two inputs. Who plays into the outputs is looked up time and again, and joined
to us too; a client that ends and comes back is so heard again at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from daemon.capture.contract import Device, Frames, Hear
from daemon.jackclients import JackClient, any_client, load_library

EVERYTHING: Final = "everything that plays"
CLIENT: Final = "Antithesis Ear"

_BACKEND: Final = "jack"
_CHANNELS: Final = 2


def devices() -> list[Device]:
    """What goes to the outputs, and each client that plays."""
    with any_client() as client:
        rate = client.samplerate
        players = client.get_ports(is_audio=True, is_output=True)
        names = dict.fromkeys(_client_of(port) for port in players)
    found = [Device(EVERYTHING, _BACKEND, rate, _CHANNELS, loopback=True, usual=True)]
    return found + [Device(name, _BACKEND, rate, _CHANNELS) for name in names]


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Ear]:
    """Hear a client, or all that goes to the outputs; who is not there yet may come."""
    with JackClient(CLIENT) as client:
        ear = _Ear(client, device, hear)
        client.jack.activate()
        ear.there()
        yield ear


class _Ear:
    """Our client: its callback copies, and `there` joins it to who plays."""

    def __init__(self, joined: JackClient, device: Device, hear: Hear) -> None:
        self._ended = joined.ended
        self._client = client = joined.jack
        self._device = device
        self._hear = hear
        self._lost = False
        self._changed = threading.Event()
        self._changed.set()
        self._inputs = [client.inports.register(f"in_{n + 1}") for n in range(_CHANNELS)]
        self._frames: Frames = np.zeros((client.blocksize, _CHANNELS), np.float32)
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._xrun)
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
            mine = outputs[number::_CHANNELS]
            return [source for output in mine for source in client.get_all_connections(output)]
        players = client.get_ports(is_audio=True, is_output=True)
        his = [port for port in players if _client_of(port) == self._device.name]
        return his[number:_CHANNELS:_CHANNELS] or his[:1]

    def _process(self, count: int) -> None:
        if count != len(self._frames):
            self._frames = np.zeros((count, _CHANNELS), np.float32)
        for number, port in enumerate(self._inputs):
            self._frames[:, number] = port.get_array()
        self._hear(self._frames, self._lost)
        self._lost = False

    def _xrun(self, _delayed_us: float) -> None:
        self._lost = True

    def _connected(self, _from: object, _to: object, _joined: bool) -> None:
        self._changed.set()

    def _registered(self, _port: object, _there: bool) -> None:
        self._changed.set()


def _client_of(port: Any) -> str:
    return str(port.name.rpartition(":")[0])
