"""What a network ends in."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from actlab.records import Head


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
