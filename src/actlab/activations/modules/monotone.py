"""How a live module rises and falls for the values that its parameters have now."""

from collections.abc import Callable
from typing import Any

from torch import nn

_ALWAYS = (
    nn.Hardshrink,
    nn.Hardsigmoid,
    nn.Hardtanh,
    nn.Identity,
    nn.LogSigmoid,
    nn.ReLU,
    nn.ReLU6,
    nn.SELU,
    nn.Sigmoid,
    nn.Softplus,
    nn.Softshrink,
    nn.Softsign,
    nn.Tanh,
    nn.Tanhshrink,
)

_FOR_SOME_VALUES: dict[type[nn.Module], Callable[[Any], bool]] = {
    nn.CELU: lambda module: module.alpha > 0,
    nn.ELU: lambda module: module.alpha >= 0,
    nn.LeakyReLU: lambda module: module.negative_slope >= 0,
    nn.PReLU: lambda module: bool((module.weight >= 0).all()),
    nn.Threshold: lambda module: module.value <= module.threshold,
    nn.RReLU: lambda module: not module.training and module.lower + module.upper >= 0,
}


def is_non_decreasing(module: nn.Module) -> bool:
    """Return whether `module` is elementwise and non-decreasing, for its parameters as they are.

    Then max(f(a), f(b)) = f(max(a, b)), so that max-pooling may come first. The answer for a
    learnable function can change with every optimiser step; it is False where nothing is known,
    and for RReLU in training, which draws a slope for every element.
    """
    own = getattr(module, "is_non_decreasing", None)
    if callable(own):
        return bool(own())
    if isinstance(module, _ALWAYS):
        return True
    for kind, rule in _FOR_SOME_VALUES.items():
        if isinstance(module, kind):
            return rule(module)
    return False


_FALLS_FIRST = (nn.GELU, nn.Hardswish, nn.Mish, nn.SiLU)

_FALLS_FIRST_FOR_SOME_VALUES: dict[type[nn.Module], Callable[[Any], bool]] = {
    nn.ELU: lambda module: module.alpha < 0,
    nn.LeakyReLU: lambda module: module.negative_slope < 0,
    nn.PReLU: lambda module: bool((module.weight < 0).all()),
}


def falls_then_rises(module: nn.Module) -> bool:
    """Return whether `module` is elementwise, non-increasing up to a point and rising from there.

    Then the highest of f over any values is at the lowest or at the highest of them. The answer is
    False where nothing is known, and for a function that rises everywhere.
    """
    if isinstance(module, _FALLS_FIRST):
        return True
    for kind, rule in _FALLS_FIRST_FOR_SOME_VALUES.items():
        if isinstance(module, kind):
            return rule(module)
    return False
