"""The inputs at which a dtype is examined: all sizes, both signs, and the sides of kinks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_PER_DECADE = 4
_PER_FAR_DECADE = 2
_DENSE = 20.0
_STEP = 0.25


def sample_points(dtype: torch.dtype, breaks: Sequence[float] = ()) -> Tensor:
    """Return numbers of `dtype`, as float64: both signs, every decade, denser up to 20.

    Below 65504 they are numbers of float16 and of bfloat16 at once, so that the truth at them need
    be computed only once for all dtypes.
    """
    info = torch.finfo(dtype)
    common = torch.finfo(torch.float16)
    small = _decades(common.tiny, common.max, _PER_DECADE)
    dense = torch.arange(_STEP, _DENSE, _STEP, dtype=torch.float64)
    sizes = torch.cat([small, dense]).to(torch.bfloat16).to(torch.float16).double()
    if info.max > common.max:
        sizes = torch.cat(
            [sizes, _decades(common.max, info.max, _PER_FAR_DECADE).to(torch.bfloat16).double()]
        )
    near = torch.tensor([_beside(x, dtype) for x in breaks], dtype=torch.float64).flatten()
    ends = torch.tensor([info.max, -info.max, 0.0], dtype=torch.float64)
    found = torch.cat([sizes, -sizes, near, ends])
    points: Tensor = torch.unique(found[torch.isfinite(found) & (found.abs() <= info.max)])
    return points


def _decades(low: float, high: float, per_decade: int) -> Tensor:
    ends = torch.tensor([low, high], dtype=torch.float64).log10()
    count = int((ends[1] - ends[0]).ceil()) * per_decade
    return torch.logspace(float(ends[0]), float(ends[1]), count, dtype=torch.float64)


def _beside(x: float, dtype: torch.dtype) -> list[float]:
    """Return the numbers of `dtype` just left and just right of x."""
    here = torch.tensor(x).to(dtype)
    infinity = torch.tensor(float("inf"), dtype=dtype)
    return [
        float(torch.nextafter(here, -infinity).double()),
        float(torch.nextafter(here, infinity).double()),
    ]


def between(good: float, wrong: float, dtype: torch.dtype) -> float | None:
    """Return a number of `dtype` halfway between two of one sign, None where they are neighbours.

    Halfway counts numbers of the dtype, not distance: the middle of 1 and 65536 is 256.
    """
    sizes = torch.tensor([abs(good), abs(wrong)], dtype=torch.float64).to(dtype)
    integers = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[sizes.element_size()]
    low, high = sorted(sizes.view(integers).tolist())
    if high - low <= 1:
        return None
    middle = torch.tensor([(low + high) // 2], dtype=integers).view(dtype)
    size = float(middle.double())
    return size if wrong > 0 else -size
