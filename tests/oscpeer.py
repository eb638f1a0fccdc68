"""A plain OSC program to talk to ours: python-osc on both ends, nothing of ours."""

from __future__ import annotations

import socket
import time
from types import TracebackType
from typing import Any, Self

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket


class OscPeer:
    """One UDP socket; sends to `port` of this machine, receives what comes back."""

    def __init__(self, port: int = 0) -> None:
        self.target = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(10)
        self.port: int = self.socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, address: str, *arguments: Any) -> None:
        self.send_bundle((address, *arguments))

    def send_bundle(self, *messages: tuple[Any, ...]) -> None:
        bundle = OscBundleBuilder(IMMEDIATELY)
        for address, *arguments in messages:
            bundle.add_content(message(address, *arguments))
        self.socket.sendto(bundle.build().dgram, self.target)

    def receive(self) -> list[tuple[Any, ...]]:
        """Messages of the next datagram, each as (address, *arguments)."""
        return read(self.socket.recv(65536))

    def waiting(self) -> list[bytes]:
        """Datagrams that have come so far."""
        datagrams = []
        self.socket.setblocking(False)
        while True:
            try:
                datagrams.append(self.socket.recv(65536))
            except BlockingIOError:
                return datagrams

    def ask(self, address: str, *arguments: Any) -> tuple[Any, ...]:
        self.send(address, *arguments)
        return self.receive()[0]

    def position(self) -> int:
        return int(self.ask("/mika/position")[1])

    def wait_until_played(self, samples: int) -> int:
        """Position once `samples` more have been rendered."""
        end = self.position() + samples
        while (now := self.position()) < end:
            time.sleep(0.01)
        return now


def message(address: str, *arguments: Any) -> Any:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def read(datagram: bytes) -> list[tuple[Any, ...]]:
    return [
        (timed.message.address, *timed.message.params) for timed in OscPacket(datagram).messages
    ]
