"""OSC over TCP: a connection to the host, and one that it makes back for each question."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Final, Self

from antithesis.errors import SendError
from daemon import osc
from daemon.hosts import OscLink
from daemon.osc import OscMessage
from daemon.senders.wire import resolve, taken

_SIZE: Final = struct.Struct(">i")  # before each message, by OSC 1.0
_LARGEST: Final = 1 << 20  # nobody says so much at once
_RECEIVE_BYTES: Final = 65536
_CONNECT_S: Final = 2.0
_SHORTEST_S: Final = 0.001  # to wait; none at all would be not to wait, which is told as no timeout


class Stream:
    """Says and hears what `Wire` does, over TCP; open while it is entered.

    Raises:
        DeviceError: on entering, when the reply port cannot be had.
        SendError: on sending and asking, when nobody listens on the host's port.
    """

    def __init__(self, link: OscLink) -> None:
        self.link = link
        self.heard = 0  # messages so far
        self._there: socket.socket | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._host = (resolve(self.link.address), self.link.port)
            try:
                answers = socket.create_server(("127.0.0.1", self.link.reply_port))
            except OSError as error:
                raise taken("TCP", self.link.reply_port, error) from error
            self._answers = opening.enter_context(answers)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hang_up()
        self._open.close()

    def send(self, messages: Iterable[OscMessage]) -> None:
        """Send `messages` in their order."""
        packets = [osc.encode(message) for message in messages]
        try:
            self._connected().sendall(b"".join(_SIZE.pack(len(p)) + p for p in packets))
        except OSError as error:
            self._hang_up()
            raise SendError(
                f"nothing listens on TCP {self.link.address}:{self.link.port}: start the host, or"
                " correct its port"
            ) from error

    def answers(self, questions: Iterable[OscMessage]) -> Iterator[OscMessage]:
        """Ask once, and hand on what comes back, until patience or its connection ends."""
        deadline = time.monotonic() + self.link.patience_s
        self._forget()
        self.send(questions)
        with suppress(OSError), self._called(deadline) as back:
            for message in _messages(back, deadline):
                self.heard += 1
                yield message

    def _connected(self) -> socket.socket:
        """The connection to the host, made anew if it has closed it."""
        if self._there is not None and _is_over(self._there):
            self._hang_up()
        if self._there is None:
            self._there = socket.create_connection(self._host, timeout=_CONNECT_S)
        self._there.settimeout(_CONNECT_S)
        return self._there

    def _hang_up(self) -> None:
        if self._there is not None:
            self._there.close()
            self._there = None

    def _forget(self) -> None:
        """Turn away who calls because of an earlier question."""
        self._answers.setblocking(False)
        with suppress(OSError):  # nobody calls any more
            while True:
                self._answers.accept()[0].close()

    def _called(self, deadline: float) -> socket.socket:
        self._answers.settimeout(max(_SHORTEST_S, deadline - time.monotonic()))
        return self._answers.accept()[0]


def _is_over(there: socket.socket) -> bool:
    """Whether the other side has closed a connection; what it says there, nobody asked for."""
    there.setblocking(False)
    try:
        return not there.recv(_RECEIVE_BYTES)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def _messages(back: socket.socket, deadline: float) -> Iterator[OscMessage]:
    """Messages of a connection, until it ends or the time is over (an OSError, if any)."""
    heard = b""
    while (left := deadline - time.monotonic()) > 0:
        back.settimeout(left)
        if not (more := back.recv(_RECEIVE_BYTES)):
            return
        heard += more
        while len(heard) >= _SIZE.size:
            (size,) = _SIZE.unpack_from(heard)
            if not 0 < size <= _LARGEST:
                return
            if len(heard) < _SIZE.size + size:
                break
            packet, heard = heard[_SIZE.size : _SIZE.size + size], heard[_SIZE.size + size :]
            with suppress(osc.MalformedOsc):
                yield from osc.decode(packet)
