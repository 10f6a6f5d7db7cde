"""Building a network by its name, with activations from the catalogue in its slots."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import nn

from actlab import catalogue
from actlab.errors import unknown_name
from actlab.i18n import _
from actlab.networks import published_cnn, small_cnn
from actlab.records import Head


class _Builder(Protocol):
    def __call__(
        self,
        conv_activation: Callable[[], nn.Module],
        fc_activation: Callable[[], nn.Module],
        head: OrderedDict[str, nn.Module],
    ) -> nn.Sequential: ...


@dataclass(frozen=True)
class _Network:
    """How to build a network, and the shape (C, H, W) of the images that it takes."""

    build: _Builder
    input_shape: tuple[int, int, int]


_NETWORKS = {
    "published_cnn": _Network(published_cnn.published_cnn, published_cnn.INPUT_SHAPE),
    "small_cnn": _Network(small_cnn.small_cnn, small_cnn.INPUT_SHAPE),
}

NAMES = tuple(_NETWORKS)


def build(name: str, conv_activation: str, fc_activation: str, head: Head) -> nn.Sequential:
    """Return the network `name` with new weights from torch's global generator.

    `head` is what it ends in: `softmax` (class shares) or `logits` (class scores). The weights
    drawn do not depend on the activations unless one draws its own.

    Raises UnknownNameError for a network or an activation that does not exist.

    >>> build("published_cnn", "relu", "sigmoid", "logits").fc1
    Linear(in_features=1024, out_features=64, bias=True)
    """
    return _network(name).build(
        conv_activation=catalogue.get(conv_activation).module,
        fc_activation=catalogue.get(fc_activation).module,
        head=_head_layers(head),
    )


def input_shape(name: str) -> tuple[int, int, int]:
    """Return the shape (channels, height, width) of the images that the network `name` takes.

    >>> input_shape("small_cnn")
    (1, 8, 8)
    """
    return _network(name).input_shape


def _network(name: str) -> _Network:
    if name not in _NETWORKS:
        raise unknown_name(_("network"), name, NAMES)
    return _NETWORKS[name]


def _head_layers(head: Head) -> OrderedDict[str, nn.Module]:
    if head == "softmax":
        return OrderedDict(softmax=nn.Softmax(dim=1))
    return OrderedDict()
