"""The ring buffer against a plain array: every frame, wherever the ring's seam lies."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from antithesis.ring import Ring


def numbered(start, count, channels):
    """Frames that say their own position, and their channel in the fraction."""
    frames = np.arange(start, start + count, dtype=np.float32)[:, None]
    return frames + np.arange(channels, dtype=np.float32) / 8


class RingAgainstArray(RuleBasedStateMachine):
    """Whatever is written and read, the ring is the end of an array that only grows."""

    @initialize(capacity=st.integers(1, 40), channels=st.integers(1, 3))
    def start(self, capacity, channels):
        self.capacity, self.channels = capacity, channels
        self.ring = Ring(capacity, channels)
        self.plain = np.empty((0, channels), np.float32)

    @rule(count=st.integers(0, 100))
    def write(self, count):
        block = numbered(len(self.plain), count, self.channels)
        self.ring.write(block)
        self.plain = np.concatenate([self.plain, block])

    @rule(start=st.integers(-10, 500), length=st.integers(-5, 120))
    def read(self, start, length):
        first, frames = self.ring.read(start, start + length)
        oldest = max(0, len(self.plain) - self.capacity)
        stop = min(start + length, len(self.plain))
        expected = self.plain[max(start, oldest) : max(stop, 0)]
        assert np.array_equal(frames, expected)
        if len(frames):
            assert first == max(start, oldest)

    @invariant()
    def all_that_is_held_is_the_end_of_the_array(self):
        first, frames = self.ring.read(0, self.ring.written)
        assert self.ring.written == len(self.plain)
        assert np.array_equal(frames, self.plain[max(0, len(self.plain) - self.capacity) :])
        assert first + len(frames) == len(self.plain)


TestRingAgainstArray = RingAgainstArray.TestCase


@given(sizes=st.lists(st.integers(0, 70), max_size=30), capacity=st.integers(1, 64))
def test_how_a_stream_is_cut_into_blocks_changes_nothing(sizes, capacity):
    whole, pieces = Ring(capacity, 2), Ring(capacity, 2)
    whole.write(numbered(0, sum(sizes), 2))
    at = 0
    for size in sizes:
        pieces.write(numbered(at, size, 2))
        at += size
    for ring in (whole, pieces):
        assert ring.written == sum(sizes)
    assert np.array_equal(whole.read(0, at)[1], pieces.read(0, at)[1])


def test_what_is_read_is_a_copy():
    ring = Ring(8, 1)
    ring.write(numbered(0, 8, 1))
    _, before = ring.read(0, 8)
    ring.write(numbered(8, 8, 1))
    assert np.array_equal(before, numbered(0, 8, 1))


def test_reader_beside_a_writer_never_sees_a_frame_of_another_time():
    ring = Ring(3000, 2)
    done = threading.Event()

    def write():
        at = 0
        for size in np.random.default_rng(1).integers(1, 1500, 4000):
            ring.write(numbered(at, int(size), 2) % 2**20)
            at += int(size)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = 0
    while not done.is_set():
        now = ring.written
        first, frames = ring.read(now - 3000, now)
        assert np.array_equal(frames, numbered(first, len(frames), 2) % 2**20)
        read += len(frames)
    writer.join()
    assert read > 0


@pytest.mark.parametrize("size", [3, 8, 20])
def test_block_longer_than_the_ring_leaves_its_end(size):
    ring = Ring(3, 1)
    ring.write(numbered(0, size, 1))
    first, frames = ring.read(0, size)
    assert (first, frames[:, 0].tolist()) == (size - 3, list(range(size - 3, size)))
