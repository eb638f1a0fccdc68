"""Rivals that search: random search, and CMA-ES from random starts.

With as many renders as our matcher took, CMA-ES also with so many times as many; or, where our
matcher is not to be timed, CMA-ES with so many renders as are asked for. Both minimise the distance
that our own search minimises, and are told note, velocity and gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from cmaes import CMA

from antithesis.parameters import PARAMETERS, Kind, to_plain
from antithesis.rules import audible
from evaluation.scoring import Answer
from evaluation.systems import Case, Stage, draw, rated

Floats = npt.NDArray[np.float64]
Found = tuple[float, Floats]  # distance in dB, normalized preset (38,)
Search = Callable[[Stage, int], Found]

_SCOUTING = 0.2  # share of the renders spent on random draws before CMA-ES
_STARTS = 4
_STEP = 0.1
_LONGEST_WARMUP_S = 4.0
_CONTINUOUS = np.array([p.kind is Kind.DOUBLE and p.id != "kMasterVolume" for p in PARAMETERS])


def rivals(
    case: Case, renders: Mapping[str, int], times: Sequence[int]
) -> Iterator[tuple[str, Answer]]:
    """Both rivals with the renders of each of our systems, by their names."""
    stage = Stage(case)
    for name, count in renders.items():
        yield _rival(stage, f"random search, renders of {name}", random_search, count)
        for factor in times:
            of = "" if factor == 1 else f"{factor} times the "
            yield _rival(stage, f"CMA-ES, {of}renders of {name}", cma_es, factor * count)


def fixed(case: Case, renders: Sequence[int]) -> Iterator[tuple[str, Answer]]:
    """CMA-ES with so many renders; random search with as many is a library of that size."""
    stage = Stage(case)
    for count in renders:
        yield _rival(stage, f"CMA-ES, {count:,} renders", cma_es, count)


def _rival(stage: Stage, name: str, search: Search, count: int) -> tuple[str, Answer]:
    started = time.monotonic()
    _, found = search(stage, count)
    answer = replace(rated(stage.case, found), renders=count)
    return name, replace(answer, elapsed_s=time.monotonic() - started)


def random_search(stage: Stage, count: int) -> Found:
    """The best of fresh draws from the prior."""
    rng = np.random.default_rng(stage.case.seed)
    return _best(stage, draw(rng, count), rng)[0]


def cma_es(stage: Stage, count: int) -> Found:
    """CMA-ES from the best four of random draws, in turn, over what is continuous and heard."""
    rng = np.random.default_rng(stage.case.seed)
    scouts = max(_STARTS, round(_SCOUTING * count))
    starts = _best(stage, draw(rng, scouts), rng)[:_STARTS]
    chains = [_Chain(stage, start, rng) for start in starts]
    spent = scouts
    while spent < count and any(not chain.exhausted for chain in chains):
        for chain in chains:
            spent += chain.step(count - spent)
    return min((chain.best for chain in chains), key=_distance)


def _best(stage: Stage, normalized: Floats, rng: np.random.Generator) -> list[Found]:
    scored = stage.distances(normalized, stage.phases(rng, len(normalized)))
    return sorted(zip(scored.tolist(), normalized, strict=True), key=_distance)


def _distance(found: Found) -> float:
    return found[0]


class _Chain:
    """CMA-ES in normalized units around one start, whose choices stay; the phase is free."""

    def __init__(self, stage: Stage, start: Found, rng: np.random.Generator) -> None:
        self.best = start
        self._stage = stage
        heard = audible(to_plain(start[1]), velocity=127, gate_s=stage.case.target.gate_s)
        self._free = np.flatnonzero(heard & _CONTINUOUS)
        mean = np.append(start[1][self._free], 0.5)
        bounds = np.tile([0.0, 1.0], (len(mean), 1))
        self._cma = CMA(mean, _STEP, bounds, seed=int(rng.integers(2**31)))

    @property
    def exhausted(self) -> bool:
        return bool(self._cma.should_stop())

    def step(self, renders_left: int) -> int:
        """One generation, if the renders last; returns how many it took."""
        size = self._cma.population_size
        if self.exhausted or renders_left < size:
            return 0 if self.exhausted else renders_left
        asked = np.array([self._cma.ask() for _ in range(size)])
        presets = np.tile(self.best[1], (size, 1))
        presets[:, self._free] = asked[:, :-1]
        scored = self._stage.distances(presets, _LONGEST_WARMUP_S * asked[:, -1])
        self._cma.tell([(x, float(d)) for x, d in zip(asked, scored, strict=True)])
        best = int(scored.argmin())
        self.best = min(self.best, (float(scored[best]), presets[best]), key=_distance)
        return size
