"""Functions of several numbers: gated, concatenating, competing, projecting, rational."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations.catalogue.entry import ParameterError
from actlab.activations.modules.gates import PowLU, Swish, silu_backward
from actlab.activations.modules.pointwise import (
    FAR,
    Pointwise,
    apply,
    below_infinity,
    bounded,
    differentiated,
    normal_cdf,
    normal_density,
    real,
    sigmoid_slope,
    tanh_slope,
    widened,
)
from actlab.i18n import _


class GatedLinearUnit(Pointwise):
    """A function of a gate a and a value b, two tensors of one shape; its slopes are both.

    Called with one input it takes a and b as the halves of it in dimension `dim`, with two it
    takes them as they are. Backward keeps them alone; composed of torch's functions it would keep
    g(a) as well. Subclasses define `_value(a, b, ...)`, `_slope` by a, and `_parameter_slopes` by
    b and then by their parameters.
    """

    def __init__(self, *, dim: float = -1, **values: float) -> None:
        super().__init__(channels=None, **values)
        self.dim = int(dim)

    def forward(self, x: Tensor, value: Tensor | None = None) -> Tensor:
        """Return the function of the halves of x, half as wide as it in the dimension, or of both.

        Raises ParameterError for an odd width.
        """
        x = real(x)
        if value is not None:
            return apply(type(self), x, real(value), *self.effective())
        width = x.shape[self.dim]
        if width % 2:
            message = _("{name} needs an even width in dimension {dim}, but {width} was given.")
            name = type(self).__name__
            raise ParameterError(message.format(name=name, dim=self.dim, width=width))
        return apply(type(self), *x.chunk(2, self.dim), *self.effective())

    def extra_repr(self) -> str:
        """Return the dimension, and the parameters."""
        return ", ".join(part for part in (f"dim={self.dim}", super().extra_repr()) if part)


class SwiGLU(GatedLinearUnit):
    """silu(a) b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        return functional.silu(below_infinity(a)) * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:
        return Swish._slope(a, 1.0) * b

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        a, b = numbers
        return silu_backward(incoming * b, bounded(a))

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield functional.silu(below_infinity(a))


class GEGLU(GatedLinearUnit):
    """gelu(a) b, with the normal distribution function, or with its tanh form."""

    PARAMETERS = ("approximate",)

    @staticmethod
    def _value(a: Tensor, b: Tensor, approximate: float) -> Tensor:
        return below_infinity(a) * _gelu_gate(a, approximate) * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor, approximate: float) -> Tensor:
        near = bounded(a)
        if approximate:
            inner = _CUBE * near * near
            steep = 2 * _ROOT * (1 + 3 * inner) * sigmoid_slope(2 * _ROOT * near * (1 + inner))
        else:
            steep = normal_density(near)
        return (_gelu_gate(near, approximate) + near * steep) * b

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor, approximate: float) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield below_infinity(a) * _gelu_gate(a, approximate)
        yield None


_ROOT = math.sqrt(2 / math.pi)
_CUBE = 0.044715


def _gelu_gate(a: Tensor, approximate: float) -> Tensor:
    """Return Phi(a), or (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))) / 2, as a sigmoid."""
    if not approximate:
        return normal_cdf(a)
    near = a.clamp(-1e9, 1e9)
    return torch.sigmoid(2 * _ROOT * near * (1 + _CUBE * near * near))


class ReGLU(GatedLinearUnit):
    """max(a, 0) b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        return torch.relu(a) * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(a > 0, b, torch.zeros_like(b))

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        a, b = numbers
        found: Tensor = torch.ops.aten.threshold_backward(incoming * b, a, 0)
        return found

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield torch.relu(a)


class ReGLU2(GatedLinearUnit):
    """max(a, 0)^2 b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        return torch.relu(a) ** 2 * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:
        return 2 * torch.relu(a) * b

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield torch.relu(a) ** 2


