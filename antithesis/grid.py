"""What a way to the synth can carry, where that is less than everything, and the best within it.

A MIDI controller has 128 positions, a fader as many as its slot has pixels. Where a curve is steep
that is little: an envelope's attack is at its fastest or, one step on, takes nine times as long.
Rounding each knob by itself is seldom the best that can be done: what one loses, others make up
for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from antithesis.parameters import PARAMETERS

Floats = npt.NDArray[np.float64]
Measure = Callable[[Floats], Floats]
"""Distances (n,) of normalized presets (n, 38) from what is wanted."""

_SWEEPS: Final = 12
_TOGETHER: Final = 8  # moves that help by themselves, tried one upon the other


@dataclass(frozen=True)
class Grid:
    """Normalized values that arrive: the levels of each of the 38 parameters, rising."""

    levels: tuple[Floats, ...]

    @classmethod
    def even(cls, steps: Sequence[int]) -> Self:
        """So many equal steps of each parameter; switches have their own, for no way has fewer."""
        counts = (p.steps or n for p, n in zip(PARAMETERS, steps, strict=True))
        return cls(tuple(np.arange(n + 1) / n for n in counts))

    def with_levels(self, others: Floats) -> Self:
        """The same with one level (38,) more of each parameter but switches."""
        pairs = zip(PARAMETERS, self.levels, others, strict=True)
        return type(self)(tuple(had if p.steps else np.union1d(had, one) for p, had, one in pairs))

    def nearest(self, normalized: Floats) -> Floats:
        """The nearest levels (38,)."""
        pairs = zip(self.levels, normalized, strict=True)
        return np.array([had[_nearest(had, value)] for had, value in pairs])

    def beside(self, index: int, value: float) -> Floats:
        """The levels next to one of a parameter: two, or one at an end."""
        levels = self.levels[index]
        at = _nearest(levels, value)
        return levels[[i for i in (at - 1, at + 1) if 0 <= i < len(levels)]]


def fitted(
    grid: Grid, start: Floats, movable: Sequence[int], measure: Measure, stop: Callable[[], bool]
) -> Floats:
    """The best preset (38,) near `start` (38,) that differs from it by levels of `movable` ones.

    Sweep by sweep each of them moves to the levels beside its own, and those moves that help are
    tried together. Never worse than `start` by `measure`; `stop` is asked before every sweep.
    """
    best, distance = start, float(measure(start[None])[0])
    for _ in range(_SWEEPS):
        if stop() or not movable:
            break
        moved = _moved(grid, best, movable)
        distances = measure(moved)
        helpful = moved[np.argsort(distances)][: min(_TOGETHER, int((distances < distance).sum()))]
        if not len(helpful):
            break
        combined = _combined(best, helpful)
        distances = measure(combined)
        best, distance = combined[distances.argmin()], float(distances.min())
    return best


def _nearest(levels: Floats, value: float) -> int:
    """Where in `levels` is the nearest one."""
    after = int(np.clip(np.searchsorted(levels, value), 1, len(levels) - 1))
    return after - int(value - levels[after - 1] < levels[after] - value)


def _moved(grid: Grid, preset: Floats, movable: Sequence[int]) -> Floats:
    """Presets (n, 38) with one parameter a level away."""
    moves = [(i, level) for i in movable for level in grid.beside(i, preset[i])]
    moved = np.tile(preset, (len(moves), 1))
    for row, (index, level) in zip(moved, moves, strict=True):
        row[index] = level
    return moved


def _combined(preset: Floats, helpful: Floats) -> Floats:
    """Presets (n, 38) with the first of some moves made, with the first two, and so on."""
    made = [preset]
    for moved in helpful:  # of two moves of one parameter the first, which helps more, stays
        made.append(np.where(made[-1] == preset, moved, made[-1]))
    return np.array(made[1:])
