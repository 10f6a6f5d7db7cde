"""Functions of several numbers: gated, concatenating, competing, projecting, rational."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations.catalogue.entry import ParameterError
from actlab.activations.modules.gates import PowLU, Swish, silu_slope
from actlab.activations.modules.pointwise import (
    FAR,
    Pointwise,
    apply,
    below_infinity,
    bounded,
    differentiated,
    into,
    may_overwrite,
    normal_cdf,
    normal_density,
    real,
    sigmoid_slope,
    tanh_slope,
    widened,
)
from actlab.i18n import _

Rooms = tuple[Tensor | None, Tensor | None]
"""Where two results may be written, each the shape of its own."""


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
        chosen = differentiated(_OfHalves, _OfHalvesForwardMode, x)
        return chosen(type(self), self.dim, x, *self.effective())

    def extra_repr(self) -> str:
        """Return the dimension, and the parameters."""
        return ", ".join(part for part in (f"dim={self.dim}", super().extra_repr()) if part)

    @classmethod
    def _both_slopes(
        cls,
        rooms: Rooms,  # noqa: ARG003  for those that have use for them
        *numbers: Any,
    ) -> tuple[Tensor, Tensor]:
        """Return the slopes by a and by b, in their rooms or not.

        A subclass computes once what they have in common.
        """
        by_b = next(iter(cls._parameter_slopes(*numbers)))
        assert isinstance(by_b, Tensor)
        return cls._slope(*numbers), by_b

    @classmethod
    def _gradients(
        cls,
        incoming: Tensor,
        needed: Sequence[bool],
        *numbers: Any,
    ) -> list[Tensor | None]:
        slopes = cls._both_slopes((None, None), *numbers)
        return [*(incoming * slope for slope in slopes), *[None] * len(needed[2:])]


class _OfHalves(torch.autograd.Function):
    """A gated unit of the halves of one tensor, whose gradients are the halves of one, too."""

    generate_vmap_rule = True

    @staticmethod
    def forward(kernel: type[GatedLinearUnit], dim: int, x: Tensor, *parameters: float) -> Tensor:
        halves = (widened(half, x.dtype) for half in x.chunk(2, dim))
        return kernel._value(*halves, *parameters).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004  torch's signature
        ctx.kernel, ctx.dim, x, *ctx.parameters = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        incoming = widened(gradients[0], x.dtype)
        if may_overwrite(x):
            found = torch.empty_like(x)
            halves = found.chunk(2, ctx.dim)
            rooms: Rooms = (halves[0], halves[1]) if incoming.dtype == x.dtype else (None, None)
            for half, slope in zip(halves, _slopes_of_halves(ctx, x, rooms), strict=True):
                torch.mul(slope, incoming, out=half)
        else:
            slopes = _slopes_of_halves(ctx, x, (None, None))
            found = torch.cat([incoming * slope for slope in slopes], ctx.dim).to(x.dtype)
        return (None, None, found, *[None] * len(ctx.parameters))


class _OfHalvesForwardMode(_OfHalves):
    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        (x,) = ctx.saved_tensors
        halves = tangents[2].chunk(2, ctx.dim)
        a, b = (
            widened(half, x.dtype) * slope
            for half, slope in zip(halves, _slopes_of_halves(ctx, x, (None, None)), strict=True)
        )
        moved: Tensor = a + b
        return moved.to(x.dtype)


def _slopes_of_halves(ctx: Any, x: Tensor, rooms: Rooms) -> tuple[Tensor, Tensor]:
    halves = (widened(half, x.dtype) for half in x.chunk(2, ctx.dim))
    found: tuple[Tensor, Tensor] = ctx.kernel._both_slopes(rooms, *halves, *ctx.parameters)
    return found


class SwiGLU(GatedLinearUnit):
    """silu(a) b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        gate = below_infinity(a)
        gate = into(gate, torch._C._nn.silu, gate)
        return into(gate, torch.mul, gate, b)

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:
        return Swish._slope(a, 1.0) * b

    @classmethod
    def _both_slopes(cls, rooms: Rooms, *numbers: Any) -> tuple[Tensor, Tensor]:
        a, b = numbers
        gate = into(rooms[1], torch.clamp, a, -FAR)
        share = into(rooms[0], torch.sigmoid, gate)
        gate = into(gate, torch.mul, gate, share)
        slope = into(share, silu_slope, share, gate.clamp(max=FAR))
        return into(slope, torch.mul, slope, b), gate

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield functional.silu(below_infinity(a))


