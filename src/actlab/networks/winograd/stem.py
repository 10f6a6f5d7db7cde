"""The convolutional stem that Winograd's method computes, and when it may: needs no Numba."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from actlab.activations import falls_then_rises, is_non_decreasing

_DTYPES = (torch.float32, torch.float64)


class Stem(NamedTuple):
    """The convolutional stem: three convolutions, the first two with activation and pooling."""

    first: nn.Conv2d
    activation: nn.Module
    pool: nn.MaxPool2d
    second: nn.Conv2d
    next_activation: nn.Module
    next_pool: nn.MaxPool2d
    third: nn.Conv2d


def stem_of(layers: list[nn.Module]) -> Stem | None:
    """Return the stem of a sequence, where it begins with one."""
    match layers[:7]:
        case [
            nn.Conv2d() as first,
            activation,
            nn.MaxPool2d() as pool,
            nn.Conv2d() as second,
            next_activation,
            nn.MaxPool2d() as next_pool,
            nn.Conv2d() as third,
        ]:
            return Stem(first, activation, pool, second, next_activation, next_pool, third)
        case _:
            return None


def fits(stem: Stem, images: Tensor) -> bool:
    """Return whether Winograd's method computes this stem for these images, now.

    Asked in every pass: a learnable activation can become another kind of function.
    """
    if images.device.type != "cpu" or images.requires_grad:
        return False
    if torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is not torch.bfloat16:
        return False
    return (
        _plain(stem.first, padding=((0, 0), (1, 1)))
        and stem.first.in_channels == 1
        and _plain(stem.second, padding=((0, 0),))
        and _plain(stem.third, padding=((0, 0),))
        and _halves(stem.pool)
        and _halves(stem.next_pool)
        and _fit_sizes(images, stem.first)
        and extremes_for(stem.activation) is not None
        and extremes_for(stem.next_activation) is not None
    )


def extremes_for(activation: nn.Module) -> int | None:
    """Return how many extremes of a window decide the highest value of an activation over it.

    One where it is non-decreasing, two where it falls and then rises, None where all values may
    be needed, or where it does not treat all channels alike.

    >>> extremes_for(nn.Tanh()), extremes_for(nn.SiLU()), extremes_for(nn.Softmax())
    (1, 2, None)
    """
    if any(parameter.numel() > 1 for parameter in activation.parameters()):
        return None
    if is_non_decreasing(activation):
        return 1
    return 2 if falls_then_rises(activation) else None


def _plain(layer: nn.Conv2d, padding: tuple[tuple[int, int], ...]) -> bool:
    return (
        layer.kernel_size == (3, 3)
        and layer.stride == layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.bias is not None
        and layer.padding_mode == "zeros"
        and layer.padding in padding
    )


def _fit_sizes(images: Tensor, first: nn.Conv2d) -> bool:
    """Return whether windows and tiles cover the images: 28 x 28 with padding 1, for example.

    From the last convolution back: 4 U outputs, so 8 U + 4 before pooling, so 16 U + 12.
    """
    if images.ndim != 4 or not images.dtype == first.weight.dtype in _DTYPES:
        return False
    sides = [side + 2 * int(first.padding[0]) - 2 for side in images.shape[2:]]
    return all(side >= 28 and (side - 12) % 16 == 0 for side in sides)


def _halves(pool: nn.MaxPool2d) -> bool:
    # torch accepts a number or a pair for each.
    return (
        pool.kernel_size in (2, (2, 2))
        and pool.stride in (2, (2, 2))
        and pool.padding in (0, (0, 0))
        and pool.dilation in (1, (1, 1))
    )
