"""From a guess to the preset: racing descents on the exact synth.

The best few structures of a pool race, each going downhill in all its continuous parameters at once
(:mod:`antithesis.descent`), by blurred features at first; the worse half is dropped time and again.
When nobody gains any more, one or two heads of the leader are drawn anew from what the network
expects, and the best of these race in their turn: a wrong waveform, a vibrato not thought of. Where
a round of that gains nothing, splits are tried all over their range (:mod:`antithesis.splits`).
When nothing of it helps any longer, the leader evolves
(:mod:`antithesis.evolution`), and all begins anew elsewhere, on another *island*, with a pool of
whole presets that race among themselves: beside a leader that was tuned for thousands of renders
the right structure, not tuned yet, would be dropped at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from antithesis.candidates import Candidate, Features, Scored, Stage
from antithesis.descent import Descent, step_together
from antithesis.encoding import SIZES
from antithesis.evolution import Evolution
from antithesis.posterior import Posterior
from antithesis.splits import resplit

Floats = npt.NDArray[np.float64]
Structure = tuple[float, ...]

_CHAINS: Final = 4
_DRAWS: Final = 48  # whole presets that an island begins with
_MOVES: Final = 32
_NEW_ONES: Final = 2  # of the structures among them that were not tried yet
_BLURRED: Final = 8  # steps of a chain that mind only how things are on the whole
_BLURRED_LATER: Final = 2  # where a head or two of what was good are new
_STEPS: Final = 2  # of each chain between two cuts
_GAIN: Final = 0.02  # a share of the distance that is worth going on for
_PATIENCE: Final = 3  # rounds of moves without
_NEARLY: Final = 1.2  # times what the best island's leader came to: its own may evolve farther
_POPULATION: Final = 16
_SIGMA: Final = 0.5  # of what a descent's end calls its reach
_GENERATIONS: Final = 10  # that have to gain
_ISLANDS: Final = 5  # in a row that came no nearer
_ENOUGH_DB: Final = 0.02  # nearer than two renders of one preset ever come


def refine(
    stage: Stage, pool: list[Scored], posterior: Posterior, rng: np.random.Generator
) -> Iterator[Scored]:
    """Good candidates, better and better ones among them, until nothing is left to gain.

    Yields after every few dozen renders the best of these, so that whoever asks can stop.
    """
    worth = posterior.worth
    tried: set[Structure] = set()
    best, in_vain, rough = min(pool, key=worth), 0, np.inf
    while best.distance > _ENOUGH_DB and in_vain < _ISLANDS:
        last, drawn = worth(best), stage.score(posterior.draws(rng, _DRAWS))
        starts = sorted(drawn, key=worth) if tried else distinct([*pool, *drawn], worth)
        leader = starts[0]
        for found in _island(stage, starts[:_CHAINS], posterior, rng, tried):
            leader = min(leader, found, key=worth)
            yield found
        best = min(best, leader, key=worth)
        # Leaders are held against leaders: beside one that has evolved, each would lose.
        if worth(leader) < _NEARLY * rough:
            rough = min(rough, worth(leader))
            for found in evolved(stage, leader, rng):
                best = min(best, found, key=worth)
                yield found
        in_vain = 0 if worth(best) < (1.0 - _GAIN) * last else in_vain + 1


def _island(
    stage: Stage,
    starts: list[Scored],
    posterior: Posterior,
    rng: np.random.Generator,
    tried: set[Structure],
) -> Iterator[Scored]:
    """What a race of some starts leads to, and then its leader's moves, until those gain nothing.

    ``tried`` holds the structures that have raced, and is added to.
    """
    worth = posterior.worth
    chains = [Chain(stage, start, _BLURRED) for start in starts]
    tried |= {start.candidate.structure for start in starts}
    best, last, in_vain = starts[0], np.inf, 0
    while True:
        for found in _race(stage, chains, worth):
            best = min(best, found, key=worth)
            yield found
        gained = worth(best) < (1.0 - _GAIN) * last
        last, in_vain = (worth(best), 0) if gained else (last, in_vain + 1)
        if best.distance <= _ENOUGH_DB or in_vain >= _PATIENCE:
            return
        if in_vain == 1 and (starts := _resplit(stage, best, worth)):
            chains = [Chain(stage, start, _BLURRED_LATER) for start in starts]
            continue
        others = [*posterior.simpler(best), *posterior.moves(best, rng, _MOVES)]
        moved = distinct(stage.score(others), worth)
        best = min(best, moved[0], key=worth)
        yield moved[0]
        new = [s for s in moved if s.candidate.structure not in tried][:_NEW_ONES]
        old = [s for s in moved if s.candidate.structure in tried][:1]
        tried |= {s.candidate.structure for s in new}
        chains = [Chain(stage, start, _BLURRED_LATER) for start in [*old, *new]]


def _resplit(stage: Stage, best: Scored, worth: Callable[[Scored], float]) -> list[Scored]:
    """Starts with other splits, as many of each oscillator; none where neither has one."""
    each = [sorted(stage.score(some), key=worth) for some in resplit(best, ~stage.fixed.heads)]
    return [start for some in each for start in some[: _CHAINS // len(each)]]


def _race(stage: Stage, chains: list[Chain], worth: Callable[[Scored], float]) -> Iterator[Scored]:
    """The best of each chain after every step, the worse half of the chains dropped as they go."""
    while chains:
        for _ in range(_STEPS):
            yield from stepped(stage, chains)
        chains.sort(key=lambda chain: worth(chain.best))
        chains = [c for c in chains[: (len(chains) + 1) // 2] if not c.exhausted]


def evolved(stage: Stage, start: Scored, rng: np.random.Generator) -> Iterator[Scored]:
    """Better and better ones of the same structure, by CMA-ES, for as long as that gains.

    Descents go by slopes, and end on some small step of what drift, beats and mel bands make of
    them; an evolution strategy goes by ranks and gets over it. It begins with the ways that slopes
    say are long.
    """
    chain = Chain(stage, start, 0)
    descent = chain.descent
    covariance = descent.reach(stage.features([chain.candidate(p) for p in descent.moved()]))
    evolution = Evolution(descent.point, _SIGMA, covariance, _POPULATION, rng)
    best, last = start, np.inf
    while best.distance < (1.0 - _GAIN) * last and best.distance > _ENOUGH_DB:
        last = best.distance
        for _ in range(_GENERATIONS):
            points = evolution.ask()
            scored = stage.score([chain.candidate(p) for p in descent.inside(points)])
            evolution.tell(points, [s.distance for s in scored])
            best = min([best, *scored], key=lambda s: s.distance)
            yield best


def distinct(pool: list[Scored], worth: Callable[[Scored], float]) -> list[Scored]:
    """The best of each structure, best first."""
    found: dict[Structure, Scored] = {}
    for scored in sorted(pool, key=worth):
        found.setdefault(scored.candidate.structure, scored)
    return list(found.values())


class Chain:
    """Two descents within one structure, over what of it can be heard and is not fixed.

    The first, of a few steps, is blurred: from wherever it starts, beats, vibrato and FM have hills
    all around that a descent by the features themselves stays on.
    """

    def __init__(self, stage: Stage, start: Scored, blurred_steps: int) -> None:
        self.best = start
        self._objective = stage.objective
        self._blurred_steps = blurred_steps
        self._movable = np.flatnonzero(
            start.candidate.switched_on & start.audible & ~stage.fixed.heads
        )
        units = start.candidate.places / (SIZES - 1)
        point = np.append(units[self._movable], start.candidate.phase)
        self._begin(point, start.heard)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to gain here."""
        return self._blurred_steps == 0 and self.descent.exhausted

    def _begin(self, point: Floats, heard: Features) -> None:
        wraps = np.arange(len(point)) == len(point) - 1
        blurred = self._blurred_steps > 0
        self.descent = Descent(self._objective, point, heard, wraps, blurred=blurred)

    def taken(self) -> Scored:
        """The chain's best, now that its descent has taken a step."""
        point, heard = self.descent.point, self.descent.heard
        distance = float(self._objective.distances(heard[None])[0])
        if distance < self.best.distance:
            self.best = Scored(distance, self.candidate(point), heard, self.best.audible)
        if self._blurred_steps:
            self._blurred_steps = 0 if self.descent.exhausted else self._blurred_steps - 1
            if not self._blurred_steps:
                self._begin(point, heard)
        return self.best

    def candidate(self, point: Floats) -> Candidate:
        """The candidate that the descent means by a point."""
        places = self.best.candidate.places.copy()
        places[self._movable] = point[:-1] * (SIZES[self._movable] - 1)
        return replace(self.best.candidate, places=places, phase=float(point[-1] % 1.0))


def stepped(stage: Stage, chains: Sequence[Chain]) -> list[Scored]:
    """The best of each chain after one step downhill, their candidates rendered together."""

    def hear(asked: list[Floats]) -> list[Features]:
        rows = zip(chains, asked, strict=True)
        candidates = [chain.candidate(point) for chain, points in rows for point in points]
        ends = np.cumsum([len(points) for points in asked])
        return np.split(stage.features(candidates), ends[:-1])

    step_together([chain.descent for chain in chains], hear)
    return [chain.taken() for chain in chains]
