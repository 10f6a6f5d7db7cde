"""Winograd F(4x4, 3x3) convolution on a CPU, in a spatial-major (HWNC) layout.

With values laid out (H W, N, C) the transforms of a Winograd convolution are loops along whole rows
of memory. Values and gradients are those of the network up to rounding and, where a pooling window
has equal values, up to the choice among them. The loops need Numba (`pip install actlab[study]`);
without it the network that `winograd_first` returns pools first, and computes the same.
"""

from actlab.networks.winograd.winograd_first import WinogradFirst, winograd_first

__all__ = ["WinogradFirst", "winograd_first"]
