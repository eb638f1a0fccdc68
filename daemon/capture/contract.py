"""What can be listened to, whatever brings it: JACK, PulseAudio, PortAudio, or Windows' loopback.

A back end is a module, imported when it is asked. It lists devices and opens one; an open device
calls back with what it hears, from a thread of its own, until it is left.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from antithesis.errors import DeviceError

Frames = npt.NDArray[np.float32]

MOST_CHANNELS: Final = 2

BACKENDS: Final[Mapping[str, str]] = {
    "jack": "daemon.capture.jackserver",
    "pulse": "daemon.capture.pulse",
    "wasapi": "daemon.capture.wasapi",
    "portaudio": "daemon.capture.portaudio",
}
"""In the order in which they are asked: those that hear what the computer plays come first."""

_ONLY_ON: Final = {"wasapi": "win32", "pulse": "linux"}


@dataclass(frozen=True)
class Device:
    """Something to listen to; `loopback` says that it hears what the computer plays."""

    name: str
    backend: str
    sample_rate: int
    channels: int
    loopback: bool = False
    usual: bool = False  # the system's own choice; while it is heard, it may become another's


class Hear(Protocol):
    """Takes what is heard; must come back at once."""

    def __call__(self, frames: Frames, lost: bool, ago_s: float = 0.0) -> None:
        """Frames (n, channels), whether some before them were lost, and since when they are there.

        They may be gone after that.
        """


class OpenDevice(ABC):
    """A device that is heard."""

    @abstractmethod
    def there(self) -> bool:
        """Whether it still brings sound, or would; called now and then, to be tended as well.

        One that is `usual` is there no longer once another one is.
        """

    def bring(self) -> None:  # noqa: B027
        """Hand on at once what has come so far, from any thread; most devices do it unasked."""


class Backend(Protocol):
    """What a back end's module has."""

    def devices(self) -> list[Device]:
        """What there is now; DeviceError where the back end itself does not work here."""

    def opened(self, device: Device, hear: Hear) -> AbstractContextManager[OpenDevice]:
        """Hear a device; DeviceError where it cannot be had."""


def backend(name: str) -> Backend:
    """The back end of that name; its library is not imported before it is used."""
    module: Backend = import_module(BACKENDS[name])
    return module


def backends(only: str = "") -> Iterator[str]:
    """The back ends of this system, or the one that is asked for."""
    for name in BACKENDS:
        if only in ("", name) and _ONLY_ON.get(name, sys.platform) == sys.platform:
            yield name


def sources(
    only: str = "", enough: Callable[[Device], bool] = lambda _device: False
) -> tuple[list[Device], list[str]]:
    """Every device of this system's back ends, and why some of these have none.

    Once there is one of which `enough` says so, no other back end is asked: PortAudio with what
    ALSA brings along takes 20 MB.
    """
    found: list[Device] = []
    troubles: list[str] = []
    for name in backends(only):
        try:
            found += backend(name).devices()
        except DeviceError as error:
            troubles.append(f"{name}: {error}")
        if any(enough(device) for device in found):
            break
    return found, troubles


def is_meant(wanted: str, device: Device) -> bool:
    """Whether no other device can be the one to :func:`choose`."""
    return device.name == wanted or (not wanted and device.loopback and device.usual)


def choose(wanted: str, devices: list[Device]) -> Device | None:
    """The device that is meant by its name or the beginning of it; without one, a loopback.

    Never an ordinary input unless it is asked for: nobody's microphone is listened to by default.
    """
    if not wanted:
        loopbacks = [device for device in devices if device.loopback]
        return next((d for d in loopbacks if d.usual), loopbacks[0] if loopbacks else None)
    lookups: tuple[Callable[[str], bool], ...] = (
        lambda name: name == wanted,
        lambda name: name.casefold().startswith(wanted.casefold()),
        lambda name: wanted.casefold() in name.casefold(),
    )
    return next((d for lookup in lookups for d in devices if lookup(d.name)), None)


def open_device(device: Device, hear: Hear) -> AbstractContextManager[OpenDevice]:
    """Hear a device, by its own back end."""
    return backend(device.backend).opened(device, hear)
