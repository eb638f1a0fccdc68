"""The clients of a JACK server that this process has, and the rules that libjack has for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy.typing as npt

from antithesis.errors import DeviceError
from daemon.living import Living

_LISTER: Final = "Antithesis lists"

# One at a time: a server that opens a client while another leaves may turn it away.
_changing: Final = threading.RLock()
_living: Final[list[JackClient]] = []


class JackClient(Living):
    """One client while it is entered; `jack` is JACK-Client's own, `ended` set without a server.

    Once `ended`, nothing may be asked of `jack`: another client that is opened makes an end of it.

    Raises:
        DeviceError: on entering, where there is no JACK, or no server answers.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.ended = threading.Event()
        self.jack: Any = None

    def _life(self) -> Iterator[None]:
        with _changing:
            self._open()
        try:
            yield
        finally:
            with _changing:
                self._close()

    def _open(self) -> None:
        library = load_library()
        # libjack frees the clients of a server that died as soon as another one is opened, and
        # whoever closes them after that crashes: they are closed before.
        for client in [client for client in _living if client.ended.is_set()]:
            client._close()
        try:
            self.jack = library.Client(self._name, no_start_server=True)
        except library.JackError as error:
            raise DeviceError(
                f"no JACK server answers ({error}): start it (jackd, PipeWire)"
            ) from error
        self.jack.set_shutdown_callback(lambda _status, _reason: self.ended.set())
        _living.append(self)

    def run(self, callback: Any, memory: npt.NDArray[Any]) -> None:
        """Have JACK's own thread call compiled code with the address of `memory`.

        Before `activate`. The thread writes there until the client is closed, which a dead
        server's is late: this object keeps both, and is kept until then.
        """
        # JACK-Client takes callbacks in Python only. Its own cffi registers this one, for that
        # knows the library that the client is of, and the types; ctypes would load it again.
        library = load_library()
        self._kept = (callback, memory)
        code = library._ffi.cast("JackProcessCallback", callback.address)
        where = library._ffi.cast("void *", memory.ctypes.data)
        if library._lib.jack_set_process_callback(self.jack._ptr, code, where):
            raise DeviceError(f"JACK takes no callback of {self._name!r}: start its server anew")

    def _close(self) -> None:
        if self in _living:
            _living.remove(self)
            self.jack.close()


@contextmanager
def any_client() -> Iterator[Any]:
    """JACK-Client's client to look around with: one that lives, or else one for the purpose.

    Raises:
        DeviceError: as `JackClient`.
    """
    with _changing:
        for client in _living:
            if not client.ended.is_set():
                yield client.jack
                return
        with JackClient(_LISTER) as lister:
            yield lister.jack


@contextmanager
def refusals() -> Iterator[None]:
    """DeviceError for what JACK refuses: its server may go, and a port of others, at any time."""
    library = load_library()
    try:
        yield
    except library.JackError as error:
        raise DeviceError(f"JACK refuses: {error}; see that its server runs") from error


def address(owner: Any) -> int:
    """Where the C object of a client or a port of ours is, for compiled code."""
    return int(load_library()._ffi.cast("intptr_t", owner._ptr))


def function_address(name: str) -> int:
    """Where one of libjack's functions is, for compiled code."""
    library = load_library()
    return int(library._ffi.cast("intptr_t", getattr(library._lib, name)))


def load_library() -> Any:
    """JACK-Client's module, which is loaded where it is needed; DeviceError without JACK."""
    try:
        import jack
    except (ImportError, OSError) as error:  # OSError where the system has no libjack
        raise DeviceError(f"no JACK here ({error}): install it (apt-get install jackd2)") from error
    jack.set_error_function(_not_heard)
    jack.set_info_function(_not_heard)
    return jack


def _not_heard(_line: str) -> None:
    """What libjack writes to standard error comes as an exception too."""
