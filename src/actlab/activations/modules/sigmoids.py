"""Functions that saturate, or nearly: S-shaped and logarithmic."""

import functools
import math
from typing import Any, ClassVar

import torch
from torch import Tensor

from actlab.activations.modules.pointwise import (
    Number,
    Pointwise,
    bounded,
    hypotenuse,
    into,
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
        place = _standardised(x, mu, sigma)
        place = into(place, torch.mul, place, -math.sqrt(0.5))
        rounded = place.to(x.dtype)
        share = torch.special.erfc(rounded)
        share = into(share, torch.mul, share, 0.5)
        if place.dtype == x.dtype:
            return share
        # erfc(z + rest) is erfc(z) (1 - 2 z rest), as far as its left tail needs the rest.
        rest = into(place, torch.sub, place, rounded).to(x.dtype)
        rest = into(rest, torch.mul, rest, rounded.clamp(min=0))
        return into(share, functools.partial(torch.addcmul, value=-2), share, share, rest)

    @staticmethod
    def _slope(x: Tensor, mu: float, sigma: float) -> Tensor:
        bell = normal_density(_standardised(x, mu, sigma))
        return into(bell, torch.div, bell, sigma).to(x.dtype)

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        slope = cls._slope(*numbers)
        return into(slope, torch.mul, slope, incoming)


_FAR_SCORE = 1e4
"""Far beyond where the normal density is the least number of float64."""


def _standardised(x: Tensor, mu: float, sigma: float) -> Tensor:
    """Return (x - mu) / sigma in float64, as far out as the distribution tells numbers apart."""
    wide = precise(x)
    score = x - mu if wide is x else into(wide, torch.sub, wide, mu)
    score = into(score, torch.div, score, sigma)
    return into(score, torch.clamp, score, -_FAR_SCORE, _FAR_SCORE)


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
        bent = x / cap
        bent = into(bent, torch.tanh, bent)
        return into(bent, torch.mul, bent, cap)

    @staticmethod
    def _slope(x: Tensor, cap: float) -> Tensor:
        return tanh_slope(x / cap)

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        x, cap = numbers
        share = x.abs()
        share = into(share, torch.mul, share, -2 / cap)
        share = into(share, torch.sigmoid, share)
        slope = into(share, functools.partial(torch.addcmul, value=-1), share, share, share)
        slope = into(slope, torch.mul, slope, 4)
        return into(slope, torch.mul, slope, incoming)


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
