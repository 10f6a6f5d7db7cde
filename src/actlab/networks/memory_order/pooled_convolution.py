"""A 3 x 3 convolution of grey images and the 2 x 2 max-pooling after it, as one function.

The four values of a pooling window see the same 4 x 4 pixels. So a window is one visit: its pixels
are read, four sums of nine products made per channel, and only their maximum is written. The
gradient makes the four sums again, which is quicker than to keep them. The images get none.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.memory_order.compiled import Array, array, compiled


@compiled
def _patches(rows: tuple[Array, Array, Array, Array], left: int) -> tuple[tuple[float, ...], ...]:
    """Return the 3 x 3 pixels behind each place of a window."""
    a, b, c, d = rows
    i, j, k, m = left, left + 1, left + 2, left + 3
    return (
        (a[i], a[j], a[k], b[i], b[j], b[k], c[i], c[j], c[k]),
        (a[j], a[k], a[m], b[j], b[k], b[m], c[j], c[k], c[m]),
        (b[i], b[j], b[k], c[i], c[j], c[k], d[i], d[j], d[k]),
        (b[j], b[k], b[m], c[j], c[k], c[m], d[j], d[k], d[m]),
    )


@compiled
def _sum(taps: tuple[float, ...], x: tuple[float, ...]) -> float:
    above = taps[0] * x[0] + taps[1] * x[1] + taps[2] * x[2]
    middle = taps[3] * x[3] + taps[4] * x[4] + taps[5] * x[5]
    return above + middle + (taps[6] * x[6] + taps[7] * x[7] + taps[8] * x[8])


@compiled
def _higher(value: float, other: float) -> float:
    """Return the higher of two; a NaN wins, as in torch's pooling."""
    return other if (other > value) | (other != other) else value


class _Loops(NamedTuple):
    """`forward(padded, weights, bias, out)` and `backward(padded, weights, gradient, found)`.

    `padded` of shape (N, H, W); `weights` and `found` flat, nine rows of a tap per channel, and in
    `found` the bias as a tenth; `out` and `gradient` of shape (H' W', N, C).
    """

    forward: Callable[[Array, Array, Array, Array], None]
    backward: Callable[[Array, Array, Array, Array], None]


