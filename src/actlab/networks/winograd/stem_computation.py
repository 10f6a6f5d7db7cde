"""The convolutional stem of a sequence, computed in spatial-major (HWNC) layout."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from actlab.networks.winograd.convolution import pooled_winograd_convolution, winograd_convolution
from actlab.networks.winograd.extremes import Unimodal
from actlab.networks.winograd.pooled_convolution import pooled_convolution
from actlab.networks.winograd.stem import Stem, extremes_for
from actlab.networks.winograd.tile_transforms import INPUTS, TILE


class _Plan(NamedTuple):
    """Which positions are in which tile, for two convolutions; the tiles of the second."""

    rows: Tensor
    next_rows: Tensor
    tiles: tuple[int, int]


@lru_cache
@torch.inference_mode(False)  # made in whichever mode comes first, needed in both
def _plan(height: int, width: int) -> _Plan:
    """Return the plan for a grid of positions, row by row, that two convolutions pass through."""
    grid = np.arange(height * width).reshape(height, width)
    down, across = (height - 2) // TILE, (width - 2) // TILE
    windows = np.arange(4 * down * across).reshape(2, 2, down, across)
    pooled = windows.transpose(2, 0, 3, 1).reshape(2 * down, 2 * across)
    return _Plan(
        rows=torch.from_numpy(_tile_rows(grid)),
        next_rows=torch.from_numpy(_tile_rows(pooled)),
        tiles=((2 * down - 2) // TILE, (2 * across - 2) // TILE),
    )


def _tile_rows(grid: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what of `grid` is in each tile of 6 x 6, of shape (36, tiles)."""
    tiles = np.lib.stride_tricks.sliding_window_view(grid, (INPUTS, INPUTS))[::TILE, ::TILE]
    return tiles.transpose(2, 3, 0, 1).reshape(INPUTS * INPUTS, -1).copy()


def apply(stem: Stem, images: Tensor) -> Tensor:
    """Return the stem's outputs for `images`, of shape (N, 1, H, W), as (N, D, H', W').

    Under autocast what the second and the third convolution multiply is in bfloat16; the first,
    whose inputs are the images, and the activations are computed as they are.
    """
    storage = torch.bfloat16 if torch.is_autocast_enabled("cpu") else images.dtype
    with torch.autocast("cpu", enabled=False):
        return _apply(stem, images, storage)


def _apply(stem: Stem, images: Tensor, storage: torch.dtype) -> Tensor:
    first = stem.first
    padding = int(first.padding[0])
    height, width = ((side + 2 * padding - 2) // 2 for side in images.shape[2:])
    plan = _plan(height, width)
    second, third = stem.second, stem.third
    activation, next_activation = stem.activation, stem.next_activation
    values = activation(
        pooled_convolution(images, first.weight, _bias(first), padding, _unimodal(activation))
    )
    pooled = pooled_winograd_convolution(
        values, second.weight, _bias(second), plan.rows, storage, _unimodal(next_activation)
    )
    values = next_activation(pooled)
    values = winograd_convolution(values, third.weight, _bias(third), plan.next_rows, storage)
    return _images(values, *plan.tiles)


def _unimodal(activation: nn.Module) -> Unimodal | None:
    """Return what decides which value of a window is activated: None where it is the highest."""
    return activation if extremes_for(activation) == 2 else None


def _bias(layer: nn.Conv2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _images(values: Tensor, down: int, across: int) -> Tensor:
    """Return values of shape (places of a tile * tiles, N, D) as (N, D, H, W)."""
    _positions, count, channels = values.shape
    tiled = values.view(TILE, TILE, down, across, count, channels)
    return tiled.permute(4, 5, 2, 0, 3, 1).reshape(count, channels, TILE * down, TILE * across)
