"""The playing synth: eight voices at 48 kHz in blocks of 128, as a sound card asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from threading import Event, Thread
from time import perf_counter, process_time, sleep

import numpy as np

from antithesis.preset import Preset
from antithesis.sampling import Sample, uniform
from antithesis.synth import Synth
from benchmarks.measure import Effort, Row
from benchmarks.renderer import batch_of

RATE, BLOCK = 48000, 128
BLOCK_S = BLOCK / RATE
CHORD = (36, 43, 48, 52, 55, 60, 64, 67)
SHARE_GOAL = 15.0  # per cent of a core
PRESETS = 8
SEED = 2


def rows(effort: Effort) -> Iterator[Row]:
    """Cost of playing, then whether blocks are in time while a search takes what it can."""
    presets = uniform(np.random.default_rng(SEED), PRESETS)
    shares = [share(synth, effort.seconds / PRESETS) for synth in chords(presets)]
    name = "8 voices"
    note = f"median of {PRESETS} random presets; the dearest takes {max(shares):.1f} %"
    yield Row(f"{name}: share of a core", median(shares), "%", SHARE_GOAL, note)
    yield _lateness(f"{name}: latest block", presets, effort.seconds)
    stop = Event()
    searching = Thread(target=search, args=(presets, stop))
    searching.start()
    try:
        yield _lateness(f"{name}: latest block beside a search", presets, effort.seconds)
    finally:
        stop.set()
        searching.join()


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


def _lateness(what: str, presets: Sample, seconds: float) -> Row:
    """The block that took longest, played at the pace of a sound card."""
    longest, late, played = 0.0, 0, 0
    for synth in chords(presets):
        due = perf_counter()
        for _ in range(int(seconds / PRESETS / BLOCK_S)):
            sleep(max(due - perf_counter(), 0.0))
            asked = perf_counter()
            synth.process(BLOCK)
            taken = perf_counter() - asked
            longest, late, played = max(longest, taken), late + (taken > BLOCK_S), played + 1
            due += BLOCK_S
    return Row(what, longest * 1e3, "ms", BLOCK_S * 1e3, f"{late} of {played} blocks too late")


def search(presets: Sample, stop: Event) -> None:
    """What a match does to the machine: render candidates without end."""
    work = batch_of(presets, np.float32)
    while not stop.is_set():
        work()
