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

from antithesis.errors import DeviceError
from daemon.capture.contract import Device, Frames, Hear

EVERYTHING: Final = "everything that plays"
CLIENT: Final = "Antithesis Ear"

_BACKEND: Final = "jack"
_CHANNELS: Final = 2


def devices() -> list[Device]:
    """What goes to the outputs, and each client that plays."""
    jack = _library()
    with _client(jack, f"{CLIENT} lists") as client:
        rate = client.samplerate
        players = client.get_ports(is_audio=True, is_output=True)
        names = dict.fromkeys(_client_of(port) for port in players)
    found = [Device(EVERYTHING, _BACKEND, rate, _CHANNELS, loopback=True, usual=True)]
    return found + [Device(name, _BACKEND, rate, _CHANNELS) for name in names]


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Ear]:
    """Hear a client, or all that goes to the outputs; who is not there yet may come."""
    jack = _library()
    with _client(jack, CLIENT) as client:
        ear = _Ear(jack, client, device, hear)
        with client:
            ear.there()
            yield ear


class _Ear:
    """Our client: its callback copies, and `there` joins it to who plays."""

    def __init__(self, jack: Any, client: Any, device: Device, hear: Hear) -> None:
        self._jack = jack
        self._client = client
        self._device = device
        self._hear = hear
        self._lost = False
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._changed.set()
        self._inputs = [client.inports.register(f"in_{n + 1}") for n in range(_CHANNELS)]
        self._frames: Frames = np.zeros((client.blocksize, _CHANNELS), np.float32)
        client.set_process_callback(self._process)
        client.set_xrun_callback(self._xrun)
        client.set_shutdown_callback(self._shutdown)
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
            except self._jack.JackError:  # a port went away in between: look again
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

    def _shutdown(self, _status: object, _reason: str) -> None:
        self._ended.set()

    def _connected(self, _from: object, _to: object, _joined: bool) -> None:
        self._changed.set()

    def _registered(self, _port: object, _there: bool) -> None:
        self._changed.set()


def _client_of(port: Any) -> str:
    return str(port.name.rpartition(":")[0])


@contextmanager
def _client(jack: Any, name: str) -> Iterator[Any]:
    try:
        client = jack.Client(name, no_start_server=True)
    except jack.JackError as error:
        raise DeviceError(
            f"no JACK server answers ({error}): start it (jackd, PipeWire)"
        ) from error
    try:
        yield client
    finally:
        client.close()


def _library() -> Any:
    try:
        import jack
    except (ImportError, OSError) as error:  # OSError where the system has no libjack
        raise DeviceError(f"no JACK here ({error}): install it (apt-get install jackd2)") from error
    jack.set_error_function(_not_heard)
    jack.set_info_function(_not_heard)
    return jack


def _not_heard(_line: str) -> None:
    """What libjack writes to standard error comes as an exception too."""
