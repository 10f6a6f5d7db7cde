"""A sequence whose leading convolutions are computed positions first, where that may be done."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from actlab.networks.pool_first import PoolingFirst
from actlab.networks.winograd.fitting import fits, leading_of


class PositionsFirst(PoolingFirst):
    """A sequence that pools first, and computes its leading convolutions positions first.

    It does so for three convolutions of 3 x 3, the first two each followed by an activation and
    2 x 2 pooling, of grey images on a CPU whose sizes tiles fit, while both activations rise, or
    fall and then rise. Under autocast what the second and the third convolution multiply is in
    bfloat16. Otherwise it is the sequence that pools first.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Apply all layers to `images`, of shape (N, C, H, W)."""
        layers = list(self)
        leading = leading_of(layers)
        if leading is None or not fits(leading, images):
            return super().forward(images)
        # Not before it is needed: what compiles loops takes its time to load.
        from actlab.networks.winograd.computing import apply

        values = apply(leading, images)
        # The rest multiplies little: under autocast its conversions took longer than they saved.
        with torch.autocast("cpu", enabled=False):
            for layer in layers[len(leading) :]:
                values = layer(values)
        return values


def positions_first(network: nn.Sequential) -> PositionsFirst:
    """Return `network` as one that computes positions first where it may, sharing its layers.

    >>> import torch
    >>> from actlab.networks.builders import build
    >>> network = build("published_cnn", "relu", "tanh", "logits")
    >>> images = torch.randn(2, 1, 28, 28)
    >>> torch.allclose(positions_first(network)(images), network(images), atol=1e-5)
    True
    """
    return PositionsFirst(OrderedDict(network.named_children()))
