"""The convolutional network of the published study, layer for layer.

Source: the published study's section 3: 28 x 28 grey images, 121,994 parameters with activations
that learn nothing.
"""

from collections import OrderedDict
from collections.abc import Callable

from torch import nn


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
