"""The convolutional part of a network with positions first: (H W, N, C) in place of (N, C, H, W).

The transforms of a Winograd convolution are then matrix products over whole rows of memory, and
every loop over channels runs along them. Values and gradients are those of the network up to
rounding and, where a window has equal values, up to the choice among them.
"""

from actlab.networks.winograd.winograd_first import PositionsFirst, positions_first

__all__ = ["PositionsFirst", "positions_first"]
