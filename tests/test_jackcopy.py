"""The callback that copies, as JACK's thread runs it: every frame, and every loss told."""

from __future__ import annotations

import ctypes
import threading
import time
from types import SimpleNamespace

import numba
import numpy as np
import pytest
import soak_listening
from hypothesis import given
from hypothesis import strategies as st
from numba import types

from benchmarks import jackserver
from daemon.capture import jackcopy
from daemon.capture.listener import Listener
from daemon.realtime import carray, pointer

RATE = 1000
HELD = round(jackcopy.HELD_S * RATE)
CLOCK = 2**32
HOLD_US = 200_000


@numba.cfunc(types.intp(types.intp, types.uint32))
def get_buffer(port, _count):
    """A port's address is that of its samples."""
    return port


@numba.cfunc(types.uint32(types.intp))
def get_time(client):
    """A client's address is that of the server's time, and of what it grows by when it is asked."""
    clock = carray(pointer(client), (2,), types.uint32)
    now = clock[0]
    clock[0] += clock[1]
    return now


class Server:
    """Calls back as libjack does; `heard` is what was handed on, `breaks` where it was told."""

    def __init__(self, began=0):
        self.clock = np.array([began, 0], np.uint32)
        self.buffers = np.zeros((2, 4 * HELD), np.float32)
        self.ended = threading.Event()
        self.jack = SimpleNamespace(samplerate=RATE, frame_time=began, data=self.clock)
        self.heard = np.zeros((0, 2), np.float32)
        self.breaks = []
        self.ago_s = None
        with pytest.MonkeyPatch.context() as patched:
            functions = {"jack_port_get_buffer": get_buffer, "jack_last_frame_time": get_time}
            patched.setattr(jackcopy, "function_address", lambda name: functions[name].address)
            patched.setattr(jackcopy, "address", lambda owner: owner.data.ctypes.data)
            inputs = [SimpleNamespace(data=buffer) for buffer in self.buffers]
            self.copied = jackcopy.Copied(self, inputs)

    def run(self, callback, memory):
        self._memory = memory
        self._call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p)(
            callback.address
        )

    def play(self, frames):
        """A period."""
        self.buffers[:, : len(frames)] = frames.T
        assert self._call(len(frames), self._memory.ctypes.data) == 0
        self.pass_by(len(frames))

    def pass_by(self, count):
        """The time of so many frames, in which we were not called."""
        self.clock[0] = (int(self.clock[0]) + count) % CLOCK
        self.jack.frame_time = int(self.clock[0])

    def bring(self):
        self.copied.bring(self._hear)
        return self.heard

    def _hear(self, frames, lost, ago_s):
        if lost:
            self.breaks.append(len(self.heard))
        self.heard = np.concatenate([self.heard, frames])
        self.ago_s = ago_s


def numbered(start, count):
    """Frames that say their own position, and their channel in the fraction."""
    return np.arange(start, start + count, dtype=np.float32)[:, None] + np.float32([0.0, 0.25])


@given(
    began=st.sampled_from([0, 5, CLOCK - 100]),
    events=st.lists(st.one_of(st.none(), st.integers(1, 1024), st.integers(-900, -1)), max_size=60),
)
def test_every_frame_is_handed_on_once_and_every_missed_period_is_told_where_it_was(began, events):
    """A number is a period, a negative one a time without us, None the moment to take over."""
    server = Server(began)
    played, breaks, missed, waiting = 0, [], False, 0
    for event in events:
        if event is None:
            server.bring()
            waiting = 0
        elif event < 0:
            server.pass_by(-event)
            missed = played > 0
        elif waiting + event <= HELD:
            server.play(numbered(played, event))
            breaks += [played] if missed else []
            played, waiting, missed = played + event, waiting + event, False
    assert np.array_equal(server.bring(), numbered(0, played))
    assert server.breaks == breaks


def test_period_that_is_come_upon_twice_is_told():
    server = Server()
    server.play(numbered(0, 64))
    server.pass_by(-64)
    server.play(numbered(0, 64))
    server.bring()
    assert server.breaks == [64]


def test_period_that_others_may_have_played_into_while_it_was_copied_is_told():
    server = Server()
    server.play(numbered(0, 64))
    server.clock[1] = 64
    server.play(numbered(64, 64))
    server.bring()
    assert server.breaks == [64]


def test_who_is_away_for_longer_than_is_held_loses_what_came_then_and_is_told():
    server = Server()
    for start in range(0, 2 * HELD, 500):
        server.play(numbered(start, 500))
    assert np.array_equal(server.bring(), numbered(0, HELD))
    assert server.breaks == []
    server.play(numbered(2 * HELD, 500))
    assert np.array_equal(server.bring()[HELD:], numbered(2 * HELD, 500))
    assert server.breaks == [HELD]


def test_more_breaks_than_are_remembered_are_told_all_the_same():
    server = Server()
    for start in range(200):
        server.play(numbered(start, 1))
        server.pass_by(1)
    server.bring()
    server.play(numbered(200, 1))
    assert server.bring()[-1, 0] == 200
    assert server.breaks[-1] == len(server.heard) - 1  # those for which there was no room
    assert len(server.heard) == len(server.breaks) + 1


def test_it_is_known_since_when_the_newest_is_there_also_where_jacks_clock_begins_anew():
    server = Server(CLOCK - 130)
    server.play(numbered(0, 100))
    server.jack.frame_time += 50 - 100  # it is called back at the begin of a period
    server.bring()
    assert server.ago_s == pytest.approx(0.05)
    server.play(numbered(100, 100))
    server.jack.frame_time = 20  # 50 after the begin of that period
    server.bring()
    assert server.ago_s == pytest.approx(0.05)


def test_nothing_is_asked_of_a_server_that_has_gone():
    server = Server()
    server.play(numbered(0, 100))
    server.ended.set()
    del server.jack.frame_time
    assert len(server.bring()) == 100
    assert server.ago_s == 0.0


def test_who_takes_over_beside_jacks_thread_has_every_frame_but_those_told():
    server = Server()
    starts = range(0, 40_000, 100)
    jack = threading.Thread(target=lambda: [server.play(numbered(n, 100)) for n in starts])
    jack.start()
    while jack.is_alive():
        server.bring()
    steps = np.diff(server.bring()[:, 0])
    assert np.array_equal(np.flatnonzero(steps != 1) + 1, server.breaks)
    assert np.array_equal(server.heard[:, 1] - server.heard[:, 0], np.full(len(steps) + 1, 0.25))


def test_samples_stay_complete_while_another_thread_keeps_pythons_lock(monkeypatch):
    for name in ("JACK_DEFAULT_SERVER", "JACK_NO_START_SERVER", "JACK_NO_AUDIO_RESERVATION"):
        monkeypatch.setenv(name, "")
    heard = soak_listening.Heard()
    try:
        with (
            jackserver.server(),
            soak_listening.staircase(60.0),
            Listener(backend="jack", tending=heard.look),
        ):
            while not heard.samples:
                time.sleep(0.01)
            before = heard.samples
            began = time.monotonic()
            for _ in range(10):
                ctypes.PyDLL(None).usleep(HOLD_US)  # which, other than CDLL, keeps the lock
                time.sleep(0.01)
            took_s = time.monotonic() - began
            time.sleep(0.3)
    except jackserver.NoServer as error:
        pytest.skip(str(error))
    # A callback in Python hears less than half. A busy machine may be late, but not each time.
    assert heard.samples - before > 0.9 * took_s * jackserver.RATE
    assert heard.breaks <= 3
