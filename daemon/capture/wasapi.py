"""Windows' own loopback: what a playing device plays, by PyAudioWPatch's PortAudio.

It hears the shared mode alone. While nothing plays it brings no blocks at all, which is no trouble:
the silence in between is put in when the next one comes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from antithesis.errors import DeviceError
from daemon.capture.contract import MOST_CHANNELS, Device, Frames, Hear, OpenDevice

_BACKEND: Final = "wasapi"
_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0  # is put in; a sound needs no more before it
_MOVED_S: Final = 20.0  # without a block, and the computer may be playing elsewhere by now
_OVERFLOW: Final = 2  # paInputOverflow


def devices() -> list[Device]:
    """The loopback of each playing device."""
    with _library().PyAudio() as audio:
        try:
            usual = audio.get_default_wasapi_loopback()["index"]
        except (OSError, LookupError):  # no device plays
            usual = None
        return [
            Device(
                name=found["name"],
                backend=_BACKEND,
                sample_rate=round(found["defaultSampleRate"]),
                channels=min(found["maxInputChannels"], MOST_CHANNELS),
                loopback=True,
                usual=found["index"] == usual,
            )
            for found in audio.get_loopback_device_info_generator()
        ]


@contextmanager
def opened(device: Device, hear: Hear) -> Iterator[_Loopback]:
    """Record what a device plays."""
    library = _library()
    with library.PyAudio() as audio:
        found = audio.get_loopback_device_info_generator()
        meant = next((each for each in found if each["name"] == device.name), None)
        if meant is None:
            raise DeviceError(f"{device.name} is gone: plug it in again, or choose another device")
        channels = meant["maxInputChannels"]  # shared mode has no others, be they eight
        loopback = _Loopback(device, channels, hear)
        try:
            loopback.recording = audio.open(
                rate=device.sample_rate,
                channels=channels,
                format=library.paFloat32,
                input=True,
                input_device_index=meant["index"],
                stream_callback=loopback.callback(library.paContinue),
            )
        except (OSError, ValueError) as error:
            raise DeviceError(
                f"cannot listen to {device.name}: {error}; see that no program holds it in"
                " exclusive mode, or choose another in capture.device"
            ) from error
        try:
            yield loopback
        finally:
            loopback.recording.close()


class _Loopback(OpenDevice):
    """A recording that pauses while nothing plays."""

    def __init__(self, device: Device, channels: int, hear: Hear) -> None:
        self.recording: Any = None
        self._device = device
        self._channels = channels
        self._hear = hear
        self._due = time.monotonic()

    def callback(self, go_on: int) -> Callable[[bytes, int, object, int], tuple[None, int]]:
        """What PortAudio calls with each block."""

        def hear(data: bytes, count: int, _time: object, status: int) -> tuple[None, int]:
            now = time.monotonic()
            if now - self._due > _PAUSE_S:
                self._hear(self._silence(now - self._due), False)
            frames = np.frombuffer(data, np.float32).reshape(-1, self._channels)
            self._hear(frames[:, : self._device.channels], bool(status & _OVERFLOW))
            self._due = now + count / self._device.sample_rate
            return None, go_on

        return hear

    def there(self) -> bool:
        """Whether it is active, be that with or without sound.

        The usual output may be another by now, which PortAudio sees only once it begins anew: where
        nothing has come for long, it is looked for.
        """
        moved = self._device.usual and time.monotonic() - self._due > _MOVED_S
        return bool(self.recording.is_active()) and not moved

    def _silence(self, seconds: float) -> Frames:
        count = round(min(seconds, _LONGEST_PAUSE_S) * self._device.sample_rate)
        return np.zeros((count, self._device.channels), np.float32)


def _library() -> Any:
    try:
        import pyaudiowpatch
    except ImportError as error:
        raise DeviceError(f"{error}: pip install PyAudioWPatch") from error
    return pyaudiowpatch
