"""The optimiser: it finds the bottom of valleys, stays within bounds, and knows when to stop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from antithesis.cma import CMA

Floats = npt.NDArray[np.float64]


def bowl(x: Floats) -> float:
    return float(((x - 0.3) ** 2).sum())


def ellipse(x: Floats) -> float:
    """A thousand times as steep along one axis as along another, and turned off the axes."""
    turned = np.cumsum(x - 0.3)
    return float((np.logspace(0, 3, len(x)) * turned**2).sum())


def bent_valley(x: Floats) -> float:
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def optimiser(n: int, *, seed: int = 0, start: float = -0.5, step: float = 0.3) -> CMA:
    rng = np.random.default_rng(seed)
    return CMA(np.full(n, start), step, low=np.full(n, -2.0), high=np.full(n, 2.0), rng=rng)


def lowest(cma: CMA, height: Callable[[Floats], float], generations: int) -> float:
    """The lowest height found in so many generations, or until the optimiser is exhausted."""
    best = np.inf
    for _ in range(generations):
        points = cma.ask()
        heights = [height(x) for x in points]
        cma.tell(points, heights)
        best = min(best, *heights)
        if cma.exhausted:
            break
    return best


@pytest.mark.parametrize(
    ("height", "n", "generations"), [(bowl, 5, 150), (ellipse, 6, 300), (bent_valley, 4, 500)]
)
def test_the_bottom_is_found(height: Callable[[Floats], float], n: int, generations: int) -> None:
    assert lowest(optimiser(n), height, generations) < 1e-8


def test_one_dimension_is_enough() -> None:
    assert lowest(optimiser(1), bowl, 100) < 1e-8


def test_a_shift_of_all_heights_changes_nothing() -> None:
    first, second = optimiser(3), optimiser(3)
    for _ in range(20):
        points = first.ask()
        assert np.array_equal(points, second.ask())
        first.tell(points, [bowl(x) for x in points])
        second.tell(points, [8.0 * bowl(x) + 5.0 for x in points])


def test_the_same_seed_asks_the_same() -> None:
    assert np.array_equal(optimiser(4, seed=3).ask(), optimiser(4, seed=3).ask())
    assert not np.array_equal(optimiser(4, seed=3).ask(), optimiser(4, seed=4).ask())


def test_no_point_leaves_its_bounds_even_where_the_ground_falls_away() -> None:
    cma = optimiser(3, start=1.9)
    for _ in range(60):
        points = cma.ask()
        assert (np.abs(points) <= 2.0).all()
        cma.tell(points, [-float(x.sum()) for x in points])
    assert points.mean() > 1.99


def test_a_start_in_a_corner_still_has_points() -> None:
    points = optimiser(8, start=2.0, step=50.0).ask()
    assert points.shape == (optimiser(8).population, 8)
    assert (np.abs(points) <= 2.0).all()


def test_flat_ground_exhausts_it() -> None:
    cma = optimiser(3)
    assert not cma.exhausted
    assert lowest(cma, lambda _: 1.0, 1000) == 1.0
    assert cma.exhausted


def test_a_bottom_that_is_reached_exhausts_it() -> None:
    cma = optimiser(3)
    lowest(cma, bowl, 2000)
    assert cma.exhausted
