"""Eight float32 in one register, for kernels whose loops a compiler would not turn into vectors.

Inside kernels ``load(array, at) * scale + other`` works on :data:`LANES` numbers at a time; float32
scalars spread over all of them. Products and sums may be rounded once, where the processor can.
Where registers are narrower the compiler takes several. Nothing checks an index.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from antithesis.jit import part

LANES: Final = 8

_intrinsic: Any = intrinsic  # its types know no function but the one it is given

_FLOATS: Final = ir.VectorType(ir.FloatType(), LANES)
_WORDS: Final = ir.VectorType(ir.IntType(32), LANES)
_UNALIGNED: Final = 4  # bytes
_FIRST: Final = ir.Constant(ir.IntType(32), 0)
_ONE: Final = np.float32(1.0)
_CONTRACT: Final = ("contract",)


class Wide(types.Type):
    """The type, as numba knows it."""


WIDE: Final = Wide("Wide")
_EIGHT: Final = types.UniTuple(WIDE, LANES)


@register_model(Wide)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _FLOATS)


def _constant(kind: Any, value: Any) -> Any:
    return ir.Constant(kind, [value] * LANES)


def _spread(builder: Any, scalar: Any) -> Any:
    first = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), scalar, _FIRST)
    return builder.shuffle_vector(first, first, _constant(_WORDS, 0))


def _register(symbol: Any, instruction: str) -> None:
    """Have numba know an operator of two wides, or of a wide and a float32."""

    class Typing(ConcreteTemplate):
        cases: Final = [signature(WIDE, WIDE, WIDE), signature(WIDE, WIDE, types.float32)]

    def lower(_context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        first, second = arguments
        second = second if called.args[1] is WIDE else _spread(builder, second)
        return getattr(builder, instruction)(first, second, flags=_CONTRACT)

    infer_global(symbol)(Typing)
    for second in (WIDE, types.float32):
        lower_builtin(symbol, WIDE, second)(lower)


_register(operator.add, "fadd")
_register(operator.sub, "fsub")
_register(operator.mul, "fmul")


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), _FLOATS.as_pointer())


def _loaded(_context: Any, array: Any, _at: Any) -> Any:
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        first = _pointer(context, builder, called.args[0], *arguments)
        return builder.load(first, align=_UNALIGNED)

    return WIDE(array, types.intp), lower


def _stored(_context: Any, array: Any, _at: Any, _value: Any) -> Any:
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        array, at, value = arguments
        first = _pointer(context, builder, called.args[0], array, at)
        builder.store(value, first, align=_UNALIGNED)
        return context.get_dummy_value()

    return types.void(array, types.intp, WIDE), lower


def _everywhere(_context: Any, array: Any, _at: Any) -> Any:
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        array, at = arguments
        data = context.make_array(called.args[0])(context, builder, array).data
        return _spread(builder, builder.load(builder.gep(data, [at])))

    return WIDE(array, types.intp), lower


def _spread_over(_context: Any, _number: Any) -> Any:
    def lower(_context: Any, builder: Any, _called: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return WIDE(types.float32), lower


def _larger_of(_context: Any, _a: Any, _b: Any) -> Any:
    def lower(_context: Any, builder: Any, _called: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *arguments), *arguments)

    return WIDE(WIDE, WIDE), lower


def _total_of(_context: Any, _numbers: Any) -> Any:
    def lower(_context: Any, builder: Any, _called: Any, arguments: Any) -> Any:
        sums = arguments[0]
        for apart in (4, 2, 1):
            other = ir.Constant(_WORDS, [at ^ apart for at in range(LANES)])
            sums = builder.fadd(sums, builder.shuffle_vector(sums, sums, other))
        return builder.extract_element(sums, _FIRST)

    return types.float32(WIDE), lower


def _bitwise(change: Callable[[Any, Any], Any]) -> Any:
    """Something done to the bits of eight numbers."""

    def typed(_context: Any, _numbers: Any) -> Any:
        def lower(_context: Any, builder: Any, _called: Any, arguments: Any) -> Any:
            changed = change(builder, builder.bitcast(arguments[0], _WORDS))
            return builder.bitcast(changed, _FLOATS)

        return WIDE(WIDE), lower

    return typed


def _without_sign(builder: Any, bits: Any) -> Any:
    return builder.and_(bits, _constant(_WORDS, 0x7FFFFFFF))


def _mantissa_of(builder: Any, bits: Any) -> Any:
    fraction = builder.and_(bits, _constant(_WORDS, 0x007FFFFF))
    return builder.or_(fraction, _constant(_WORDS, 0x3F800000))  # the bits of 1.0


def _exponent_of(builder: Any, bits: Any) -> Any:
    biased = builder.sitofp(builder.lshr(bits, _constant(_WORDS, 23)), _FLOATS)
    return builder.fsub(biased, _constant(_FLOATS, 127.0))


def _turned(_context: Any, _rows: Any) -> Any:
    def lower(context: Any, builder: Any, called: Any, arguments: Any) -> Any:
        rows = [builder.extract_value(arguments[0], row) for row in range(LANES)]
        for apart in (4, 2, 1):
            for row in (row for row in range(LANES) if not row & apart):
                pair = rows[row], rows[row + apart]
                rows[row] = builder.shuffle_vector(*pair, _crossed(apart, 0))
                rows[row + apart] = builder.shuffle_vector(*pair, _crossed(apart, apart))
        return context.make_tuple(builder, called.return_type, rows)

    return _EIGHT(_EIGHT), lower


def _crossed(apart: int, shift: int) -> Any:
    """Of two rows: blocks of ``apart`` numbers, in turn from the first and from the second."""
    picked = [(at & ~apart) + shift + (LANES if at & apart else 0) for at in range(LANES)]
    return ir.Constant(_WORDS, picked)


load: Callable[[Any, int], Any] = _intrinsic(_loaded)
"""``load(array, at)``: eight numbers of a float32 array from index ``at`` on."""
store: Callable[[Any, int, Any], None] = _intrinsic(_stored)
"""``store(array, at, wide)``: put them there."""
everywhere: Callable[[Any, int], Any] = _intrinsic(_everywhere)
"""``everywhere(array, at)``: one number of an array, eight times."""
spread: Callable[[Any], Any] = _intrinsic(_spread_over)
"""A float32, eight times."""
larger: Callable[[Any, Any], Any] = _intrinsic(_larger_of)
"""The larger ones of two wides; of a NaN and a number, that of the second."""
total: Callable[[Any], Any] = _intrinsic(_total_of)
"""The sum of all eight."""
magnitude: Callable[[Any], Any] = _intrinsic(_bitwise(_without_sign))
exponent: Callable[[Any], Any] = _intrinsic(_bitwise(_exponent_of))
mantissa: Callable[[Any], Any] = _intrinsic(_bitwise(_mantissa_of))
"""What positive numbers are: ``2 ** exponent * mantissa``, the latter from 1 up to 2."""
transposed: Callable[[Any], Any] = _intrinsic(_turned)
"""Eight wides, rows of a square of numbers, as its columns."""


_FIT: Final = tuple(
    np.float32(c)
    for c in (0.015209090, -0.063325817, 0.12970375, -0.19543638, 0.27788779, -0.44266644)
)


@part
def octaves(numbers: Any) -> Any:
    """Logarithms to the base of 2 of positive normal numbers, to 5e-7.

    Between two octaves a polynomial (a minimax fit) that is exact at both.
    """
    above = mantissa(numbers) - spread(_ONE)
    bend = spread(_FIT[0]) * above + spread(_FIT[1])
    bend = bend * above + spread(_FIT[2])
    bend = bend * above + spread(_FIT[3])
    bend = bend * above + spread(_FIT[4])
    bend = bend * above + spread(_FIT[5])
    return exponent(numbers) + (above + above * (above - spread(_ONE)) * bend)
