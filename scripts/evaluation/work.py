"""The work on one target, and all targets on all cores."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from antithesis import distances
from evaluation import scoring, tuning
from evaluation.families import ORDER
from evaluation.others import Rivals, answers
from evaluation.results import Row, row
from evaluation.scoring import Answer
from evaluation.systems import Case, matches, on_grid
from evaluation.targets import Target, rendered

Floats = npt.NDArray[np.float64]

TRUTH = "true preset"


@dataclass(frozen=True)
class Plan:
    """What is asked of every target."""

    budgets_s: tuple[float, ...]
    rivals: Rivals
    metrics: tuple[str, ...]
    seed: int
    weights: Path | None
    steps: int | None = None  # of every knob, on a way that carries no more


def run(plan: Plan, target: Target) -> list[Row]:
    """Every system's answer to one target, scored."""
    sound = rendered([target])[0]
    case = Case(target, sound, seed=_seed(plan, target))
    judge = _Judge(case, plan.metrics)
    return [judge.row(system, answer) for system, answer in _answers(plan, case)]


def _seed(plan: Plan, target: Target) -> int:
    return 10_000 * plan.seed + 1_000 * ORDER.index(target.set) + target.id


def _answers(plan: Plan, case: Case) -> Iterator[tuple[str, Answer]]:
    yield TRUTH, _truth(case.target)
    ours = matches(case.sound, plan.weights, plan.budgets_s, case.seed)
    yield from ours.items()
    if plan.steps:
        yield from on_grid(case, plan.weights, plan.budgets_s, ours, plan.steps)
    yield from answers(plan.rivals, case, ours)


def _truth(target: Target) -> Answer:
    return Answer(target.preset, target.note, target.velocity, target.gate_s)


class _Judge:
    """Scores answers to one target, whose own side is computed once."""

    def __init__(self, case: Case, metrics: tuple[str, ...]) -> None:
        self._case = case
        self._metrics = metrics
        self._target = distances.Target(case.sound)
        self._told = scoring.without_unheard(_truth(case.target)).values
        again = scoring.sounds(_truth(case.target))[0]
        self._target_hz = tuning.steady(case.sound, again)

    def row(self, system: str, answer: Answer) -> Row:
        sounds = scoring.sounds(answer)
        levels = [scoring.level_db(sound) for sound in sounds]
        return row(
            self._case.target,
            system,
            answer,
            told=self._told,
            level_error_db=float(np.mean(levels)) - scoring.level_db(self._case.sound),
            target_hz=self._target_hz,
            answer_hz=tuning.by_ear(sounds[0]),
            distances=scoring.score(sounds, self._target, self._metrics),
        )


def run_all(plan: Plan, targets: Sequence[Target], jobs: int) -> list[Row]:
    """Every target, on so many processes, with progress on stderr; Ctrl-C keeps what is done."""
    found: list[Row] = []
    bar = tqdm(total=len(targets), unit=" targets", smoothing=0.05)
    with closing(bar), multiprocessing.get_context("spawn").Pool(jobs) as pool:
        try:
            for rows in pool.imap_unordered(partial(run, plan), _mixed(targets)):
                found += rows
                bar.update()
        except KeyboardInterrupt:
            bar.write(f"stopped after {bar.n} of {len(targets)} targets", file=sys.stderr)
    return sorted(found, key=lambda one: (ORDER.index(one.set), one.id))


def _mixed(targets: Sequence[Target]) -> list[Target]:
    """In an order that mixes the sets, so that the time left is told well from the start."""
    return sorted(targets, key=lambda target: (target.id, target.set))
