"""One decorator for every compiled kernel, typed so that a strict type checker sees through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(function: Function) -> Function:
    """Compile with numba: cached on disk, free of the GIL, IEEE division as in C."""
    return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel_kernel(function: Function) -> Function:
    """As :func:`kernel`, its ``numba.prange`` loops spread over the cores."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", parallel=True)
    return cast("Function", compiled(function))
