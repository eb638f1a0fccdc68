"""What a search does: features and distances of candidates, and evaluations a second, all told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import cycle
from multiprocessing.synchronize import Event
from statistics import median
from time import perf_counter

import numba
import numpy as np
import numpy.typing as npt

from antithesis.matching import match
from antithesis.network import Network, load_network
from antithesis.objective import Objective
from antithesis.sampling import Sample, musical
from antithesis.synth import render_notes
from benchmarks.measure import Effort, Row, in_turn
from benchmarks.renderer import per_note_ms

FEATURES_GOAL_MS, EVALUATIONS_GOAL = 1.0, 700.0
TARGETS = 6
SEED = 3

Floats = npt.NDArray[np.float64]


def rows(effort: Effort) -> Iterator[Row]:
    """The distance of candidates on one core, then whole matches on all."""
    yield _features(effort)
    network, cores = load_network(), os.cpu_count() or 1
    next(match(targets(1)[0], network, budget_s=0.0))
    rates = [_evaluations(sound, network, effort.seconds / 4) for sound in targets(TARGETS)]
    note = f"start to end, median of {TARGETS} targets, {min(rates):.0f} to {max(rates):.0f}"
    what = f"evaluations a second on {cores} cores"
    yield Row(what, median(rates), "/s", EVALUATIONS_GOAL, note)


def _features(effort: Effort) -> Row:
    sounds = targets(effort.notes)
    objective = Objective(sounds[0])
    numba.set_num_threads(1)
    try:
        (times,) = in_turn([lambda: objective(sounds)], effort.rounds)
    finally:
        numba.set_num_threads(numba.config.NUMBA_NUM_THREADS)
    what = "features and distance of a candidate of 2 s, a core"
    return Row(what, per_note_ms(times, effort.notes), "ms", FEATURES_GOAL_MS)


def _evaluations(sound: Floats, network: Network, seconds: float) -> float:
    """Evaluations a second of one match, from its start to its end: all that a user waits for."""
    began = perf_counter()
    matching = match(sound, network, budget_s=seconds)
    for _ in matching:
        pass
    return matching.evaluations / (perf_counter() - began)


def targets(count: int) -> Floats:
    """Musical notes of 2 s, (count, samples)."""
    drawn: Sample = musical(np.random.default_rng(SEED), count)
    return render_notes(drawn.normalized, drawn.note, drawn.velocity, drawn.gate_s)


def search_until_ended(threads: int, busy: Event) -> None:
    """Match one sound after the other on so many cores; `busy` is set once that goes on."""
    numba.set_num_threads(threads)
    network = load_network()
    for sound in cycle(targets(TARGETS)):
        for _ in match(sound, network, budget_s=2.0):
            busy.set()
