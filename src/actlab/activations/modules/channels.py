"""Learnable parameters along another dimension of the input than torch's, which is 1."""

import torch
from torch import Tensor, nn

from actlab.activations.modules.pointwise import Pointwise


class PReLUAlong(nn.PReLU):
    """PReLU whose slopes belong to the channels in dimension `channel_dim`."""

    def __init__(self, weight: Tensor, channel_dim: int) -> None:
        super().__init__(weight.numel())
        self.channel_dim = channel_dim
        with torch.no_grad():
            self.weight = nn.Parameter(weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Return x, times the slope of its channel where x <= 0."""
        moved: Tensor = super().forward(x.movedim(self.channel_dim, 1))
        return moved.movedim(1, self.channel_dim)

    def extra_repr(self) -> str:
        """Return the number of channels and their dimension."""
        return f"{super().extra_repr()}, channel_dim={self.channel_dim}"


def along(module: nn.Module, channel_dim: int) -> nn.Module:
    """Return the module with its learnable parameters along `channel_dim` of the input.

    >>> along(nn.PReLU(3), -1)(torch.ones(2, 5, 3)).shape
    torch.Size([2, 5, 3])
    """
    if channel_dim == 1:
        return module
    if isinstance(module, nn.PReLU):
        return PReLUAlong(module.weight, channel_dim)
    if isinstance(module, Pointwise):
        module.channel_dim = channel_dim
    return module
