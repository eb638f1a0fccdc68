"""Listen for minutes while a search takes what it can, and count what is lost.

    python scripts/soak_listening.py                    ten minutes
    python scripts/soak_listening.py --seconds 20

A JACK client plays a staircase that no two samples of a second share, the listener hears it into
its ring, and each sample is compared with what has to come next. A search on every core
is beside it. The exit status is 1 if a sample was lost without being told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from benchmarks.jackserver import RATE, NoServer, Player, server
from benchmarks.realtime import searching
from daemon.capture.listener import Listener

STEPS = 2**15
LOOK_S = 0.5


@dataclass(frozen=True)
class Soaked:
    """What was heard, in samples; breaks are where one is not what had to come next."""

    heard: int
    breaks: int
    told: int

    def __str__(self) -> str:
        return (
            f"{self.heard / RATE:.0f} s heard, {self.breaks} breaks, {self.told} of JACK's own"
            " reports of a late period"
        )


def soak(seconds: float) -> Soaked:
    """Listen for so long; NoServer where there is no JACK."""
    with (
        server(),
        _elsewhere(seconds),
        Listener(backend="jack") as ear,
        searching(os.cpu_count() or 1),
    ):
        return _compared(ear, seconds)


def _compared(ear: Listener, seconds: float) -> Soaked:
    while ear.take is None or ear.condition.level_dbfs < -60:
        time.sleep(0.05)
    at = ear.take.ring.written
    last, heard, breaks = None, 0, 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(LOOK_S)
        first, frames = ear.take.ring.read(at, ear.take.ring.written)
        steps = np.rint(frames[:, 0] * STEPS).astype(int)
        if last is not None:
            steps = np.concatenate([[last], steps])
        breaks += int(np.count_nonzero(np.diff(steps) % STEPS != 1)) + (first != at)
        heard += len(frames)
        at, last = first + len(frames), int(steps[-1])
    return Soaked(heard, breaks, ear.take.dropped)


@contextmanager
def _elsewhere(seconds: float) -> Iterator[None]:
    """The staircase, played by a process of its own."""
    with subprocess.Popen([sys.executable, __file__, "--play", str(seconds + 60)]) as player:
        try:
            yield
        finally:
            player.terminate()


def _play(seconds: float) -> None:
    with Player("staircase") as player:
        staircase = np.arange(STEPS, dtype=np.float32) / STEPS
        player.play(np.tile(staircase, int(seconds * RATE / STEPS) + 1))
        time.sleep(seconds)


def main() -> None:
    """Listen, and say what was lost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--play", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        _play(options.play)
        return
    try:
        soaked = soak(options.seconds)
    except NoServer as error:
        sys.exit(str(error))
    print(soaked)
    sys.exit(1 if soaked.breaks > 2 * soaked.told else 0)


if __name__ == "__main__":
    main()
