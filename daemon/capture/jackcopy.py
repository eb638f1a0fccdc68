"""What JACK brings, copied by its real-time thread and taken over by one of ours.

Between the two is a ring with one writer and one reader. Each has a count of frames of its own that
only grows, and moves it after its copying is done; so neither waits for the other.
"""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numba import float32, int64, intp, uint32

from daemon.capture.contract import MOST_CHANNELS, Hear
from daemon.jackclients import JackClient, address, function_address
from daemon.realtime import barrier, call, callback, carray, pointer

HELD_S: Final = 5.0
"""How long our thread may be away before anything is lost."""

# The memory begins with whole numbers of 64 bits, whose places these are; then come the samples.
_GET_BUFFER: Final = 0  # libjack's functions
_GET_TIME: Final = 1
_CLIENT: Final = 2  # what they are asked of
_PORTS: Final = 3
_CAPACITY: Final = _PORTS + MOST_CHANNELS
_WRITTEN: Final = _CAPACITY + 1  # frames so far
_TAKEN: Final = _WRITTEN + 1
_ORIGIN: Final = _TAKEN + 1  # the server's time of a frame, less its position
_NEXT: Final = _ORIGIN + 1  # the server's time at which the next period has to begin
_LOST: Final = _NEXT + 1  # whether something before the next period is missing
_BREAKS: Final = _LOST + 1  # how many positions have something missing before them
_BREAKS_TAKEN: Final = _BREAKS + 1
_BREAKS_AT: Final = _BREAKS_TAKEN + 1  # the last of these positions
_MOST_BREAKS: Final = 64
_STATE: Final = _BREAKS_AT + _MOST_BREAKS

_UNKNOWN: Final = -1
_CLOCK: Final = 2**32  # the server's time begins anew after so many frames


@callback
def _copy(count, memory):  # type: ignore[no-untyped-def] # typed by numba
    """Copy a period; one for which there is no room is lost, and that is told."""
    state = carray(memory, (_STATE,), int64)
    frames = int64(count)
    began = int64(call(uint32, state[_GET_TIME], state[_CLIENT]))
    if state[_NEXT] != began and state[_NEXT] != _UNKNOWN:
        state[_LOST] = 1  # who is late misses a period, or comes upon the same one twice
    state[_NEXT] = (began + frames) % _CLOCK
    written, capacity = state[_WRITTEN], state[_CAPACITY]
    breaks = state[_BREAKS]
    if written + frames - state[_TAKEN] > capacity or breaks - state[_BREAKS_TAKEN] >= _MOST_BREAKS:
        state[_LOST] = 1
        return 0
    barrier()
    samples = carray(memory, (2 * _STATE + capacity * MOST_CHANNELS,), float32)[2 * _STATE :]
    at = written % capacity
    until_end = min(frames, capacity - at)
    for channel in range(MOST_CHANNELS):
        brought = call(intp, state[_GET_BUFFER], state[_PORTS + channel], count)
        source = carray(pointer(brought), (frames,), float32)
        for n in range(until_end):
            samples[(at + n) * MOST_CHANNELS + channel] = source[n]
        for n in range(until_end, frames):
            samples[(at + n - capacity) * MOST_CHANNELS + channel] = source[n]
    if int64(call(uint32, state[_GET_TIME], state[_CLIENT])) != began:
        state[_LOST] = 1  # so late that others have played the next period into this one
    if state[_LOST]:
        state[_BREAKS_AT + breaks % _MOST_BREAKS] = written
        state[_LOST] = 0
        barrier()
        state[_BREAKS] = breaks + 1
    state[_ORIGIN] = began - (written + frames)
    barrier()
    state[_WRITTEN] = written + frames
    return 0


class Copied:
    """What a client's two inputs were brought since it was activated, until it is taken over."""

    def __init__(self, joined: JackClient, inputs: list[Any]) -> None:
        self._joined = joined
        self._rate = joined.jack.samplerate
        self._taking = threading.Lock()
        self._over = False
        capacity = round(HELD_S * self._rate)
        # Filled, for a page that was never touched is found by the one who first does.
        memory = np.full(_STATE + capacity * MOST_CHANNELS // 2 + 1, 0, np.int64)
        self._state = state = memory[:_STATE]
        self._samples = memory.view(np.float32)[2 * _STATE :][: capacity * MOST_CHANNELS]
        self._samples = self._samples.reshape(capacity, MOST_CHANNELS)
        state[_GET_BUFFER] = function_address("jack_port_get_buffer")
        state[_GET_TIME] = function_address("jack_last_frame_time")
        state[_CLIENT] = address(joined.jack)
        state[_PORTS : _PORTS + MOST_CHANNELS] = [address(port) for port in inputs]
        state[_CAPACITY] = capacity
        state[_NEXT] = _UNKNOWN
        joined.run(_copy, memory)

    def bring(self, hear: Hear) -> None:
        """Hand on what has come; from any thread."""
        with self._taking:
            self._hand_on(hear)

    def end(self) -> None:
        """Ask nothing of the client any more: it is about to be closed."""
        with self._taking:
            self._over = True

    def _hand_on(self, hear: Hear) -> None:
        state, capacity = self._state, len(self._samples)
        taken, written = int(state[_TAKEN]), int(state[_WRITTEN])
        barrier()
        breaks = self._breaks(written)
        now = self._now(written)
        seams = range(taken - taken % capacity + capacity, written, capacity)
        edges = sorted({taken, written, *seams, *breaks})
        for start, stop in pairwise(edges):
            at = start % capacity
            frames = self._samples[at : at + stop - start]
            hear(frames, start in breaks, (now - stop) / self._rate)
        barrier()
        state[_TAKEN] = written

    def _breaks(self, written: int) -> set[int]:
        """The positions up to `written` before which something is missing."""
        state = self._state
        numbers = range(int(state[_BREAKS_TAKEN]), int(state[_BREAKS]))
        told = [int(state[_BREAKS_AT + number % _MOST_BREAKS]) for number in numbers]
        breaks = {position for position in told if position < written}
        barrier()
        state[_BREAKS_TAKEN] += len(breaks)
        return breaks

    def _now(self, written: int) -> int:
        """The position that JACK is at; that of what came last where there is none any more."""
        if self._over or self._joined.ended.is_set():
            return written
        ahead = int(self._joined.jack.frame_time) - int(self._state[_ORIGIN]) - written
        return written + max(0, (ahead + _CLOCK // 2) % _CLOCK - _CLOCK // 2)
