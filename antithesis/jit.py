"""Decorators for compiled code, typed so that a strict type checker sees through them.

All compile with numba: free of the GIL, division as in C. A *kernel* is what Python calls, and is
cached on disk. A *part* is what kernels are made of; that Python cannot call it saves a quarter of
the time to compile.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., object])

# Between two kernels, OpenMP has the other cores turn round and round unless it is told to wait: a
# search took a fifth more of them, which a DAW needs, and was slower. Read when threads start.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_njit: Any = numba.njit  # its types know neither all options nor what a part looks like
_intrinsic: Any = intrinsic


def kernel(function: Function) -> Function:
    """Compile on the first call."""
    return cast("Function", _njit(cache=True, nogil=True, error_model="numpy")(function))


def parallel_kernel(function: Function) -> Function:
    """As :func:`kernel`, its ``numba.prange`` loops spread over the cores."""
    compiled = _njit(cache=True, nogil=True, error_model="numpy", parallel=True)
    return cast("Function", compiled(function))


def part(function: Function) -> Function:
    """Compile together with the kernel that calls it."""
    return cast("Function", _njit(nogil=True, error_model="numpy", **_INTERNAL)(function))


def fused_part(function: Function) -> Function:
    """As :func:`part`; a product and a sum may be rounded once, where the processor can."""
    compiled = _njit(nogil=True, error_model="numpy", fastmath={"contract"}, **_INTERNAL)
    return cast("Function", compiled(function))


def kept_in(kernel: Any) -> Path:
    """The folder in which what a kernel was compiled to is kept."""
    return Path(kernel.stats.cache_path)


_INTERNAL = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def _bits_of(_context: Any, number: Any) -> Any:  # noqa: ARG001
    """Memory of a float64, read as an int64."""
    return types.int64(types.float64), _reinterpret


def _float_of(_context: Any, bits: Any) -> Any:  # noqa: ARG001
    """Memory of an int64, read as a float64."""
    return types.float64(types.int64), _reinterpret


def _reinterpret(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))


bits_of: Callable[[float], int] = _intrinsic(_bits_of)
float_of: Callable[[int], float] = _intrinsic(_float_of)
