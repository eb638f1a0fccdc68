"""Gauss-Newton on the exact synth: which way all parameters should move at once.

A distance is one number a render; the features behind it are 18,628. Rendering each parameter
moved a little gives all their slopes, and a damped least-squares step (Levenberg, Marquardt) from
them goes further in fifty renders than an evolution strategy in a thousand. Absolute differences
are minimised, by weighing each square with the inverse of its root (iteratively reweighted).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from antithesis.jit import kernel, part
from antithesis.objective import Objective
from antithesis.wide import LANES, load, spread, total

Floats = npt.NDArray[np.float64]
Features = npt.NDArray[np.float32]
Hear = Callable[[list[Floats]], Sequence[Features]]

_FIRST_MOVE: Final = 0.01  # of a parameter's whole range
_MOVES: Final = (3e-4, 0.1)
_HEARD_DB: Final = (0.1, 0.5)  # what a parameter's move should change
_SMALLEST_DB: Final = 1.0  # differences below count as this much where squares are weighed
_DAMPINGS: Final = (0.01, 0.1, 1.0, 10.0, 100.0)  # tried at once, times the last that did well
_DAMPING_RANGE: Final = (1e-4, 1e4)
_REACH_DB: Final = 0.1  # of change, by which a parameter's reach is measured
_REACHES: Final = (1e-3, 0.1)  # of its whole range
_SMALLEST_AT_REST_DB: Final = 0.3  # as _SMALLEST_DB, where a descent has ended
_TINY_DB: Final = 1e-3  # a change of nothing, to divide by
_OWN_SHARE: Final = 0.01  # of each parameter's own curvature added: slopes are not quite right
_HARDLY: Final = 0.01  # a gain, as a share, that is hardly one
_PATIENCE: Final = 3


class Descent:
    """Steps downhill from a point (d,) of the unit cube, whose features are ``heard`` (k,).

    ``wraps`` (d,) marks what goes round instead of ending. A descent that is ``blurred`` goes by
    how the features' course in time is on the whole, past hills that others stay on; ``distance``
    is then of that. :func:`step_together` takes the steps.
    """

    def __init__(
        self,
        objective: Objective,
        start: Floats,
        heard: Features,
        wraps: npt.NDArray[np.bool_],
        *,
        blurred: bool = False,
    ) -> None:
        self.point = start
        self.heard = heard
        self._objective = objective
        self._blurred = blurred
        self._target, self._here = self._seen(np.stack([objective.target, heard]))
        self._wraps = wraps
        self._moves = np.full(len(start), _FIRST_MOVE)
        self.distance = float(self._distances(self._here[None])[0])
        self._damping = 1.0
        self._in_vain = 0

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to gain here."""
        return self._in_vain >= _PATIENCE

    def moved(self) -> Floats:
        """The point with each parameter moved a little, (d, d)."""
        return self.point + np.diag(self._ways)

    def downhill(self, heard: Features) -> Floats:
        """Points (n, d) to try, by how the moved ones were heard (d, k)."""
        changes = self._seen(heard) - self._here
        slopes = changes / self._ways.astype(np.float32)[:, None]
        steps = self._steps(slopes)
        self._adapt(np.abs(changes, out=changes) @ self._objective.weights)
        return self.inside(self.point + steps)

    def take(self, points: Floats, heard: Sequence[Features]) -> None:
        """Go to the nearest of points (n, d), if that is a gain; the last were tried downhill.

        ``heard`` is their features (n, k), in parts.
        """
        each = [row for part in heard for row in part]
        distances = np.concatenate([self._distances(self._seen(part)) for part in heard])
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
        self.point, self.heard = points[best], each[best].copy()  # of the others, nothing is kept
        self._here = self._seen(self.heard[None])[0]
        self.distance = float(distances[best])

    def _seen(self, heard: Features) -> Features:
        """What it looks at of features (n, k)."""
        return self._objective.blurred(heard) if self._blurred else heard

    def _distances(self, seen: Features) -> Floats:
        return self._objective.apart(self._target, seen)

    @property
    def _ways(self) -> Floats:
        """What each parameter is moved by, (d,): back, where its end is near."""
        past_the_end = (self.point + self._moves > 1.0) & ~self._wraps
        return np.asarray(self._moves * np.where(past_the_end, -1.0, 1.0))

    def _steps(self, slopes: Features) -> Floats:
        """A step (d,) for each damping."""
        residual = self._here - self._target
        square, right = _normal_equations(slopes, residual, self._objective.weights, _SMALLEST_DB)
        scale = np.diag(square) + 1e-9 * max(float(square.max()), 1e-12)
        dampings = self._damping * np.array(_DAMPINGS)
        damped = square + dampings[:, None, None] * np.diag(scale)
        return np.asarray(-np.linalg.solve(damped, right[:, None])[..., 0])

    def reach(self, heard: Features) -> Floats:
        """Covariance (d, d) of steps from here that change the sound about as much either way.

        From how the moved ones were heard (d, k). A decay and a sustain that make up for each other
        go far together, a tuning by itself hardly at all.
        """
        changes = self._seen(heard) - self._here
        felt_db = np.abs(changes) @ self._objective.weights
        reach = np.clip(self._moves * _REACH_DB / np.maximum(felt_db, _TINY_DB), *_REACHES)
        slopes = changes * (reach / self._ways).astype(np.float32)[:, None]
        residual, weights = self._here - self._target, self._objective.weights
        square, _ = _normal_equations(slopes, residual, weights, _SMALLEST_AT_REST_DB)
        own = np.diag(square)
        covariance = np.linalg.inv(square + np.diag(_OWN_SHARE * own + 1e-6 * own.mean() + 1e-9))
        covariance /= np.exp(np.log(np.linalg.eigvalsh(covariance)).mean())
        return np.asarray(covariance * np.outer(reach, reach))

    def _adapt(self, changes: Floats) -> None:
        """Smaller moves of what changes much: slopes are local; larger ones of what hardly does."""
        grown = np.where(changes < _HEARD_DB[0], 1.6, np.where(changes > _HEARD_DB[1], 0.6, 1.0))
        self._moves = np.clip(self._moves * grown, *_MOVES)

    def inside(self, points: Floats) -> Floats:
        """Points (n, d) with what lies past an end brought back to it."""
        return np.where(self._wraps, points, np.clip(points, 0.0, 1.0))


