"""Why only silence arrives, and what to do about it: the first thing that goes wrong for many."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from daemon.capture.contract import Device

_PAST_THE_LOOPBACK: Final[Mapping[str, str]] = {
    "win32": (
        "a DAW on ASIO or in WASAPI's exclusive mode plays past the loopback: set it to shared"
        " WASAPI, or listen to the interface's own loopback channels or a virtual cable"
        " (capture.device)"
    ),
    "darwin": (
        "macOS plays past a virtual device unless it is part of the output: make a multi-output"
        " device of BlackHole and your speakers, and choose it in the DAW"
    ),
    "linux": (
        "a DAW that plays on ALSA itself, or on another server, plays past this: set it to JACK,"
        " PipeWire or PulseAudio, or name what it plays on in capture.device"
    ),
}
_EITHER_WAY: Final = "bouncing into the watched folder always works"


def why_silent(device: Device, seconds: float, trouble: str = "", notes: int = 0) -> str:
    """A line on the silence that a device brought for `seconds`, in which `notes` were played."""
    if trouble:
        return f"only silence was heard, and now {trouble}"
    heard = f"only silence came from {device.name} in the last {seconds:.0f} s"
    heard += f", while {notes} note{'s were' if notes > 1 else ' was'} played" if notes else ""
    if not device.loopback:
        return f"{heard}: see that it is plugged in and turned up; {_EITHER_WAY}"
    past = _PAST_THE_LOOPBACK.get(sys.platform, _PAST_THE_LOOPBACK["linux"])
    return f"{heard}: if you heard something, {past}; {_EITHER_WAY}"
