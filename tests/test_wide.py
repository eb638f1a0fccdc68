"""Eight numbers at a time are what one after the other are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from antithesis.jit import kernel
from antithesis.wide import (
    LANES,
    everywhere,
    larger,
    load,
    magnitude,
    octaves,
    spread,
    store,
    total,
    transposed,
)

NUMBERS = np.random.default_rng(2).normal(size=3 * LANES).astype(np.float32)
A, B = NUMBERS[1 : 1 + LANES], NUMBERS[LANES + 3 : 2 * LANES + 3]


@kernel
def _results(numbers: Any, out: Any) -> None:
    a, b = load(numbers, 1), load(numbers, LANES + 3)
    store(out, 0, a + b)
    store(out, LANES, (a - b) * numbers[0])
    store(out, 2 * LANES, a * b + everywhere(numbers, 2))
    store(out, 3 * LANES, larger(a, b))
    store(out, 4 * LANES, magnitude(a))
    store(out, 5 * LANES, spread(total(a)))


def test_arithmetic_is_that_of_single_numbers():
    out = np.empty(6 * LANES, np.float32)
    _results(NUMBERS, out)
    wanted = [A + B, (A - B) * NUMBERS[0], A * B + NUMBERS[2], np.maximum(A, B), np.abs(A)]
    wanted.append(np.full(LANES, A.sum()))
    assert out == pytest.approx(np.concatenate(wanted), rel=1e-5, abs=1e-6)


@kernel
def _turn(square: Any, out: Any) -> None:
    rows = (
        load(square, 0),
        load(square, LANES),
        load(square, 2 * LANES),
        load(square, 3 * LANES),
        load(square, 4 * LANES),
        load(square, 5 * LANES),
        load(square, 6 * LANES),
        load(square, 7 * LANES),
    )
    columns = transposed(rows)
    for k in range(LANES):
        store(out, k * LANES, columns[k])


def test_a_square_is_turned():
    square = np.arange(LANES * LANES, dtype=np.float32)
    out = np.empty_like(square)
    _turn(square, out)
    assert np.array_equal(out.reshape(LANES, LANES), square.reshape(LANES, LANES).T)


@kernel
def _logarithms(numbers: Any, out: Any) -> None:
    for at in range(0, numbers.shape[0], LANES):
        store(out, at, octaves(load(numbers, at)))


def test_logarithms_are_those_of_the_library_and_exact_at_powers_of_2():
    wanted = np.linspace(-100.0, 100.0, 4096)
    numbers = (2.0**wanted).astype(np.float32)
    out = np.empty_like(numbers)
    _logarithms(numbers, out)
    assert np.abs(out - np.log2(numbers.astype(np.float64))).max() < 5e-6
    _logarithms(np.float32(2.0) ** np.arange(-4, 4, dtype=np.float32), out[:LANES])
    assert np.array_equal(out[:LANES], np.arange(-4, 4))
