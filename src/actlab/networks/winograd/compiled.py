"""Loops compiled by Numba on first use and cached on disk, and bfloat16 storage for them.

A convolution of grey images or a maximum over tiles does little arithmetic per number: as a chain
of tensor operations each of them goes through memory, as a loop they go once.

Numba's cache finds a loop by its name, its types and the numbers that it closes over. Two rules
follow. A loop may close over numbers only: another loop among them would have a new identity in
every process, and nothing would be found. And a name carries a hash of the sources here, since
loops call each other across files.

A bfloat16 is the upper half of a float32: 8 bits of precision in place of 24, the same range.
numpy has no such type, so an array of them is one of uint16.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Loop = TypeVar("Loop", bound=Callable[..., Any])

FASTMATH = {"contract"}
"""LLVM may contract a product and a sum to a fused multiply-add (FMA), and reassociate nothing."""


def compiled(loop: Loop) -> Loop:
    """Return `loop`, over arrays and numbers, as machine code for this processor.

    Numba: Lam, Pitrou and Seibert 2015, doi:10.1145/2833157.2833162.

    >>> import numpy as np
    >>> def double(values, out):
    ...     for place in range(len(values)):
    ...         out[place] = values[place] + values[place]
    >>> out = np.empty(2)
    >>> compiled(double)(np.array([1.0, 2.5]), out)
    >>> out.tolist()
    [2.0, 5.0]
    """
    loop.__qualname__ = f"{loop.__qualname__}.{_SOURCES}"
    try:
        return cast(Loop, numba.njit(cache=True, fastmath=FASTMATH)(loop))
    except RuntimeError:  # nowhere to keep it: no file, or no folder that can be written to
        return cast(Loop, numba.njit(fastmath=FASTMATH)(loop))


def array(tensor: Tensor) -> Array:
    """Return the numbers of a tensor on the CPU as an array, row after row in memory.

    numpy has no bfloat16: such numbers are an array of their bits, uint16.
    """
    contiguous = tensor.detach().contiguous()
    if contiguous.dtype is torch.bfloat16:
        contiguous = contiguous.view(torch.uint16)
    return contiguous.numpy()


def _hash_of_sources() -> str:
    found = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


_SOURCES = _hash_of_sources()


_HALF = np.uint32(16)
_ROUNDING = np.uint32(0x7FFF)
_ONE = np.uint32(1)
_NAN = np.uint32(0x7FC0)


def compute_dtype(storage: torch.dtype) -> torch.dtype:
    """Return the dtype that loops compute in for numbers stored in `storage`.

    >>> compute_dtype(torch.bfloat16), compute_dtype(torch.float64)
    (torch.float32, torch.float64)
    """
    return torch.float32 if storage is torch.bfloat16 else storage


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
