"""Medians and shares with 95 % bootstrap intervals, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[..., Floats]

RESAMPLES = 2000
_ENDS = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A figure with the interval in which 95 % of its bootstrap resamples lie."""

    value: float
    low: float
    high: float

    def text(self, form: str = ".2f", scale: float = 1.0) -> str:
        """``1.23 [1.10, 1.40]``, or a dash where there was nothing to measure."""
        if math.isnan(self.value):
            return "-"
        value, low, high = (format(scale * x, form) for x in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"


def interval(values: npt.ArrayLike, statistic: Statistic = np.median) -> Interval:
    """A statistic of values (n,) over targets. The same values give the same interval.

    An infinite value (a failure that has no number) counts as worse than all others.
    """
    given = np.asarray(values, np.float64)
    if not given.size:
        return Interval(np.nan, np.nan, np.nan)
    rng = np.random.default_rng(0)
    resampled = given[rng.integers(0, len(given), (RESAMPLES, len(given)))]
    found = np.asarray(statistic(resampled, axis=1))
    low, high = np.quantile(found, _ENDS, method="nearest")
    return Interval(float(statistic(given, axis=0)), float(low), float(high))


def share(yes: npt.ArrayLike) -> Interval:
    """The share of targets for which something holds."""
    return interval(np.asarray(yes, np.float64), np.mean)


@dataclass(frozen=True)
class Lead:
    """By how much one system is ahead of another on the same targets."""

    by: Interval
    won: float


def lead(mine: npt.ArrayLike, rival: npt.ArrayLike) -> Lead:
    """The median of the paired differences rival - mine, and the share of targets won."""
    difference = np.asarray(rival, np.float64) - np.asarray(mine, np.float64)
    return Lead(interval(difference), float(np.mean(difference > 0)))