@lru_cache
def _loops(channels: int) -> _Loops:
    """Return the loops for a number of channels: known beforehand, they fill whole registers."""
    C = channels  # noqa: N806  # the formula's name

    @compiled
    def taps_of(weights: Array, c: int) -> tuple[float, ...]:
        return (
            weights[c],
            weights[C + c],
            weights[2 * C + c],
            weights[3 * C + c],
            weights[4 * C + c],
            weights[5 * C + c],
            weights[6 * C + c],
            weights[7 * C + c],
            weights[8 * C + c],
        )

    @compiled
    def forward(padded: Array, weights: Array, bias: Array, out: Array) -> None:
        images, height, width = padded.shape
        down, across = (height - 2) // 2, (width - 2) // 2
        for n in range(images):
            image = padded[n]
            for i in range(down):
                rows = (image[2 * i], image[2 * i + 1], image[2 * i + 2], image[2 * i + 3])
                for j in range(across):
                    first, second, third, fourth = _patches(rows, 2 * j)
                    pooled = out[i * across + j, n]
                    for c in range(C):
                        taps = taps_of(weights, c)
                        above = _higher(_sum(taps, first), _sum(taps, second))
                        below = _higher(_sum(taps, third), _sum(taps, fourth))
                        # max(a + b, c + b) = max(a, c) + b: addition is monotonic, rounded too.
                        pooled[c] = _higher(above, below) + bias[c]

    @compiled
    def backward(padded: Array, weights: Array, gradient: Array, found: Array) -> None:
        images, height, width = padded.shape
        down, across = (height - 2) // 2, (width - 2) // 2
        of_image = np.empty_like(found)
        for n in range(images):
            image = padded[n]
            of_image[:] = 0
            for i in range(down):
                rows = (image[2 * i], image[2 * i + 1], image[2 * i + 2], image[2 * i + 3])
                for j in range(across):
                    p, q, r, s = _patches(rows, 2 * j)
                    pooled = gradient[i * across + j, n]
                    for c in range(C):
                        taps = taps_of(weights, c)
                        a, b, d, e = _sum(taps, p), _sum(taps, q), _sum(taps, r), _sum(taps, s)
                        left, lower = a >= b, d >= e
                        upper = (a if left else b) >= (d if lower else e)
                        g = pooled[c]
                        zero = weights.dtype.type(0)
                        above, below = (g if upper else zero), (zero if upper else g)
                        ga, gb = (above if left else zero), (zero if left else above)
                        gd, ge = (below if lower else zero), (zero if lower else below)
                        of_image[c] += ga * p[0] + gb * q[0] + gd * r[0] + ge * s[0]
                        of_image[C + c] += ga * p[1] + gb * q[1] + gd * r[1] + ge * s[1]
                        of_image[2 * C + c] += ga * p[2] + gb * q[2] + gd * r[2] + ge * s[2]
                        of_image[3 * C + c] += ga * p[3] + gb * q[3] + gd * r[3] + ge * s[3]
                        of_image[4 * C + c] += ga * p[4] + gb * q[4] + gd * r[4] + ge * s[4]
                        of_image[5 * C + c] += ga * p[5] + gb * q[5] + gd * r[5] + ge * s[5]
                        of_image[6 * C + c] += ga * p[6] + gb * q[6] + gd * r[6] + ge * s[6]
                        of_image[7 * C + c] += ga * p[7] + gb * q[7] + gd * r[7] + ge * s[7]
                        of_image[8 * C + c] += ga * p[8] + gb * q[8] + gd * r[8] + ge * s[8]
                        of_image[9 * C + c] += g
            # Image by image: a sum over all windows one after the other would round off more.
            found += of_image

    return _Loops(forward, backward)


class _PooledConvolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
        padded = F.pad(images[:, 0], (padding,) * 4)
        count, height, width = padded.shape
        channels = len(weight)
        weights = weight.reshape(channels, 9).t().flatten()
        out = images.new_empty((height - 2) // 2 * ((width - 2) // 2), count, channels)
        _loops(channels).forward(array(padded), array(weights), array(bias), array(out))
        ctx.save_for_backward(padded, weights)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        padded, weights = ctx.saved_tensors
        (gradient,) = gradients
        channels = gradient.shape[2]
        found = gradient.new_zeros(10, channels)
        loop = _loops(channels).backward
        loop(array(padded), array(weights), array(gradient), array(found.view(-1)))
        return None, found[:9].t().reshape(channels, 1, 3, 3), found[9], None


def pooled_convolution(images: Tensor, weight: Tensor, bias: Tensor, padding: int) -> Tensor:
    """Return max_pool2d(conv2d(images, weight, bias, padding), 2), positions first.

    `images` of shape (N, 1, H, W), `weight` (C, 1, 3, 3), `bias` (C,), on a CPU; the result has
    shape (H' W', N, C), the pooled positions row by row. H + 2 padding - 2 and W + 2 padding - 2
    are even. The images get no gradient; of equal values of a window the first gets it.

    >>> images, weight, bias = torch.randn(2, 1, 6, 6), torch.randn(5, 1, 3, 3), torch.randn(5)
    >>> pooled = torch.nn.functional.max_pool2d(torch.conv2d(images, weight, bias), 2)
    >>> positions_first = pooled_convolution(images, weight, bias, padding=0)
    >>> torch.allclose(positions_first, pooled.flatten(2).permute(2, 0, 1), atol=1e-5)
    True
    """
    found = _PooledConvolution.apply(images, weight, bias, padding)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)
