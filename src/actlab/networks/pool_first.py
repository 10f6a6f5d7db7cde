"""The same network, with max-pooling before the activation where that changes nothing.

For a non-decreasing f, max(f(a), f(b)) = f(max(a, b)): pooling first gives the same values, and the
activation and its gradient are then computed for a quarter of the elements. The gradients are the
same too, except where two inputs of a pooling window have equal values of f (relu: all are
negative): there the gradient of f decides, and pooling only chooses which one it goes to.
"""

from collections import OrderedDict

from torch import Tensor, nn

from actlab.activations import is_non_decreasing
from actlab.sequences import sequence_layers


class PoolingFirst(nn.Sequential):
    """A sequence that pools before a directly preceding activation while that is non-decreasing.

    Layers, names and parameters are those of the sequence that it is made from, which it shares;
    the layers of plain sequences within it stand in their places.
    Whether an activation is non-decreasing is asked in every forward pass, since a learnable one
    (PReLU with a negative slope) can stop being so.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Apply all layers to `images`, of shape (N, C, H, W)."""
        values = images
        layers = [layer for _name, layer in sequence_layers(self)]
        position = 0
        while position < len(layers):
            layer = layers[position]
            following = layers[position + 1] if position + 1 < len(layers) else None
            if isinstance(following, nn.MaxPool2d) and is_non_decreasing(layer):
                values = layer(following(values))
                position += 2
            else:
                values = layer(values)
                position += 1
        return values


def pooling_first(network: nn.Sequential) -> PoolingFirst:
    """Return `network` as one that pools first where it may, sharing its layers.

    >>> import torch
    >>> network = nn.Sequential(nn.Tanh(), nn.MaxPool2d(2))
    >>> images = torch.randn(2, 1, 4, 4)
    >>> torch.equal(pooling_first(network)(images), network(images))
    True
    """
    return PoolingFirst(OrderedDict(network.named_children()))


def as_written(network: nn.Module) -> nn.Module:
    """Return a sequence that applies the layers of `network`, which it shares, as they are listed.

    What pools first is turned back; any other network is returned as it is.
    """
    if isinstance(network, PoolingFirst):
        return nn.Sequential(OrderedDict(network.named_children()))
    return network