class BilinearGLU(GatedLinearUnit):
    """a b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        return a * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:  # noqa: ARG004  as the base class calls it
        return b

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield a


class ClampedSwiGLU(GatedLinearUnit):
    """g sigmoid(alpha g) (u + plus), g = min(a, limit), u = b within [-limit, limit].

    As torch.clamp has it the gradient passes at the limits themselves.
    """

    PARAMETERS = ("alpha", "limit", "plus")

    @staticmethod
    def _value(a: Tensor, b: Tensor, alpha: float, limit: float, plus: float) -> Tensor:
        gate = a.clamp(max=limit)
        return below_infinity(gate) * torch.sigmoid(alpha * gate) * (b.clamp(-limit, limit) + plus)

    @staticmethod
    def _slope(a: Tensor, b: Tensor, alpha: float, limit: float, plus: float) -> Tensor:
        inside = Swish._slope(a.clamp(max=limit), alpha) * (b.clamp(-limit, limit) + plus)
        return torch.where(a > limit, torch.zeros_like(a), inside)

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        a, b, alpha, limit, plus = numbers
        gate = alpha * a.clamp(-FAR, limit)
        inside = silu_backward(incoming * (b.clamp(-limit, limit) + plus), gate)
        return inside.masked_fill(a > limit, 0)

    @staticmethod
    def _parameter_slopes(
        a: Tensor, b: Tensor, alpha: float, limit: float, _plus: float
    ) -> Iterator[Tensor | None]:
        gate = a.clamp(max=limit)
        inside = below_infinity(gate) * torch.sigmoid(alpha * gate)
        yield torch.where(b.abs() > limit, torch.zeros_like(b), inside)
        yield from (None, None, None)


class SiTUGLU(GatedLinearUnit):
    """beta1 tanh(a / beta1) sigmoid(a) beta2 tanh(b / beta2): saturated, both halves."""

    PARAMETERS = ("beta1", "beta2")

    @staticmethod
    def _value(a: Tensor, b: Tensor, beta1: float, beta2: float) -> Tensor:
        gate = beta1 * torch.tanh(a / beta1) * torch.sigmoid(a)
        return gate * (beta2 * torch.tanh(b / beta2))

    @staticmethod
    def _slope(a: Tensor, b: Tensor, beta1: float, beta2: float) -> Tensor:
        bent = beta1 * torch.tanh(a / beta1)
        rise = tanh_slope(a / beta1) * torch.sigmoid(a) + bent * sigmoid_slope(a)
        return rise * (beta2 * torch.tanh(b / beta2))

    @staticmethod
    def _parameter_slopes(
        a: Tensor, b: Tensor, beta1: float, beta2: float
    ) -> Iterator[Tensor | None]:
        yield beta1 * torch.tanh(a / beta1) * torch.sigmoid(a) * tanh_slope(b / beta2)
        yield from (None, None)


class PowGLU(GatedLinearUnit):
    """powlu(a) b."""

    PARAMETERS = ("m",)

    @staticmethod
    def _value(a: Tensor, b: Tensor, m: float) -> Tensor:
        return PowLU._value(a, m) * b

    @staticmethod
    def _slope(a: Tensor, b: Tensor, m: float) -> Tensor:
        return PowLU._slope(a, m) * b

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor, m: float) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield PowLU._value(a, m)
        yield None


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
        grouped = x.reshape(*x.shape[:dim], width // self.pieces, self.pieces, *x.shape[dim + 1 :])
        return grouped.amax(dim + 1)

    def extra_repr(self) -> str:
        """Return the number of pieces and the dimension."""
        return f"pieces={self.pieces}, dim={self.dim}"


class Sparsemax(nn.Module):
    """The point of the probability simplex that is nearest to x, over dimension `dim`.

    With x sorted downwards the support is the k largest, k the last with 1 + k x_k > x_1 + ... +
    x_k; then p = max(x - t, 0), t the threshold at which they sum to 1 (Martins & Astudillo 2016,
    algorithm 1). A row without a finite largest number is NaN, as with softmax. Backward keeps the
    output alone.
    """

    def __init__(self, *, dim: float = -1) -> None:
        super().__init__()
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities in the shape of x."""
        x = real(x)
        return differentiated(_Projection, _ProjectionForwardMode, x)(x, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class _Projection(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dim: int) -> Tensor:
        wide = widened(x, x.dtype)
        shifted = wide - wide.amax(dim, keepdim=True)
        falling = shifted.sort(dim, descending=True).values
        shape = [1] * x.dim()
        shape[dim] = -1
        count = torch.arange(1, x.shape[dim] + 1, device=x.device, dtype=wide.dtype)
        totals = falling.cumsum(dim)
        inside = 1 + count.reshape(shape) * falling > totals
        size = inside.sum(dim, keepdim=True).clamp(min=1)
        threshold = (totals.gather(dim, size - 1) - 1) / size
        return torch.relu(shifted - threshold).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.dim = inputs[1]
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (_projected(ctx, gradients[0]), None)


class _ProjectionForwardMode(_Projection):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return _projected(ctx, tangents[0])


def _projected(ctx: Any, change: Tensor) -> Tensor:
    """Return the change within the support, less its mean there: the Jacobian is symmetric."""
    (output,) = ctx.saved_tensors
    support = (output > 0).to(torch.promote_types(change.dtype, torch.float32))
    mean = (support * change).sum(ctx.dim, keepdim=True) / support.sum(ctx.dim, keepdim=True)
    found: Tensor = (support * (change - mean)).to(change.dtype)
    return torch.where(output.isnan(), output, found)


class RationalPAU(Pointwise):
    """P(x) / (1 + |Q(x)|), P of degree 5, Q of degree 4 without constant; all ten are learnt.

    The start is the least-squares fit to leaky_relu(0.01) on [-3, 3], where it is off by at most
    0.034. Beyond 1 both polynomials are evaluated in 1 / x, so that no power overflows. Backward
    keeps the input.
    """

    NUMERATOR = (0.033568, 0.504995, 1.652897, 2.008702, 0.930991, 0.152225)
    DENOMINATOR = (0.0, 3.977689, 0.0, 0.301442)

    def __init__(self) -> None:
        super().__init__()
        self.numerator = nn.Parameter(torch.tensor(self.NUMERATOR))
        self.denominator = nn.Parameter(torch.tensor(self.DENOMINATOR))

    def effective(self) -> tuple[Tensor, ...]:
        """Return the ten coefficients, those of P first, each from the constant upwards."""
        return (*self.numerator.unbind(), *self.denominator.unbind())

    @staticmethod
    def _value(x: Tensor, *coefficients: Tensor) -> Tensor:
        ratio, _base, _far, _share, _turn = _rational(x, *coefficients)
        return ratio

    @staticmethod
    def _slope(x: Tensor, *coefficients: Tensor) -> Tensor:
        _ratio, base, far, share, turn = _rational(x, *coefficients)
        p, q = coefficients[:6], coefficients[6:]
        top = _either(far, base, [k * c for k, c in enumerate(p)][1:])
        bottom = _either(far, base, [k * c for k, c in enumerate(q, start=1)])
        return share * (top - turn * bottom)

    @staticmethod
    def _parameter_slopes(x: Tensor, *coefficients: Tensor) -> Iterator[Tensor | None]:
        _ratio, base, far, share, turn = _rational(x, *coefficients)
        powers = [torch.ones_like(base), base, base**2, base**3, base**4]
        for k in range(5):
            yield share * torch.where(far, powers[4 - k], powers[k])
        yield share * torch.where(far, x, base * powers[4])
        for k in range(1, 4):
            yield -turn * share * torch.where(far, powers[3 - k], powers[k])
        yield -turn * share * torch.where(far, x, powers[4])


def _rational(x: Tensor, *coefficients: Tensor) -> tuple[Tensor, ...]:
    """Return P / D, the base x or 1 / x, where it is 1 / x, 1 / D, and P / D times the sign of Q.

    Far out D is divided by x^4 and P by x^5; what is returned as 1 / D and P / D is so scaled.
    """
    p, q = coefficients[:6], coefficients[6:]
    far = x.abs() > 1
    base = torch.where(far, 1 / torch.where(far, x, torch.ones_like(x)), x)
    top = torch.where(far, _horner(base, p[::-1]), _horner(base, p))
    below = torch.where(far, _horner(base, q[::-1]), base * _horner(base, q))
    share = 1 / (torch.where(far, base**4, torch.ones_like(x)) + below.abs())
    scaled = top * share
    return torch.where(far, x * scaled, scaled), base, far, share, scaled * below.sign()


def _either(far: Tensor, base: Tensor, coefficients: Sequence[Tensor]) -> Tensor:
    return torch.where(far, _horner(base, coefficients[::-1]), _horner(base, coefficients))


def _horner(x: Tensor, coefficients: Sequence[Tensor]) -> Tensor:
    result = coefficients[-1] * torch.ones_like(x)
    for coefficient in coefficients[-2::-1]:
        result = result * x + coefficient
    return result


class GumbelSoftmax(nn.Module):
    """softmax((x + g) / tau) with Gumbel noise g in training, softmax(x / tau) in evaluation."""

    def __init__(self, *, dim: float = -1, tau: float = 1.0, hard: float = 0) -> None:
        super().__init__()
        self.dim, self.tau, self.hard = int(dim), tau, bool(hard)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities in the shape of x; with `hard` one is 1, the gradient as without."""
        x = real(x)
        if self.training:
            return functional.gumbel_softmax(x, self.tau, hard=self.hard, dim=self.dim)
        return torch.softmax(x / self.tau, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension, the temperature and whether it is hard."""
        return f"dim={self.dim}, tau={self.tau:g}, hard={self.hard}"


class Entmax15(nn.Module):
    """max(x / 2 - t, 0)^2 over dimension `dim`, t such that the sum is 1.

    With x / 2 sorted downwards, t over the first k is mean - sqrt((1 - k variance) / k); k is the
    last with t <= x_k / 2 (Peters et al. 2019, algorithm 2). Backward keeps the output alone.
    """

    def __init__(self, *, dim: float = -1) -> None:
        super().__init__()
        self.dim = int(dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return probabilities in the shape of x."""
        x = real(x)
        return differentiated(_Entmax, _EntmaxForwardMode, x)(x, self.dim)

    def extra_repr(self) -> str:
        """Return the dimension."""
        return f"dim={self.dim}"


class _Entmax(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dim: int) -> Tensor:
        wide = widened(x, x.dtype)
        shifted = (wide - wide.amax(dim, keepdim=True)) / 2
        falling = shifted.sort(dim, descending=True).values
        shape = [1] * x.dim()
        shape[dim] = -1
        count = torch.arange(1, x.shape[dim] + 1, device=x.device, dtype=wide.dtype)
        ranks = count.reshape(shape)
        mean = falling.cumsum(dim) / ranks
        spread = (falling**2).cumsum(dim) - ranks * mean**2
        threshold = mean - ((1 - spread) / ranks).clamp(min=0).sqrt()
        size = (threshold <= falling).sum(dim, keepdim=True).clamp(min=1)
        return (torch.relu(shifted - threshold.gather(dim, size - 1)) ** 2).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.dim = inputs[1]
        ctx.save_for_backward(output)
        ctx.save_for_forward(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        return (_entmax_change(ctx, gradients[0]), None)


class _EntmaxForwardMode(_Entmax):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        return _entmax_change(ctx, tangents[0])


def _entmax_change(ctx: Any, change: Tensor) -> Tensor:
    """Return the change times the root of the output, less its mean weighted by that root."""
    (output,) = ctx.saved_tensors
    root = widened(output, output.dtype).clamp(min=0).sqrt()
    mean = (root * change).sum(ctx.dim, keepdim=True) / root.sum(ctx.dim, keepdim=True)
    found: Tensor = (root * (change - mean)).to(change.dtype)
    return found
