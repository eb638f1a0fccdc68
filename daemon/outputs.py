"""Where the built-in synth's sound goes: an audio device, or a WAV file that grows in real time.

An output takes blocks of samples and gives control back when it wants the next one, so whoever
writes to it needs no clock.
"""

from __future__ import annotations

import atexit
import struct
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from antithesis.errors import DeviceError
from daemon.living import Living

Floats = npt.NDArray[np.float64]

_SAMPLE_BYTES: Final = 4
_IEEE_FLOAT: Final = 3
_MAX_DATA_BYTES: Final = 2**32 - 4096  # RIFF counts in 32 bits
_LATENCY_S: Final = 0.03
_CHANNELS: Final = 2
_PIECE: Final = 128  # samples; less room than that is not worth a call
_LOOK_S: Final = 0.002
_LOST_S: Final = 2.0
_JACK: Final = "JACK Audio Connection Kit"  # as PortAudio calls it


class Output(AbstractContextManager["Output", None], Protocol):
    """Takes mono blocks; open while it is entered.

    `rest_s` is for how long it can be left alone without running dry.
    """

    rest_s: float

    def write(self, block: Floats) -> None:
        """Play `block` (n,), and come back when the next is due; DeviceError if it is lost."""

    def room(self) -> int:
        """Samples that it would take without waiting."""


