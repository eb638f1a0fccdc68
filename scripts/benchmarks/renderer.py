"""The renderer: one note of 2 s at 44.1 kHz, in batches and alone, beside plain C."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from antithesis.sampling import DISTRIBUTIONS, Sample
from antithesis.synth import Event, EventKind, render_into
from benchmarks.compiler import NoCompiler
from benchmarks.measure import (
    Effort,
    Missing,
    Row,
    Work,
    clock_seconds,
    in_turn,
    median_ratio,
)
from benchmarks.plainc import PlainC

RATE = 44100
DURATION_S = 2.0
SAMPLES = int(RATE * DURATION_S)
SEED = 1
BATCH_GOAL_MS, ALONE_GOAL_MS = 1.5, 2.5
C_NOTES = 8  # a round: plain C takes its time
KINDS = {"uniform": "random presets", "musical": "musical presets"}


def rows(effort: Effort) -> Iterator[Row | Missing]:
    """Ours in batches and alone, then plain C."""
    for kind, name in KINDS.items():
        sample = DISTRIBUTIONS[kind](np.random.default_rng(SEED), effort.notes)
        yield from _on_one_core(sample, name, effort)
        yield from _on_all_cores(sample, name, effort)


def _on_one_core(sample: Sample, name: str, effort: Effort) -> Iterator[Row | Missing]:
    notes = len(sample)
    few = min(C_NOTES, notes)
    works: list[Work] = [
        batch_of(sample, np.float64),
        batch_of(sample, np.float32),
        one_by_one(sample),
        batch_of(sample.of(slice(few)), np.float64),
    ]
    missing = None
    try:
        works.append(plain_c(sample, few))
    except NoCompiler as reason:
        missing = Missing(f"plain C, {name}", str(reason))
    taken = in_turn(works, effort.rounds)
    double, single, alone = (per_note_ms(times, notes) for times in taken[:3])
    yield Row(f"{name}, in batches of {notes}, a core", double, "ms", BATCH_GOAL_MS, faster(double))
    yield Row(f"{name}, the same in float32", single, "ms", BATCH_GOAL_MS, faster(single))
    yield Row(f"{name}, one at a time, a core", alone, "ms", ALONE_GOAL_MS, faster(alone))
    if missing:
        yield missing
        return
    ratio = median_ratio(taken[4], taken[3])
    note = f"{ratio:.1f} times as long as ours for the same {few} presets"
    yield Row(f"{name}, plain C, a core", per_note_ms(taken[4], few), "ms", None, note)


def _on_all_cores(sample: Sample, name: str, effort: Effort) -> Iterator[Row]:
    cores = os.cpu_count() or 1
    works = [batch_of(sample, np.float64), batch_of(sample, np.float64, threads=cores)]
    one, many = in_turn(works, effort.rounds, clock_seconds)
    note = f"by the clock; {median_ratio(one, many):.2f} times as fast as on one"
    what = f"{name}, in batches of {len(sample)}, on {cores} cores"
    yield Row(what, per_note_ms(many, len(sample)), "ms", None, note)


def per_note_ms(times: list[float], notes: int) -> float:
    """Median round, in ms a note."""
    return median(times) / notes * 1e3


def faster(ms: float) -> str:
    """A note's cost beside its length."""
    return f"{DURATION_S * 1e3 / ms:,.0f} times real time"


def batch_of(sample: Sample, dtype: type, threads: int = 1, samples: int = SAMPLES) -> Work:
    """Render all of a sample at once, into memory that is there."""
    out = np.empty((len(sample), samples), dtype)
    normalized = sample.normalized

    def work() -> None:
        render_into(out, normalized, sample.note, sample.velocity, sample.gate_s, threads=threads)

    return work


def one_by_one(sample: Sample) -> Work:
    """Render each of a sample in a call of its own."""
    items = (sample.of(slice(i, i + 1)) for i in range(len(sample)))
    return in_sequence([batch_of(item, np.float64) for item in items])


def plain_c(sample: Sample, n: int) -> Work:
    """Render the first n of a sample by the C transcription (NoCompiler where there is none)."""
    synth = PlainC()

    def note(i: int) -> Callable[[], object]:
        events = [
            Event(0.0, EventKind.NOTE_ON, sample.note[i], sample.velocity[i]),
            Event(sample.gate_s[i], EventKind.NOTE_OFF, sample.note[i]),
        ]
        return lambda: synth.render(sample.plain[i], events, SAMPLES, sample_rate=RATE)

    return in_sequence([note(i) for i in range(n)])


def in_sequence(works: list[Work]) -> Work:
    """One after the other."""

    def work() -> None:
        for one in works:
            one()

    return work
