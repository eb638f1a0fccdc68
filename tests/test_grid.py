"""What a way to the synth can carry, and the best within it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from antithesis.grid import Grid, fitted
from antithesis.parameters import BY_ID, N_PARAMETERS, PARAMETERS
from antithesis.preset import Preset

normalized = arrays.arrays(np.float64, N_PARAMETERS, elements=st.floats(0, 1))
steps = st.lists(st.integers(1, 300), min_size=N_PARAMETERS, max_size=N_PARAMETERS)
CUTOFF, RESONANCE = (BY_ID[id].index for id in ("kFilterCutoff", "kFilterResonance"))
GRID = Grid.even([127] * N_PARAMETERS)


@given(normalized, steps)
def test_the_nearest_level_is_the_nearest(preset, steps):
    grid = Grid.even(steps)

    near = grid.nearest(preset)

    for levels, wanted, found in zip(grid.levels, preset, near, strict=True):
        assert found in levels
        assert abs(found - wanted) == np.abs(levels - wanted).min()
    assert (grid.nearest(near) == near).all()


@given(normalized, steps)
def test_switches_are_as_they_were(preset, steps):
    before = Preset.from_normalized(preset)

    after = Preset.from_normalized(Grid.even(steps).nearest(before.normalized))

    assert all(before[p.id] == after[p.id] for p in PARAMETERS if p.steps)


def test_a_level_more_is_a_level_between_the_others():
    grid = GRID.with_levels(np.full(N_PARAMETERS, 0.5))

    assert list(grid.beside(CUTOFF, 0.5)) == [63 / 127, 64 / 127]
    assert grid.levels[0] is GRID.levels[0]


@pytest.mark.parametrize(("value", "beside"), [(0.0, [1 / 127]), (1.0, [126 / 127])])
def test_an_end_has_one_level_beside_it(value, beside):
    assert list(GRID.beside(CUTOFF, value)) == beside


def test_what_one_parameter_loses_another_makes_up_for():
    start = GRID.nearest(np.full(N_PARAMETERS, 0.3))
    wanted = start[CUTOFF] + start[RESONANCE] + 3 / 127

    def measure(presets):
        return np.abs(presets[:, CUTOFF] + presets[:, RESONANCE] - wanted)

    best = fitted(GRID, start, [CUTOFF, RESONANCE], measure, lambda: False)

    assert measure(best[None])[0] < 1e-9
    assert (best == GRID.nearest(best)).all()


@given(normalized)
def test_it_is_never_worse_and_moves_nothing_else(preset):
    start = GRID.nearest(preset)
    rough = np.random.default_rng(1).random(N_PARAMETERS)

    def measure(presets):
        return np.sin(50 * presets @ rough)

    best = fitted(GRID, start, [CUTOFF, RESONANCE], measure, lambda: False)

    assert measure(best[None])[0] <= measure(start[None])[0]
    assert {i for i in range(N_PARAMETERS) if best[i] != start[i]} <= {CUTOFF, RESONANCE}


@pytest.mark.parametrize(("movable", "stop"), [([], False), ([CUTOFF], True)])
def test_with_nothing_to_move_or_no_time_it_is_as_it_was(movable, stop):
    start = GRID.nearest(np.full(N_PARAMETERS, 0.3))

    best = fitted(GRID, start, movable, lambda presets: presets.sum(axis=1), lambda: stop)

    assert best is start
