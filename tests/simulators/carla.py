"""Carla's engine, after CarlaEngineOscHandlers.cpp and CarlaEngineOscSend.cpp.

What it does that one would not expect: types are strict, an index or a plug-in that is not there is
ignored without a word, values are clamped, and a value that came by OSC is not told back (its issue
1636). It tells the one program that registered by TCP, over a connection that it makes itself to
the address in the registration: at once all plug-ins with their parameters, and later what changes.
Until that one unregisters, by the same address, every other is refused.
"""

from __future__ import annotations

import errno
import re
import socket
import struct
from contextlib import suppress
from typing import Any
from urllib.parse import urlparse

from host import DEFAULTS, NAMES, Host, bound, message, run
from pythonosc.osc_packet import OscPacket


class Plugin:
    def __init__(self, name: str, names: list[str], values: list[float], high: float) -> None:
        self.name, self.names, self.values, self.high = name, names, values, high


class Carla(Host):
    def __init__(self, *, device: bool = True, **line: Any) -> None:
        super().__init__(**line)
        self.plugins = [Plugin("Other", ["Gain", "Filter cutoff"], [0.5, 0.5], 2.0)]
        if device:
            self.plugins.append(Plugin("Mika Micro", NAMES, list(DEFAULTS), 1.0))
        self.notes: list[list[int]] = []
        self.owner = ""
        self._target: socket.socket | None = None
        self._server = self._beside()
        self._server.setblocking(False)
        self._callers: dict[socket.socket, bytes] = {}

    def _beside(self) -> socket.socket:
        """The TCP port of the same number; another pair where somebody has that one."""
        while True:
            try:
                return socket.create_server(self._socket.getsockname())
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            self._socket.close()
            self._socket = bound()

    def held(self) -> list[float]:
        return self.plugins[1].values

    def turn(self, number: int, value: float) -> None:
        self.plugins[1].values[number] = value

    def move(self) -> None:
        """Somebody puts our plug-in before the other."""
        self.plugins.reverse()

    def own(self, url: str) -> None:
        self.owner = url

    def owned(self) -> str:
        return self.owner

    def hang_up(self) -> int:
        """As when it is closed and opened again."""
        callers = list(self._callers)
        for caller in callers:
            caller.close()
        self._callers.clear()
        self.owner = ""
        return len(callers)

    def played(self) -> list[list[int]]:
        return self.notes

    def pause(self) -> None:
        with suppress(BlockingIOError):
            caller, _ = self._server.accept()
            caller.setblocking(False)
            self._callers[caller] = b""
        for caller in list(self._callers):
            with suppress(BlockingIOError):
                self._hear(caller, caller.recv(65536))

    def _hear(self, caller: socket.socket, more: bytes) -> None:
        heard = self._callers.pop(caller) + more
        while len(heard) >= 4 and len(heard) >= 4 + (size := struct.unpack(">i", heard[:4])[0]):
            self._take(heard[4 : 4 + size])
            heard = heard[4 + size :]
        if more:
            self._callers[caller] = heard

    def obey(self, address: str, arguments: list[Any]) -> None:
        match address, arguments:
            case "/register", [str(url)]:
                with suppress(ConnectionError):  # who asked has gone, and asks again
                    self._register(url)
            case "/unregister", [str(url)] if url == self.owner:
                self.owner = ""
                if self._target:
                    self._target.close()
        found = re.fullmatch(r"/Carla/(\d+)/(\w+)", address)
        if found and int(found[1]) < len(self.plugins):
            self._obey(self.plugins[int(found[1])], found[2], arguments)

    def _obey(self, plugin: Plugin, method: str, arguments: list[Any]) -> None:
        values = plugin.values
        match method, arguments:
            case "set_parameter_value", [int(index), float(value)] if 0 <= index < len(values):
                values[index] = min(max(value, 0.0), plugin.high)
            case "note_on", [int(channel), int(note), int(velocity)]:
                self.notes.append([channel, note, velocity])
            case "note_off", [int(channel), int(note)]:
                self.notes.append([channel, note, 0])

    def _register(self, url: str) -> None:
        place = urlparse(url)
        told = socket.create_connection((place.hostname, place.port))
        if self.owner:
            _say(told, f"{place.path}/exit-error", "OSC already registered to another client")
            told.close()
            return
        self.owner, self._target = url, told
        _say(told, f"{place.path}/cb", 26, len(self.plugins), 0, 0, 512, 48000.0, "JACK")
        for index, plugin in enumerate(self.plugins):
            _say(told, f"{place.path}/cb", 1, index, 0, 0, 0, 0.0, plugin.name)
            self._describe(place.path, index, plugin)

    def _describe(self, path: str, index: int, plugin: Plugin) -> None:
        tell = self._target
        words = [plugin.name, "/plug.so", "plugin", plugin.name, "label", "maker", "(c)"]
        _say(tell, f"{path}/info", index, 5, 1, 0, 1415934797, 0, 0, *words)
        _say(tell, f"{path}/ports", index, 0, 2, 1, 0, len(plugin.names), 0, len(plugin.names))
        for number, (name, value) in enumerate(zip(plugin.names, plugin.values, strict=True)):
            _say(tell, f"{path}/paramInfo", index, number, name, "", "", "")
            data = (1, 0x23, 0, -1, 0.0, plugin.high, float(value))
            _say(tell, f"{path}/paramData", index, number, *data)
            ranges = (0.5, 0.0, plugin.high, 0.01, 0.001, 0.1)
            _say(tell, f"{path}/paramRanges", index, number, *ranges)


def _say(told: Any, address: str, *arguments: Any) -> None:
    packet = message(address, *arguments).dgram
    assert OscPacket(packet).messages
    told.sendall(struct.pack(">i", len(packet)) + packet)


if __name__ == "__main__":
    run(Carla)
