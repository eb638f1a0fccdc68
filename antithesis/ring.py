"""The last seconds of a stream, kept in a ring.

One thread writes (an audio callback), any other may read. Nothing is locked: a reader copies, then
looks whether the writer has come round in the meantime, and gives up what it has overrun.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]


class Ring:
    """Holds the last `capacity` frames of `channels` samples.

    A frame's *position* is its number since the stream began, so that it keeps its name for as long
    as it is held.
    """

    def __init__(self, capacity: int, channels: int) -> None:
        self._frames = np.zeros((capacity, channels), np.float32)
        self._begun = 0  # what a write in progress will have come to
        self._written = 0

    @property
    def capacity(self) -> int:
        """How many frames are held at most."""
        return len(self._frames)

    @property
    def written(self) -> int:
        """Frames so far; the position of the next one."""
        return self._written

    def write(self, block: npt.NDArray[np.floating]) -> None:
        """Append frames (n, channels). Copies, and does nothing else."""
        capacity = len(self._frames)
        self._begun = self._written + len(block)
        kept = block[-capacity:]
        at = (self._begun - len(kept)) % capacity
        until_end = kept[: capacity - at]
        self._frames[at : at + len(until_end)] = until_end
        self._frames[: len(kept) - len(until_end)] = kept[len(until_end) :]
        self._written = self._begun

    def read(self, start: int, stop: int) -> tuple[int, Frames]:
        """A copy of the frames from `start` up to, not including, `stop`, and where it begins.

        What is no longer, or not yet, there is left out; the position of the first frame is `start`
        or what is the oldest since.
        """
        capacity = len(self._frames)
        stop = min(stop, self._written)
        start = min(max(start, self._written - capacity, 0), stop)
        at = start % capacity
        first = self._frames[at : at + stop - start]
        copied = np.concatenate([first, self._frames[: stop - start - len(first)]])
        lost = min(max(0, self._begun - capacity - start), len(copied))
        return start + lost, copied[lost:]
