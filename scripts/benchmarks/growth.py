"""How cost grows with length, polyphony, batch size and cores: figures and their picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from antithesis.sampling import Sample, uniform
from benchmarks.measure import Effort, Work, clock_seconds, in_turn
from benchmarks.realtime import CHORD, chords, share
from benchmarks.renderer import RATE, SEED, batch_of, in_sequence

LENGTHS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
VOICES = tuple(range(len(CHORD) + 1))
BATCHES = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True)
class Curve:
    """One panel: what the horizontal axis counts, and the cost at each place."""

    title: str
    across: str
    up: str
    x: list[float]
    y: list[float]


def curves(effort: Effort) -> list[Curve]:
    """All four."""
    return [_length(effort), _batch(effort), _cores(effort), _polyphony(effort)]


def _notes(n: int) -> Sample:
    return uniform(np.random.default_rng(SEED), n)


def _medians(
    works: Sequence[Work], effort: Effort, **options: Callable[[Work], float]
) -> list[float]:
    return [median(times) for times in in_turn(works, effort.rounds, **options)]


def _length(effort: Effort) -> Curve:
    """The key is held to the end, so that every second has something to compute."""
    notes = _notes(effort.notes)
    held = Sample(notes.plain, notes.note, notes.velocity, notes.gate_s + 99.0, notes.warmup_s)
    works = [batch_of(held, np.float32, samples=int(s * RATE)) for s in LENGTHS_S]
    ms = [seconds / effort.notes * 1e3 for seconds in _medians(works, effort)]
    return Curve("length", "seconds of a held note", "ms a note and core", list(LENGTHS_S), ms)


def _batch(effort: Effort) -> Curve:
    notes = _notes(max(BATCHES))

    def work(size: int) -> Work:
        starts = range(0, len(notes), size)
        return in_sequence([batch_of(notes.of(slice(i, i + size)), np.float32) for i in starts])

    works = [work(size) for size in BATCHES]
    ms = [seconds / len(notes) * 1e3 for seconds in _medians(works, effort)]
    return Curve("batch size", "notes in a batch", "ms a note and core", list(BATCHES), ms)


def _cores(effort: Effort) -> Curve:
    cores = list(range(1, (os.cpu_count() or 1) + 1))
    notes = _notes(max(effort.notes, 8 * cores[-1]))
    works = [batch_of(notes, np.float32, threads=n) for n in cores]
    rate = [len(notes) / seconds for seconds in _medians(works, effort, seconds=clock_seconds)]
    return Curve("cores", "cores", "notes of 2 s a second", [float(n) for n in cores], rate)


def _polyphony(effort: Effort) -> Curve:
    presets = _notes(4)
    seconds = effort.seconds / len(VOICES) / 4
    shares = [
        median(share(synth, seconds) for synth in chords(presets, voices)) for voices in VOICES
    ]
    return Curve("polyphony", "voices, live at 48 kHz", "% of a core", list(VOICES), shares)


def draw(curves: Sequence[Curve], path: Path) -> None:
    """The curves side by side, each from 0."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3), layout="constrained")
    for axes, curve in zip(figure.subplots(1, len(curves)), curves, strict=True):
        axes.plot(curve.x, curve.y, "o-", color="#2a6f97", clip_on=False)
        axes.set(title=curve.title, xlabel=curve.across, ylabel=curve.up, xlim=0, ylim=0)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
