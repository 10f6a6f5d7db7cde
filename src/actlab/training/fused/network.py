"""A population of networks as one network."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from actlab.training.fused.layers import fuse
from actlab.training.fused.stacking import Layout


class FusedNetwork(nn.Module):
    """T networks of the same layers, with activations and weights of their own.

    `weights` is a matrix (T, width), one row per network; what one row says does not reach
    another's outputs or gradients.

    >>> networks = [nn.Sequential(nn.Linear(3, 2), nn.ReLU()) for _ in range(4)]
    >>> FusedNetwork(networks, Layout(networks))(torch.randn(1, 5, 3)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(self, models: Sequence[nn.Module], layout: Layout) -> None:
        super().__init__()
        self._layout = layout
        self.weights = nn.Parameter(layout.stack(models))
        by_layer = zip(*(model.named_children() for model in models), strict=True)
        self._layers = nn.ModuleList(
            fuse(named[0][0], [layer for _name, layer in named]) for named in by_layer
        )
        self.to(self.weights.device)

    def forward(self, images: Tensor) -> Tensor:
        """Apply all networks to images (T, N, ...), or (1, N, ...) that all of them see.

        Returns the outputs, (T, N, O).
        """
        weights = self._layout.views(self.weights)
        values = images
        for layer in self._layers:
            values = layer(values, weights)
        return values

    @contextmanager
    def holding(self, weights: Tensor) -> Iterator[None]:
        """Have other weights for a while, in the same memory."""
        own = self.weights.detach().clone()
        with torch.no_grad():
            self.weights.copy_(weights)
            try:
                yield
            finally:
                self.weights.copy_(own)
