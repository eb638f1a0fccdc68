"""MIDI ports that may go and come back, to send on and to hear: a DAW is closed, a cable pulled."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from antithesis.errors import DeviceError, SendError
from daemon import midiports
from daemon.controllers import ControlChange
from daemon.living import Living

if TYPE_CHECKING:
    from mido import Message

OUT: Final = "Antithesis Out"
_UNSEEN_S: Final = 1.0  # in so long one may have gone and come back; JACK alone tells that
_LOOK_S: Final = 0.05


class _End(Living):
    """A port while it is entered: an existing one or, without a name, one called `own` of ours.

    Where a port of our own leads is the DAW's affair. An existing one that is gone is waited for,
    `patience_s` long. `settle_s` is waited after opening where ports are joined later.

    Raises:
        DeviceError: on entering, when the port is not there or cannot be made.
    """

    def __init__(
        self,
        name: str = "",
        *,
        own: str = OUT,
        backend: str = "",
        settle_s: float = 0.1,
        patience_s: float = 2.0,
    ) -> None:
        self._name = name
        self._own = own
        self._backend = backend
        self._settle_s = settle_s
        self._patience_s = patience_s
        self._port: Any = None
        self._seen = 0.0  # when the port was last known to be there
        self._open = ExitStack()

    @abstractmethod
    def _opened(self, name: str, *, virtual: bool) -> Any:
        """The port, open."""

    def _life(self) -> Iterator[None]:
        with ExitStack() as self._open:
            self._open_port()
            yield

    def there(self) -> bool:
        """Whether the port that was opened is there."""
        there = (
            midiports.is_there(self._port, self._backend)
            if self._name
            else not midiports.is_lost(self._port)
        )
        if there:
            self._seen = time.monotonic()
        return there

    def refresh(self) -> bool:
        """Have a port that leads somewhere; whether it is known to have been away.

        Raises:
            SendError: it is gone, and does not come back in time.
        """
        unseen = time.monotonic() > self._seen + _UNSEEN_S and not midiports.is_jack(self._backend)
        away = self._port.closed or not self.there()
        if away or (self._name and unseen):
            self.reopen()
        return away

    def reopen(self) -> None:
        """Open the port once more, as soon as it is there; otherwise as `refresh`."""
        deadline = time.monotonic() + self._patience_s
        while True:
            self._open.close()
            try:
                return self._open_port()
            except DeviceError as error:
                if time.monotonic() > deadline:
                    raise SendError(f"{error}; it is looked for again at the next sound") from error
            time.sleep(_LOOK_S)

    def _open_port(self) -> None:
        self._port = self._opened(self._name or self._own, virtual=not self._name)
        self._open.callback(self._port.close)
        self._seen = time.monotonic()
        if midiports.is_jack(self._backend):
            time.sleep(self._settle_s)


class MidiOut(_End):
    """Sends."""

    def send(self, messages: Iterable[Message]) -> None:
        """Send messages at once; SendError where the port says that it cannot."""
        try:
            for message in messages:
                self._port.send(message)
        except (OSError, RuntimeError, ValueError) as error:  # the last where it is closed
            raise SendError(f"the MIDI port {self._port.name!r} is gone: {error}") from error

    def _opened(self, name: str, *, virtual: bool) -> Any:
        return midiports.open_output(name, backend=self._backend, virtual=virtual)


class MidiIn(_End):
    """Hears: `hear` is called with each message, by a thread of the port's own."""

    def __init__(self, hear: Callable[[Message], None], name: str = "", **how: Any) -> None:
        super().__init__(name, **how)
        self._hear = hear

    def _opened(self, name: str, *, virtual: bool) -> Any:
        port: Any = midiports.open_input(name, backend=self._backend, virtual=virtual)
        port.callback = self._hear
        return port


def control_changes(changes: Iterable[ControlChange]) -> Iterator[Message]:
    """Control changes as messages to send."""
    from mido import Message

    for channel, number, value in changes:
        yield Message("control_change", channel=channel, control=number, value=value)
