"""Inputs by PortAudio: sound cards and virtual cables.

PortAudio knows no loopback. A virtual cable is one, an input that hears what is played into it; it
is known by its name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from antithesis.errors import DeviceError
from daemon.capture.contract import MOST_CHANNELS, Device, Frames, Hear, OpenDevice
from daemon.outputs import sound_library

_BACKEND: Final = "portaudio"
_ALSA: Final = Path("/proc/asound")  # without it, its plugins lead to servers alone
_LATENCY_S: Final = 0.05
_STALLED_TENDINGS: Final = 20  # without a block, and it is gone
_CABLES: Final = re.compile(
    r"blackhole|loopback|soundflower|vb-?cable|cable output|voicemeeter|stereo mix|what u hear"
    r"|monitor",
    re.IGNORECASE,
)
_UNHEARD_HOSTS: Final = ("JACK Audio Connection Kit",)  # has a back end that sees its graph
_UNHEARD: Final = ("pulse", "pipewire", "jack")  # ALSA's ways to those with back ends of their own


def devices() -> list[Device]:
    """Every input; those of PulseAudio by its own names."""
    if sys.platform == "linux" and not _ALSA.exists():
        raise DeviceError(
            "this machine has no sound card: what is heard here goes through a server"
        )
    sd = sound_library()
    try:
        # The list is made once: a device that came later is on the next one.
        if sd._initialized:  # it is not where it could not begin anew the last time
            sd._terminate()
        sd._initialize()
        return _inputs(sd)
    except sd.PortAudioError as error:
        raise DeviceError(
            f"PortAudio does not begin ({error}): see that the system's sound works"
        ) from error


def _inputs(sd: Any) -> list[Device]:
    hosts = [host["name"] for host in sd.query_hostapis()]
    inputs = [
        found
        for found in sd.query_devices()
        if found["max_input_channels"]
        and hosts[found["hostapi"]] not in _UNHEARD_HOSTS
        and found["name"] not in _UNHEARD
    ]
    usual = sd.default.device[0]
    return [_device(found, usual) for found in inputs]


def _device(found: Any, usual: int) -> Device:
    return Device(
        name=found["name"],
        backend=_BACKEND,
        sample_rate=round(found["default_samplerate"]),
        channels=min(found["max_input_channels"], MOST_CHANNELS),
        loopback=bool(_CABLES.search(found["name"])),
        usual=found["index"] == usual,
    )


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Stream]:
    """Record a device, in blocks of its own choice."""
    sd = sound_library()
    stream = _Stream(hear)
    try:
        with sd.InputStream(
            samplerate=device.sample_rate,
            device=_index(device),
            channels=device.channels,
            dtype="float32",
            latency=_LATENCY_S,
            callback=stream.hear,
        ) as recording:
            stream.recording = recording
            yield stream
    except (sd.PortAudioError, ValueError) as error:
        raise DeviceError(
            f"cannot listen to {device.name} at {device.sample_rate} Hz: {error}; see that no"
            " other program holds it, or choose another in capture.device"
        ) from error


class _Stream(OpenDevice):
    """A recording; it is there for as long as blocks come."""

    def __init__(self, hear: Hear) -> None:
        self.recording: Any = None
        self._hear = hear
        self._blocks = 0
        self._seen = -1
        self._stalled = 0

    def hear(self, frames: Frames, _count: int, _time: object, status: Any) -> None:
        """PortAudio's callback."""
        self._blocks += 1
        self._hear(frames, bool(status.input_overflow))

    def there(self) -> bool:
        """Whether it is active, and blocks still come."""
        self._stalled = self._stalled + 1 if self._blocks == self._seen else 0
        self._seen = self._blocks
        return bool(self.recording.active) and self._stalled < _STALLED_TENDINGS


def _index(device: Device) -> int:
    """What PortAudio calls a device now."""
    for found in sound_library().query_devices():
        if found["name"] == device.name and found["max_input_channels"]:
            return int(found["index"])
    raise DeviceError(f"{device.name} is gone: plug it in again, or choose another device")
