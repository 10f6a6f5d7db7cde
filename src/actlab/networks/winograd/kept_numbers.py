"""Numbers that loops keep in memory: as they are computed, or rounded to bfloat16.

A bfloat16 is the upper half of a float32: 8 bits of precision in place of 24, the same range.
numpy has no such type, so an array of them is one of uint16.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from actlab.networks.winograd.compiled import Array

_HALF = np.uint32(16)
_ROUNDING = np.uint32(0x7FFF)
_ONE = np.uint32(1)
_NAN = np.uint32(0x7FC0)


def computed_in(kept_as: torch.dtype) -> torch.dtype:
    """Return the dtype in which numbers that are kept in another are computed with.

    >>> computed_in(torch.bfloat16), computed_in(torch.float64)
    (torch.float32, torch.float64)
    """
    return torch.float32 if kept_as is torch.bfloat16 else kept_as


def load(number: Any) -> Any:
    """Return a number that an array keeps, as it is computed with; within loops only."""
    raise NotImplementedError


def store(values: Array, place: int, value: float) -> None:
    """Keep a number at a place of an array, to the nearest, ties to even; within loops only."""
    raise NotImplementedError


@overload(load, strict=False)  # type: ignore[untyped-decorator]  # strict: no annotations
def _load(number: types.Type) -> Callable[..., Any]:
    if isinstance(number, types.Integer):
        return lambda number: _float_of(np.uint32(number) << _HALF)
    return lambda number: number


@overload(store, strict=False)  # type: ignore[untyped-decorator]
def _store(
    values: types.Type,
    place: types.Type,  # noqa: ARG001  the arguments of `store`
    value: types.Type,  # noqa: ARG001
) -> Callable[..., Any]:
    if isinstance(values.dtype, types.Integer):

        def rounded(values, place, value):  # type: ignore[no-untyped-def]  # typed by its use
            bits = _bits_of(value)
            nearest = (bits + _ROUNDING + ((bits >> _HALF) & _ONE)) >> _HALF
            values[place] = np.uint16(nearest if value == value else _NAN)

        return rounded

    def as_it_is(values, place, value):  # type: ignore[no-untyped-def]  # typed by its use
        values[place] = value

    return as_it_is


@intrinsic
def _bits_of(context, number):  # type: ignore[no-untyped-def]  # noqa: ARG001  numba's interface
    """Return the bits of a float32 as a uint32."""

    def generate(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate


@intrinsic
def _float_of(context, bits):  # type: ignore[no-untyped-def]  # noqa: ARG001  numba's interface
    """Return the float32 that has these bits, a uint32."""

    def generate(_context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate
