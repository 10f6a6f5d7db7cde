"""Pieces that the modules share, in forms that neither overflow nor cancel."""

import math

import torch
from torch import Tensor

FAR = 1e30
"""A number that float32 holds and beyond which every gate has reached its limit."""


def bounded(x: Tensor) -> Tensor:
    """Return x within [-FAR, FAR], so that an infinite x times a gate of 0 is 0 and not NaN."""
    return x.clamp(-FAR, FAR)


def sigmoid_slope(x: Tensor) -> Tensor:
    """Return sigmoid(x) sigmoid(-x): s (1 - s) would lose every digit where s rounds to 1."""
    return torch.sigmoid(x) * torch.sigmoid(-x)


def tanh_slope(x: Tensor) -> Tensor:
    """Return 1 / cosh(x)^2, from the side that does not overflow."""
    decay = torch.exp(-2 * x.abs())
    return 4 * decay / (1 + decay) ** 2


def normal_cdf(x: Tensor) -> Tensor:
    """Return the standard normal distribution function; erfc keeps the digits of the left tail."""
    above: Tensor = torch.special.erfc(x * -math.sqrt(0.5))
    return 0.5 * above


def normal_density(x: Tensor) -> Tensor:
    """Return the standard normal density."""
    return torch.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))


def erf_slope(x: Tensor) -> Tensor:
    """Return 2 / sqrt(pi) exp(-x^2)."""
    return torch.exp(-x * x) * (2 / math.sqrt(math.pi))


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + exp(x)), without the threshold at which torch's own changes to x."""
    return torch.logaddexp(x, torch.zeros_like(x))


def precise(x: Tensor) -> Tensor:
    """Return x in float64; unchanged on Apple's GPU, which has none."""
    return x if x.device.type == "mps" else x.double()
