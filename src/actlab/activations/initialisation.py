"""Weights that keep the size of what passes: the gain of an activation, exactly, as a drop-in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from actlab.activations.catalogue.entry import Entry
from actlab.activations.recognised import recognised
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

if TYPE_CHECKING:
    from torch import Tensor, nn

Mode = Literal["fan_in", "fan_out"]
MODES = ("fan_in", "fan_out")
DISTRIBUTIONS = ("normal", "uniform", "truncated_normal")
_TRUNCATED = 0.8796256610342398
"""The deviation of a standard normal number that is drawn again beyond 2."""


class InitialisationError(ActlabError):
    """Weights that cannot be started: a function without a gain, or a module without weights."""


def gain(activation: Any, mode: Mode = "fan_in", **parameters: float) -> float:
    """Return 1 / sqrt(E f(z)^2), or with "fan_out" 1 / sqrt(E f'(z)^2), z standard normal.

    Weights of deviation gain / sqrt(fan) keep the second moment of what goes forward (backward).
    torch.nn.init.calculate_gain has a rounder table: sigmoid 1, tanh 5/3, selu 3/4; ours are exact.
    `activation` is a name, a function, a module or a torch function. Raises InitialisationError
    for a function without one.

    >>> round(gain("relu"), 6), round(gain("silu"), 6), round(gain("leaky_relu", negative_slope=1))
    (1.414214, 1.676532, 1)
    """
    _check("mode", mode, MODES)
    function = recognised(activation).bind(**parameters)
    from actlab.activations.facts import of

    facts = of(function)
    found = facts.gain_forward if mode == "fan_in" else facts.gain_backward
    if found is None:
        message = _("{name} has no gain: give a function of one input with a finite moment.")
        raise InitialisationError(message.format(name=function.name))
    return found


def init_(
    target: nn.Module | Tensor,
    activation: Any = None,
    *,
    mode: Mode = "fan_in",
    distribution: Literal["normal", "uniform", "truncated_normal"] = "normal",
    **parameters: float,
) -> nn.Module | Tensor:
    """Start weights in place with deviation gain / sqrt(fan), biases with 0, and return `target`.

    A tensor needs `activation`. Of a whole model every layer is started by the activation that
    follows it: the first activation module between it and the next layer, in the order in which
    the model registered them; a layer that none follows has the gain 1. With `activation` every
    layer is started by that. Other modules are left alone. Functional calls are not seen here:
    `swap(..., init="gain", example=x)` runs the model. Raises InitialisationError where there is
    nothing to start.

    >>> import torch
    >>> layer = torch.nn.Linear(10_000, 50)
    >>> _ = init_(layer, "relu")
    >>> abs(float(layer.weight.detach().std()) - (2 / 10_000) ** 0.5) < 1e-4
    True

    The gains are those of He and others 2015, arXiv:1502.01852, for any activation.
    """
    import torch
    from torch import nn

    _check("mode", mode, MODES)
    _check("distribution", distribution, DISTRIBUTIONS)
    if isinstance(target, torch.Tensor):
        if activation is None:
            message = _(
                "A tensor does not say which activation follows it: give init_(weight, name)."
            )
            raise InitialisationError(message)
        _start(target, gain(activation, mode, **parameters), mode, distribution)
        return target
    layers = _layers(target)
    if not layers:
        message = _("{name} has no linear or convolutional layer to start.")
        raise InitialisationError(message.format(name=type(target).__name__))
    for layer, follows in layers:
        chosen = activation if activation is not None else follows or "identity"
        size = gain(chosen, mode, **(parameters if activation is not None else {}))
        _start(layer.weight, size, mode, distribution)
        if isinstance(getattr(layer, "bias", None), torch.Tensor):
            nn.init.zeros_(layer.bias)
    return target


def _check(kind: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        raise unknown_name(kind, given, valid)


def _layers(model: nn.Module) -> list[tuple[Any, Entry | None]]:
    """Return the layers with weights, each with the activation that follows it, if one does."""
    from torch import nn
    from torch.nn.modules.conv import _ConvNd

    found: dict[nn.Module, Entry | None] = {}
    last: nn.Module | None = None
    # Duplicates are kept: one activation object may follow several layers of a Sequential.
    for _path, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, nn.Linear | nn.Bilinear | _ConvNd):
            last = module
            found.setdefault(last, None)
        elif last is not None and found[last] is None and not list(module.children()):
            found[last] = _activation(module)
    return list(found.items())


def _activation(module: nn.Module) -> Entry | None:
    try:
        known = recognised(module)
    except ActlabError:
        return None
    return known if known.kind == "scalar" and known.name != "identity" else None


def _start(weight: Tensor, size: float, mode: Mode, distribution: str) -> None:
    import torch
    from torch import nn

    fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
    deviation = size / math.sqrt(fan_in if mode == "fan_in" else fan_out)
    with torch.no_grad():
        match distribution:
            case "uniform":
                weight.uniform_(-math.sqrt(3) * deviation, math.sqrt(3) * deviation)
            case "truncated_normal":
                wide = deviation / _TRUNCATED
                nn.init.trunc_normal_(weight, std=wide, a=-2 * wide, b=2 * wide)
            case _:
                weight.normal_(0.0, deviation)