class WavOutput(Living):
    """A 32-bit float WAV file that grows as fast as it would sound.

    The header is brought up to date twice a second, so that the file of a killed process can be
    read as well. At 4 GiB, some six hours, the file ends and the clock goes on.
    """

    rest_s = 0.1

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.path = path
        self._sample_rate = sample_rate
        self._written = 0
        self._data_bytes = 0
        self._header_due = 0

    def __str__(self) -> str:
        return str(self.path)

    def _life(self) -> Iterator[None]:
        with self._disk_trouble():
            # Unbuffered, so that nothing is lost with the process.
            self._file = self.path.open("wb", buffering=0)
        with self._file:
            self._write_header()
            self._start = time.monotonic()
            try:
                yield
            finally:
                self._write_header()

    def write(self, block: Floats) -> None:
        """Append `block`, and wait until it would have been played."""
        if self._data_bytes + len(block) * _SAMPLE_BYTES <= _MAX_DATA_BYTES:
            self._append(block)
        self._written += len(block)
        time.sleep(max(0.0, self._start + self._written / self._sample_rate - time.monotonic()))

    def room(self) -> int:
        """Samples by which it is behind the clock."""
        due = int((time.monotonic() - self._start) * self._sample_rate)
        return max(0, due - self._written)

    def _append(self, block: Floats) -> None:
        with self._disk_trouble():
            self._data_bytes += self._file.write(block.astype("<f4").tobytes())
        if self._written >= self._header_due:
            self._write_header()
            self._header_due = self._written + self._sample_rate // 2

    def _write_header(self) -> None:
        with self._disk_trouble():
            self._file.seek(0)
            self._file.write(wav_header(self._data_bytes, self._sample_rate))
            self._file.seek(0, 2)

    @contextmanager
    def _disk_trouble(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise DeviceError(
                f"cannot write {self.path}: {error.strerror}; give another file"
            ) from error


def wav_header(data_bytes: int, sample_rate: int) -> bytes:
    """Header of a mono 32-bit float WAV file, 58 bytes."""
    format_chunk = struct.pack(
        "<4sIHHIIHHH",
        b"fmt ",
        18,
        _IEEE_FLOAT,
        1,
        sample_rate,
        sample_rate * _SAMPLE_BYTES,
        _SAMPLE_BYTES,
        8 * _SAMPLE_BYTES,
        0,
    )
    fact_chunk = struct.pack("<4sII", b"fact", 4, data_bytes // _SAMPLE_BYTES)
    chunks = b"WAVE" + format_chunk + fact_chunk + struct.pack("<4sI", b"data", data_bytes)
    return struct.pack("<4sI", b"RIFF", len(chunks) + data_bytes) + chunks


class DeviceOutput(Living):
    """An audio device, by PortAudio; the default one, or one found by its name or number."""

    rest_s = 0.6 * _LATENCY_S

    def __init__(self, device: str | int | None, sample_rate: int) -> None:
        self._device = device
        self._sample_rate = sample_rate
        self._room, self._room_since = -1, 0.0
        self.name = "the default device" if device is None else str(device)

    def __str__(self) -> str:
        return self.name

    def _life(self) -> Iterator[None]:
        with ExitStack() as self._open:
            self._stream = self._started()
            yield

    def _started(self) -> Any:
        sd = sound_library()
        try:
            wanted = _jack_output() if self._device is None else self._device
            found = sd.query_devices(wanted, "output")
            self._channels = min(_CHANNELS, found["max_output_channels"])
            stream = self._open.enter_context(
                sd.OutputStream(
                    samplerate=self._sample_rate,
                    device=found["index"],
                    channels=self._channels,
                    dtype="float32",
                    latency=_LATENCY_S,
                )
            )
        except (sd.PortAudioError, ValueError) as error:
            raise DeviceError(
                f"cannot play on {self.name} at {self._sample_rate} Hz: {error};"
                f" outputs: {', '.join(output_devices()) or 'none'}"
            ) from error
        self.name = found["name"]
        return stream

    def write(self, block: Floats) -> None:
        """Play `block` on all channels; the device's own clock sets the pace."""
        sd = sound_library()
        samples = np.repeat(block.astype(np.float32)[:, np.newaxis], self._channels, axis=1)
        while len(samples):
            # Never more than there is room for: a device that is gone would keep us for ever.
            if (room := self.room()) < min(len(samples), _PIECE):
                time.sleep(_LOOK_S)
                continue
            try:
                self._stream.write(samples[:room])
            except sd.PortAudioError as error:
                raise DeviceError(f"lost {self.name}: {error}") from error
            samples = samples[room:]

    def room(self) -> int:
        """Samples that its buffer has room for."""
        sd = sound_library()
        try:
            room = int(self._stream.write_available)
        except sd.PortAudioError as error:
            raise DeviceError(f"lost {self.name}: {error}") from error
        now = time.monotonic()
        if room != self._room:
            self._room, self._room_since = room, now
        elif room < _PIECE and now - self._room_since > _LOST_S:
            # To close it, as PortAudio does at exit, is to wait for ever for what was not played.
            self._open.pop_all()
            atexit.unregister(sd._exit_handler)
            raise DeviceError(f"lost {self.name}: it takes no more sound; see that it is on")
        return room


def output_devices() -> list[str]:
    """Names of the audio devices that can play; none where PortAudio itself is missing."""
    try:
        devices = sound_library().query_devices()
    except DeviceError:
        return []
    return [d["name"] for d in devices if d["max_output_channels"] > 0]


def _jack_output() -> int | None:
    """The device of a JACK server that runs; None where none does.

    It has the sound card, and what the system takes for the default is a way around: ALSA's plugins
    for JACK and PulseAudio are there whether their servers are or not.
    """
    for host in sound_library().query_hostapis():
        if host["name"] == _JACK and host["default_output_device"] >= 0:
            return int(host["default_output_device"])
    return None


def sound_library() -> Any:
    """The module sounddevice; DeviceError where it finds no PortAudio."""
    try:
        import sounddevice
    except OSError as error:  # raised by the import where the library is missing
        raise DeviceError(f"{error}: install PortAudio (apt-get install libportaudio2)") from error
    return sounddevice


def choose_output(wav: Path | None, device: str | int | None, sample_rate: int) -> Output:
    """The file if one is given, else the device, else a new file in the working folder."""
    if wav is not None:
        return WavOutput(wav, sample_rate)
    if device is not None or output_devices():
        return DeviceOutput(device, sample_rate)
    return WavOutput(Path(time.strftime("antithesis-synth-%Y%m%d-%H%M%S.wav")), sample_rate)
