"""OSC over UDP: one bound socket for both directions."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Final, Protocol, Self

from antithesis.errors import DeviceError, SendError
from daemon import osc
from daemon.hosts import OscLink
from daemon.osc import OscMessage

_RECEIVE_BYTES: Final = 65536


class Line(Protocol):
    """What carries messages to a host and its answers back."""

    link: OscLink
    heard: int

    def send(self, messages: Iterable[OscMessage], /) -> None:
        """Send `messages` in their order."""

    def answers(self, questions: Iterable[OscMessage], /) -> Iterator[OscMessage]:
        """Ask, and hand on whatever comes, until patience ends or you leave."""


class Wire:
    """Sends messages to a host and hears what it answers; open while it is entered.

    Raises:
        DeviceError: on entering, when the reply port cannot be had.
        SendError: on entering, sending and asking, when no network leads to the host, or its port
            is known to be closed.
    """

    def __init__(self, link: OscLink) -> None:
        self.link = link
        self.heard = 0  # datagrams so far
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._host = (resolve(self.link.address), self.link.port)
            self._socket = opening.enter_context(_bind(self._host[0], self.link.reply_port))
            # Only a connected socket is told that nobody listens on the other side, and a host may
            # answer from another port than it listens on: so one more, for that alone.
            self._probe = opening.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with self._network_trouble():
                self._probe.connect(self._host)
            self._probe.setblocking(False)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def send(self, messages: Iterable[OscMessage]) -> None:
        """Send `messages` in their order, in bundles."""
        with suppress(OSError):
            self._probe.recv(_RECEIVE_BYTES)  # old news: the host may have started since
        self._knock()
        self._transmit(messages)

    def answers(self, questions: Iterable[OscMessage]) -> Iterator[OscMessage]:
        """Ask again and again, and hand on whatever comes, until patience ends or you leave."""
        asked = tuple(questions)
        self._knock()
        self._drain()
        deadline = time.monotonic() + self.link.patience_s
        while (now := time.monotonic()) < deadline:
            self._transmit(asked)
            for datagram in self._receive(min(now + self.link.ask_again_s, deadline)):
                self.heard += 1
                with suppress(osc.MalformedOsc):
                    yield from osc.decode(datagram)
            self._knock()

    def _transmit(self, messages: Iterable[OscMessage]) -> None:
        encoded = [osc.encode(message) for message in messages]
        for packet in osc.bundles(encoded, self.link.packet_bytes):
            with self._network_trouble():
                self._socket.sendto(packet, self._host)
            time.sleep(self.link.pace_s)

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
        return f"{self.link.address}:{self.link.port}"


def resolve(name: str) -> str:
    """The IPv4 address of a machine; DeviceError where there is none of this name."""
    # By IPv4, always: "localhost" may mean ::1, where no host listens.
    try:
        return socket.gethostbyname(name)
    except OSError as error:
        raise DeviceError(f"no machine is called {name!r}: {error.strerror}") from error
    except UnicodeError as error:  # a name with a part over 63 characters, or with an empty one
        raise DeviceError(f"no machine can be called {name!r}: correct osc.address") from error


def _bind(host: str, port: int) -> socket.socket:
    # Towards this machine, be reachable from this machine alone.
    mine = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((mine, port))
    except OSError as error:
        sock.close()
        raise taken("UDP", port, error) from error
    return sock


def taken(protocol: str, port: int, error: OSError) -> DeviceError:
    """That a port of ours cannot be had."""
    return DeviceError(
        f"{protocol} port {port} is taken ({error.strerror}): close the program that holds it, or"
        " give another reply port here and in the host"
    )
