"""What the simulated hosts share: one loop over a UDP port and standard input, and a bad line.

Standard library and python-osc alone.
"""

from __future__ import annotations

import json
import random
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_packet import OscPacket

# Name as VST2 hosts see it, and default, of each of the plug-in's parameters.
MIKA = json.loads(Path(__file__).with_name("mika.json").read_text())
NAMES = [name for name, _ in MIKA]
DEFAULTS = [default for _, default in MIKA]


class Host:
    """Obeys messages as they come; `tick_s` is how often it looks for them."""

    tick_s = 0.0

    def __init__(self, *, reply_port: int = 0, lose: float = 0.0, trouble: float = 0.0) -> None:
        self.reply_port = reply_port
        self.heard: list[list[Any]] = []
        self._chance = random.Random(5)
        self._lose, self._trouble = lose, trouble
        self._late: list[tuple[bytes, tuple[str, int]]] = []
        self._socket = bound()
        self._sender = ("127.0.0.1", reply_port)

    # To be written by each host.

    def obey(self, address: str, arguments: list[Any]) -> None:
        raise NotImplementedError

    def pause(self) -> None:
        """Called at every tick."""

    # What it may do.

    def reply(self, address: str, *arguments: Any) -> None:
        self._send(message(address, *arguments).dgram)

    def reply_bundle(self, *messages: tuple[Any, ...]) -> None:
        bundle = OscBundleBuilder(IMMEDIATELY)
        for address, *arguments in messages:
            bundle.add_content(message(address, *arguments))
        self._send(bundle.build().dgram)

    def messages_heard(self) -> list[list[Any]]:
        return self.heard

    def forget_heard(self) -> None:
        self.heard.clear()

    # The loop.

    def run(self) -> None:
        self._say(self._socket.getsockname()[1])
        while True:
            ready, _, _ = select.select([self._socket, sys.stdin], [], [], 0.005)
            if sys.stdin in ready and not self._told():
                return
            if self._socket in ready:
                if self.tick_s:
                    time.sleep(self.tick_s)
                self._take_all()
            self.pause()

    def _told(self) -> bool:
        line = sys.stdin.readline()
        if line:
            what, *arguments = json.loads(line)
            self._say(getattr(self, what)(*arguments))
        return bool(line)

    @staticmethod
    def _say(what: Any) -> None:
        print(json.dumps(what), flush=True)

    def _take_all(self) -> None:
        self._socket.setblocking(False)
        while True:
            try:
                datagram, sender = self._socket.recvfrom(65536)
            except BlockingIOError:
                return
            self._sender = sender
            for carried, _ in self._carry(datagram, sender):
                self._take(carried)

    def _take(self, datagram: bytes) -> None:
        for timed in OscPacket(datagram).messages:
            address, arguments = timed.message.address, list(timed.message.params)
            self.heard.append([address, *arguments])
            self.obey(address, arguments)

    def _send(self, datagram: bytes) -> None:
        to = ("127.0.0.1", self.reply_port) if self.reply_port else self._sender
        for carried, address in self._carry(datagram, to):
            self._socket.sendto(carried, address)

    def _carry(self, datagram: bytes, to: tuple[str, int]) -> list[tuple[bytes, tuple[str, int]]]:
        """What arrives of a datagram: nothing, it, or it with late ones behind it, twice."""
        if len(datagram) > 20 and self._chance.random() < self._lose:
            return []
        if self._chance.random() < self._trouble:
            self._late.append((datagram, to))
            return []
        late, self._late = self._late, []
        return [(datagram, to), *late, *late] if all(t == to for _, t in late) else [(datagram, to)]


def message(address: str, *arguments: Any) -> Any:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build()


def bound() -> socket.socket:
    """A UDP port of its own."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    return taken


def run(kind: type[Host]) -> None:
    """The program: settings as JSON on its command line."""
    kind(**json.loads(sys.argv[1])).run()
