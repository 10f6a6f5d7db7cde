"""x times a gate that is a sigmoid or a normal distribution function of x."""

import torch
from torch import Tensor, nn

from actlab.activations.modules.pointwise import Number, Pointwise
from actlab.activations.modules.safe import (
    FAR,
    bounded,
    erf_slope,
    normal_cdf,
    normal_density,
    sigmoid_slope,
)

_SILU_SLOPE = (-0.09983932012886691, 1.0998393201288669)
"""The least and the greatest slope of x sigmoid(x)."""

_GELU_SWING = 1.2578161477
"""The greatest value of erf(z) + 2 z / sqrt(pi) exp(-z^2), attained at z = 1."""


class Swish(Pointwise):
    """x sigmoid(beta x)."""

    beta: nn.Parameter
    PARAMETERS = ("beta",)
    LEARNABLE = frozenset({"beta"})

    @staticmethod
    def _value(x: Tensor, beta: Number) -> Tensor:
        near = bounded(x)
        return x.clamp(min=-FAR) * torch.sigmoid(beta * near)

    @staticmethod
    def _slope(x: Tensor, beta: Number) -> Tensor:
        near = bounded(x)
        steep = beta * near
        return torch.sigmoid(steep) * (1 + steep * torch.sigmoid(-steep))

    @staticmethod
    def _parameter_slopes(x: Tensor, beta: Number) -> tuple[Tensor, ...]:
        near = bounded(x)
        return ((near * torch.sigmoid(beta * near)) * (near * torch.sigmoid(-beta * near)),)

    def is_non_decreasing(self) -> bool:
        """Return whether the gate is constant."""
        return bool((self.beta == 0).all())


class QuickGELU(Pointwise):
    """x sigmoid(1.702 x)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return Swish._value(x, 1.702)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return Swish._slope(x, 1.702)


class ESwish(Pointwise):
    """beta x sigmoid(x)."""

    PARAMETERS = ("beta",)

    @staticmethod
    def _value(x: Tensor, beta: float) -> Tensor:
        return beta * Swish._value(x, 1.0)

    @staticmethod
    def _slope(x: Tensor, beta: float) -> Tensor:
        return beta * Swish._slope(x, 1.0)


class ClippedGELU(Pointwise):
    """x Phi(x), at most 10; the gradient at 10 is 1."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return (bounded(x) * normal_cdf(x)).clamp(max=10)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        inside = normal_cdf(near) + near * normal_density(near)
        return torch.where(x > 10, torch.zeros_like(x), inside)


class BSiLU(Pointwise):
    """(x + alpha) sigmoid(x) - alpha / 2, as x sigmoid(x) + alpha tanh(x / 2) / 2."""

    PARAMETERS = ("alpha",)

    @staticmethod
    def _value(x: Tensor, alpha: float) -> Tensor:
        return Swish._value(x, 1.0) + 0.5 * alpha * torch.tanh(0.5 * x)

    @staticmethod
    def _slope(x: Tensor, alpha: float) -> Tensor:
        near = bounded(x)
        return torch.sigmoid(near) + (near + alpha) * sigmoid_slope(near)


class AconC(Pointwise):
    """(p1 - p2) x sigmoid(beta (p1 - p2) x) + p2 x."""

    p1: nn.Parameter
    p2: nn.Parameter
    beta: nn.Parameter
    PARAMETERS = ("p1", "p2", "beta")
    LEARNABLE = frozenset({"p1", "p2", "beta"})

    @staticmethod
    def _value(x: Tensor, p1: Number, p2: Number, beta: Number) -> Tensor:
        gap = p1 - p2
        return x * (gap * torch.sigmoid(beta * gap * bounded(x)) + p2)

    @staticmethod
    def _slope(x: Tensor, p1: Number, p2: Number, beta: Number) -> Tensor:
        gap = p1 - p2
        return gap * Swish._slope(x, beta * gap) + p2

    @staticmethod
    def _parameter_slopes(x: Tensor, p1: Number, p2: Number, beta: Number) -> tuple[Tensor, ...]:
        gap = p1 - p2
        by_gap = x * Swish._slope(x, beta * gap)
        (by_steepness,) = Swish._parameter_slopes(x, beta * gap)
        return (by_gap, x - by_gap, gap * gap * by_steepness)

    def is_non_decreasing(self) -> bool:
        """Return whether p2 outweighs the least slope of the swish part."""
        gap = self.p1 - self.p2
        least, greatest = _SILU_SLOPE
        swings = torch.minimum(gap * least, gap * greatest)
        still = 0.5 * gap
        slope = torch.where(self.beta * gap == 0, still, swings) + self.p2
        return bool((slope >= 0).all())


class SMU(Pointwise):
    """((1 + alpha) x + (1 - alpha) x erf(mu (1 - alpha) x)) / 2."""

    alpha: float
    PARAMETERS = ("alpha", "mu")
    LEARNABLE = frozenset({"mu"})

    @staticmethod
    def _value(x: Tensor, alpha: float, mu: Number) -> Tensor:
        gate = 0.5 * torch.special.erfc(-mu * (1 - alpha) * bounded(x))
        return _never_nan_times(x, alpha + (1 - alpha) * gate)

    @staticmethod
    def _slope(x: Tensor, alpha: float, mu: Number) -> Tensor:
        steep = mu * (1 - alpha) * bounded(x)
        gate: Tensor = torch.special.erfc(-steep)
        return alpha + 0.5 * (1 - alpha) * (gate + steep * erf_slope(steep))

    @staticmethod
    def _parameter_slopes(x: Tensor, alpha: float, mu: Number) -> tuple[Tensor | None, ...]:
        near = bounded(x)
        bell = near * erf_slope(mu * (1 - alpha) * near)
        return (None, 0.5 * (1 - alpha) ** 2 * near * bell)

    def is_non_decreasing(self) -> bool:
        """Return whether the leak outweighs the dip, whose depth does not depend on mu."""
        return 1 + self.alpha >= abs(1 - self.alpha) * _GELU_SWING


def _never_nan_times(x: Tensor, gate: Tensor) -> Tensor:
    """Return x gate, 0 where the gate is 0 and x infinite."""
    return torch.where(gate == 0, bounded(x), x) * gate
