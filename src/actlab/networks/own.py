"""Networks of the user's own: any module with slots, made by a callable without arguments.

A plan names such a network by the address of the callable, as `file.py:build`.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from actlab.addresses import load, user_code
from actlab.errors import NetworkError
from actlab.i18n import _
from actlab.networks.activation_slots import slots, swap
from actlab.networks.heads import head_layers
from actlab.records import Head, Space

Factory = Callable[[], nn.Module]

_OF_THIS_PROCESS: dict[str, Factory] = {}


def offer(name: str, factory: Factory) -> None:
    """Let networks of that name be made by `factory`, in this process only.

    For a callable that no address leads to: a notebook's function, a lambda.
    """
    _OF_THIS_PROCESS[name] = factory


def build_own(address: str, conv_activation: str, fc_activation: str, head: Head) -> nn.Sequential:
    """Return a network from the callable at `address`, with its slots filled and new weights.

    A slot of a kind that the network does not have stays out. The network gives class scores; a
    head is put behind it.

    Raises AddressError where the address leads nowhere, NetworkError where no module comes from it.
    """
    model = _made(address)
    kinds = {slot.kind for slot in slots(model)}
    swapped = swap(
        model,
        conv=conv_activation if "conv" in kinds else None,
        fc=fc_activation if "fc" in kinds else None,
    )
    return nn.Sequential(OrderedDict(network=swapped, **head_layers(head)))


def own_kinds(address: str) -> set[str]:
    """Return the kinds of slots that the network at `address` has: of "conv" and "fc"."""
    return {slot.kind for slot in slots(_made(address))}


def check_own(
    address: str,
    space: Space,
    input_shape: tuple[int, ...],
    classes: int,
) -> None:
    """Raise NetworkError where the network at `address` cannot be what a study compares.

    It needs a slot for every kind with several candidates in `space`, must take inputs of
    `input_shape` and give a score per class.
    """
    model = _made(address).eval()
    kinds = {slot.kind for slot in slots(model)}
    for kind, names in (("conv", space.conv_activation), ("fc", space.fc_activation)):
        if kind not in kinds and len(names) > 1:
            message = _(
                "{address} must have a {kind} slot (an activation module after such a layer) to "
                "compare {count} activations in it; it has none. Name one activation for it."
            )
            raise NetworkError(message.format(address=address, kind=kind, count=len(names)))
    advice = _("It must take inputs of shape {shape}.").format(shape=input_shape)
    with user_code(address, NetworkError, advice=advice), torch.no_grad():
        shape = tuple(model(torch.zeros(2, *input_shape)).shape)
    if shape != (2, classes):
        message = _("{address} must give {classes} class scores per example; it gives {shape}.")
        raise NetworkError(message.format(address=address, classes=classes, shape=shape[1:]))


def _made(address: str) -> nn.Module:
    factory = _OF_THIS_PROCESS.get(address) or load(address).thing
    advice = _("It must make a network without arguments.")
    with user_code(address, NetworkError, argv=[address.rpartition(":")[0]], advice=advice):
        model = factory()
    if not isinstance(model, nn.Module):
        message = _("{address} must return a torch module; it returns {kind}.")
        raise NetworkError(message.format(address=address, kind=type(model).__name__))
    return model
