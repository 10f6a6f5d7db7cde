"""Functions for which torch has a right and fast kernel: torch's own modules."""

from torch import nn


def relu() -> nn.Module:
    """Return max(x, 0)."""
    return nn.ReLU()


def leaky_relu(negative_slope: float) -> nn.Module:
    """Return x, times `negative_slope` where x <= 0."""
    return nn.LeakyReLU(negative_slope)


def prelu(a: float, channels: int = 1) -> nn.Module:
    """Return x, times a learnable slope where x <= 0."""
    return nn.PReLU(channels, a)


def sigmoid() -> nn.Module:
    """Return 1 / (1 + exp(-x))."""
    return nn.Sigmoid()


def tanh() -> nn.Module:
    """Return tanh(x)."""
    return nn.Tanh()


def elu(alpha: float) -> nn.Module:
    """Return x, or alpha (exp(x) - 1) where x <= 0."""
    return nn.ELU(alpha)


def silu() -> nn.Module:
    """Return x sigmoid(x)."""
    return nn.SiLU()


def softmax() -> nn.Module:
    """Return exp(x) / sum(exp(x)) over the last dimension."""
    return nn.Softmax(dim=-1)
