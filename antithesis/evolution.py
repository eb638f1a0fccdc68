"""CMA-ES: an evolution strategy that learns which ways are long (Hansen, arXiv:1604.00772, 2016).

With negative weights for the worse half, as in the package ``cmaes``, beside which it is tested.
That one imports SciPy's statistics wherever they are installed: 77 MB more, of a companion
that is to be light beside a DAW.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TINY: Final = 1e-12


class Evolution:
    """Minimises by ranks alone: ask for points, tell how far each is.

    Args:
        mean: Where it begins, (d,).
        sigma: The size of its first steps, in standard deviations of the covariance.
        covariance: Which ways are long to begin with, (d, d); it learns them from there.
        population: Points of a generation, four or more.
        rng: For its draws.
    """

    def __init__(
        self,
        mean: Floats,
        sigma: float,
        covariance: Floats,
        population: int,
        rng: np.random.Generator,
    ) -> None:
        self._mean, self._sigma, self._covariance = mean, sigma, covariance
        self._population, self._rng = population, rng
        self._generation = 0
        self._path = np.zeros(len(mean))  # of the covariance, and then of the step size
        self._straight = np.zeros(len(mean))
        self._set_rates(len(mean), np.log((population + 1) / 2 / np.arange(1.0, population + 1)))
        self._spread()

    def _set_rates(self, d: int, by_rank: Floats) -> None:
        """Hansen's defaults, by the names they have there without the letters."""
        good, bad = np.maximum(by_rank, 0.0), np.maximum(-by_rank, 0.0)
        self._mass = mass = good.sum() ** 2 / (good**2).sum()
        self._by_one = by_one = 2.0 / ((d + 1.3) ** 2 + mass)
        by_many = 2.0 * (mass - 2.0 + 1.0 / mass) / ((d + 2.0) ** 2 + mass)
        self._by_many = by_many = min(1.0 - by_one - 1e-8, by_many)
        most = min(
            1.0 + by_one / by_many,
            1.0 + 2.0 * bad.sum() ** 2 / (bad**2).sum() / (mass + 2.0),
            (1.0 - by_one - by_many) / (d * by_many),
        )
        self._weights = good / good.sum() - most * bad / bad.sum()
        self._path_rate = (4.0 + mass / d) / (d + 4.0 + 2.0 * mass / d)
        self._straight_rate = (mass + 2.0) / (d + mass + 5.0)
        slack = max(0.0, np.sqrt((mass - 1.0) / (d + 1.0)) - 1.0)
        self._damping = 1.0 + 2.0 * slack + self._straight_rate
        self._length = np.sqrt(d) * (1.0 - 1.0 / (4.0 * d) + 1.0 / (21.0 * d**2))

    def _spread(self) -> None:
        squares, self._ways = np.linalg.eigh(self._covariance)
        self._widths = np.sqrt(np.maximum(squares, _TINY * squares.max()))

    def ask(self) -> Floats:
        """The points (population, d) of the next generation."""
        drawn = self._rng.normal(size=(self._population, len(self._mean)))
        return np.asarray(self._mean + self._sigma * (drawn * self._widths) @ self._ways.T)

    def tell(self, points: Floats, distances: npt.ArrayLike) -> None:
        """How far each of the points that were asked for is, (population,)."""
        steps = (points[np.argsort(distances)] - self._mean) / self._sigma
        plain = steps @ self._ways / self._widths @ self._ways.T  # as if all ways were as long
        taken = np.maximum(self._weights, 0.0)
        self._mean = self._mean + self._sigma * taken @ steps
        self._generation += 1
        going = self._lengthen(taken @ steps, taken @ plain)
        weights = np.where(
            self._weights > 0.0,
            self._weights,
            self._weights * len(self._mean) / np.maximum((plain**2).sum(1), _TINY),
        )
        stalled = (1.0 - going) * self._path_rate * (2.0 - self._path_rate)
        kept = 1.0 - self._by_one * (1.0 - stalled) - self._by_many * self._weights.sum()
        self._covariance = (
            kept * self._covariance
            + self._by_one * np.outer(self._path, self._path)
            + self._by_many * (weights * steps.T) @ steps
        )
        self._spread()

    def _lengthen(self, step: Floats, plain: Floats) -> bool:
        """Both paths and the step size; whether the mean goes on no faster than it should."""
        rate = self._straight_rate
        self._straight = (1.0 - rate) * self._straight
        self._straight += np.sqrt(rate * (2.0 - rate) * self._mass) * plain
        length = float(np.linalg.norm(self._straight)) / self._length
        self._sigma *= float(np.exp(rate / self._damping * (length - 1.0)))
        settled = np.sqrt(1.0 - (1.0 - rate) ** (2 * (self._generation + 1)))
        going = bool(length / settled < 1.4 + 2.0 / (len(step) + 1.0))
        rate = self._path_rate
        self._path = (1.0 - rate) * self._path
        self._path += going * np.sqrt(rate * (2.0 - rate) * self._mass) * step
        return going
