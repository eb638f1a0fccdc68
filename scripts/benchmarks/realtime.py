"""The playing synth: eight voices at 48 kHz in blocks of 128, as a sound card asks for them.

A block is late if it is not there when the next one is due, that is, when a sound card that holds
two blocks would have nothing to play. The player is a process of its own with the built-in synth's
priority, as in use; what searches beside it is a process as well. On the player's core a compiled
thread that does nothing (`bystander.c`) wakes twice in a millisecond, before the player: it is late
only when the machine stands still, as virtual ones do while their host computes for others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, sleep
from typing import Self

import numpy as np
import numpy.typing as npt

from antithesis.preset import Preset
from antithesis.sampling import Sample, uniform
from antithesis.synth import Synth
from benchmarks.compiler import NoCompiler, compiled
from benchmarks.measure import Effort, Row
from benchmarks.searching import search_until_ended
from daemon.urgency import hurry, tidy_up

Floats = npt.NDArray[np.float64]

SOURCE = Path(__file__).with_name("bystander.c")
RATE, BLOCK = 48000, 128
BLOCK_S = BLOCK / RATE
CHORD = (36, 43, 48, 52, 55, 60, 64, 67)
SHARE_GOAL = 15.0  # per cent of a core
PRESETS = 8
SEED = 2
MINUTE = 3  # times the seconds of an effort: a whole one in the full run
CORE = min(os.sched_getaffinity(0)) if sys.platform == "linux" else 0  # the player's
_BEFORE_THE_PLAYER = 20  # its priority: the player asks for 10


@dataclass(frozen=True)
class Punctuality:
    """When blocks were asked for and when they were there, (n,) each, in s of `perf_counter`."""

    asked: Floats
    there: Floats

    @property
    def took(self) -> Floats:
        """Seconds from when a block was asked for to when it was there (n,)."""
        return self.there - self.asked

    def without(self, stalls: Floats) -> Punctuality:
        """The same blocks as they would have come, had the core not stood still: replayed.

        Stalls (k, 2) are from when to when, and do not overlap.
        """
        began = np.maximum(self.asked, np.concatenate([[0.0], self.there[:-1]]))
        work = self.there - began
        if len(stalls):
            stood = np.concatenate([[0.0], np.cumsum(np.ptp(stalls, axis=1))])
            edges, lost = stalls.ravel(), np.repeat(stood, 2)[1:-1]
            work -= np.interp(self.there, edges, lost) - np.interp(began, edges, lost)
        there, last = np.empty(len(work)), 0.0
        for k, (asked, one) in enumerate(zip(self.asked, work, strict=True)):
            there[k] = last = max(asked, last) + one
        return Punctuality(self.asked, there)


def rows(effort: Effort) -> Iterator[Row]:
    """Cost of playing, then whether blocks are in time while a search takes what it can."""
    presets = uniform(np.random.default_rng(SEED), PRESETS)
    shares = [share(synth, effort.seconds / PRESETS) for synth in chords(presets)]
    name = "8 voices"
    note = f"median of {PRESETS} random presets; the dearest takes {max(shares):.1f} %"
    yield Row(f"{name}: share of a core", median(shares), "%", SHARE_GOAL, note)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as player:
        yield _row(f"{name}, slowest block", *_played(player, effort.seconds))
        cores = os.cpu_count() or 1
        for threads, where in ((max(1, cores - 1), "one core less"), (cores, "all cores")):
            with searching(threads):
                found = _played(player, MINUTE * effort.seconds)
            yield _row(f"{name}, slowest block, a search on {where}", *found)


def _played(player: ProcessPoolExecutor, seconds: float) -> tuple[Punctuality, Floats | None]:
    """A player's punctuality, and the stalls of its core meanwhile, where a bystander tells."""
    try:
        with Bystander(CORE) as bystander:
            found = player.submit(play_in_time, seconds).result()
    except NoBystander:
        return player.submit(play_in_time, seconds).result(), None
    return found, bystander.stalls


