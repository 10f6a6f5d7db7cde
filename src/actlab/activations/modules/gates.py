"""x times a gate: a sigmoid, a normal distribution function, or composed functions of x."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from actlab.activations.modules.pointwise import (
    FAR,
    Number,
    Pointwise,
    below_infinity,
    bounded,
    erf_slope,
    gated,
    into,
    normal_cdf,
    normal_density,
    one_sided,
    sigmoid_slope,
    softplus,
    tanh_slope,
)

_SATURATED = 80.0
"""exp(80) is finite in float32, and tanh, erf and exp(-x) of it have reached their limits."""

_SILU_SLOPE = (-0.09983932012886691, 1.0998393201288669)
"""The least and the greatest slope of x sigmoid(x)."""

_GELU_SWING = 1.2578161477
"""The greatest value of erf(z) + 2 z / sqrt(pi) exp(-z^2), attained at z = 1."""


def silu_backward(incoming: Tensor, x: Tensor, out: Tensor | None = None) -> Tensor:
    """Return the incoming gradient times the slope of x sigmoid(x), x finite.

    torch's kernel has no derivative of its own, so it is used where none is asked for.
    """
    if torch.is_grad_enabled():
        return incoming * torch.sigmoid(x) * (1 + x * torch.sigmoid(-x))
    kernel = torch.ops.aten.silu_backward
    found: Tensor = (
        kernel(incoming, x) if out is None else kernel.grad_input(incoming, x, grad_input=out)
    )
    return found


def silu_slope(share: Tensor, rise: Tensor, out: Tensor | None = None) -> Tensor:
    """Return share + rise (1 - share).

    It is the slope of x sigmoid(s x) where the share is sigmoid(s x) and the rise s x share.
    """
    if out is None:
        return share + rise * (1 - share)
    return torch.lerp(share, share.new_ones(()), rise, out=out)


class Swish(Pointwise):
    """x sigmoid(beta x)."""

    beta: nn.Parameter
    PARAMETERS = ("beta",)
    LEARNABLE = frozenset({"beta"})

    @staticmethod
    def _value(x: Tensor, beta: Tensor) -> Tensor:
        near = one_sided(x, beta)
        gate = near * beta
        gate = into(gate, torch.sigmoid, gate)
        return into(gate, torch.mul, gate, near)

    @staticmethod
    def _slope(x: Tensor, beta: Number) -> Tensor:
        near = bounded(x)
        steep = beta * near
        return torch.sigmoid(steep) * (1 + steep * torch.sigmoid(-steep))

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        x, beta = numbers
        steep = bounded(x)
        steep = into(steep, torch.mul, steep, beta)
        return into(steep, silu_backward, incoming, steep)

    @classmethod
    def _gradients(
        cls, incoming: Tensor, needed: Sequence[bool], *numbers: Any
    ) -> list[Tensor | None]:
        x, beta = numbers
        if not needed[1]:
            return super()._gradients(incoming, needed, x, beta)
        near = bounded(x)
        share = beta * near
        share = into(share, torch.sigmoid, share)
        bend = 1 - share
        bend = into(bend, torch.mul, bend, near)
        bend = into(bend, torch.mul, bend, share)
        slope = into(share, torch.addcmul, share, bend, beta)
        by_beta = into(bend, torch.mul, bend, near)
        return [
            into(slope, torch.mul, slope, incoming),
            into(by_beta, torch.mul, by_beta, incoming),
        ]

    @staticmethod
    def _parameter_slopes(x: Tensor, beta: Number) -> tuple[Tensor, ...]:
        near = bounded(x)
        least = torch.sigmoid(-(beta * near).abs())
        return ((near * least) * (near * (1 - least)),)

    def is_non_decreasing(self) -> bool:
        """Return whether the gate is constant."""
        return bool((self.beta == 0).all())


class QuickGELU(Pointwise):
    """x sigmoid(1.702 x)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        gate = 1.702 * x
        gate = into(gate, torch.sigmoid, gate)
        return into(gate, torch.mul, gate, below_infinity(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return Swish._slope(x, 1.702)

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        steep = bounded(numbers[0])
        steep = into(steep, torch.mul, steep, 1.702)
        return into(steep, silu_backward, incoming, steep)


class ESwish(Pointwise):
    """beta x sigmoid(x)."""

    PARAMETERS = ("beta",)

    @staticmethod
    def _value(x: Tensor, beta: float) -> Tensor:
        return beta * (below_infinity(x) * torch.sigmoid(x))

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
        return below_infinity(x) * torch.sigmoid(x) + 0.5 * alpha * torch.tanh(0.5 * x)

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
        return gated(x, gap * torch.sigmoid(beta * gap * bounded(x)) + p2)

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
        return gated(x, alpha + (1 - alpha) * gate)

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


class TanhExp(Pointwise):
    """x tanh(exp(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.tanh(torch.exp(x.clamp(max=_SATURATED)))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        grown = torch.exp(x.clamp(max=_SATURATED))
        return torch.tanh(grown) + near * (grown * tanh_slope(grown))


class Serf(Pointwise):
    """x erf(log(1 + exp(x)))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.erf(softplus(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        soft = softplus(near)
        return torch.erf(soft) + near * erf_slope(soft) * torch.sigmoid(near)


class ErfAct(Pointwise):
    """x erf(alpha exp(beta x))."""

    PARAMETERS = ("alpha", "beta")
    LEARNABLE = frozenset({"alpha", "beta"})

    @staticmethod
    def _value(x: Tensor, alpha: Number, beta: Number) -> Tensor:
        return gated(x, torch.erf(alpha * _growth(x, beta)))

    @staticmethod
    def _slope(x: Tensor, alpha: Number, beta: Number) -> Tensor:
        near = bounded(x)
        grown = alpha * _growth(near, beta)
        return torch.erf(grown) + near * (erf_slope(grown) * grown * beta)

    @staticmethod
    def _parameter_slopes(x: Tensor, alpha: Number, beta: Number) -> tuple[Tensor, ...]:
        near = bounded(x)
        growth = _growth(near, beta)
        by_alpha = near * (erf_slope(alpha * growth) * growth)
        return (by_alpha, alpha * near * by_alpha)


def _growth(x: Tensor, beta: Number) -> Tensor:
    return torch.exp((beta * bounded(x)).clamp(max=_SATURATED))


class PSerf(Pointwise):
    """x erf(gamma log(1 + exp(delta x)))."""

    PARAMETERS = ("gamma", "delta")
    LEARNABLE = frozenset({"gamma", "delta"})

    @staticmethod
    def _value(x: Tensor, gamma: Number, delta: Number) -> Tensor:
        return gated(x, torch.erf(gamma * softplus(delta * bounded(x))))

    @staticmethod
    def _slope(x: Tensor, gamma: Number, delta: Number) -> Tensor:
        near = bounded(x)
        soft = gamma * softplus(delta * near)
        return torch.erf(soft) + near * erf_slope(soft) * (
            gamma * delta * torch.sigmoid(delta * near)
        )

    @staticmethod
    def _parameter_slopes(x: Tensor, gamma: Number, delta: Number) -> tuple[Tensor, ...]:
        near = bounded(x)
        soft = softplus(delta * near)
        bell = near * erf_slope(gamma * soft)
        return (bell * soft, bell * (gamma * near * torch.sigmoid(delta * near)))


class Smish(Pointwise):
    """x tanh(log(1 + s)), s = sigmoid(x): the gate is t / (2 + t) with t = s (2 + s)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        share = torch.sigmoid(x)
        rise = share * (2 + share)
        return below_infinity(x) * (rise / (2 + rise))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        share = torch.sigmoid(near)
        rise = share * (2 + share)
        bend = 4 * (1 + share) * sigmoid_slope(near) / (2 + rise) ** 2
        return rise / (2 + rise) + near * bend


class Logish(Pointwise):
    """x log(1 + sigmoid(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.log1p(torch.sigmoid(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        share = torch.sigmoid(near)
        return torch.log1p(share) + near * sigmoid_slope(near) / (1 + share)


class Phish(Pointwise):
    """x tanh(x Phi(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.tanh(bounded(x) * normal_cdf(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        gelu = near * normal_cdf(near)
        gelu_slope = normal_cdf(near) + near * normal_density(near)
        return torch.tanh(gelu) + near * (tanh_slope(gelu) * gelu_slope)


class Gish(Pointwise):
    """x log(2 - exp(-exp(x))), as x log1p(-expm1(-exp(x)))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * _gish_gate(torch.exp(x.clamp(max=_SATURATED)))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        grown = torch.exp(x.clamp(max=_SATURATED))
        decay = torch.exp(-grown)
        return _gish_gate(grown) + near * (grown * decay / (2 - decay))


def _gish_gate(grown: Tensor) -> Tensor:
    return torch.log1p(-torch.expm1(-grown))


class GoLU(Pointwise):
    """x exp(-exp(-x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.exp(-torch.exp(-x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        decay = torch.exp(-x.clamp(min=-_SATURATED))
        gate = torch.exp(-decay)
        return gate + near * (decay * gate)


class CoLU(Pointwise):
    """x / (1 - x exp(-(x + exp(x)))); for negative x as x r / (r - x), r = exp(x + exp(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        near = bounded(x)
        above, below = near.clamp(min=0), near.clamp(max=0)
        decay = torch.exp(-(above + torch.exp(above)))
        rise = torch.exp(below + torch.exp(below))
        return torch.where(x > 0, x / (1 - above * decay), rise * (below / (rise - below)))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        above, below = near.clamp(0, _SATURATED), near.clamp(max=0)
        decay = torch.exp(-(above + torch.exp(above)))
        bend = above * (above * decay) * (1 + torch.exp(above))
        rise = torch.exp(below + torch.exp(below))
        share, rest = below / (rise - below), rise / (rise - below)
        negative = rest * rest - rise * share * share * (1 + torch.exp(below))
        return torch.where(x > 0, (1 - bend) / (1 - above * decay) ** 2, negative)


class SinSig(Pointwise):
    """x sin(pi / 2 sigmoid(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return below_infinity(x) * torch.sin(0.5 * math.pi * torch.sigmoid(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        angle = 0.5 * math.pi * torch.sigmoid(near)
        return torch.sin(angle) + near * (0.5 * math.pi * torch.cos(angle) * sigmoid_slope(near))


class LiSHT(Pointwise):
    """x tanh(x)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return x * torch.tanh(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.tanh(x) + bounded(x) * tanh_slope(x)


class PowLU(Pointwise):
    """x^(m / (sqrt(x) + 1)) sigmoid(x) where x > 0, else x sigmoid(x); its slope at 0 is 1/2."""

    PARAMETERS = ("m",)

    @staticmethod
    def _value(x: Tensor, m: float) -> Tensor:
        rising, _steep = _power(x, m)
        return torch.where(x > 0, rising, below_infinity(x)) * torch.sigmoid(x)

    @staticmethod
    def _slope(x: Tensor, m: float) -> Tensor:
        rising, steep = _power(x, m)
        gate = torch.sigmoid(x)
        near = bounded(x)
        right = gate * (steep + rising * torch.sigmoid(-x))
        return torch.where(x > 0, right, gate * (1 + near * torch.sigmoid(-near)))


def _power(x: Tensor, m: float) -> tuple[Tensor, Tensor]:
    """Return x^p and its slope, p = m / (sqrt(x) + 1); those of 1 where x <= 0."""
    near = torch.where(x > 0, x, torch.ones_like(x)).clamp(max=FAR)
    root, log = near.sqrt(), near.log()
    exponent = m / (root + 1)
    power = torch.exp(exponent * log)
    # p' log(x) x^p + p x^(p - 1), neither with a factor that overflows at a small x.
    sinking = -0.5 * m / (root + 1) ** 2 * log * torch.exp((exponent - 0.5) * log)
    return torch.where(x.isnan(), x, power), sinking + exponent * torch.exp((exponent - 1) * log)
