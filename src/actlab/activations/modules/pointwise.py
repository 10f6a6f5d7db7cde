"""The base of the modules that torch has no right kernel for: value and slope, written safely.

A subclass gives f and f' as plain torch expressions that stay finite; everything else is here.
Half precisions are computed in float32 and rounded once. Backward keeps the input and nothing else,
whatever the expressions need in between.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from actlab.i18n import _

Number = Tensor | float

FAR = 1e30
"""A number that float32 holds and beyond which every gate has reached its limit."""


def into(buffer: Tensor | None, operation: Callable[..., Tensor], *operands: Any) -> Tensor:
    """Return operation(*operands), written over `buffer`, if one is given and may be.

    Fresh memory costs more than most operations do. Nobody reads the buffer afterwards; where
    operations are recorded, mapped or traced the result is a new tensor.
    """
    if buffer is None or not may_overwrite(buffer):
        return operation(*operands)
    return operation(*operands, out=buffer)


def may_overwrite(buffer: Tensor) -> bool:
    """Return whether no derivative is recorded, nothing mapped or traced, for a plain tensor."""
    if torch.is_grad_enabled() or torch.compiler.is_compiling() or _are_transformed():
        return False
    return type(buffer) in (Tensor, nn.Parameter)


_are_transformed: Callable[[], bool] = torch._C._are_functorch_transforms_active


def bounded(x: Tensor) -> Tensor:
    """Return x within [-FAR, FAR], so that an infinite x times a gate of 0 is 0 and not NaN."""
    return x.clamp(-FAR, FAR)


def one_sided(x: Tensor, steepness: Tensor) -> Tensor:
    """Return x, finite where it may meet a gate sigmoid(steepness x) that has closed."""
    largest = steepness.new_full((), torch.finfo(x.dtype).max)
    least = torch.where(steepness >= 0, -largest, -math.inf)
    most = torch.where(steepness <= 0, largest, math.inf)
    near = torch.maximum(x, least)
    return into(near, torch.minimum, near, most)


def sigmoid_slope(x: Tensor) -> Tensor:
    """Return sigmoid(x) sigmoid(-x): s (1 - s) would lose every digit where s rounds to 1."""
    return torch.sigmoid(x) * torch.sigmoid(-x)


def tanh_slope(x: Tensor) -> Tensor:
    """Return 1 / cosh(x)^2, from the side that does not overflow."""
    decay = x.abs()
    decay = into(decay, torch.mul, decay, -2)
    decay = into(decay, torch.exp, decay)
    total = 1 + decay
    total = into(total, torch.mul, total, total)
    slope = into(decay, torch.div, decay, total)
    return into(slope, torch.mul, slope, 4)


def normal_cdf(x: Tensor, room: Tensor | None = None) -> Tensor:
    """Return the standard normal distribution function; erfc keeps the digits of the left tail."""
    above = into(room, torch.mul, x, -math.sqrt(0.5))
    above = into(above, torch.special.erfc, above)
    return into(above, torch.mul, above, 0.5)


def normal_density(x: Tensor, room: Tensor | None = None) -> Tensor:
    """Return the standard normal density."""
    bell = into(room, torch.mul, x, -0.5)
    bell = into(bell, torch.mul, bell, x)
    bell = into(bell, torch.exp, bell)
    return into(bell, torch.mul, bell, 1 / math.sqrt(2 * math.pi))


def erf_slope(x: Tensor) -> Tensor:
    """Return 2 / sqrt(pi) exp(-x^2)."""
    return torch.exp(-x * x) * (2 / math.sqrt(math.pi))


def softplus(x: Tensor) -> Tensor:
    """Return log(1 + exp(x)), without the threshold at which torch's own changes to x."""
    return torch.relu(x) + log1p(torch.exp(-x.abs()))


def log1p(u: Tensor) -> Tensor:
    """Return log(1 + u) for u >= 0 that is not large; ONNX has none, but 2 atanh(u / (2 + u))."""
    if torch.onnx.is_in_onnx_export():
        return 2 * torch.atanh(u / (2 + u))
    return torch.log1p(u)


