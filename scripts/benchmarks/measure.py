"""How to time things on a machine that does other things too.

What is compared takes turns, round after round, so that a busy moment falls on all alike; a figure
is the median of the rounds. One thread's work is counted in processor time, which waiting does not
lengthen; only what uses several cores is counted by the clock.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

Work = Callable[[], object]


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds that a median is of, notes in a batch, seconds, dropped files."""

    rounds: int
    notes: int
    seconds: float
    files: int


QUICK = Effort(rounds=3, notes=16, seconds=1.0, files=4)
FULL = Effort(rounds=15, notes=64, seconds=20.0, files=40)


@dataclass(frozen=True)
class Row:
    """One figure; `goal` is the most it should be, `note` says what it is by comparison.

    Where more is better, as in counts a second, the goal is the least.
    """

    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """A comparison that this machine cannot make, and what it takes."""

    what: str
    reason: str


def processor_seconds(work: Work) -> float:
    """Processor time of one run, all threads together."""
    before = process_time()
    work()
    return process_time() - before


def clock_seconds(work: Work) -> float:
    """Time of one run by the clock."""
    before = perf_counter()
    work()
    return perf_counter() - before


def in_turn(
    works: Sequence[Work], rounds: int, seconds: Callable[[Work], float] = processor_seconds
) -> list[list[float]]:
    """Seconds of each work in each round; one more round before them warms up."""
    for work in works:
        work()
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for times, work in zip(taken, works, strict=True):
            times.append(seconds(work))
    return taken


def median_ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times as long the slow one took, round by round."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


def machine() -> str:
    """Processor, cores, system and Python, in a line."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text("utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    system = f"{platform.system()} {platform.release()}"
    return f"{processor}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def load() -> str:
    """How busy the machine is with other things, where it tells."""
    if not hasattr(os, "getloadavg"):
        return "unknown load"
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when this began"
