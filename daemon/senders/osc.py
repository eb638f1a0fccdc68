"""OSC over UDP: one bound socket for both directions."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from antithesis.errors import DeviceError, SendError
from antithesis.parameters import N_PARAMETERS, PARAMETERS
from daemon import osc
from daemon.hosts import OscLink, Scale
from daemon.osc import Argument, OscMessage

_RECEIVE_BYTES: Final = 65536


class OscRoute:
    """Writes and reads parameters as an `OscLink` says."""

    def __init__(self, link: OscLink) -> None:
        self._link = link
        self._one = {self._place(link.read_one, index): index for index in range(N_PARAMETERS)}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._host = (_resolve(self._link.address), self._link.port)
            self._socket = opening.enter_context(_bind(self._host[0], self._link.reply_port))
            # Only a connected socket is told that nobody listens on the other side, and a host may
            # answer from another port than it listens on: so one more, for that alone.
            self._probe = opening.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            self._probe.connect(self._host)
            self._probe.setblocking(False)
            self._transmit(self._fill(self._link.greeting))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def grid(self, normalized: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The nearest float32, which is what OSC and plug-ins carry."""
        return normalized.astype(np.float32).astype(np.float64)

    def write(self, values: Mapping[int, float]) -> None:
        """Send `values`, in bundles; SendError when the host's port is known to be closed."""
        with suppress(OSError):
            self._probe.recv(_RECEIVE_BYTES)  # old news: the host may have started since
        self._knock()
        self._transmit(
            OscMessage(self._place(self._link.set_one, index), (self._to_host(index, value),))
            for index, value in values.items()
        )

    def read(self) -> Mapping[int, float]:
        """Ask until all 38 have come back, or patience ends."""
        if not self._link.ask:
            return {}
        self._knock()
        self._drain()
        heard: dict[int, float] = {}
        deadline = time.monotonic() + self._link.patience_s
        while len(heard) < N_PARAMETERS and (now := time.monotonic()) < deadline:
            self._transmit(self._fill(self._link.ask))
            for datagram in self._receive(min(now + self._link.ask_again_s, deadline)):
                heard.update(self._values(datagram))
                if len(heard) == N_PARAMETERS:
                    break
            self._knock()
        return heard

    def _place(self, template: str, index: int) -> str:
        number = self._link.first_number + index
        return template.format(id=PARAMETERS[index].id, number=number, **self._link.places)

    def _fill(self, messages: Iterable[OscMessage]) -> Iterator[OscMessage]:
        """Put the numbers of `places` where arguments name them."""
        names = {f"{{{name}}}": number for name, number in self._link.places.items()}
        for address, arguments in messages:
            yield OscMessage(address, tuple(_named(argument, names) for argument in arguments))

    def _to_host(self, index: int, normalized: float) -> float:
        plain = self._link.scale is Scale.PLAIN
        return PARAMETERS[index].to_plain(normalized) if plain else normalized

    def _from_host(self, index: int, value: float) -> float:
        plain = self._link.scale is Scale.PLAIN
        return PARAMETERS[index].to_normalized(value) if plain else value

    def _transmit(self, messages: Iterable[OscMessage]) -> None:
        encoded = [osc.encode(message) for message in messages]
        for packet in osc.bundles(encoded, self._link.packet_bytes):
            with self._network_trouble():
                self._socket.sendto(packet, self._host)
            time.sleep(self._link.pace_s)

    def _receive(self, until: float) -> Iterator[bytes]:
        """Datagrams as they come, up to a moment of the monotonic clock."""
        while (left := until - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                yield self._socket.recv(_RECEIVE_BYTES)
            except TimeoutError:
                return
            except ConnectionError:  # Windows reports the closed port of an earlier send here
                continue

    def _drain(self) -> None:
        """Throw away what came before the question was asked: it may be older than the write."""
        self._socket.setblocking(False)
        while True:
            try:
                self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return
            except ConnectionError:
                continue

    def _knock(self) -> None:
        """SendError if the host's port is known to be closed."""
        with self._network_trouble(), suppress(BlockingIOError):
            self._probe.send(osc.EMPTY_BUNDLE)
            self._probe.recv(_RECEIVE_BYTES)

    @contextmanager
    def _network_trouble(self) -> Iterator[None]:
        try:
            yield
        except ConnectionError as error:
            raise SendError(
                f"nothing listens on UDP {self._where}: start the host, or correct its port"
            ) from error
        except OSError as error:
            raise SendError(f"cannot send to {self._where}: {error.strerror}") from error

    @property
    def _where(self) -> str:
        return f"{self._link.address}:{self._link.port}"

    def _values(self, datagram: bytes) -> Iterator[tuple[int, float]]:
        try:
            messages = osc.decode(datagram)
        except osc.MalformedOsc:
            return
        for address, arguments in messages:
            if address == self._link.read_all and len(arguments) == N_PARAMETERS:
                yield from self._numbers(enumerate(arguments))
            elif address in self._one and arguments:
                yield from self._numbers([(self._one[address], arguments[0])])

    def _numbers(self, arguments: Iterable[tuple[int, Argument]]) -> Iterator[tuple[int, float]]:
        for index, value in arguments:
            if isinstance(value, float) and math.isfinite(value):
                yield index, self._from_host(index, value)


def _named(argument: Argument, names: Mapping[str, int]) -> Argument:
    return names.get(argument, argument) if isinstance(argument, str) else argument


def _resolve(name: str) -> str:
    # By IPv4, always: "localhost" may mean ::1, where no host listens.
    try:
        return socket.gethostbyname(name)
    except OSError as error:
        raise DeviceError(f"no machine is called {name!r}: {error.strerror}") from error


def _bind(host: str, port: int) -> socket.socket:
    # Towards this machine, be reachable from this machine alone.
    mine = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((mine, port))
    except OSError as error:
        sock.close()
        raise DeviceError(
            f"UDP port {port} is taken ({error.strerror}): close the program that holds it, or"
            " give another reply port here and in the host"
        ) from error
    return sock
