"""Inputs by PortAudio: sound cards, virtual cables, and PulseAudio's and PipeWire's monitors.

PortAudio knows no loopback. On Linux its ALSA device `pulse` records what the environment variable
PULSE_SOURCE names, and `pactl` tells which monitors there are. Elsewhere a virtual cable does it,
that is an input which hears what is played into it; it is known by its name.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from antithesis.errors import DeviceError
from daemon.capture.contract import MOST_CHANNELS, Device, Frames, Hear
from daemon.outputs import sound_library

_BACKEND: Final = "portaudio"
_LATENCY_S: Final = 0.05
_STALLED_TENDINGS: Final = 20  # without a block, and it is gone
_PULSE: Final = "pulse"  # ALSA's device that leads to PulseAudio, or to PipeWire in its place
_MONITOR: Final = ".monitor"
_PACTL_S: Final = 5.0
_CABLES: Final = re.compile(
    r"blackhole|loopback|soundflower|vb-?cable|cable output|voicemeeter|stereo mix|what u hear"
    r"|monitor",
    re.IGNORECASE,
)
_UNHEARD_HOSTS: Final = ("JACK Audio Connection Kit",)  # the JACK back end does that better


def devices() -> list[Device]:
    """Every input; those of PulseAudio by its own names."""
    sd = sound_library()
    sd._terminate()  # the list is made once: a device that came later is on the next one
    sd._initialize()
    hosts = [host["name"] for host in sd.query_hostapis()]
    inputs = [
        found
        for found in sd.query_devices()
        if found["max_input_channels"] and hosts[found["hostapi"]] not in _UNHEARD_HOSTS
    ]
    pulse = _pulse_sources() if any(found["name"] == _PULSE for found in inputs) else []
    usual = sd.default.device[0]
    others = (found for found in inputs if not (pulse and found["name"] == _PULSE))
    return [*pulse, *(_device(found, usual) for found in others)]


def _device(found: Any, usual: int) -> Device:
    return Device(
        name=found["name"],
        backend=_BACKEND,
        sample_rate=round(found["default_samplerate"]),
        channels=min(found["max_input_channels"], MOST_CHANNELS),
        loopback=bool(_CABLES.search(found["name"])),
        usual=found["index"] == usual,
    )


def _pulse_sources() -> list[Device]:
    sources = _pactl("list", "sources")
    sink = _pactl("info")
    usual = sink.get("default_sink_name", "") if isinstance(sink, dict) else ""
    return [
        Device(
            name=source["name"],
            backend=_BACKEND,
            sample_rate=int(re.findall(r"(\d+)\s*Hz", source["sample_specification"])[0]),
            channels=min(len(source["channel_map"].split(",")), MOST_CHANNELS),
            loopback=source["name"].endswith(_MONITOR),
            usual=source["name"] == f"{usual}{_MONITOR}",
        )
        for source in (sources if isinstance(sources, list) else [])
    ]


def _pactl(*words: str) -> Any:
    """What PulseAudio (or PipeWire in its place) says; nothing where there is none."""
    if shutil.which("pactl") is None:
        return None
    try:
        said = subprocess.run(
            ["pactl", "--format=json", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PACTL_S,
            check=True,
        ).stdout
        return json.loads(said)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Stream]:
    """Record a device, in blocks of its own choice."""
    sd = sound_library()
    stream = _Stream(hear)
    try:
        with (
            _named_for_pulse(device) as name,
            sd.InputStream(
                samplerate=device.sample_rate,
                device=name,
                channels=device.channels,
                dtype="float32",
                latency=_LATENCY_S,
                callback=stream.hear,
            ) as recording,
        ):
            stream.recording = recording
            yield stream
    except (sd.PortAudioError, ValueError) as error:
        raise DeviceError(
            f"cannot listen to {device.name} at {device.sample_rate} Hz: {error}; see that no"
            " other program holds it, or choose another in capture.device"
        ) from error


class _Stream:
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


@contextmanager
def _named_for_pulse(device: Device) -> Iterator[str | int]:
    """What PortAudio calls a device, with PulseAudio told which source that stands for."""
    listed = sound_library().query_devices()
    by_name = {found["name"]: found["index"] for found in listed if found["max_input_channels"]}
    if device.name in by_name:
        yield by_name[device.name]
        return
    if _PULSE not in by_name:
        raise DeviceError(f"{device.name} is gone: plug it in again, or choose another device")
    before = os.environ.get("PULSE_SOURCE")
    os.environ["PULSE_SOURCE"] = device.name
    try:
        yield by_name[_PULSE]
    finally:
        if before is None:
            del os.environ["PULSE_SOURCE"]
        else:
            os.environ["PULSE_SOURCE"] = before
