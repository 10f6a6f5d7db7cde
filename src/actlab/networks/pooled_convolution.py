"""A 3 x 3 convolution of grey images and the 2 x 2 max-pooling after it, as one function.

The four values of a pooling window see the same 4 x 4 pixels. So these are collected once, and each
place of the window is one matrix product with the 9 weights in their rows of 16. Chunks of rows go
through products and maxima while they are in the cache; no gradient by the images is computed.
"""

from functools import lru_cache
from typing import Any, cast

import torch
from torch import Tensor

from actlab.networks.leading_maximum import gradient_left

_ROWS = 1568
"""Pooled pixels per chunk; the best of 392 to 6272, which differ by a few per cent."""


class _PooledConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        columns = _columns(images, padding)
        channels = len(weight)
        taps = weight.reshape(channels, 9).t()
        weights = torch.mm(_placement(weight.dtype), taps).view(4, 16, channels).unbind(0)
        running = images.new_empty(4, columns.shape[1], channels)
        for start in range(0, columns.shape[1], _ROWS):
            pixels = columns[:, start : start + _ROWS].t()
            values = running[:, start : start + _ROWS].unbind(0)
            torch.mm(pixels, weights[0], out=values[0])
            for place in (1, 2, 3):
                torch.mm(pixels, weights[place], out=values[place])
                torch.maximum(values[place - 1], values[place], out=values[place])
        ctx.save_for_backward(columns, running)
        # max(a + b, c + b) = max(a, c) + b, rounding included: addition is monotonic.
        return (running[3] + bias).view(-1, len(images), channels)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        columns, running = ctx.saved_tensors
        _places, rows, channels = running.shape
        gradient = gradients[0].reshape(rows, channels)
        by_place = gradient.new_zeros(4, 16, channels)
        left = gradient.new_empty(min(_ROWS, rows), channels)
        for start in range(0, rows, _ROWS):
            pixels = columns[:, start : start + _ROWS]
            so_far = running[:, start : start + _ROWS].unbind(0)
            of_chunk = gradient[start : start + _ROWS]
            out = left[: len(of_chunk)]
            by_place[0].addmm_(pixels, of_chunk)
            for place in (0, 1, 2):
                gradient_left(of_chunk, so_far[place], so_far[3], out)
                by_place[place + 1].addmm_(pixels, out)
        # What a place gets is what was left before it less what is left after it.
        by_place[:3] -= by_place[1:].clone()
        taps = torch.mm(_placement(gradient.dtype).t(), by_place.view(64, channels))
        return None, taps.t().reshape(channels, 1, 3, 3), gradient.sum(0), None


def pooled_convolution(images: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
    """Return max_pool2d(conv2d(images, weight, bias, padding), 2), positions first.

    `images` of shape (N, 1, H, W), `weight` (C, 1, 3, 3), `bias` (C,); the result has shape
    (H' W', N, C) with the pooled positions row by row. H + 2 padding - 2 and W + 2 padding - 2 are
    even. The images get no gradient; of equal values of a window the first gets it.

    >>> images, weight, bias = torch.randn(2, 1, 6, 6), torch.randn(5, 1, 3, 3), torch.randn(5)
    >>> pooled = torch.nn.functional.max_pool2d(torch.conv2d(images, weight, bias), 2)
    >>> positions_first = pooled_convolution(images, weight, bias, padding=0)
    >>> torch.allclose(positions_first, pooled.flatten(2).permute(2, 0, 1), atol=1e-5)
    True
    """
    found = _PooledConvolution.apply(images, weight, bias, padding)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)


def _columns(images: Tensor, padding: int) -> Tensor:
    """Return the 16 pixels behind each pooled one, of shape (16, H' W' N)."""
    count, _channels, height, width = images.shape
    padded = images.new_zeros(height + 2 * padding, width + 2 * padding, count)
    inside = padded[padding : padding + height, padding : padding + width]
    inside.copy_(images[:, 0].permute(1, 2, 0))
    windows = padded.unfold(0, 4, 2).unfold(1, 4, 2)
    return windows.permute(3, 4, 0, 1, 2).reshape(16, -1)


@lru_cache
@torch.inference_mode(False)  # made in whichever mode comes first, needed in both
def _placement(dtype: torch.dtype) -> Tensor:
    """Return the (4 * 16, 9) matrix of ones where a tap of a place of the window sees a pixel."""
    places = torch.zeros(2, 2, 4, 4, 3, 3, dtype=dtype)
    for i, j, row, column in torch.cartesian_prod(*map(torch.arange, (2, 2, 3, 3))).tolist():
        places[i, j, i + row, j + column, row, column] = 1
    return places.view(64, 9)