def hypotenuse(x: Tensor, other: float = 1.0) -> Tensor:
    """Return sqrt(x^2 + other^2) for other > 0, by the ratio of the two, which does not overflow.

    ONNX has no hypot.
    """
    size = x.abs()
    far = size > other
    longer, shorter = torch.where(far, size, other), torch.where(far, other, size)
    return longer * torch.sqrt(1 + (shorter / longer) ** 2)


def odd(x: Tensor, positive: Tensor) -> Tensor:
    """Return what is `positive` on the right and its negative on the left; x where that is 0."""
    return torch.where(x == 0, x, x.sign() * positive)


def gated(x: Tensor, gate: Tensor) -> Tensor:
    """Return x gate, 0 where the gate is 0 and x infinite, and NaN where x is NaN.

    For gates whose side is learnt. Where only minus infinity meets a gate of 0, `below_infinity`
    is enough.
    """
    return torch.where(gate == 0, bounded(x), x) * gate


def below_infinity(x: Tensor) -> Tensor:
    """Return x with minus infinity replaced, where a gate of 0 meets it."""
    return x.clamp(min=-FAR)


def precise(x: Tensor) -> Tensor:
    """Return x in float64; unchanged on Apple's GPU and for ONNX, which have no such erf."""
    if x.device.type == "mps" or torch.onnx.is_in_onnx_export():
        return x
    return x.double()


def real(x: Tensor) -> Tensor:
    """Return x as numbers with a fraction: integers in the default dtype, as torch.tanh has it.

    Raises TypeError for complex numbers.
    """
    if x.is_complex():
        message = _("This activation is a function of real numbers, but its input is {dtype}.")
        raise TypeError(message.format(dtype=x.dtype))
    return x if x.is_floating_point() else x.to(torch.get_default_dtype())


class Pointwise(nn.Module):
    """An activation given by its value and its slope.

    Subclasses set `PARAMETERS` and, among them, `LEARNABLE`, and define three static methods of x
    (float32 or float64) and the parameters in that order: `_value` returns f(x), `_slope` f'(x)
    with the catalogue's convention at a kink, `_parameter_slopes` yields df/dp for every parameter
    in turn (a number where it is one, None for one that is not learnable). They override
    `is_non_decreasing` where it depends on the parameters.

    Learnable parameters have one value for a layer, or `channels` values, one for each channel
    (dimension `channel_dim` of the input, or its only dimension).
    """

    channel_dim: int = 1

    PARAMETERS: ClassVar[tuple[str, ...]] = ()
    LEARNABLE: ClassVar[frozenset[str]] = frozenset()
    NON_DECREASING: ClassVar[bool] = False
    _value: ClassVar[Callable[..., Tensor]]
    _slope: ClassVar[Callable[..., Tensor]]
    _parameter_slopes: ClassVar[Callable[..., Iterable[Number | None]]]

    def __init__(self, *, channels: int | None = None, **values: float) -> None:
        super().__init__()
        self.channels = channels
        for name in self.PARAMETERS:
            if name in self.LEARNABLE:
                start = torch.full((channels or 1,), float(values[name]))
                setattr(self, name, nn.Parameter(start))
            else:
                setattr(self, name, float(values[name]))

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        """Return the gradient of x; a subclass may have a kernel of torch's for the product."""
        return incoming * cls._slope(*numbers)

    @classmethod
    def _gradients(
        cls, incoming: Tensor, needed: Sequence[bool], *numbers: Any
    ) -> list[Tensor | None]:
        """Return the gradients of x and of the parameters, those `needed`, not yet summed.

        A subclass computes here once what its slopes have in common.
        """
        found: list[Tensor | None] = [cls._backward(incoming, *numbers) if needed[0] else None]
        if not any(needed[1:]):
            return [*found, *[None] * len(needed[1:])]
        for wanted, slope in zip(needed[1:], cls._parameter_slopes(*numbers), strict=True):
            if not wanted or slope is None:
                found.append(None)
            else:
                alone = isinstance(slope, float) and slope == 1
                found.append(incoming if alone else incoming * slope)
        return found

    def effective(self) -> Iterable[Number]:
        """Return the parameters as `_value` takes them, within the bounds that training keeps."""
        return [getattr(self, name) for name in self.PARAMETERS]

    def is_non_decreasing(self) -> bool:
        """Return whether f is non-decreasing for the parameters as they are."""
        return self.NON_DECREASING

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x): the shape, dtype, device and memory format of x."""
        x = real(x)
        dim = self.channel_dim
        numbers = (along_channels(number, x, dim) for number in self.effective())
        return apply(type(self), x, *numbers)

    def extra_repr(self) -> str:
        """Return the parameters' names and values."""
        shown = []
        for name in self.PARAMETERS:
            value = getattr(self, name)
            is_one = not isinstance(value, Tensor) or value.numel() == 1
            shown.append(f"{name}={_plain(value):g}" if is_one else f"{name}={tuple(value.shape)}")
        return ", ".join(shown)


