"""The weights of a network whose activations were swapped: kept, drawn for them, or torch's own."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from actlab.networks.activation_slots import Place
from actlab.networks.gated_units import halves
from actlab.records import Init


def initialise(model: nn.Module, init: Init, filled: Iterable[tuple[Place, nn.Module]]) -> None:
    """Do with the weights of `model` what `init` says; layers that are frozen stay what they are.

    `keep` changes none. `gain` draws the weights of the layer in front of each filled slot from a
    normal distribution of deviation gain / sqrt(fan in), with the gain of the activation that
    follows it, and sets that layer's bias to 0; where two slots follow one layer, the first of them
    decides. `reset` calls every layer's own `reset_parameters`.
    """
    if init == "reset":
        for module in model.modules():
            reset = getattr(module, "reset_parameters", None) or getattr(
                module, "_reset_parameters", None
            )
            if callable(reset) and not _is_frozen(module):
                reset()
    elif init == "gain":
        drawn: set[str] = set()
        for place, activation in filled:
            layer = place.slot.layer
            if layer and layer not in drawn:
                drawn.add(layer)
                _draw(model.get_submodule(layer), gain_of(activation, place.slot.width))


def gain_of(activation: nn.Module, width: int | None = None) -> float:
    """Return 1 / sqrt(E[f(z)^2]) for a standard normal z: the factor that keeps a signal's size.

    Computed by the trapezoidal rule on [-8, 8], where a normal's density has no kinks; 1 where f
    is zero or not finite there.

    >>> round(gain_of(nn.ReLU()), 6) == round(2**0.5, 6)
    True
    """
    steps = 4001
    points = torch.linspace(-8.0, 8.0, steps, dtype=torch.float32)
    density = torch.exp(-points.double().square() / 2) / math.sqrt(2 * math.pi)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        columns = points.unsqueeze(1).expand(steps, width or 1).contiguous()
        if halves(activation):
            # A gated unit is a product of two values that know nothing of each other.
            gate_first = not isinstance(activation, nn.GLU)
            pair = [points, torch.ones_like(points)]
            columns = torch.stack(pair if gate_first else pair[::-1], dim=1)
        parameter = next(activation.parameters(), None)
        device = parameter.device if parameter is not None else torch.device("cpu")
        values: Tensor = activation(columns.to(device)).double().cpu()
    if values.shape[0] != steps:
        return 1.0
    moments = torch.trapezoid(
        values.square() * density.unsqueeze(1), points.double().unsqueeze(1), dim=0
    )
    second = float(moments.mean())
    return 1 / math.sqrt(second) if math.isfinite(second) and second > 0 else 1.0


def _draw(layer: nn.Module, gain: float) -> None:
    for name, parameter in layer.named_parameters(recurse=False):
        if not parameter.requires_grad or isinstance(parameter, nn.UninitializedParameter):
            continue
        if parameter.ndim >= 2:
            # HF's Conv1D keeps its weight as (inputs, outputs).
            turned = type(layer).__name__ == "Conv1D"
            fan_in = parameter.shape[0] if turned else parameter[0].numel()
            nn.init.normal_(parameter, 0.0, gain / math.sqrt(fan_in))
        elif name == "bias":
            nn.init.zeros_(parameter)


def _is_frozen(module: nn.Module) -> bool:
    own = list(module.parameters(recurse=False))
    return bool(own) and not any(parameter.requires_grad for parameter in own)
