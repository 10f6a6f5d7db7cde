"""Functions that saturate, or nearly: S-shaped and logarithmic."""

import math
from typing import ClassVar

import torch
from torch import Tensor

from actlab.activations.modules.pointwise import (
    Number,
    Pointwise,
    bounded,
    hypotenuse,
    normal_cdf,
    normal_density,
    odd,
    precise,
    sigmoid_slope,
    tanh_slope,
)


class LeCunTanh(Pointwise):
    """1.7159 tanh(2 x / 3)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return 1.7159 * torch.tanh(x * (2 / 3))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return (1.7159 * 2 / 3) * tanh_slope(x * (2 / 3))


class Elliott(Pointwise):
    """0.5 x / (1 + |x|) + 0.5; for negative x as 0.5 / (1 - x): nothing cancels."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        near = bounded(x)
        rest = 0.5 / (1 + near.abs())
        return torch.where(x < 0, rest, 1 - rest)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 0.5 / (1 + x.abs()) ** 2


class Arctan(Pointwise):
    """atan(x)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.atan(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 1 / (1 + x * x)


class Asinh(Pointwise):
    """asinh(x)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.asinh(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 1 / hypotenuse(x)


class Symlog(Pointwise):
    """sign(x) log(1 + |x|)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return odd(x, torch.log1p(x.abs()))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 1 / (1 + x.abs())


class ISRU(Pointwise):
    """x / sqrt(1 + alpha x^2), by hypot, as x^2 overflows."""

    PARAMETERS = ("alpha",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, alpha: float) -> Tensor:
        near = bounded(x)
        return near / hypotenuse(math.sqrt(alpha) * near)

    @staticmethod
    def _slope(x: Tensor, alpha: float) -> Tensor:
        return (1 / hypotenuse(math.sqrt(alpha) * x)) ** 3


class PenalizedTanh(Pointwise):
    """tanh(x) where x > 0, else a tanh(x); the gradient at 0 is a."""

    a: float
    PARAMETERS = ("a",)

    @staticmethod
    def _value(x: Tensor, a: Number) -> Tensor:
        bent = torch.tanh(x)
        return torch.where(x > 0, bent, a * bent)

    @staticmethod
    def _slope(x: Tensor, a: Number) -> Tensor:
        slope = tanh_slope(x)
        return torch.where(x > 0, slope, a * slope)

    def is_non_decreasing(self) -> bool:
        """Return whether the factor of the negative side is not negative."""
        return self.a >= 0


class Hexpo(Pointwise):
    """sign(x) (1 - exp(-|x|))."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return odd(x, -torch.expm1(-x.abs()))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.exp(-x.abs())


class Laplace(Pointwise):
    """The normal distribution function with mean mu and deviation sigma.

    Where x - mu cancels or is divided by a small sigma, float32 would lose up to 70 ULP; the
    standardised input is therefore a float64 number, on devices that have them.
    """

    PARAMETERS = ("mu", "sigma")
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, mu: float, sigma: float) -> Tensor:
        return normal_cdf((precise(x) - mu) / sigma).to(x.dtype)

    @staticmethod
    def _slope(x: Tensor, mu: float, sigma: float) -> Tensor:
        return (normal_density((precise(x) - mu) / sigma) / sigma).to(x.dtype)


class DSiLU(Pointwise):
    """sigmoid(x) (1 + x sigmoid(-x)), the slope of SiLU."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        near = bounded(x)
        return torch.sigmoid(near) * (1 + near * torch.sigmoid(-near))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        return sigmoid_slope(near) * (2 - near * torch.tanh(0.5 * near))


class SoftCap(Pointwise):
    """cap tanh(x / cap)."""

    PARAMETERS = ("cap",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, cap: float) -> Tensor:
        return cap * torch.tanh(x / cap)

    @staticmethod
    def _slope(x: Tensor, cap: float) -> Tensor:
        return tanh_slope(x / cap)


class DynamicTanh(Pointwise):
    """gamma tanh(alpha x) + beta."""

    alpha: Tensor
    gamma: Tensor
    PARAMETERS = ("alpha", "gamma", "beta")
    LEARNABLE = frozenset({"alpha", "gamma", "beta"})

    @staticmethod
    def _value(x: Tensor, alpha: Number, gamma: Number, beta: Number) -> Tensor:
        return gamma * torch.tanh(alpha * bounded(x)) + beta

    @staticmethod
    def _slope(x: Tensor, alpha: Number, gamma: Number, beta: Number) -> Tensor:  # noqa: ARG004  as the base class calls it
        return gamma * alpha * tanh_slope(alpha * bounded(x))

    @staticmethod
    def _parameter_slopes(
        x: Tensor,
        alpha: Number,
        gamma: Number,
        beta: Number,  # noqa: ARG004  as the base class calls it
    ) -> tuple[Number, ...]:
        near = bounded(x)
        steep = alpha * near
        return (gamma * (near * tanh_slope(steep)), torch.tanh(steep), 1.0)

    def is_non_decreasing(self) -> bool:
        """Return whether alpha and gamma have one sign."""
        return bool((self.alpha * self.gamma >= 0).all())
