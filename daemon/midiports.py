"""MIDI ports, by name or of our own; mido and its back end are imported when a port opens."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antithesis.errors import DeviceError

if TYPE_CHECKING:
    from mido import Message
    from mido.ports import BaseInput, BaseOutput

JACK: Final = "jack"
"""The back end of ours for a JACK server; any other is a module of mido's."""

_CLIENT: Final = "Antithesis"
_OURS: Final = "daemon.jackmidi"
_SEQUENCER: Final = Path("/dev/snd/seq")
_NO_VIRTUAL_PORTS: Final = (
    "this system lets no program make MIDI ports: make one with loopMIDI and give its name"
)


def open_output(name: str, *, backend: str = "", virtual: bool = False) -> BaseOutput:
    """Port to send on: an existing one, or one of our own where `virtual`.

    Raises:
        DeviceError: it is not there or cannot be made; the message names the ports that are.
    """
    return _open("output", name, backend, virtual)


def open_input(name: str, *, backend: str = "", virtual: bool = False) -> BaseInput:
    """Port to listen on; otherwise as `open_output`."""
    return _open("input", name, backend, virtual)


def find_input(name: str, *, backend: str = "") -> str:
    """The full name of a port to listen on; otherwise as `open_output`."""
    return _find("input", name, backend)


def output_names(backend: str = "") -> list[str]:
    """Ports that can be sent to."""
    return _names("output", backend)


def input_names(backend: str = "") -> list[str]:
    """Ports that can be listened to."""
    return _names("input", backend)


def is_there(port: BaseOutput | BaseInput, backend: str = "") -> bool:
    """Whether the port that was opened is still there, or the one that it was opened to reach."""
    if hasattr(port, "joined"):
        return bool(port.joined)
    # Asked of the client that has it open: listing the ports anew makes two clients for it.
    rtmidi = getattr(port, "_rt", None)
    direction = "input" if port.is_input else "output"
    names = rtmidi.get_ports() if rtmidi else _names(direction, backend)
    return port.name in names


def is_lost(port: BaseOutput | BaseInput) -> bool:
    """Whether a port of any kind went with its server, which takes those of our own as well."""
    return getattr(port, "lost", False)


def came_at(port: BaseInput, message: Message) -> float:
    """When a message came by the monotonic clock: as its port says, or else now."""
    return float(message.time) if getattr(port, "stamps", False) else time.monotonic()


def is_jack(backend: str) -> bool:
    """Whether the ports are a JACK server's: joined in a later cycle, and lost with the server."""
    name = backend or os.environ.get("MIDO_BACKEND", "")
    return name == JACK or name.endswith("UNIX_JACK")  # python-rtmidi's stalls the server


def _open(direction: str, name: str, backend: str, virtual: bool) -> Any:
    settings: dict[str, object] = {}
    if virtual:
        if sys.platform == "win32":
            raise DeviceError(f"cannot make the MIDI port {name!r}: {_NO_VIRTUAL_PORTS}")
        # Giving a client's name is what makes mido open a port of our own.
        # JACK numbers clients of one name by who came first, and a DAW joins ports by name: there
        # each port is a client by itself.
        settings = {"virtual": True, "client_name": name if is_jack(backend) else _CLIENT}
    else:
        name = _find(direction, name, backend)
    with _trouble(f"cannot open the MIDI {direction} {name!r}"):
        return getattr(_load(backend), f"open_{direction}")(name, **settings)


def _find(direction: str, name: str, backend: str) -> str:
    names = _names(direction, backend)
    found = match(name, names)
    if found is None:
        there = ", ".join(map(repr, names)) or "none at all"
        raise DeviceError(f"no MIDI {direction} is called {name!r}; there are: {there}")
    return found


def _names(direction: str, backend: str) -> list[str]:
    with _trouble(f"cannot list the MIDI {direction}s"):
        return list(getattr(_load(backend), f"get_{direction}_names")())


def _load(backend: str) -> Any:
    if is_jack(backend):
        backend = _OURS
    if not (backend or "MIDO_BACKEND" in os.environ):
        _check_usual_backend()
    import mido

    return mido.Backend(backend or None)


def _check_usual_backend() -> None:
    """Say it ourselves: ALSA's own library would write to standard error as well."""
    if sys.platform == "linux" and not _SEQUENCER.exists():
        raise DeviceError(
            f"there is no ALSA sequencer ({_SEQUENCER}): load it (modprobe snd-seq), or set"
            ' backend = "jack" under [midi] for JACK'
        )


@contextmanager
def _trouble(what: str) -> Iterator[None]:
    """DeviceError for what the back ends raise; rtmidi's errors are each one of these."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        raise DeviceError(
            f"{what}: {error}; see that the system's MIDI (or its JACK server) runs and that the"
            " back end is the right one"
        ) from error


def match(name: str, names: Sequence[str]) -> str | None:
    """The port a user means: the full name, or without ALSA's numbers, client or ending."""
    lookups: tuple[Callable[[str], bool], ...] = (
        lambda port: port == name,
        lambda port: port.rsplit(None, 1)[0] == name,
        lambda port: port.partition(":")[2] == name,
        lambda port: port.casefold().startswith(name.casefold()),
        lambda port: port.partition(":")[2].casefold().startswith(name.casefold()),
    )
    return next((port for lookup in lookups for port in names if lookup(port)), None)
