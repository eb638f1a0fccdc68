"""Gauss-Newton on the exact synth: which way all parameters should move at once.

A distance is one number a render; the features behind it are 28,000. Rendering each parameter
moved a little gives all their slopes, and a damped least-squares step (Levenberg, Marquardt) from
them goes further in fifty renders than an evolution strategy in a thousand. Absolute differences
are minimised, by weighing each square with the inverse of its root (iteratively reweighted).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis.jit import kernel
from antithesis.objective import Objective

Floats = npt.NDArray[np.float64]
Features = Callable[[Floats], npt.NDArray[np.float32]]

_FIRST_MOVE: Final = 0.01  # of a parameter's whole range
_MOVES: Final = (3e-4, 0.1)
_HEARD_DB: Final = (0.1, 0.5)  # what a parameter's move should change
_SMALLEST_DB: Final = 1.0  # differences below count as this much where squares are weighed
_DAMPINGS: Final = (0.01, 0.1, 1.0, 10.0, 100.0)  # tried at once, times the last that did well
_DAMPING_RANGE: Final = (1e-4, 1e4)
_HARDLY: Final = 0.01  # a gain, as a share, that is hardly one
_PATIENCE: Final = 3


class Descent:
    """Steps downhill from a point (d,) of the unit cube, whose features are ``heard`` (k,).

    ``features`` hears points (n, d); ``wraps`` (d,) marks what goes round instead of ending.
    """

    def __init__(
        self,
        objective: Objective,
        features: Features,
        start: Floats,
        heard: npt.NDArray[np.float32],
        wraps: npt.NDArray[np.bool_],
    ) -> None:
        self.point = start
        self.heard = heard
        self._objective = objective
        self._features = features
        self._wraps = wraps
        self._moves = np.full(len(start), _FIRST_MOVE)
        self.distance = float(objective.distances(heard[None])[0])
        self._damping = 1.0
        self._in_vain = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to gain here."""
        return self._in_vain >= _PATIENCE

    def step(self) -> None:
        """Render every parameter moved, then a few steps from the slopes; keep the best."""
        past_the_end = (self.point + self._moves > 1.0) & ~self._wraps
        moves: Floats = self._moves * np.where(past_the_end, -1.0, 1.0)
        moved = self.point + np.diag(moves)
        heard = self._features(moved)
        changes = heard - self.heard
        steps = self._steps(np.asarray(changes / moves[:, None], np.float32))
        points = np.concatenate([moved, self._inside(self.point + steps)])
        heard = np.concatenate([heard, self._features(points[len(moved) :])])
        self._adapt(np.abs(changes) @ self._objective.weights)
        self._take(points, heard)

    def _steps(self, slopes: npt.NDArray[np.float32]) -> Floats:
        """A step (d,) for each damping."""
        residual = self.heard - self._objective.target
        square, right = _normal_equations(
            np.ascontiguousarray(slopes.T), residual, self._objective.weights, _SMALLEST_DB
        )
        scale = np.diag(square) + 1e-9 * max(float(square.max()), 1e-12)
        return np.stack(
            [
                -np.linalg.solve(square + np.diag(self._damping * damping * scale), right)
                for damping in _DAMPINGS
            ]
        )

    def _adapt(self, changes: Floats) -> None:
        """Smaller moves of what changes much: slopes are local; larger ones of what hardly does."""
        grown = np.where(changes < _HEARD_DB[0], 1.6, np.where(changes > _HEARD_DB[1], 0.6, 1.0))
        self._moves = np.clip(self._moves * grown, *_MOVES)

    def _take(self, points: Floats, heard: npt.NDArray[np.float32]) -> None:
        distances = self._objective.distances(heard)
        best = int(distances.argmin())
        if distances[best] >= self.distance:
            self._damping = min(10.0 * self._damping, _DAMPING_RANGE[1])
            self._in_vain += 1
            return
        hardly = distances[best] > (1.0 - _HARDLY) * self.distance
        self._in_vain = self._in_vain + 1 if hardly else 0
        tried = best - (len(points) - len(_DAMPINGS))
        factor = _DAMPINGS[tried] if tried >= 0 else 10.0
        self._damping = float(np.clip(self._damping * factor, *_DAMPING_RANGE))
        self.point, self.heard = points[best], heard[best].copy()  # of the others, nothing is kept
        self.distance = float(distances[best])

    def _inside(self, points: Floats) -> Floats:
        return np.where(self._wraps, points, np.clip(points, 0.0, 1.0))


@kernel
def _normal_equations(slopes: Any, residual: Any, weights: Any, smallest: float) -> Any:
    """Weighted squares (d, d) and right side (d,) of slopes (k, d); a library's takes all cores."""
    d = slopes.shape[1]
    square = np.zeros((d, d), np.float32)
    right = np.zeros(d, np.float32)
    for t in range(slopes.shape[0]):
        weight = weights[t] / max(abs(residual[t]), np.float32(smallest))
        pull = weight * residual[t]
        for i in range(d):
            right[i] += pull * slopes[t, i]
            weighted = weight * slopes[t, i]
            for j in range(d):
                square[i, j] += weighted * slopes[t, j]
    return square.astype(np.float64), right.astype(np.float64)
