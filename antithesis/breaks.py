"""Where exactly a sound breaks into what sounded before it.

A linear predictor learns the sound before; what it leaves of the sound after is mostly that which
is new. The sample that splits this best into a usual and an unusual part is where the new begins
(the likelihood ratio of a change of variance, after Basseville and Benveniste, 1983).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating]

REACH_S: Final = 0.03
"""How far from a guess the break is looked for, at most."""

_AROUND_S: Final = ((0.02, REACH_S), (0.01, 0.01))  # first widely, then with a nearer past
_LEARNT_S: Final = 0.06
_LEAST_S: Final = 0.002  # of what comes after
_ORDER: Final = 32
_AUDIBLE: Final = 1e-3  # of the loudest, out of silence


def break_near(samples: Samples, at: int, sample_rate: int) -> int:
    """The sample near `at` from which on the sound before does not explain what is heard.

    Out of silence it is exact to the sample.
    """
    for before_s, after_s in _AROUND_S:
        first = max(0, at - round(before_s * sample_rate))
        last = min(len(samples), at + round(after_s * sample_rate))
        past = samples[max(0, first - round(_LEARNT_S * sample_rate)) : first].astype(np.float64)
        if len(past) <= 4 * _ORDER or not past.any():
            loud = np.abs(samples[first:last])
            return first + int(np.argmax(loud > _AUDIBLE * loud.max(initial=0.0)))
        whitener = whiten(past)
        usual = np.convolve(past, whitener, "valid")
        near = samples[first - _ORDER : last].astype(np.float64)
        unusual = np.convolve(near, whitener, "valid") ** 2 / max(float(np.mean(usual**2)), 1e-20)
        at = first + _split(unusual, round(_LEAST_S * sample_rate))
    return at


def _split(power: FloatArray, least: int) -> int:
    """Where power that was 1 is another from there to the end, by the likelihood of both."""
    count = np.arange(len(power), 0, -1)
    total = np.cumsum(power[::-1])[::-1]
    likelihood = total - count - count * np.log(np.maximum(total / count, 1.0))
    return int(np.argmax(np.where(total > count, likelihood, 0.0)[: max(1, len(power) - least)]))


def whiten(past: FloatArray) -> FloatArray:
    """The filter that leaves of a sound only what its last `_ORDER` samples do not foretell."""
    lags = np.array([past[: len(past) - lag] @ past[lag:] for lag in range(_ORDER + 1)])
    lags[0] *= 1.0 + 1e-6
    distance = np.abs(np.subtract.outer(np.arange(_ORDER), np.arange(_ORDER)))
    return np.concatenate([[1.0], -np.linalg.solve(lags[distance], lags[1:])])