class GEGLU(GatedLinearUnit):
    """gelu(a) b, with the normal distribution function, or with its tanh form."""

    PARAMETERS = ("approximate",)

    @staticmethod
    def _value(a: Tensor, b: Tensor, approximate: float) -> Tensor:
        value = _gelu_gate(a, approximate)
        value = into(value, torch.mul, value, below_infinity(a))
        return into(value, torch.mul, value, b)

    @staticmethod
    def _slope(a: Tensor, b: Tensor, approximate: float) -> Tensor:
        near = bounded(a)
        return (_gelu_gate(near, approximate) + near * _gelu_steepness(near, approximate)) * b

    @classmethod
    def _both_slopes(cls, rooms: Rooms, *numbers: Any) -> tuple[Tensor, Tensor]:
        a, b, approximate = numbers
        near = bounded(a)
        gate = _gelu_gate(near, approximate, rooms[1])
        slope = _gelu_steepness(near, approximate, rooms[0])
        slope = into(slope, torch.mul, slope, near)
        slope = into(slope, torch.add, slope, gate)
        near = into(near, torch.clamp, a, -FAR)
        return into(slope, torch.mul, slope, b), into(gate, torch.mul, gate, near)

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor, approximate: float) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield below_infinity(a) * _gelu_gate(a, approximate)
        yield None


_ROOT = math.sqrt(2 / math.pi)
_CUBE = 0.044715


def _gelu_gate(a: Tensor, approximate: float, room: Tensor | None = None) -> Tensor:
    """Return Phi(a), or (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))) / 2, as a sigmoid."""
    if not approximate:
        return normal_cdf(a, room)
    near = a.clamp(-1e9, 1e9)
    gate = into(room, torch.mul, near, near)
    gate = into(gate, torch.mul, gate, 2 * _ROOT * _CUBE)
    gate = into(gate, torch.add, gate, 2 * _ROOT)
    gate = into(gate, torch.mul, gate, near)
    return into(gate, torch.sigmoid, gate)


def _gelu_steepness(near: Tensor, approximate: float, room: Tensor | None = None) -> Tensor:
    """Return the slope of the gate."""
    if not approximate:
        return normal_density(near, room)
    inner = _CUBE * near * near
    bend = sigmoid_slope(2 * _ROOT * near * (1 + inner))
    return into(room, torch.mul, 2 * _ROOT * (1 + 3 * inner), bend)