def _row(what: str, found: Punctuality, stalls: Floats | None) -> Row:
    late = int(np.sum(found.took > BLOCK_S))
    note = f"{late} of {len(found.took)} blocks too late"
    if stalls is not None:
        ours, longest = found.without(stalls).took, np.ptp(stalls, axis=1).max(initial=0.0)
        note += (
            f"; had the core not stood still, for up to {longest * 1e3:.1f} ms and"
            f" {np.ptp(stalls, axis=1).sum() * 1e3:.0f} in all: {np.sum(ours > BLOCK_S)}, and the"
            f" slowest {ours.max() * 1e3:.2f} ms"
        )
    return Row(what, float(found.took.max()) * 1e3, "ms", BLOCK_S * 1e3, note)


class NoBystander(Exception):
    """It cannot be had here: no compiler, another system, or no priority is granted."""


class Bystander:
    """The compiled thread while it is entered.

    Afterwards `stalls` (k, 2) tells from when to when its core stood still, in s of `perf_counter`.
    """

    def __init__(self, core: int) -> None:
        self._core = core
        self.stalls = np.empty((0, 2))

    def __enter__(self) -> Self:
        if sys.platform != "linux":
            raise NoBystander
        with TemporaryDirectory() as folder:
            try:
                program = compiled(SOURCE, Path(folder) / "bystander", "-O2")
            except NoCompiler as trouble:
                raise NoBystander from trouble
            command = [str(program), str(self._core), str(_BEFORE_THE_PLAYER)]
            pipe = subprocess.PIPE
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
            assert self._process.stdout is not None
            if self._process.stdout.readline() != "ready 1\n":
                self._process.communicate()
                raise NoBystander
        return self

    def __exit__(self, *_trouble: object) -> None:
        said, _ = self._process.communicate()
        self.stalls = merged(
            [[int(word) / 1e9 for word in line.split()] for line in said.splitlines()]
        )


def merged(late: Sequence[Sequence[float]]) -> Floats:
    """Times from when to when a thread was late, in order of their beginning, as (k, 2) apart."""
    found: list[list[float]] = []
    for due, came in late:
        if found and due <= found[-1][1]:
            found[-1][1] = max(came, found[-1][1])
        else:
            found.append([due, came])
    return np.array(found).reshape(-1, 2)


@contextmanager
def searching(threads: int) -> Iterator[None]:
    """A process that searches for ever on so many cores."""
    spawn = get_context("spawn")
    busy = spawn.Event()
    process = spawn.Process(target=search_until_ended, args=(threads, busy), daemon=True)
    process.start()
    try:
        busy.wait()
        yield
    finally:
        process.terminate()
        process.join()


def play_in_time(seconds: float) -> Punctuality:
    """Play as a sound card asks for it: a block every 2.67 ms, however long the last one took."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {CORE})
    presets = uniform(np.random.default_rng(SEED), PRESETS)
    each = -(-max(int(seconds / BLOCK_S), 1) // PRESETS)
    hurry()
    synths = chords(presets)
    tidy_up()
    for synth in synths:
        synth.process(BLOCK)
    blocks = [partial(synth.process, BLOCK) for synth in synths for _ in range(each)]
    asked = perf_counter() + BLOCK_S * np.arange(1, len(blocks) + 1)
    there = np.empty(len(blocks))
    for number, block in enumerate(blocks):
        sleep(max(asked[number] - perf_counter(), 0.0))
        block()
        there[number] = perf_counter()
    return Punctuality(asked, there)


def chords(presets: Sample, keys: int = len(CHORD)) -> list[Synth]:
    """A synth for each preset, its keys down and never at rest."""
    synths = []
    for plain in presets.plain:
        knobs = Preset.from_plain(plain).replace(kVoiceMode=0, kVolEnvS=0.5)
        synth = Synth(knobs, sample_rate=RATE)
        for note in CHORD[:keys]:
            synth.note_on(note, 100)
        synth.process(BLOCK)
        synths.append(synth)
    return synths


def share(synth: Synth, seconds: float) -> float:
    """Per cent of a core that playing takes."""
    blocks = max(int(seconds / BLOCK_S), 1)
    before = process_time()
    for _ in range(blocks):
        synth.process(BLOCK)
    return (process_time() - before) / (blocks * BLOCK_S) * 100
