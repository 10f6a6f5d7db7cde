"""The weights of a network whose activations were swapped: kept, drawn for them, or torch's own."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actlab import activations
from actlab.errors import UnknownNameError
from actlab.networks.activation_slots import Place
from actlab.networks.gated_units import halves
from actlab.records import Init


def initialise(
    model: nn.Module,
    init: Init,
    filled: Sequence[tuple[Place, nn.Module]],
    found: Sequence[Place] = (),
) -> None:
    """Do with the weights of `model` what `init` says; layers that are frozen stay what they are.

    `keep` changes none. `gain` draws the weights of the layers around each filled slot from a
    normal distribution of deviation gain / sqrt(fan in), and sets their biases to 0. The gain of a
    layer is that of the activation whose output it receives (He and others 2015, arXiv:1502.01852,
    for relu): then the second moment in front of every activation is 1. It is 1 for a layer that
    receives the network's input or a norm's output. `found` are all places, among them those that
    kept their activation. `reset` calls every layer's own `reset_parameters`.
    """
    if init == "reset":
        for module in model.modules():
            reset = getattr(module, "reset_parameters", None) or getattr(
                module, "_reset_parameters", None
            )
            if callable(reset) and not _is_frozen(module):
                reset()
    elif init == "gain":
        for path, gain in _gains(model, filled, found).items():
            _draw(model.get_submodule(path), gain)


def _gains(
    model: nn.Module, filled: Sequence[tuple[Place, nn.Module]], found: Sequence[Place]
) -> dict[str, float]:
    """Return the gain of each layer before or behind a filled slot, by its path."""
    gains: dict[str, float] = {}
    for place, activation in filled:
        gain = gain_of(activation, place.slot.width)
        within = (place.slot.layer,) if place.slot.kind == "recurrent" else ()
        gains |= dict.fromkeys((*place.receivers, *within), gain)
    for place, _activation in filled:
        if place.slot.layer and place.slot.layer not in gains:
            gains[place.slot.layer] = _received(model, place.slot.layer, found)
    return gains


def _received(model: nn.Module, layer: str, found: Sequence[Place]) -> float:
    """Return the gain of the activation, one that stayed, whose output a layer receives."""
    for place in found:
        if layer in place.receivers:
            try:
                activation = model.get_submodule(place.slot.path)
            except AttributeError:  # a functional call: its name stands for it
                try:
                    return gain_of(activations.get(place.slot.name).module(), place.slot.width)
                except UnknownNameError:
                    return 1.0
            return gain_of(activation, place.slot.width)
    return 1.0


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
