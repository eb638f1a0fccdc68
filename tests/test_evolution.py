"""The evolution strategy gets where the package's does, in as many asks."""

from __future__ import annotations

from collections.abc import Callable

import cmaes
import numpy as np
import pytest

from antithesis.evolution import Evolution

D = 8
START = np.full(D, 0.7)
TURNED = np.linalg.qr(np.random.default_rng(0).normal(size=(D, D)))[0]
Function = Callable[[np.ndarray], float]


def ellipsoid(point: np.ndarray) -> float:
    """A thousand times longer one way than the other, and no way along an axis."""
    return float((10 ** np.linspace(0, 6, D) * (TURNED @ point) ** 2).sum())


def rosenbrock(point: np.ndarray) -> float:
    """A bent valley."""
    return float((100 * (point[1:] - point[:-1] ** 2) ** 2 + (1 - point[:-1]) ** 2).sum())


def rungs(point: np.ndarray) -> float:
    """Flat steps all the way down: no slope anywhere."""
    return float(np.floor(1e3 * np.abs(point)).sum())


def ours(
    function: Function, seed: int, covariance: np.ndarray, least: float, start: np.ndarray = START
) -> int:
    evolution = Evolution(start, 0.3, covariance, 16, np.random.default_rng(seed))
    for generation in range(1000):
        points = evolution.ask()
        distances = [function(point) for point in points]
        evolution.tell(points, distances)
        if min(distances) <= least:
            return generation
    raise AssertionError(f"still at {min(distances)}")


def theirs(function: Function, seed: int, least: float) -> int:
    strategy = cmaes.CMA(START, 0.3, population_size=16, seed=seed)
    for generation in range(1000):
        points = [strategy.ask() for _ in range(16)]
        told = [(point, function(point)) for point in points]
        strategy.tell(told)
        if min(distance for _, distance in told) <= least:
            return generation
    raise AssertionError("the package is not there")


@pytest.mark.parametrize(
    ("function", "least"), [(ellipsoid, 1e-8), (rosenbrock, 1e-8), (rungs, 0.0)]
)
def test_it_needs_as_many_generations_as_the_package(function: Function, least: float) -> None:
    mine = np.mean([ours(function, seed, np.eye(D), least) for seed in range(8)])
    its = np.mean([theirs(function, seed, least) for seed in range(8)])
    assert mine == pytest.approx(its, rel=0.2)


def test_told_which_ways_are_long_it_needs_far_fewer() -> None:
    widths = 10 ** (1.5 - np.linspace(0, 3, D))
    in_the_valley = TURNED.T @ widths  # as far along each way as that is long
    told = TURNED.T @ np.diag(widths**2) @ TURNED
    knowing, learning = (
        np.mean([ours(ellipsoid, seed, covariance, 1e-2, in_the_valley) for seed in range(4)])
        for covariance in (told, np.eye(D))
    )
    assert knowing < 0.6 * learning


def test_the_same_seed_asks_the_same() -> None:
    first, second = (
        Evolution(START, 0.3, np.eye(D), 16, np.random.default_rng(7)).ask() for _ in range(2)
    )
    assert (first == second).all()


def test_one_dimension_is_enough() -> None:
    evolution = Evolution(np.array([3.0]), 0.5, np.eye(1), 4, np.random.default_rng(0))
    for _ in range(60):
        points = evolution.ask()
        evolution.tell(points, (points[:, 0] - 1.0) ** 2)
    assert points.mean() == pytest.approx(1.0, abs=1e-4)
