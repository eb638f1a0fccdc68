"""A bad line between two programs that speak UDP."""

from __future__ import annotations

import random
import select
import socket
import threading
from types import TracebackType
from typing import Any, Self

from tests import oscpeer


class Line:
    """A UDP relay to `port` that loses, doubles and swaps datagrams, and keeps what it carried."""

    def __init__(self, port: int, *, lose: float = 0.0, trouble: float = 0.0) -> None:
        self._chance = random.Random(3)
        self._lose = lose
        self._trouble = trouble
        self._host = ("127.0.0.1", port)
        self.carried: list[bytes] = []
        self.lost = 0
        self._near, self._far, self._wake = (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)
        )
        for sock in (self._near, self._far, self._wake):
            sock.bind(("127.0.0.1", 0))
        self.port: int = self._near.getsockname()[1]
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._near.sendto(b"", self._wake.getsockname())
        self._thread.join()
        for sock in (self._near, self._far, self._wake):
            sock.close()

    def messages(self) -> list[tuple[Any, ...]]:
        return [message for datagram in self.carried for message in oscpeer.read(datagram)]

    def _carry(self) -> None:
        client = None
        late: list[tuple[socket.socket, bytes, tuple[str, int]]] = []
        while True:
            ready, _, _ = select.select([self._near, self._far, self._wake], [], [])
            if self._wake in ready:
                return
            for sock in ready:
                datagram, sender = sock.recvfrom(65536)
                if sock is self._near:
                    client = sender
                    self.carried.append(datagram)
                out, to = (self._far, self._host) if sock is self._near else (self._near, client)
                assert to is not None
                if self._chance.random() < self._lose:
                    self.lost += 1
                elif self._chance.random() < self._trouble:
                    late.append((out, datagram, to))
                else:
                    out.sendto(datagram, to)
                    for held_back, old, address in late:
                        held_back.sendto(old, address)
                        held_back.sendto(old, address)
                    late.clear()
