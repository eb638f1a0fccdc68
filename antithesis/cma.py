"""CMA-ES: an optimiser that learns which way the ground slopes, asked and told in generations.

The algorithm and its constants are those of Hansen, *The CMA Evolution Strategy: A Tutorial*
(arXiv:1604.00772), whose equations the comments name. A generation is drawn at once. It is here,
not in a package, because the one at hand imports scipy.stats: a second of every start and 60 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_REDRAWS: Final = 100  # of points out of bounds, before they are moved to them
_SPENT_STEP: Final = 1e-12  # of the first step
_SPENT_RANGE: Final = 1e-12  # of the values of many generations
_DIVERGED: Final = 1e4
_DEGENERATE: Final = 1e14


@dataclass(frozen=True)
class _Rates:
    """What follows from the number of dimensions alone; eq. 48 to 56."""

    population: int
    parents: int
    weights: Floats  # (population,), best first; the worse half is negative
    mass: float  # mu_eff
    rank_one: float
    rank_mu: float
    path: float
    step_path: float
    damping: float
    length: float  # expected, of a standard normal vector

    @classmethod
    def of(cls, n: int) -> _Rates:
        population = 4 + int(3 * log(n))
        parents = population // 2
        raw = log((population + 1) / 2) - np.log(np.arange(1, population + 1))
        mass = float(raw[:parents].sum() ** 2 / (raw[:parents] ** 2).sum())
        against = float(raw[parents:].sum() ** 2 / (raw[parents:] ** 2).sum())
        rank_one = 2.0 / ((n + 1.3) ** 2 + mass)
        rank_mu = min(1 - rank_one - 1e-8, 2 * (mass - 2 + 1 / mass) / ((n + 2) ** 2 + mass))
        least = min(
            1 + rank_one / rank_mu,
            1 + 2 * against / (mass + 2),
            (1 - rank_one - rank_mu) / (n * rank_mu),
        )
        weights = np.where(raw >= 0, raw / raw[raw > 0].sum(), least * raw / -raw[raw < 0].sum())
        step_path = (mass + 2) / (n + mass + 5)
        return cls(
            population,
            parents,
            weights,
            mass,
            rank_one,
            rank_mu,
            path=(4 + mass / n) / (n + 4 + 2 * mass / n),
            step_path=step_path,
            damping=1 + 2 * max(0.0, sqrt((mass - 1) / (n + 1)) - 1) + step_path,
            length=sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n**2)),
        )


class CMA:
    """A normal distribution that moves towards lower values of what it is told about.

    Args:
        mean: Where it starts, (n,), between `low` and `high` (n,), which no point leaves.
        step: Standard deviation that it starts with, in every dimension.
        rng: What draws.
    """

    def __init__(
        self, mean: Floats, step: float, *, low: Floats, high: Floats, rng: np.random.Generator
    ) -> None:
        n = len(mean)
        self._rates = _Rates.of(n)
        self._mean = np.array(mean, np.float64)
        self._step = self._first_step = step
        self._low, self._high, self._rng = low, high, rng
        self._path, self._step_path = np.zeros(n), np.zeros(n)
        self._axes, self._lengths = np.eye(n), np.ones(n)  # of the covariance
        self._covariance = np.eye(n)
        self._generation = 0
        remembered = 10 + -(-30 * n // self._rates.population)
        self._extremes = np.tile([-np.inf, np.inf], (remembered, 1))

    @property
    def population(self) -> int:
        """How many points a generation has."""
        return self._rates.population

    def ask(self) -> Floats:
        """The points of a generation, (population, n)."""
        points = self._draw(self._rates.population)
        for _ in range(_REDRAWS):
            astray = ((points < self._low) | (points > self._high)).any(axis=1)
            if not astray.any():
                return points
            points[astray] = self._draw(int(astray.sum()))
        return np.clip(points, self._low, self._high)

    def _draw(self, count: int) -> Floats:
        round_ones = self._rng.standard_normal((count, len(self._mean)))
        return self._mean + self._step * ((round_ones * self._lengths) @ self._axes.T)

    def tell(self, points: Floats, values: npt.ArrayLike) -> None:
        """What the points (population, n) of a generation came to, (population,)."""
        heights = np.asarray(values, np.float64)
        order = np.argsort(heights, kind="stable")
        self._generation += 1
        self._extremes[self._generation % len(self._extremes)] = heights[order[[0, -1]]]
        moves = (points[order] - self._mean) / self._step
        rates = self._rates
        move = rates.weights[: rates.parents] @ moves[: rates.parents]  # eq. 41
        self._mean = self._mean + self._step * move
        straight = self._resize_step(move)
        self._reshape(moves, move, straight)

    def _resize_step(self, move: Floats) -> bool:
        """Eq. 43 and 44; whether the path is short enough to learn its direction from."""
        rates = self._rates
        keep = 1 - rates.step_path
        gain = sqrt(rates.step_path * (2 - rates.step_path) * rates.mass)
        self._step_path = keep * self._step_path + gain * self._whiten(move)
        length = float(np.linalg.norm(self._step_path))
        self._step *= exp(rates.step_path / rates.damping * (length / rates.length - 1))
        settled = sqrt(1 - keep ** (2 * (self._generation + 1)))
        return length / settled < (1.4 + 2 / (len(self._mean) + 1)) * rates.length

    def _whiten(self, moves: Floats) -> Floats:
        """Moves (..., n) seen from where the covariance is round."""
        return np.asarray(((moves @ self._axes) / self._lengths) @ self._axes.T)

    def _reshape(self, moves: Floats, move: Floats, straight: bool) -> None:
        """Eq. 45 to 47, and the axes of the new covariance."""
        rates, n = self._rates, len(self._mean)
        gain = sqrt(rates.path * (2 - rates.path) * rates.mass) if straight else 0.0
        self._path = (1 - rates.path) * self._path + gain * move
        squares = (self._whiten(moves) ** 2).sum(axis=1)
        weights = np.where(rates.weights >= 0, rates.weights, rates.weights * n / (squares + 1e-8))
        lost = 0.0 if straight else rates.path * (2 - rates.path)
        keep = 1 + rates.rank_one * (lost - 1) - rates.rank_mu * rates.weights.sum()
        covariance = (
            keep * self._covariance
            + rates.rank_one * np.outer(self._path, self._path)
            + rates.rank_mu * (moves.T * weights) @ moves
        )
        squared, self._axes = np.linalg.eigh((covariance + covariance.T) / 2)
        self._lengths = np.sqrt(np.where(squared < 0, 1e-8, squared))
        self._covariance = (self._axes * self._lengths**2) @ self._axes.T

    @property
    def exhausted(self) -> bool:
        """Whether there is nothing left to learn, or no way on."""
        deviations = self._step * np.sqrt(np.diag(self._covariance))
        axis = self._generation % len(self._mean)
        along = self._step * self._lengths[axis] * self._axes[:, axis]
        spent = _SPENT_STEP * self._first_step
        return bool(
            np.ptp(self._extremes) < _SPENT_RANGE
            or (max(deviations.max(), (self._step * self._path).max()) < spent)
            or self._step * self._lengths.max() > _DIVERGED
            or (self._mean == self._mean + 0.2 * deviations).any()
            or (self._mean == self._mean + 0.1 * along).all()
            or self._lengths.max() > _DEGENERATE * self._lengths.min()
        )
