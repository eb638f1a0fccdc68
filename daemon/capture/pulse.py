"""PulseAudio's and PipeWire's sources, monitors of what is played among them, by their own tools.

Not by PortAudio: when a sink goes away while it is recorded, PortAudio's ALSA thread can spin for
ever and closing the stream never returns. `parec` ends instead, and its end is easily heard.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from antithesis.errors import DeviceError
from daemon.capture.contract import MOST_CHANNELS, Device, Hear, OpenDevice
from daemon.living import working

_BACKEND: Final = "pulse"
_MONITOR: Final = ".monitor"
_PATIENCE_S: Final = 5.0
_LATENCY_MS: Final = 20
_LOOK_S: Final = 5.0  # how often the usual output is asked for: pactl takes 10 ms of a core
_SAMPLE_BYTES: Final = 4


def devices() -> list[Device]:
    """Every source of the server."""
    usual = _usual()
    return [
        Device(
            name=source["name"],
            backend=_BACKEND,
            sample_rate=int(re.findall(r"(\d+)\s*Hz", source["sample_specification"])[0]),
            channels=min(len(source["channel_map"].split(",")), MOST_CHANNELS),
            loopback=source["name"].endswith(_MONITOR),
            usual=source["name"] == usual,
        )
        for source in _pactl("list", "sources")
    ]


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Recording]:
    """Record a source, in a process whose output a thread copies."""
    command = [
        *("parec", f"--device={device.name}", "--raw", "--format=float32le"),
        *(f"--rate={device.sample_rate}", f"--channels={device.channels}"),
        *(f"--latency-msec={_LATENCY_MS}", "--client-name=Antithesis"),
    ]
    try:
        recorder = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        )
    except OSError as error:
        raise DeviceError(f"cannot run parec: {error.strerror}; {_REMEDY}") from error
    with recorder:
        recording = _Recording(recorder, device, hear)
        with working(recording.copy, "parec", recorder.kill):
            yield recording


class _Recording(OpenDevice):
    """A recorder at work; it is there until its process ends, or the usual output is another."""

    def __init__(self, recorder: subprocess.Popen[bytes], device: Device, hear: Hear) -> None:
        self._recorder = recorder
        self._device = device
        self._hear = hear
        self._look_at = time.monotonic() + _LOOK_S

    def copy(self) -> None:
        """Hand on what comes, whole frames at a time, until there is no more."""
        assert self._recorder.stdout is not None
        channels = self._device.channels
        frame = _SAMPLE_BYTES * channels
        data = b""
        while came := self._recorder.stdout.read(8192):
            data += came
            whole = len(data) // frame * frame
            frames = np.frombuffer(data[:whole], np.float32).reshape(-1, channels)
            self._hear(frames, False)
            data = data[whole:]

    def there(self) -> bool:
        """Whether the recorder still runs, and hears what it is to hear."""
        return self._recorder.poll() is None and not self._moved()

    def _moved(self) -> bool:
        """Whether the computer plays elsewhere by now."""
        if not self._device.usual or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_S
        return _usual() != self._device.name


_REMEDY: Final = "install pulseaudio-utils, which PipeWire uses as well"


def _usual() -> str:
    """The monitor of the usual output."""
    return f"{_pactl('info').get('default_sink_name', '')}{_MONITOR}"


def _pactl(*words: str) -> Any:
    if shutil.which("pactl") is None or shutil.which("parec") is None:
        raise DeviceError(f"there are no pactl and parec: {_REMEDY}")
    try:
        told = subprocess.run(
            ["pactl", "--format=json", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=True,
        )
        return json.loads(told.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise DeviceError("neither PulseAudio nor PipeWire answers: start one") from error
