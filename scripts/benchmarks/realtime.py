"""The playing synth: eight voices at 48 kHz in blocks of 128, as a sound card asks for them.

A block is late if it is not there when the next one is due, that is, when a sound card that holds
two blocks would have nothing to play. The player is a process of its own with the built-in synth's
priority, as in use; what searches beside it is a process as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter, process_time, sleep, thread_time

import numpy as np

from antithesis.preset import Preset
from antithesis.sampling import Sample, uniform
from antithesis.synth import Synth
from benchmarks.measure import Effort, Row, stolen_s
from benchmarks.searching import search_until_ended
from daemon.urgency import hurry, tidy_up

RATE, BLOCK = 48000, 128
BLOCK_S = BLOCK / RATE
CHORD = (36, 43, 48, 52, 55, 60, 64, 67)
SHARE_GOAL = 15.0  # per cent of a core
PRESETS = 8
SEED = 2
MINUTE = 3  # times the seconds of an effort: a whole one in the full run


@dataclass(frozen=True)
class Punctuality:
    """How many blocks were played and were late, and of the slowest ones the seconds.

    `ours` would have been late also without the time in which this thread neither computed nor
    waited for anything of this system: on a virtual machine, its host computed for others then.
    From when a block is due to when it is there; the most processor time that one took; and what
    the host says that it took meanwhile.
    """

    played: int
    late: int
    ours: int
    slowest_s: float
    longest_work_s: float
    stolen_s: float


def rows(effort: Effort) -> Iterator[Row]:
    """Cost of playing, then whether blocks are in time while a search takes what it can."""
    presets = uniform(np.random.default_rng(SEED), PRESETS)
    shares = [share(synth, effort.seconds / PRESETS) for synth in chords(presets)]
    name = "8 voices"
    note = f"median of {PRESETS} random presets; the dearest takes {max(shares):.1f} %"
    yield Row(f"{name}: share of a core", median(shares), "%", SHARE_GOAL, note)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as player:
        play = partial(player.submit, play_in_time)
        yield _row(f"{name}, slowest block", play(effort.seconds).result())
        cores = os.cpu_count() or 1
        for threads, where in ((max(1, cores - 1), "one core less"), (cores, "all cores")):
            with searching(threads):
                found = play(MINUTE * effort.seconds).result()
                alone = player.submit(idle_in_time, MINUTE * effort.seconds).result()
            yield _row(f"{name}, slowest block, a search on {where}", found)
            yield _row("the same for a thread that plays nothing", alone)


def _row(what: str, found: Punctuality) -> Row:
    note = (
        f"{found.late} of {found.played} blocks too late, {found.ours} of them by this machine's"
        f" own doing; {found.longest_work_s * 1e3:.2f} ms of work at most; its host took"
        f" {found.stolen_s:.2f} s"
    )
    return Row(what, found.slowest_s * 1e3, "ms", BLOCK_S * 1e3, note)


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
    presets = uniform(np.random.default_rng(SEED), PRESETS)
    each = -(-max(int(seconds / BLOCK_S), 1) // PRESETS)
    hurry()
    synths = chords(presets)
    tidy_up()
    for synth in synths:
        synth.process(BLOCK)
    return in_time([partial(synth.process, BLOCK) for synth in synths for _ in range(each)])


def idle_in_time(seconds: float) -> Punctuality:
    """What of that is the machine's: a thread as urgent that wakes as often and does nothing."""
    hurry()
    return in_time([_nothing] * max(int(seconds / BLOCK_S), 1))


def _nothing() -> None:
    return None


def in_time(blocks: list[Callable[[], object]]) -> Punctuality:
    """Do a block's work every 2.67 ms."""
    slowest, longest, lost, late, ours = 0.0, 0.0, 0.0, 0, 0
    stolen = stolen_s()
    began = perf_counter() + BLOCK_S
    for number, block in enumerate(blocks):
        asked, now, worked, waited = (
            began + number * BLOCK_S,
            perf_counter(),
            thread_time(),
            kept_s(),
        )
        if now < asked:
            lost = 0.0  # whatever was lost is made up for
            sleep(asked - now)
        block()
        then, work = perf_counter(), thread_time() - worked
        lost += max(then - max(asked, now) - work - (kept_s() - waited), 0.0)
        longest, slowest = max(longest, work), max(slowest, then - asked)
        late, ours = late + (then - asked > BLOCK_S), ours + (then - asked - lost > BLOCK_S)
    return Punctuality(len(blocks), late, ours, slowest, longest, stolen_s() - stolen)


def kept_s() -> float:
    """For how long this thread could have computed, and others of this system did.

    Where that is not told, all time counts as such: nothing is put down to a host.
    """
    counters = Path("/proc/thread-self/schedstat")
    return int(counters.read_bytes().split()[1]) / 1e9 if counters.exists() else perf_counter()


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
