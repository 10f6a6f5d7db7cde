"""x times a gate that is composed of several functions of x."""

import math

import torch
from torch import Tensor

from actlab.activations.modules.pointwise import Number, Pointwise
from actlab.activations.modules.safe import (
    FAR,
    bounded,
    erf_slope,
    normal_cdf,
    normal_density,
    sigmoid_slope,
    softplus,
    tanh_slope,
)

_SATURATED = 80.0
"""exp(80) is finite in float32, and tanh, erf and exp(-x) of it have reached their limits."""


def _below_infinity(x: Tensor) -> Tensor:
    """Return x with minus infinity replaced, where a gate of 0 meets it."""
    return x.clamp(min=-FAR)


class TanhExp(Pointwise):
    """x tanh(exp(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return _below_infinity(x) * torch.tanh(torch.exp(x.clamp(max=_SATURATED)))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        grown = torch.exp(x.clamp(max=_SATURATED))
        return torch.tanh(grown) + near * (grown * tanh_slope(grown))


class Serf(Pointwise):
    """x erf(log(1 + exp(x)))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return _below_infinity(x) * torch.erf(softplus(x))

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
        return _below_infinity(x) * torch.erf(alpha * _growth(x, beta))

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
        return _below_infinity(x) * torch.erf(gamma * softplus(delta * bounded(x)))

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
        return _below_infinity(x) * (rise / (2 + rise))

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
        return _below_infinity(x) * torch.log1p(torch.sigmoid(x))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        share = torch.sigmoid(near)
        return torch.log1p(share) + near * sigmoid_slope(near) / (1 + share)


class Phish(Pointwise):
    """x tanh(x Phi(x))."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return _below_infinity(x) * torch.tanh(bounded(x) * normal_cdf(x))

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
        return _below_infinity(x) * _gish_gate(torch.exp(x.clamp(max=_SATURATED)))

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
        return _below_infinity(x) * torch.exp(-torch.exp(-x))

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
        return _below_infinity(x) * torch.sin(0.5 * math.pi * torch.sigmoid(x))

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
