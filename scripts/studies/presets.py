"""All presets of a question, on all cores."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def run_all(
    work: Callable[[tuple[str, int]], list[T]], sets: Iterable[str], presets: int, jobs: int
) -> list[T]:
    """``work`` on so many presets of each set; Ctrl-C keeps what is done.

    In an order that mixes the sets, with progress on stderr.
    """
    tasks = [(set, index) for index in range(presets) for set in sets]
    found: list[T] = []
    bar = tqdm(total=len(tasks), unit=" presets", smoothing=0.05)
    with closing(bar), multiprocessing.get_context("spawn").Pool(jobs) as pool:
        try:
            for rows in pool.imap_unordered(work, tasks):
                found += rows
                bar.update()
        except KeyboardInterrupt:
            bar.write(f"stopped after {bar.n} of {len(tasks)} presets", file=sys.stderr)
    return found
