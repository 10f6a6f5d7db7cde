"""The networks that a plan can name, with activations from the catalogue in their slots."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn

from actlab.errors import unknown_name
from actlab.i18n import _
from actlab.networks.activation_slots import places, slots
from actlab.networks.candidates import choice_of, module_of
from actlab.networks.from_address import build_from_address, coverage_from_address, coverage_of
from actlab.networks.initialisation import initialise
from actlab.networks.shapes import is_address
from actlab.networks.swapping import fill
from actlab.records import Coverage, Head, Init, SlotName, slot_name


def published_cnn(
    conv_activation: Callable[[], nn.Module],
    fc_activation: Callable[[], nn.Module],
    head: OrderedDict[str, nn.Module],
    outputs: int = 10,
) -> nn.Sequential:
    """Return the network: images of shape (N, 1, 28, 28) to (N, outputs).

    Each activation is a factory, so that every layer has a module, and parameters, of its own.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 32, 3, padding=1),
            conv1_activation=conv_activation(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(32, 64, 3),
            conv2_activation=conv_activation(),
            pool2=nn.MaxPool2d(2),
            conv3=nn.Conv2d(64, 64, 3),
            conv3_activation=conv_activation(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(1024, 64),
            fc1_activation=fc_activation(),
            fc2=nn.Linear(64, outputs),
            **head,
        )
    )


def small_cnn(
    conv_activation: Callable[[], nn.Module],
    fc_activation: Callable[[], nn.Module],
    head: OrderedDict[str, nn.Module],
    outputs: int = 10,
) -> nn.Sequential:
    """Return the network: images of shape (N, 1, 8, 8) to (N, outputs).

    With 10 outputs it has 21,546 parameters.

    Each activation is a factory, so that every layer has a module, and parameters, of its own.
    """
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 16, 3, padding=1),
            conv1_activation=conv_activation(),
            pool1=nn.MaxPool2d(2),
            conv2=nn.Conv2d(16, 32, 3, padding=1),
            conv2_activation=conv_activation(),
            flatten=nn.Flatten(),
            fc1=nn.Linear(512, 32),
            fc1_activation=fc_activation(),
            fc2=nn.Linear(32, outputs),
            **head,
        )
    )


class Softmax(nn.Softmax):
    """exp(x) / sum(exp(x)) over a dimension, in float32 where the layers before it run in bf16.

    The result must tell shares near 1 apart, which 8 bits cannot.
    """

    def forward(self, scores: Tensor) -> Tensor:
        """Return the shares, of the shape of `scores`."""
        return super().forward(scores.float() if scores.dtype is torch.bfloat16 else scores)


class Sigmoid(nn.Sigmoid):
    """1 / (1 + exp(-x)), in float32 where the layers before it run in bf16, as the softmax."""

    def forward(self, scores: Tensor) -> Tensor:
        """Return the probabilities, of the shape of `scores`."""
        return super().forward(scores.float() if scores.dtype is torch.bfloat16 else scores)


def head_layers(head: Head) -> "OrderedDict[str, nn.Module]":
    """Return the layers after the last linear one: an activation of the outputs, or none."""
    if head == "softmax":
        return OrderedDict(softmax=Softmax(dim=1))
    if head == "sigmoid":
        return OrderedDict(sigmoid=Sigmoid())
    if head == "relu":
        return OrderedDict(relu=nn.ReLU())
    return OrderedDict()


_BUILDERS = {"published_cnn": published_cnn, "small_cnn": small_cnn}


def build(
    name: str,
    conv_activation: str | None,
    fc_activation: str | None,
    head: Head,
    outputs: int = 10,
    *,
    further: Mapping[SlotName, str] | None = None,
    example: Tensor | None = None,
    init: Init | None = None,
) -> nn.Sequential:
    """Return the network `name`, or that of an address, with weights from torch's generator.

    `head` is what it ends in: an activation of the `outputs`, or none (`logits`). `further` are
    activations for slots beside the two usual ones, by path, pattern or kind. The weights drawn do
    not depend on the activations unless one draws its own. Of a network from an address, `example`
    are rows of inputs on which its slots are found, and what nothing is given for stays. `init` is
    `keep` for such a network and `reset`, torch's defaults, for the others, unless it is given.

    Raises UnknownNameError for a network or an activation that does not exist.

    >>> build("published_cnn", "relu", "sigmoid", "logits").fc1
    Linear(in_features=1024, out_features=64, bias=True)
    """
    usual = {"conv": conv_activation, "fc": fc_activation}
    chosen = {slot: found for slot, found in usual.items() if found is not None}
    if is_address(name):
        layers = head_layers(head)
        return build_from_address(
            name, chosen | dict(further or {}), layers, example, init or "keep"
        )
    if name not in _BUILDERS:
        raise unknown_name(_("network"), name, _BUILDERS)
    model = _BUILDERS[name](
        _made_by(chosen.get("conv", "relu")),
        _made_by(chosen.get("fc", "relu")),
        head_layers(head),
        outputs,
    )
    if further:
        _fill_further(model, further)
    if init == "gain":
        found = places(model)
        filled = [(one, model.get_submodule(one.slot.path)) for one in found]
        initialise(model, init, filled)
    return model


def _made_by(name: str) -> Callable[[], nn.Module]:
    """Return what makes the module that a name stands for, anew each time."""
    choice = choice_of(name)
    return lambda: module_of(choice)


def _fill_further(model: nn.Module, further: Mapping[SlotName, str]) -> None:
    fitting = [(place, slot_name(place.slot, further)) for place in places(model)]
    fill(model, [(place, further[slot]) for place, slot in fitting if slot])


def coverage(name: str, example: Tensor, compared: Iterable[SlotName] = ("conv", "fc")) -> Coverage:
    """Return how many activations of the network `name` a study compares others in, of how many.

    `compared` are the slots that the study has candidates for.

    >>> coverage("small_cnn", torch.zeros(2, 1, 8, 8)).swapped
    3
    """
    with torch.random.fork_rng(devices=[]):
        if is_address(name):
            return coverage_from_address(name, example, compared)
        return coverage_of(slots(build(name, "relu", "relu", "logits"), example), compared)
