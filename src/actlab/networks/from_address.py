"""Networks of the user's: any module with slots, made by a callable without arguments.

A plan names such a network by the address of the callable, as `file.py:build`.
"""

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

from actlab.addresses import load, user_code
from actlab.errors import DataError, NetworkError
from actlab.i18n import _
from actlab.networks.activation_slots import slots, swap
from actlab.networks.shapes import input_shape
from actlab.records import Space

Factory = Callable[[], nn.Module]

_OF_THIS_PROCESS: dict[str, Factory] = {}


def offer(name: str, factory: Factory) -> None:
    """Let networks of that name be made by `factory`, in this process only.

    For a callable that no address leads to: a notebook's function, a lambda.
    """
    _OF_THIS_PROCESS[name] = factory


def build_from_address(
    address: str, conv_activation: str, fc_activation: str, head: "OrderedDict[str, nn.Module]"
) -> nn.Sequential:
    """Return a network from the callable at `address`, with its slots filled and new weights.

    A slot of a kind that the network does not have stays out. The network gives class scores; the
    layers of `head` are put behind it.

    Raises AddressError where the address leads nowhere, NetworkError where no module comes from it.
    """
    model = _made(address)
    kinds = {slot.kind for slot in slots(model)}
    swapped = swap(
        model,
        conv=conv_activation if "conv" in kinds else None,
        fc=fc_activation if "fc" in kinds else None,
    )
    return nn.Sequential(OrderedDict(network=swapped, **head))


def slot_kinds(address: str) -> set[str]:
    """Return the kinds of slots that the network at `address` has: of "conv" and "fc"."""
    return {slot.kind for slot in slots(_made(address))}


def check_network(
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


def check_fits(
    network: str, space: Space, data_name: str, images: tuple[int, ...], classes: int
) -> None:
    """Raise DataError where `network` takes no images of shape `images`.

    One of the user's own is built and run: it raises NetworkError where it does not fit.

    >>> space = Space(("relu",), ("tanh",), 0.001, 0.01)
    >>> check_fits("small_cnn", space, "digits", (1, 8, 8), classes=10)
    """
    taken = input_shape(network)
    if taken is None:
        check_network(network, space, images, classes)
    elif taken != images:
        raise DataError(
            _(
                "The network {network} takes images of shape {taken}; those of {name} have shape "
                "{given}. Choose another network or other data."
            ).format(network=network, taken=taken, name=data_name, given=images)
        )
