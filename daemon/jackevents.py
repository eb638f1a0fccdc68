"""MIDI to and from JACK's real-time thread, by a ring of bytes between it and ours.

Each side has a count of bytes of its own that only grows, and moves it after its copying is done.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import threading
import time
from typing import Any, Final

import numpy as np
from numba import int32, int64, intp, uint8, uint32

from daemon.jackclients import JackClient, address, function_address
from daemon.realtime import barrier, call, callback, carray, pointer

_SIZE: Final = 2**18
_WAKERS: Final = 64  # more than may have written
_PREFIX: Final = 2  # bytes before a message to JACK, which say how long it is
_HEADER: Final = struct.Struct("<II")  # before one from it: how long it is, and the server's time
_LEAD: Final = _HEADER.size
_CLOCK: Final = 2**32  # that time begins anew after so many frames

# The memory begins with whole numbers of 64 bits, whose places these are; then come the bytes.
_PORT: Final = 0
_GET_BUFFER: Final = 1  # libjack's functions
_COUNT: Final = 2
_GET: Final = 3
_CLEAR: Final = 4
_RESERVE: Final = 5
_EVENT: Final = 6  # libjack's struct of three: time, size, address
_EVENT_AT: Final = _EVENT + 3  # its own address
_GET_TIME: Final = _EVENT_AT + 1  # libjack's function, and the client that it is asked of
_CLIENT: Final = _GET_TIME + 1
_WRITTEN: Final = _CLIENT + 1  # bytes so far
_TAKEN: Final = _WRITTEN + 1
_CYCLES: Final = _TAKEN + 1
_ASLEEP: Final = _CYCLES + 1  # whether our thread waits to be woken
_WAKE: Final = _ASLEEP + 1  # the system's function that writes to a file
_PIPE: Final = _WAKE + 1
_STATE: Final = _PIPE + 1

_FUNCTIONS: Final = {
    _GET_BUFFER: "jack_port_get_buffer",
    _COUNT: "jack_midi_get_event_count",
    _GET: "jack_midi_event_get",
    _CLEAR: "jack_midi_clear_buffer",
    _RESERVE: "jack_midi_event_reserve",
    _GET_TIME: "jack_last_frame_time",
}


@callback
def _hear(count, memory):  # type: ignore[no-untyped-def] # typed by numba
    """Copy what comes; without room it is lost, after 80 s of all that a cable carries."""
    state = carray(memory, (_STATE,), int64)
    ring = carray(memory, (8 * _STATE + _SIZE,), uint8)[8 * _STATE :]
    buffer = call(intp, state[_GET_BUFFER], state[_PORT], count)
    events = call(uint32, state[_COUNT], buffer)
    if events == 0:
        return 0
    # What comes now happened while the period before was heard, as what comes with it as sound did.
    began = int64(call(uint32, state[_GET_TIME], state[_CLIENT])) - int64(count)
    written, taken = state[_WRITTEN], state[_TAKEN]
    barrier()
    for n in range(events):
        if call(int32, state[_GET], state[_EVENT_AT], buffer, uint32(n)) != 0:
            continue
        size = state[_EVENT + 1]
        if written + _LEAD + size - taken <= _SIZE:
            frame = began + (state[_EVENT] & (_CLOCK - 1))
            for i in range(4):
                ring[(written + i) % _SIZE] = (size >> (8 * i)) & 255
                ring[(written + 4 + i) % _SIZE] = (frame >> (8 * i)) & 255
            written += _LEAD
            data = carray(pointer(state[_EVENT + 2]), (size,), uint8)
            for i in range(size):
                ring[(written + i) % _SIZE] = data[i]
            written += size
    barrier()
    state[_WRITTEN] = written
    barrier()
    if state[_ASLEEP]:
        state[_ASLEEP] = 0
        call(intp, state[_WAKE], int32(state[_PIPE]), state[_EVENT_AT], intp(1))
    return 0


@callback
def _send(count, memory):  # type: ignore[no-untyped-def] # typed by numba
    """Give JACK what waits; that for which a cycle has no room goes with the next one."""
    state = carray(memory, (_STATE,), int64)
    ring = carray(memory, (8 * _STATE + _SIZE,), uint8)[8 * _STATE :]
    buffer = call(intp, state[_GET_BUFFER], state[_PORT], count)
    call(intp, state[_CLEAR], buffer)
    written, taken = state[_WRITTEN], state[_TAKEN]
    barrier()
    while taken < written:
        size = int64(ring[taken % _SIZE]) + 256 * int64(ring[(taken + 1) % _SIZE])
        where = call(intp, state[_RESERVE], buffer, uint32(0), intp(size))
        if where == 0:
            break
        data = carray(pointer(where), (size,), uint8)
        for i in range(size):
            data[i] = ring[(taken + _PREFIX + i) % _SIZE]
        taken += _PREFIX + size
    barrier()
    state[_TAKEN] = taken
    state[_CYCLES] += 1
    return 0


class _Events:
    """A port's bytes; what JACK's thread does with them is `process`."""

    def __init__(self, joined: JackClient, port: Any, process: Any) -> None:
        memory = np.full(_STATE + _SIZE // 8, 0, np.int64)
        self._state = state = memory[:_STATE]
        self._ring = memory[_STATE:].view(np.uint8)
        for place, name in _FUNCTIONS.items():
            state[place] = function_address(name)
        state[_PORT] = address(port)
        state[_EVENT_AT] = state[_EVENT:].ctypes.data
        state[_CLIENT] = address(joined.jack)
        joined.run(process, memory)


class Arriving(_Events):
    """What comes in; `take` is for one thread, which may `wait`."""

    def __init__(self, joined: JackClient, port: Any) -> None:
        self._joined = joined
        super().__init__(joined, port, _hear)
        self._woken, self._waking = os.pipe()
        self._state[_WAKE] = _writing_function()
        self._state[_PIPE] = self._waking

    def take(self) -> list[tuple[float, bytes]]:
        """All that has come, each with when it did by the monotonic clock."""
        taken, written = int(self._state[_TAKEN]), int(self._state[_WRITTEN])
        barrier()
        came = self._ring[np.arange(taken, written) % _SIZE].tobytes()
        barrier()
        self._state[_TAKEN] = written
        events, at = [], 0
        while at < len(came):
            size, frame = _HEADER.unpack_from(came, at)
            events.append((self._when(frame), came[at + _LEAD : at + _LEAD + size]))
            at += _LEAD + size
        return events

    def _when(self, frame: int) -> float:
        """The monotonic time of a frame of the server's; now, where there is no server any more."""
        now = time.monotonic()
        if self._joined.ended.is_set():
            return now
        ago = (int(self._joined.jack.frame_time) - frame + _CLOCK // 2) % _CLOCK - _CLOCK // 2
        # A server that is starved goes on from a time that the one it tells has not come to.
        return now - max(0, ago) / int(self._joined.jack.samplerate)

    def wait(self) -> None:
        """Come back once there is something to take, or when woken."""
        self._state[_ASLEEP] = 1
        barrier()
        if self._state[_WRITTEN] == self._state[_TAKEN]:
            os.read(self._woken, _WAKERS)

    def wake(self) -> None:
        """Have the thread that waits come back."""
        os.write(self._waking, b"\0")

    def close(self) -> None:
        """To be called after the client's end, for JACK's thread writes to what is closed."""
        os.close(self._woken)
        os.close(self._waking)


class Leaving(_Events):
    """What goes out."""

    def __init__(self, joined: JackClient, port: Any) -> None:
        self._putting = threading.Lock()
        super().__init__(joined, port, _send)

    @property
    def cycles(self) -> int:
        """How often JACK came for what there is."""
        return int(self._state[_CYCLES])

    @property
    def waiting(self) -> int:
        """Bytes that JACK has not come for yet."""
        return int(self._state[_WRITTEN] - self._state[_TAKEN])

    def put(self, message: bytes) -> bool:
        """Have it sent with the next cycle; false where there is no room for it."""
        data = len(message).to_bytes(_PREFIX, "little") + message
        with self._putting:
            if self.waiting + len(data) > _SIZE:
                return False
            barrier()
            written = int(self._state[_WRITTEN])
            places = np.arange(written, written + len(data)) % _SIZE
            self._ring[places] = np.frombuffer(data, np.uint8)
            barrier()
            self._state[_WRITTEN] = written + len(data)
        return True


def _writing_function() -> int:
    """Where the C library's ``write`` is: it wakes our thread, and waits for nobody."""
    system = ctypes.CDLL("ucrtbase" if sys.platform == "win32" else None)
    write = system._write if sys.platform == "win32" else system.write
    return int(ctypes.cast(write, ctypes.c_void_p).value or 0)