def step_together(descents: Sequence[Descent], hear: Hear) -> None:
    """Render every parameter moved, then a few steps from the slopes; keep the best.

    ``hear`` gives the features (n, k) of the points (n, d) that each of the descents asks for: all
    at once, since cores that share a few renders wait for each other.
    """
    moved = [descent.moved() for descent in descents]
    heard = hear(moved)
    tried = [descent.downhill(own) for descent, own in zip(descents, heard, strict=True)]
    results = zip(descents, moved, heard, tried, hear(tried), strict=True)
    for descent, points, first, others, second in results:
        descent.take(np.concatenate([points, others]), [first, second])


@kernel
def _normal_equations(slopes: Any, residual: Any, weights: Any, smallest: float) -> Any:
    """Weighted squares (d, d) and right side (d,) of slopes (d, k); a library's takes all cores."""
    d, k = slopes.shape
    square = np.zeros((d, d))
    right = np.zeros(d)
    shares = weights / np.maximum(np.abs(residual), np.float32(smallest))
    row = np.empty(k, np.float32)
    for i in range(d):
        for t in range(k):
            row[t] = shares[t] * slopes[i, t]
        right[i] = _product(row, residual)
        for j in range(i + 1):
            square[i, j] = square[j, i] = _product(row, slopes[j])
    return square, right


@part
def _product(a: Any, b: Any) -> float:
    """The scalar product of two rows; four sums abreast, for each waits on itself."""
    none = spread(np.float32(0.0))
    first, second, third, fourth = none, none, none, none
    whole = a.shape[0] // (4 * LANES) * (4 * LANES)
    for at in range(0, whole, 4 * LANES):
        first = first + load(a, at) * load(b, at)
        second = second + load(a, at + LANES) * load(b, at + LANES)
        third = third + load(a, at + 2 * LANES) * load(b, at + 2 * LANES)
        fourth = fourth + load(a, at + 3 * LANES) * load(b, at + 3 * LANES)
    rest = 0.0
    for i in range(whole, a.shape[0]):
        rest += a[i] * b[i]
    return float(total((first + second) + (third + fourth)) + rest)
