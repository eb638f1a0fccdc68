"""Listen for minutes while a search takes what it can, and count what is lost.

    python scripts/soak_listening.py                    ten minutes
    python scripts/soak_listening.py --seconds 20

A JACK client plays a staircase that no two samples of a second share, the listener hears it into
its ring, and each sample is compared with what has to come next. The search is in the listener's
own process, as the daemon's is, and on every core; each second the memory of that process is
counted. The exit status is 1 if a sample was lost without being told.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from statistics import median

import numpy as np
import psutil

from antithesis.matching import match
from antithesis.network import load_network
from benchmarks.jackserver import RATE, NoServer, Player, server
from benchmarks.searching import TARGETS, targets
from daemon.capture.listener import TEND_S, Listener, Take

STEPS = 2**15
BUDGET_S = 2.0
COUNT_EVERY = round(1.0 / TEND_S)


class Heard:
    """What was heard since the staircase began, in samples; `breaks` are where a step is missing.

    `megabytes` is the memory of this process, each second.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.breaks = 0
        self.told = 0
        self.searches = 0
        self.megabytes: list[float] = []
        self._at: int | None = None
        self._last: int | None = None
        self._looks = 0

    def look(self, take: Take) -> None:
        """Compare what has come since the last look; what the listener calls."""
        if self._at is None:
            _, frames = take.ring.read(take.ring.written - 1, take.ring.written)
            if frames.any():
                self._at = take.ring.written
            return
        first, frames = take.ring.read(self._at, take.ring.written)
        steps = np.rint(frames[:, 0] * STEPS).astype(int)
        if self._last is not None:
            steps = np.concatenate([[self._last], steps])
        self.breaks += int(np.count_nonzero(np.diff(steps) % STEPS != 1)) + (first != self._at)
        self.samples += len(frames)
        self.told = take.dropped
        self._at, self._last = first + len(frames), int(steps[-1])
        if self._looks % COUNT_EVERY == 0:
            self.megabytes.append(psutil.Process().memory_info().rss / 1e6)
        self._looks += 1

    def __str__(self) -> str:
        third = len(self.megabytes) // 3
        middle, last = self.megabytes[third : 2 * third], self.megabytes[2 * third :]
        return (
            f"{self.samples / RATE:.0f} s heard beside {self.searches} searches, {self.breaks}"
            f" breaks, {self.told} told as such; memory"
            f" {median(middle or last):.0f} MB in the middle third, {median(last):.0f} MB in the"
            f" last, {max(last):.0f} MB at most in it"
        )


def soak(seconds: float, *, realtime: bool = False) -> Heard:
    """Listen for so long; NoServer where there is no JACK."""
    heard = Heard()
    with (
        server(realtime=realtime),
        staircase(seconds + 60),
        Listener(backend="jack", tending=heard.look),
    ):
        network = load_network()
        while not heard.megabytes:
            time.sleep(0.05)
        end = time.monotonic() + seconds
        for sound in cycle(targets(TARGETS)):
            if time.monotonic() >= end:
                break
            for _ in match(sound, network, budget_s=BUDGET_S, stop=lambda: time.monotonic() >= end):
                pass
            heard.searches += 1
    return heard


@contextmanager
def staircase(seconds: float) -> Iterator[None]:
    """A staircase for so long, played by a process of its own."""
    command = [sys.executable, __file__, "--play", str(seconds)]
    # It ends by ending what it reads: JACK waits for a minute for a client that is killed.
    with subprocess.Popen(command, stdin=subprocess.PIPE):
        yield


def _play(seconds: float) -> None:
    with Player("staircase") as player:
        flight = np.arange(STEPS, dtype=np.float32) / STEPS
        player.play(np.tile(flight, int(seconds * RATE / STEPS) + 1))
        sys.stdin.read()


def main() -> None:
    """Listen, and say what was lost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--realtime", action="store_true", help="as JACK is for musicians")
    parser.add_argument("--play", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.play:
        _play(options.play)
        return
    try:
        heard = soak(options.seconds, realtime=options.realtime)
    except NoServer as error:
        sys.exit(str(error))
    print(heard)
    sys.exit(1 if heard.breaks > 2 * heard.told else 0)


if __name__ == "__main__":
    main()
