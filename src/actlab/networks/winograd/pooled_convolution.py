"""A 3 x 3 convolution of grey images and the 2 x 2 max-pooling after it, as one function.

The four values of a pooling window see the same 4 x 4 pixels. So a window is one visit: its pixels
are read, four sums of nine products made per channel, and only their extremes are written, with
the place in the window that each came from. The images get no gradient.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from actlab.networks.winograd.compiled import Array, array, compiled
from actlab.networks.winograd.extremes import EXTREMES, Unimodal, decisive, highest

Pixels = tuple[float, ...]


@compiled
def _patches(rows: tuple[Array, Array, Array, Array], left: int) -> tuple[Pixels, ...]:
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
def _sum(taps: tuple[float, ...], x: Pixels) -> float:
    above = taps[0] * x[0] + taps[1] * x[1] + taps[2] * x[2]
    middle = taps[3] * x[3] + taps[4] * x[4] + taps[5] * x[5]
    return above + middle + (taps[6] * x[6] + taps[7] * x[7] + taps[8] * x[8])


@compiled
def _at(place: int, tap: int, patches: tuple[Pixels, ...]) -> float:
    """Return the pixel that a tap meets at a place of the window."""
    first, second, third, fourth = patches
    upper = second[tap] if place & 1 else first[tap]
    lower = fourth[tap] if place & 1 else third[tap]
    return lower if place & 2 else upper


class _Loops(NamedTuple):
    """`forward(padded, weights, bias, out, places)` and `backward(padded, places, by_out, found)`.

    `padded` of shape (N, H, W); `weights` and `found` flat, nine rows of a tap per channel, and in
    `found` the bias as a tenth. Forward, `out` and `places` have the shape (E, H' W', N, C); back,
    `places` and `by_out` (H' W', N, C).
    """

    forward: Callable[[Array, Array, Array, Array, Array], None]
    backward: Callable[[Array, Array, Array, Array], None]


@lru_cache
def _loops(channels: int) -> _Loops:
    """Return the loops for a number of channels: known beforehand, they fill whole registers."""
    C = channels  # noqa: N806  # the formula's name

    @compiled
    def forward(padded: Array, weights: Array, bias: Array, out: Array, places: Array) -> None:
        images, height, width = padded.shape
        down, across = (height - 2) // 2, (width - 2) // 2
        for n in range(images):
            image = padded[n]
            for i in range(down):
                rows = (image[2 * i], image[2 * i + 1], image[2 * i + 2], image[2 * i + 3])
                for j in range(across):
                    first, second, third, fourth = _patches(rows, 2 * j)
                    for e in range(len(out)):
                        sign = EXTREMES[e]
                        found, place = out[e, i * across + j, n], places[e, i * across + j, n]
                        for c in range(C):
                            upper = (weights[c], weights[C + c], weights[2 * C + c])
                            middle = (weights[3 * C + c], weights[4 * C + c], weights[5 * C + c])
                            lower = (weights[6 * C + c], weights[7 * C + c], weights[8 * C + c])
                            taps = (*upper, *middle, *lower)
                            left, right = _sum(taps, first), _sum(taps, second)
                            sums = (left, right, _sum(taps, third), _sum(taps, fourth))
                            value, where = highest(sign, sums)
                            found[c], place[c] = value + bias[c], where

    @compiled
    def backward(padded: Array, places: Array, by_out: Array, found: Array) -> None:
        images, height, width = padded.shape
        down, across = (height - 2) // 2, (width - 2) // 2
        of_image = np.empty_like(found)
        for n in range(images):
            image = padded[n]
            of_image[:] = 0
            for i in range(down):
                rows = (image[2 * i], image[2 * i + 1], image[2 * i + 2], image[2 * i + 3])
                for j in range(across):
                    patches = _patches(rows, 2 * j)
                    gradient, place = by_out[i * across + j, n], places[i * across + j, n]
                    for c in range(C):
                        g, p = gradient[c], place[c]
                        of_image[c] += g * _at(p, 0, patches)
                        of_image[C + c] += g * _at(p, 1, patches)
                        of_image[2 * C + c] += g * _at(p, 2, patches)
                        of_image[3 * C + c] += g * _at(p, 3, patches)
                        of_image[4 * C + c] += g * _at(p, 4, patches)
                        of_image[5 * C + c] += g * _at(p, 5, patches)
                        of_image[6 * C + c] += g * _at(p, 6, patches)
                        of_image[7 * C + c] += g * _at(p, 7, patches)
                        of_image[8 * C + c] += g * _at(p, 8, patches)
                        of_image[9 * C + c] += g
            # Image by image: a sum over all windows one after the other would round off more.
            found += of_image

    return _Loops(forward, backward)


class _PooledConvolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor,
        padding: int,
        unimodal: Unimodal | None,
    ) -> Tensor:
        padded = F.pad(images[:, 0], (padding,) * 4)
        count, height, width = padded.shape
        channels = len(weight)
        weights = weight.reshape(channels, 9).t().flatten()
        shape = (
            1 if unimodal is None else 2,
            (height - 2) // 2 * ((width - 2) // 2),
            count,
            channels,
        )
        out, places = images.new_empty(shape), torch.empty(shape, dtype=torch.uint8)
        loop = _loops(channels).forward
        loop(array(padded), array(weights), array(bias), array(out), array(places))
        found, of_found = decisive(out, places, unimodal)
        ctx.save_for_backward(padded, of_found)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        padded, places = ctx.saved_tensors
        (gradient,) = gradients
        channels = gradient.shape[2]
        found = gradient.new_zeros(10, channels)
        loop = _loops(channels).backward
        loop(array(padded), array(places), array(gradient), array(found.view(-1)))
        return None, found[:9].t().reshape(channels, 1, 3, 3), found[9], None, None


def pooled_convolution(
    images: Tensor, weight: Tensor, bias: Tensor, padding: int, unimodal: Unimodal | None = None
) -> Tensor:
    """Return max_pool2d(conv2d(images, weight, bias, padding), 2) in HWNC layout.

    `images` of shape (N, 1, H, W), `weight` (C, 1, 3, 3), `bias` (C,), on a CPU; the result has
    shape (H' W', N, C), the pooled positions row by row. With a `unimodal` activation, which
    falls and then rises, it is the value of each window at which the activation is highest.
    H + 2 padding - 2 and W + 2 padding - 2 are even. The images get no gradient; of equal values
    of a window the first gets it.

    >>> images, weight, bias = torch.randn(2, 1, 6, 6), torch.randn(5, 1, 3, 3), torch.randn(5)
    >>> pooled = torch.nn.functional.max_pool2d(torch.conv2d(images, weight, bias), 2)
    >>> hwnc = pooled_convolution(images, weight, bias, padding=0)
    >>> torch.allclose(hwnc, pooled.flatten(2).permute(2, 0, 1), atol=1e-5)
    True
    """
    found = _PooledConvolution.apply(images, weight, bias, padding, unimodal)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, found)