def _plain(number: Number) -> float:
    return float(number.detach()) if isinstance(number, Tensor) else number


def along_channels(parameter: Number, x: Tensor, channel_dim: int = 1) -> Number:
    """Return a parameter in the shape in which it meets its channels."""
    if not isinstance(parameter, Tensor):
        return parameter
    if parameter.numel() == 1:
        return parameter.reshape(())
    if x.dim() < 2:
        return parameter
    return parameter.reshape(-1, *[1] * (x.dim() - 1 - channel_dim % x.dim()))


def widened(number: Any, dtype: torch.dtype) -> Any:
    """Return a tensor in `dtype`, or float32 where that is narrower; a float as it is."""
    if not isinstance(number, Tensor):
        return number
    return number.to(torch.float32 if dtype.itemsize < 4 else dtype)


def apply(kernel: type[Pointwise], x: Tensor, *parameters: Number) -> Tensor:
    """Return the kernel's value with the derivatives that it declares."""
    chosen = differentiated(_Elementwise, _WithForwardMode, x, *parameters)
    return chosen(kernel, x, *parameters)


def differentiated(
    plain: type[torch.autograd.Function],
    with_forward_mode: type[torch.autograd.Function],
    *numbers: Number,
) -> Callable[..., Tensor]:
    """Return how a Function is called on `numbers`.

    Dynamo traces no Function that has a forward-mode derivative, and without gradients it takes a
    variadic forward for one with a context.
    """
    found: Callable[..., Tensor] = with_forward_mode.apply
    if torch.compiler.is_compiling():
        tensors = (number for number in numbers if isinstance(number, Tensor))
        learns = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
        found = plain.apply if learns else plain.forward
    return found


class _Elementwise(torch.autograd.Function):
    """f with the derivative that its class declares, instead of what the expressions would give."""

    generate_vmap_rule = True

    @staticmethod
    def forward(kernel: type[Pointwise], x: Tensor, *parameters: Number) -> Tensor:
        wide = [widened(number, x.dtype) for number in (x, *parameters)]
        return kernel._value(*wide).to(x.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004  torch's signature
        kernel, *numbers = inputs
        ctx.kernel = kernel
        ctx.numbers = tuple(None if isinstance(number, Tensor) else number for number in numbers)
        tensors = [number for number in numbers if isinstance(number, Tensor)]
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        numbers = _restored(ctx)
        dtype = numbers[0].dtype
        wide = [widened(number, dtype) for number in numbers]
        incoming = widened(gradients[0], dtype)
        found = ctx.kernel._gradients(incoming, ctx.needs_input_grad[1:], *wide)
        summed = (
            gradient.sum_to_size(number.shape).to(number.dtype)
            if wanted and gradient is not None
            else None
            for wanted, gradient, number in zip(
                ctx.needs_input_grad[1:], found, numbers, strict=True
            )
        )
        return (None, *summed)


class _WithForwardMode(_Elementwise):
    """The same with a forward-mode derivative, as `torch.func.jvp` and `hessian` ask for."""

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        numbers = _restored(ctx)
        x = numbers[0]
        wide = [widened(number, x.dtype) for number in numbers]
        total = torch.zeros_like(wide[0])
        if tangents[1] is not None:
            total = total + widened(tangents[1], x.dtype) * ctx.kernel._slope(*wide)
        if any(tangent is not None for tangent in tangents[2:]):
            slopes = ctx.kernel._parameter_slopes(*wide)
            for tangent, slope in zip(tangents[2:], slopes, strict=True):
                if tangent is not None:
                    total = total + widened(tangent, x.dtype) * slope
        return total.to(x.dtype)


def _restored(ctx: Any) -> list[Any]:
    tensors = iter(ctx.saved_tensors)
    return [next(tensors) if number is None else number for number in ctx.numbers]
