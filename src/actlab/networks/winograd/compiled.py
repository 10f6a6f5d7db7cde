"""Loops compiled to machine code on first use, and kept on disk for the next process.

A convolution of grey images or a maximum over tiles does little arithmetic per number: as a chain
of tensor operations each of them goes through memory, as a loop they go once.

What is kept is found again by the name of a loop, its types and the numbers that it closes over.
Two rules follow. A loop may close over numbers only: another loop among them would have a new
identity in every process, and nothing would be found. And a name carries a hash of the sources
here, since loops call each other across files.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]
Loop = TypeVar("Loop", bound=Callable[..., Any])

_KEEPING_ORDER = {"contract"}
"""A product and the sum after it may be rounded once in place of twice; nothing else changes."""


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
        return cast(Loop, numba.njit(cache=True, fastmath=_KEEPING_ORDER)(loop))
    except RuntimeError:  # nowhere to keep it: no file, or no folder that can be written to
        return cast(Loop, numba.njit(fastmath=_KEEPING_ORDER)(loop))


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
