"""Convolutions of a population as batched matrix products of patches.

A grouped convolution computes the same. On a GPU its kernels are made for few filters per group;
a batched product is one call whose matrices, a trial's patches and its filters, are large.
"""

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Window:
    """Which values a filter sees: its height and width, stride, zeros around, and spacing."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]

    @classmethod
    def of(cls, layer: nn.Conv2d) -> "Window":
        """Return the window of a convolution that `convolvable` accepts."""
        spans = _spans(layer)
        padding = {"valid": (0, 0), "same": (spans[0] // 2, spans[1] // 2)}
        zeros = padding[layer.padding] if isinstance(layer.padding, str) else layer.padding
        return cls(layer.kernel_size, layer.stride, zeros, layer.dilation)

    def counts(self, height: int, width: int) -> tuple[int, int]:
        """Return how many places the window has in values of this height and width."""
        rows, columns = zip(self.size, self.stride, self.padding, self.dilation, strict=True)
        return _places(height, *rows), _places(width, *columns)


def _places(values: int, size: int, stride: int, padding: int, dilation: int) -> int:
    return (values + 2 * padding - dilation * (size - 1) - 1) // stride + 1


def convolvable(layer: nn.Conv2d) -> bool:
    """Return whether `convolve` computes this layer: one group, as many zeros on all sides.

    >>> convolvable(nn.Conv2d(2, 3, 3, padding="same")), convolvable(nn.Conv2d(2, 4, 3, groups=2))
    (True, False)
    """
    even = layer.padding != "same" or all(span % 2 == 0 for span in _spans(layer))
    return layer.groups == 1 and layer.padding_mode == "zeros" and even


def convolve(values: Tensor, weight: Tensor, window: Window) -> Tensor:
    """Return the convolution of values (S, N, H, W, C) with filters (T, D, C, h, w) of T trials.

    The result is (T, N, H', W', D). S is T, or 1 where all trials see the same values. Under
    autocast values and filters are multiplied in its type.

    >>> window = Window.of(nn.Conv2d(2, 3, 3))
    >>> convolve(torch.randn(1, 5, 8, 8, 2), torch.randn(4, 3, 2, 3, 3), window).shape
    torch.Size([4, 5, 6, 6, 3])
    """
    kind = values.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        values, weight = values.to(dtype), weight.to(dtype)
    made = _Convolution.apply(values, weight, window)  # type: ignore[no-untyped-call]  # torch's
    return cast(Tensor, made)


class _Convolution(torch.autograd.Function):
    """Products with patches; the gradient of the values is added place by place of the window."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, window: Window) -> Tensor:
        rows = _patches(values, window)
        ctx.save_for_backward(rows, weight)
        ctx.window, ctx.shape = window, values.shape
        shared = rows.expand(len(weight), -1, -1)
        made = torch.bmm(shared, _matrix(weight).transpose(1, 2))
        places = window.counts(*values.shape[2:4])
        return made.view(len(weight), values.shape[1], *places, weight.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        rows, weight = ctx.saved_tensors
        gradient = gradients[0].flatten(1, 3)  # (T, N H' W', D)
        of_values = of_weight = None
        if ctx.needs_input_grad[0]:
            of_values = _summed(torch.bmm(gradient, _matrix(weight)), ctx.shape, ctx.window)
            if ctx.shape[0] < len(weight):
                of_values = of_values.sum(dim=0, keepdim=True)
        if ctx.needs_input_grad[1]:
            of_matrix = _weighed(gradient, rows, ctx.shape[1])
            by_place = (len(weight), weight.shape[1], *ctx.window.size, weight.shape[2])
            of_weight = of_matrix.view(by_place).movedim(4, 2)
        return of_values, of_weight, None


def _matrix(weight: Tensor) -> Tensor:
    """Return filters (T, D, C, h, w) as matrices (T, D, h w C)."""
    return weight.movedim(2, 4).flatten(2)


def _weighed(gradient: Tensor, rows: Tensor, examples: int) -> Tensor:
    """Return the products (T, D, K) of gradients (T, N L, D) and patches (S, N L, K), over N L.

    Few results of long sums keep few multiprocessors of a GPU busy: each sum is split into as many
    parts of whole examples as can be added again by moving less than the products read.
    """
    trials, length, filters = gradient.shape
    width = rows.shape[2]
    most = max(1, length * (filters + width) // (filters * width))
    parts = max(part for part in range(1, examples + 1) if examples % part == 0 and part <= most)
    split = (parts, length // parts)
    one = torch.unflatten(gradient, 1, split).flatten(0, 1)
    other = torch.unflatten(rows, 1, split).expand(trials, -1, -1, -1).flatten(0, 1)
    products = torch.bmm(one.transpose(1, 2), other)
    return torch.unflatten(products, 0, (trials, parts)).sum(dim=1)


def _patches(values: Tensor, window: Window) -> Tensor:
    """Return what the window shows at each place, (S, N H' W', h w C)."""
    (height, width), (down, right) = window.size, window.stride
    above, left = window.padding
    padded = F.pad(values, (0, 0, left, left, above, above))
    trials, examples, _height, _width, channels = padded.shape
    high, wide = window.counts(*values.shape[2:4])
    by_trial, by_example, by_row, by_column, by_channel = padded.stride()
    shown = padded.as_strided(
        (trials, examples, high, wide, height, width, channels),
        (
            *(by_trial, by_example, by_row * down, by_column * right),
            *(by_row * window.dilation[0], by_column * window.dilation[1], by_channel),
        ),
    )
    return shown.reshape(trials, examples * high * wide, height * width * channels)


def _summed(rows: Tensor, shape: torch.Size, window: Window) -> Tensor:
    """Return the sum of what every place says of each value: the transpose of `_patches`."""
    _shared, examples, height, width, channels = shape
    high, wide = window.counts(height, width)
    shown = rows.view(len(rows), examples, high, wide, *window.size, channels)
    above, left = window.padding
    found = rows.new_zeros(len(rows), examples, height + 2 * above, width + 2 * left, channels)
    for row in range(window.size[0]):
        for column in range(window.size[1]):
            found[
                :,
                :,
                _strided(row * window.dilation[0], high, window.stride[0]),
                _strided(column * window.dilation[1], wide, window.stride[1]),
            ] += shown[:, :, :, :, row, column]
    return found[:, :, above : above + height, left : left + width]


def _strided(start: int, count: int, step: int) -> slice:
    return slice(start, start + (count - 1) * step + 1, step)


def _spans(layer: nn.Conv2d) -> tuple[int, ...]:
    """Return how far the last value that a filter sees is from the first."""
    sizes = zip(layer.kernel_size, layer.dilation, strict=True)
    return tuple(dilation * (size - 1) for size, dilation in sizes)