class ReGLU(GatedLinearUnit):
    """max(a, 0) b."""

    @staticmethod
    def _value(a: Tensor, b: Tensor) -> Tensor:
        gate = torch.relu(a)
        return into(gate, torch.mul, gate, b)

    @staticmethod
    def _slope(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(a > 0, b, torch.zeros_like(b))

    @classmethod
    def _both_slopes(cls, rooms: Rooms, *numbers: Any) -> tuple[Tensor, Tensor]:
        a, b = numbers
        return into(rooms[0], _where_positive, b, a), into(rooms[1], torch.clamp, a, 0)

    @staticmethod
    def _parameter_slopes(a: Tensor, b: Tensor) -> Iterator[Tensor | None]:  # noqa: ARG004  as the base class calls it
        yield torch.relu(a)


def _where_positive(b: Tensor, a: Tensor, out: Tensor | None = None) -> Tensor:
    """Return b where a > 0, else 0."""
    kernel = torch.ops.aten.threshold_backward
    found: Tensor = kernel(b, a, 0) if out is None else kernel.grad_input(b, a, 0, grad_input=out)
    return found


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
        gate = a.clamp(-FAR, limit)
        share = alpha * gate
        share = into(share, torch.sigmoid, share)
        value = into(share, torch.mul, share, gate)
        other = into(gate, torch.clamp, b, -limit, limit)
        other = into(other, torch.add, other, plus)
        return into(value, torch.mul, value, other)

    @staticmethod
    def _slope(a: Tensor, b: Tensor, alpha: float, limit: float, plus: float) -> Tensor:
        inside = Swish._slope(a.clamp(max=limit), alpha) * (b.clamp(-limit, limit) + plus)
        return torch.where(a > limit, torch.zeros_like(a), inside)

    @classmethod
    def _both_slopes(cls, rooms: Rooms, *numbers: Any) -> tuple[Tensor, Tensor]:
        a, b, alpha, limit, plus = numbers
        gate = a.clamp(-FAR, limit)
        share = into(rooms[0], torch.mul, gate, alpha)
        share = into(share, torch.sigmoid, share)
        gate = into(gate, torch.mul, gate, share)
        slope = into(share, silu_slope, share, alpha * gate)
        other = b.clamp(-limit, limit)
        other = into(other, torch.add, other, plus)
        slope = into(slope, torch.mul, slope, other)
        beyond = _next_above(limit, a.dtype)
        return (
            into(slope, _between, slope, a, -math.inf, beyond),
            into(rooms[1], _between, gate, b, -beyond, beyond),
        )

    @staticmethod
    def _parameter_slopes(
        a: Tensor, b: Tensor, alpha: float, limit: float, _plus: float
    ) -> Iterator[Tensor | None]:
        gate = a.clamp(max=limit)
        inside = below_infinity(gate) * torch.sigmoid(alpha * gate)
        yield torch.where(b.abs() > limit, torch.zeros_like(b), inside)
        yield from (None, None, None)


def _between(
    slope: Tensor, x: Tensor, least: float, most: float, out: Tensor | None = None
) -> Tensor:
    """Return the slope where least < x < most, else 0."""
    kernel = torch.ops.aten.hardtanh_backward
    found: Tensor = (
        kernel(slope, x, least, most)
        if out is None
        else kernel.grad_input(slope, x, least, most, grad_input=out)
    )
    return found


def _next_above(limit: float, dtype: torch.dtype) -> float:
    """Return the least number of the dtype above the limit.

    The backward pass of torch's hardtanh lets no gradient through at its limits, clamp does.
    """
    if math.isinf(limit):
        return limit
    mantissa, exponent = math.frexp(limit)
    steps = 2 / torch.finfo(dtype).eps
    return math.ldexp((round(mantissa * steps) + 1) / steps, exponent)


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
        place = _Place(x)
        value = place.polynomial(coefficients[:6])
        bottom, _sign = place.bottom(coefficients[6:])
        value = into(value, torch.div, value, bottom)
        length = into(bottom, torch.abs, x)
        length = into(length, torch.clamp, length, 1)
        return into(value, torch.mul, value, length)

    @staticmethod
    def _slope(x: Tensor, *coefficients: Tensor) -> Tensor:
        needed = [True, *[False] * 10]
        slope, *_rest = RationalPAU._gradients(torch.ones_like(x), needed, x, *coefficients)
        assert slope is not None
        return slope

    @staticmethod
    def _parameter_slopes(x: Tensor, *coefficients: Tensor) -> Iterator[Tensor | None]:
        needed = [False, *[True] * 10]
        yield from RationalPAU._gradients(torch.ones_like(x), needed, x, *coefficients)[1:]

    @classmethod
    def _gradients(
        cls, incoming: Tensor, needed: Sequence[bool], *numbers: Any
    ) -> list[Tensor | None]:
        x, *coefficients = numbers
        p, q = coefficients[:6], coefficients[6:]
        place = _Place(x)
        bottom, sign = place.bottom(q)
        turn = place.polynomial(p)
        turn = into(turn, torch.div, turn, bottom)
        turn = into(turn, torch.mul, turn, sign)
        part = into(bottom, torch.div, incoming, bottom)
        slope = None
        if needed[0]:
            fall = place.polynomial([k * c for k, c in enumerate(q, start=1)])
            fall = into(fall, torch.mul, fall, turn)
            slope = place.polynomial([k * c for k, c in enumerate(p)][1:])
            slope = into(slope, torch.sub, slope, fall)
            slope = into(slope, torch.mul, slope, part)
        if not any(needed[1:]):
            return [slope, *[None] * 10]
        turn = into(turn, torch.mul, turn, part)
        turn = into(turn, torch.neg, turn)
        by_p, by_q = place.terms(part, 4), place.terms(turn, 3)
        return [slope, *by_p, by_p[4] * x, *by_q[1:], by_q[3] * x]


class _Place:
    """An input as the share u = x / h and the powers of v = 1 / h of its size h = max(|x|, 1).

    A polynomial of degree n is h^n times a sum of c_k u^k v^(n - k), in which nothing overflows.
    """

    def __init__(self, x: Tensor) -> None:
        near = bounded(x)
        size = near.abs()
        size = into(size, torch.clamp, size, 1)
        self.share = into(near, torch.div, near, size)
        self.powers = [into(size, torch.reciprocal, size)]
        for _power in range(4):
            self.powers.append(self.powers[-1] * self.powers[0])

    def polynomial(self, coefficients: Sequence[Tensor]) -> Tensor:
        """Return the polynomial over h^n; the coefficients rise from the constant."""
        *others, highest = coefficients
        result = self.share * highest
        for k, coefficient in enumerate(reversed(others)):
            if k:
                result = into(result, torch.mul, result, self.share)
            result = into(result, torch.addcmul, result, self.powers[k], coefficient)
        return result

    def bottom(self, coefficients: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return (1 + |Q(x)|) / h^4, and the sign of Q."""
        inner = self.polynomial(coefficients)
        inner = into(inner, torch.mul, inner, self.share)
        sign = inner.sign()
        inner = into(inner, torch.abs, inner)
        return into(inner, torch.add, inner, self.powers[3]), sign

    def terms(self, factor: Tensor, degree: int) -> list[Tensor]:
        """Return the factor times u^k v^(degree - k) for each k up to the degree."""
        found, rising = [factor * self.powers[degree - 1]], factor
        for k in range(1, degree):
            rising = rising * self.share
            found.append(rising * self.powers[degree - k - 1])
        return [*found, rising * self.share]


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
