"""Everyone else who answers: what is asked of the baselines and rivals, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evaluation import rivals
from evaluation.learned import Learned
from evaluation.scoring import Answer
from evaluation.systems import Case, baselines


@dataclass(frozen=True)
class Rivals:
    """Which of them."""

    libraries: tuple[int, ...] = ()  # sizes
    learned: Learned | None = None
    searching: bool = False  # with the renders of ours
    times: tuple[int, ...] = (1,)  # as many renders, for CMA-ES
    renders: tuple[int, ...] = ()  # or so many, for CMA-ES


def answers(asked: Rivals, case: Case, ours: Mapping[str, Answer]) -> Iterator[tuple[str, Answer]]:
    """Their answers to a target that our systems have answered."""
    yield from baselines(case, asked.libraries)
    if asked.learned:
        yield from asked.learned.answers(case)
    if asked.searching:
        renders = {system: answer.renders for system, answer in ours.items()}
        yield from rivals.rivals(case, renders, asked.times)
    yield from rivals.fixed(case, asked.renders)
