"""A small convolutional network for 8 x 8 images, such as scikit-learn's digits."""

from collections import OrderedDict
from collections.abc import Callable

from torch import nn


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
