"""Functions of several numbers: gated, concatenating, competing, projecting, rational."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from actlab.activations.catalogue.entry import ParameterError
from actlab.activations.modules.gates import Swish
from actlab.activations.modules.pointwise import (
    Pointwise,
    bounded,
    normal_cdf,
    normal_density,
    widened,
)
from actlab.i18n import _


class GatedLinearUnit(nn.Module):
    """g(a) b, where x is a and b one after the other in dimension `dim`.

    Backward keeps x alone; composed of torch's functions it would keep g(a) as well.
    """

    GATE: ClassVar[type[Pointwise]]

    def __init__(self, *, dim: float = -1) -> None:
        super().__init__()
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return g(a) b: half as wide as x in the dimension."""
        width = x.shape[self.dim]
        if width % 2:
            message = _("{name} needs an even width in dimension {dim}, but {width} was given.")
            name = type(self).__name__
            raise ParameterError(message.format(name=name, dim=self.dim, width=width))
        apply: Callable[..., Tensor] = _Gated.apply
        return apply(self.GATE, x, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class _Gated(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(gate: type[Pointwise], x: Tensor, dim: int) -> Tensor:
        a, b = widened(x, x.dtype).chunk(2, dim)
        product: Tensor = gate._value(a) * b
        return product.to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004  torch's signature
        ctx.gate, x, ctx.dim = inputs
        ctx.save_for_backward(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        a, b = widened(x, x.dtype).chunk(2, ctx.dim)
        incoming = widened(gradients[0], x.dtype)
        halves = (incoming * b * ctx.gate._slope(a), incoming * ctx.gate._value(a))
        return (None, torch.cat(halves, ctx.dim).to(x.dtype), None)


class _SiLU(Pointwise):
    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return Swish._value(x, 1.0)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return Swish._slope(x, 1.0)


class _GELU(Pointwise):
    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return bounded(x) * normal_cdf(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        return normal_cdf(near) + near * normal_density(near)


class _ReLU(Pointwise):
    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.relu(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return (x > 0).to(x.dtype)


class _Identity(Pointwise):
    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return x

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.ones_like(x)


class SwiGLU(GatedLinearUnit):
    """silu(a) b."""

    GATE = _SiLU


class GEGLU(GatedLinearUnit):
    """gelu(a) b."""

    GATE = _GELU


class ReGLU(GatedLinearUnit):
    """relu(a) b."""

    GATE = _ReLU


class BilinearGLU(GatedLinearUnit):
    """a b."""

    GATE = _Identity


class CReLU(nn.Module):
    """relu(x) and relu(-x), one after the other in dimension `dim`."""

    def __init__(self, *, dim: float = 1) -> None:
        super().__init__()
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return twice the width of x in the dimension."""
        return torch.cat((torch.relu(x), torch.relu(-x)), self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class Maxout(nn.Module):
    """The largest of each `pieces` neighbours in dimension `dim` (equals share the gradient)."""

    def __init__(self, *, pieces: float = 2, dim: float = 1) -> None:
        super().__init__()
        self.pieces = int(pieces)
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return a `pieces`-th of the width of x in the dimension."""
        width = x.shape[self.dim]
        if width % self.pieces:
            message = _("maxout needs a multiple of {pieces} in dimension {dim}, not {width}.")
            raise ParameterError(message.format(pieces=self.pieces, dim=self.dim, width=width))
        dim = self.dim % x.dim()
        grouped = x.reshape(*x.shape[:dim], -1, self.pieces, *x.shape[dim + 1 :])
        return grouped.amax(dim + 1)

    def extra_repr(self) -> str:
        """Return the number of pieces and the dimension."""
        return f"pieces={self.pieces}, dim={self.dim}"


class Sparsemax(nn.Module):
    """The point of the probability simplex that is nearest to x, over dimension `dim`.

    With x sorted downwards the support is the k largest, k the last with 1 + k x_k > x_1 + ... +
    x_k; then p = max(x - t, 0), t the threshold at which they sum to 1 (Martins & Astudillo 2016,
    algorithm 1).
    """

    def __init__(self, *, dim: float = -1) -> None:
        super().__init__()
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities in the shape of x."""
        wide = widened(x, x.dtype)
        shifted = wide - wide.amax(self.dim, keepdim=True)
        falling = shifted.sort(self.dim, descending=True).values
        shape = [1] * x.dim()
        shape[self.dim] = -1
        count = torch.arange(1, x.shape[self.dim] + 1, device=x.device, dtype=wide.dtype)
        ranks = count.reshape(shape)
        totals = falling.cumsum(self.dim)
        inside = 1 + ranks * falling > totals
        size = inside.sum(self.dim, keepdim=True)
        threshold = (totals.gather(self.dim, size - 1) - 1) / size
        return torch.relu(shifted - threshold).to(x.dtype)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class RationalPAU(nn.Module):
    """P(x) / (1 + |Q(x)|), P of degree 5, Q of degree 4 without constant; all ten are learnt.

    The start is the least-squares fit to leaky_relu(0.01) on [-3, 3], where it is off by at most
    0.034. Beyond 1 both polynomials are evaluated in 1 / x, so that no power overflows.
    """

    NUMERATOR = (0.033568, 0.504995, 1.652897, 2.008702, 0.930991, 0.152225)
    DENOMINATOR = (0.0, 3.977689, 0.0, 0.301442)

    def __init__(self) -> None:
        super().__init__()
        self.numerator = nn.Parameter(torch.tensor(self.NUMERATOR))
        self.denominator = nn.Parameter(torch.tensor(self.DENOMINATOR))

    def forward(self, x: Tensor) -> Tensor:
        """Return the shape and dtype of x."""
        wide = widened(x, x.dtype)
        numerator = widened(self.numerator, x.dtype).to(wide.dtype)
        denominator = widened(self.denominator, x.dtype).to(wide.dtype)
        large = wide.abs() > 1
        near = torch.where(large, torch.zeros_like(wide), wide)
        # Beyond 1e18 the ratio is constant to the last digit; clamp stops a gradient of 0 inf.
        inverse = 1 / torch.where(large, wide.clamp(-1e18, 1e18), torch.ones_like(wide))
        inside = _horner(near, numerator) / (1 + (near * _horner(near, denominator)).abs())
        scaled = inverse.abs() ** 4 + _horner(inverse, denominator.flip(0)).abs()
        outside = wide * (_horner(inverse, numerator.flip(0)) / scaled)
        return torch.where(large, outside, inside).to(x.dtype)


def _horner(x: Tensor, coefficients: Tensor) -> Tensor:
    result = torch.zeros_like(x)
    for coefficient in coefficients.flip(0):
        result = result * x + coefficient
    return result
