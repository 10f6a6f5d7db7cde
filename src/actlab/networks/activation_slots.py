"""Finding the places of a network that take an activation, and swapping what is in them.

A slot is named by the kind of layer before it: `conv` after a convolution, `fc` after a linear
layer; normalisation, pooling and dropout in between change nothing. What comes after the last layer
with weights shapes the output (a sigmoid, a softmax) and is no slot.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules import activation as torch_activations
from torch.nn.modules.conv import _ConvNd

from actlab import activations
from actlab.errors import ActlabError
from actlab.i18n import _

SlotKind = Literal["conv", "fc"]
ActivationChoice = str | Callable[[], nn.Module]
"""A name of the catalogue, or anything that makes a new module when called."""

_HOMES = (torch_activations.__name__, "actlab.activations.modules")
_NOT_ONE_TO_ONE = (
    nn.GLU,
    nn.LogSoftmax,
    nn.MultiheadAttention,
    nn.Softmax,
    nn.Softmax2d,
    nn.Softmin,
)


class SlotError(ActlabError):
    """A network without the slot that was asked for, or with one that cannot be told."""


@dataclass(frozen=True)
class Slot:
    """A place for an activation: its path in the network, the kind of layer before it.

    `layer` is the path of that layer.
    """

    path: str
    kind: SlotKind
    activation: nn.Module
    layer: str


def slots(model: nn.Module, example: Any = None) -> tuple[Slot, ...]:
    """Return the slots of `model`, in the order in which its modules were registered.

    With an `example` input (a tuple is passed as `*example`) it is the order of the calls in one
    forward pass, which is right for a model that registers its layers in another order than it
    calls them. An activation that is called as a function in `forward` is no module and no slot.

    Raises SlotError for one module that is called after layers of both kinds.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Sigmoid())
    >>> [(slot.path, slot.kind) for slot in slots(network)]
    [('1', 'fc')]
    """
    order = _registered(model) if example is None else _called(model, example)
    found: dict[str, Slot] = {}
    for slot in _in_order(order):
        known = found.setdefault(slot.path, slot)
        if known.kind != slot.kind:
            raise SlotError(
                _(
                    "The module {path} must follow one kind of layer; it is called after a "
                    "convolution and after a linear layer. Give each its own module."
                ).format(path=slot.path)
            )
    return tuple(found.values())


def swap(
    model: nn.Module,
    *,
    conv: ActivationChoice | None = None,
    fc: ActivationChoice | None = None,
    reinit: bool = True,
    example: Any = None,
) -> nn.Module:
    """Return a copy of `model` with other activations in its `conv` and `fc` slots.

    Every slot gets a module of its own. With `reinit` every layer draws new weights by its own
    `reset_parameters`, since weights that were learnt with other activations are no fair start.
    `example` is as in `slots`.

    Raises SlotError where the model has no slot of a kind that is given, UnknownNameError for a
    name that the catalogue does not have.

    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> swap(network, fc="tanh")[1]
    Tanh()
    """
    changed = copy.deepcopy(model)
    found = slots(changed, example)
    choices: tuple[tuple[SlotKind, ActivationChoice | None], ...] = (("conv", conv), ("fc", fc))
    for kind, choice in choices:
        if choice is not None:
            _fill(changed, [slot.path for slot in found if slot.kind == kind], kind, choice)
    if reinit:
        for module in changed.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()
    return changed


def _fill(model: nn.Module, paths: Sequence[str], kind: SlotKind, choice: ActivationChoice) -> None:
    if not paths:
        raise SlotError(
            _(
                "The model must have an activation module after a layer of the kind {kind}; it "
                "has none. An activation that is called as a function in forward cannot be "
                "swapped: make it a module."
            ).format(kind=kind)
        )
    make = activations.get(choice).module if isinstance(choice, str) else choice
    for path in paths:
        model.set_submodule(path, make())


def _in_order(order: Iterable[tuple[str, nn.Module]]) -> list[Slot]:
    """Return the slots among modules in order, dropping those after the last layer."""
    found: list[Slot] = []
    settled, before = 0, ""
    kind: SlotKind | None = None
    for path, module in order:
        layer = _kind_of(module)
        if layer is not None:
            kind, settled, before = layer, len(found), path
        elif kind is not None and _is_activation(module):
            found.append(Slot(path, kind, module, before))
    return found[:settled]


def _kind_of(module: nn.Module) -> SlotKind | None:
    if isinstance(module, _ConvNd):
        return "conv"
    return "fc" if isinstance(module, nn.Linear | nn.Bilinear) else None


def _is_activation(module: nn.Module) -> bool:
    home = type(module).__module__
    return home.startswith(_HOMES) and not isinstance(module, _NOT_ONE_TO_ONE)


def _registered(model: nn.Module) -> list[tuple[str, nn.Module]]:
    # Duplicates are kept: one activation object in two places of a Sequential is two slots.
    return list(model.named_modules(remove_duplicate=False))


def _called(model: nn.Module, example: Any) -> list[tuple[str, nn.Module]]:
    calls: list[tuple[str, nn.Module]] = []
    hooks = [
        module.register_forward_pre_hook(
            lambda module, _inputs, path=path: calls.append((path, module))
        )
        for path, module in model.named_modules()
    ]
    training = model.training
    try:
        with torch.no_grad():
            # In evaluation mode a forward pass changes no running statistics.
            model.eval()(*(example if isinstance(example, tuple) else (example,)))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return calls
