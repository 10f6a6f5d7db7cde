"""A sequence whose convolutional stem is computed by Winograd's method where that may be done."""

from collections import OrderedDict
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from actlab.networks.pool_first import PoolingFirst
from actlab.networks.winograd.stem import fits, stem_of
from actlab.sequences import sequence_layers

_NUMBA_IS_THERE = find_spec("numba") is not None


class WinogradFirst(PoolingFirst):
    """A sequence that pools first, and computes its convolutional stem by Winograd F(4x4, 3x3).

    It does so for three convolutions of 3 x 3, the first two each followed by an activation and
    2 x 2 pooling, of grey images on a CPU whose sizes tiles fit, while both activations rise, or
    fall and then rise. Under autocast what the second and the third convolution multiply is in
    bfloat16. Otherwise it is the sequence that pools first.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Apply all layers to `images`, of shape (N, C, H, W)."""
        layers = [layer for _name, layer in sequence_layers(self)]
        stem = stem_of(layers)
        if stem is None or not _NUMBA_IS_THERE or not fits(stem, images):
            return super().forward(images)
        # Not before it is needed: what compiles loops takes its time to load.
        from actlab.networks.winograd.stem_computation import apply

        values = apply(stem, images)
        # The rest multiplies little: under autocast its conversions took longer than they saved.
        with torch.autocast("cpu", enabled=False):
            for layer in layers[len(stem) :]:
                values = layer(values)
        return values


def winograd_first(network: nn.Sequential) -> WinogradFirst:
    """Return `network` as one that uses Winograd convolutions where it may, sharing its layers.

    >>> import torch
    >>> from actlab.networks.builders import build
    >>> network = build("published_cnn", "relu", "tanh", "logits")
    >>> images = torch.randn(2, 1, 28, 28)
    >>> torch.allclose(winograd_first(network)(images), network(images), atol=1e-5)
    True
    """
    return WinogradFirst(OrderedDict(network.named_children()))
