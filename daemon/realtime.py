"""What JACK's real-time thread runs: compiled, so that it never waits for Python.

A callback in Python waits for whoever has the interpreter's lock, and while it waits the graph of
all clients stands still, the DAW's too. What is here holds no lock, allocates nothing and raises
nothing; it calls libjack by addresses that it finds in its memory, so that it compiles where there
is no JACK.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from antithesis.jit import kernel

_numba: Any = numba  # its types know neither all that there is nor all that it takes
_tuple: Any = types.Tuple
_intrinsic: Any = intrinsic

carray: Any = _numba.carray

_PROCESS: Final = types.int32(types.uint32, types.voidptr)


def callback(function: Callable[[Any, Any], Any]) -> Any:
    """Compile a process callback, which takes the count of frames and the address of its memory."""
    return _numba.cfunc(_PROCESS, cache=True, error_model="numpy")(function)


@kernel
def barrier() -> None:
    """Have what was read or written before this line done before what comes after it.

    One thread writes, then counts; the other reads the count, then what was written. Processors
    (ARM) and compilers would swap the two.
    """
    _fence()


def _called(_context: Any, returns: Any, address: Any, *arguments: Any) -> Any:
    """Call the C function at an address; integers and addresses go in and one comes out."""
    result = returns.instance_type
    signature = result(returns, address, _tuple(arguments))

    def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        passed = [builder.extract_value(values[2], n) for n in range(len(arguments))]
        kind = ir.FunctionType(context.get_value_type(result), [value.type for value in passed])
        return builder.call(builder.inttoptr(values[1], kind.as_pointer()), passed)

    return signature, emit


def _pointed(_context: Any, address: Any) -> Any:
    """An address as what ``numba.carray`` takes."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

    return types.voidptr(address), emit


def _fenced(_context: Any) -> Any:
    def emit(context: Any, builder: Any, _signature: Any, _values: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), emit


call: Any = _intrinsic(_called)
pointer: Any = _intrinsic(_pointed)
_fence: Any = _intrinsic(_fenced)
