"""What comes in by MIDI: hotkeys, and the notes that a sound is played by.

Ports call back from threads of their own. A port of ours is made where the system lets us; those of
others are opened by name, and again when they come back.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from antithesis.errors import DeviceError
from daemon import midiports
from daemon.living import Living, working

if TYPE_CHECKING:
    from mido import Message

PORT: Final = "Antithesis In"
EVERY: Final = "*"
LOOK_S: Final = 2.0
"""How often ports that may come and go are looked for."""

Hear = Callable[["Message", str, float], None]
"""Takes a message, the name of its port, and when it came by the monotonic clock."""

_log: Final = logging.getLogger(__name__)


class MidiEar(Living):
    """Hears a port of our own and the `wanted` ones while it is entered; "*" is every port.

    `own` names the port of our own, empty for none; where there can be none it says so once. Keys
    that are down on a port that goes are let go of.
    """

    def __init__(
        self, hear: Hear, wanted: Iterable[str] = (), *, backend: str = "", own: str = PORT
    ) -> None:
        self._hear = hear
        self._wanted: tuple[str, ...] = tuple(wanted)
        self._backend = backend
        self._own = own
        self._ports: dict[str, Any] = {}
        self._down: dict[str, set[tuple[int, int]]] = {}  # channels and keys, by port
        self._missing: set[str] = set()
        self._stop = threading.Event()
        self._looking = False
        self._open = ExitStack()

    def _life(self) -> Iterator[None]:
        with ExitStack() as self._open:
            self._open.callback(self._close)
            if self._own:
                self._open_own()
            self.want(self._wanted)
            yield

    def want(self, wanted: Iterable[str]) -> None:
        """Hear these ports from now on; those that are open are heard until they go."""
        self._wanted = tuple(dict.fromkeys(name for name in wanted if name))
        if (self._wanted or midiports.is_jack(self._backend)) and not self._looking:
            self._looking = True
            self._look()
            looking = working(self._keep_looking, "MIDI ports", self._stop.set)
            self._open.enter_context(looking)

    @property
    def ports(self) -> list[str]:
        """The ports that are open."""
        return list(self._ports)

    def __str__(self) -> str:
        return f"MIDI on {', '.join(map(repr, self._ports))}" if self._ports else "no MIDI"

    def _open_own(self) -> None:
        try:
            port = midiports.open_input(self._own, backend=self._backend, virtual=True)
        except DeviceError as error:
            self._say_once(f"no MIDI port of our own: {error}", logging.INFO)
            return
        self._take(self._own, port)

    def _keep_looking(self) -> None:
        while not self._stop.wait(LOOK_S):
            self._look()

    def _look(self) -> None:
        """Open what is wanted and there, and close what has gone."""
        try:
            for name in [name for name, port in self._ports.items() if self._gone(name, port)]:
                self._drop(name)
            names = midiports.input_names(self._backend)
        except DeviceError as error:
            self._say_once(str(error))
            return
        there = [name for name in names if not (self._own and self._own in name)]
        found = {name: self._found(name, there) for name in self._wanted}
        if self._own and midiports.is_jack(self._backend) and self._own not in self._ports:
            self._open_own()  # it went with its server, which is back
        for wanted, names in found.items():
            if not names and wanted != EVERY:
                self._say_once(f"no MIDI port {wanted!r} yet; it is looked for")
            for name in names:
                self._open_named(name)

    def _gone(self, name: str, port: Any) -> bool:
        """Whether a port is not there any more, or another one of its name is."""
        if name == self._own:
            return midiports.is_lost(port)
        return not midiports.is_there(port, self._backend)

    def _drop(self, name: str) -> None:
        _log.warning("the MIDI port %s is gone", name)
        self._ports.pop(name).close()
        self._let_go(name)

    def _let_go(self, name: str) -> None:
        """Say of keys that are down on a port that they go up, for it cannot any more."""
        from mido import Message

        for channel, note in self._down.pop(name, set()):
            up = Message("note_off", channel=channel, note=note)
            self._hear(up, name, time.monotonic())

    def _found(self, wanted: str, there: list[str]) -> list[str]:
        if wanted == EVERY:
            return there
        name = midiports.match(wanted, there)
        return [name] if name else []

    def _open_named(self, name: str) -> None:
        if name in self._ports:
            return
        try:
            self._take(name, midiports.open_input(name, backend=self._backend))
        except DeviceError as error:
            self._say_once(str(error))
        else:
            self._missing.clear()
            _log.info("hearing the MIDI port %s", name)

    def _take(self, name: str, port: Any) -> None:
        self._ports[name] = port
        port.callback = partial(self._heard, name, port)

    def _heard(self, name: str, port: Any, message: Message) -> None:
        if message.type in ("note_on", "note_off"):
            down = self._down.setdefault(name, set())
            pressed = message.type == "note_on" and message.velocity > 0
            (down.add if pressed else down.discard)((message.channel, message.note))
        self._hear(message, name, midiports.came_at(port, message))

    def _say_once(self, trouble: str, level: int = logging.WARNING) -> None:
        if trouble not in self._missing:
            self._missing.add(trouble)
            _log.log(level, "%s", trouble)

    def _close(self) -> None:
        for port in self._ports.values():
            port.close()
        self._ports.clear()
