"""Functions with an exponential branch; every exp is kept from growing on the side not taken."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations.catalogue.entry import ParameterError
from actlab.activations.modules.pointwise import (
    Number,
    Pointwise,
    bounded,
    hypotenuse,
    into,
    log1p,
    sigmoid_slope,
    softplus,
)
from actlab.i18n import _


class PELU(Pointwise):
    """a / b x where x > 0, else a (exp(x / b) - 1), with a and b kept at 0.1 or more."""

    a: nn.Parameter
    b: nn.Parameter
    PARAMETERS = ("a", "b")
    LEARNABLE = frozenset({"a", "b"})
    NON_DECREASING: ClassVar = True

    def effective(self) -> tuple[Tensor, Tensor]:
        """Return a and b within their bounds."""
        return (self.a.clamp(min=0.1), self.b.clamp(min=0.1))

    @staticmethod
    def _value(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(x > 0, a / b * x, a * torch.expm1(x.clamp(max=0) / b))

    @staticmethod
    def _slope(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return a / b * torch.exp(x.clamp(max=0) / b)

    @staticmethod
    def _parameter_slopes(x: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        below = bounded(x.clamp(max=0)) / b
        by_a = torch.where(x > 0, x / b, torch.expm1(below))
        by_b = torch.where(x > 0, -a * x / b**2, -a / b * below * torch.exp(below))
        return (by_a, by_b)


class ISRLU(Pointwise):
    """x where x > 0, else x / sqrt(1 + alpha x^2)."""

    PARAMETERS = ("alpha",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, alpha: float) -> Tensor:
        below = bounded(x.clamp(max=0))
        return torch.where(x > 0, x, below / hypotenuse(alpha**0.5 * below))

    @staticmethod
    def _slope(x: Tensor, alpha: float) -> Tensor:
        return (1 / hypotenuse(alpha**0.5 * x.clamp(max=0))) ** 3


class ELiSH(Pointwise):
    """x sigmoid(x) where x > 0, else (exp(x) - 1) sigmoid(x)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        rise = torch.where(x > 0, x, torch.expm1(x.clamp(max=0)))
        return rise * torch.sigmoid(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        below = near.clamp(max=0)
        rise = torch.where(x > 0, near, torch.expm1(below))
        return torch.exp(below) * torch.sigmoid(near) + rise * sigmoid_slope(near)


class HardELiSH(Pointwise):
    """x h where x > 0, else (exp(x) - 1) h, with h = (x + 1) / 2 in [0, 1].

    The gradient at -1 is 0, at 1 it is 1.
    """

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        rise = torch.where(x > 0, x, torch.expm1(x.clamp(max=0)))
        return rise * (0.5 * x + 0.5).clamp(0, 1)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = x.clamp(-1, 1)
        below = near.clamp(max=0)
        rise = torch.where(x > 0, near, torch.expm1(below))
        inside = torch.exp(below) * (0.5 * near + 0.5) + 0.5 * rise * (x < 1)
        return torch.where(x > -1, inside, torch.zeros_like(x))


class XIELU(Pointwise):
    """alpha_p x^2 + beta x where x > 0, else alpha_n (exp(x) - 1 - x) + beta x.

    As in the authors' code the learnt numbers are the inverse softplus of alpha_p and of
    alpha_n - beta, so that alpha_p > 0 and alpha_n > beta whatever training does.
    """

    alpha_p: nn.Parameter
    alpha_n: nn.Parameter
    beta: float
    PARAMETERS = ("alpha_p", "alpha_n", "beta")
    LEARNABLE = frozenset({"alpha_p", "alpha_n"})

    def __init__(
        self, *, alpha_p: float, alpha_n: float, beta: float, channels: int | None = None
    ) -> None:
        if alpha_n <= beta:
            message = _("xielu needs alpha_n > beta, but alpha_n = {alpha_n}, beta = {beta}.")
            raise ParameterError(message.format(alpha_n=alpha_n, beta=beta))
        super().__init__(alpha_p=alpha_p, alpha_n=alpha_n, beta=beta, channels=channels)
        with torch.no_grad():
            self.alpha_p.copy_(_inverse_softplus(self.alpha_p))
            self.alpha_n.copy_(_inverse_softplus(self.alpha_n - beta))

    def effective(self) -> tuple[Tensor, Tensor, float]:
        """Return alpha_p, alpha_n and beta themselves."""
        alpha_n = self.beta + functional.softplus(self.alpha_n)
        return (functional.softplus(self.alpha_p), alpha_n, self.beta)

    @staticmethod
    def _value(x: Tensor, alpha_p: Number, alpha_n: Number, beta: float) -> Tensor:
        below = x.clamp(max=0)
        value = torch.expm1(below)
        value = into(value, torch.mul, value, alpha_n)
        below = into(below, torch.mul, below, beta - alpha_n)
        value = into(value, torch.add, value, below)
        above = torch.relu(x)
        rise = alpha_p * above
        rise = into(rise, torch.add, rise, beta)
        rise = into(rise, torch.mul, rise, above)
        return into(value, torch.add, value, rise)

    @staticmethod
    def _slope(x: Tensor, alpha_p: Number, alpha_n: Number, beta: float) -> Tensor:
        return 2 * alpha_p * torch.relu(x) + (alpha_n * torch.expm1(x.clamp(max=0)) + beta)

    @classmethod
    def _gradients(
        cls,
        incoming: Tensor,
        needed: Sequence[bool],  # noqa: ARG003  as the base class calls it
        *numbers: Any,
    ) -> list[Tensor | None]:
        x, alpha_p, alpha_n, beta = numbers
        above, below = torch.relu(x), x.clamp(max=0)
        fall = torch.expm1(below)
        slope = alpha_n * fall
        slope = into(slope, torch.add, slope, beta)
        slope = into(slope, torch.addcmul, slope, above, 2 * alpha_p)
        by_n = into(fall, torch.sub, fall, below)
        by_p = into(above, torch.mul, above, above)
        return [
            into(slope, torch.mul, slope, incoming),
            into(by_p, torch.mul, by_p, incoming),
            into(by_n, torch.mul, by_n, incoming),
            None,
        ]

    @staticmethod
    def _parameter_slopes(x: Tensor, *parameters: Number) -> tuple[Tensor | None, ...]:  # noqa: ARG004  as the base class calls it
        below = x.clamp(max=0)
        return (torch.relu(x) ** 2, torch.expm1(below) - below, None)


def _inverse_softplus(x: Tensor) -> Tensor:
    return x + torch.log(-torch.expm1(-x))


class Squareplus(Pointwise):
    """(x + sqrt(x^2 + b)) / 2; for negative x as b / (2 (sqrt(x^2 + b) - x)): nothing cancels."""

    PARAMETERS = ("b",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, b: float) -> Tensor:
        root = hypotenuse(x, b**0.5)
        return torch.where(x > 0, 0.5 * x + 0.5 * root, 0.5 * b / (root + x.abs()))

    @staticmethod
    def _slope(x: Tensor, b: float) -> Tensor:
        near = bounded(x)
        root = hypotenuse(near, b**0.5)
        return torch.where(x > 0, 0.5 + 0.5 * near / root, 0.5 * b / root / (root + near.abs()))


class LogSigmoid(Pointwise):
    """log(sigmoid(x)): torch's kernel where that is right, else by softplus.

    torch's does not keep the memory format, is coarse in half types, and is -inf from -90 on where
    it is exported to ONNX.
    """

    NON_DECREASING: ClassVar = True

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x): the shape, dtype, device and memory format of x."""
        known = x.dtype in (torch.float32, torch.float64) and x.is_contiguous()
        if known and not torch.compiler.is_compiling() and not torch.onnx.is_in_onnx_export():
            return functional.logsigmoid(x)
        return super().forward(x)

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return -softplus(-x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.sigmoid(-x)

    @classmethod
    def _backward(cls, incoming: Tensor, *numbers: Any) -> Tensor:
        (x,) = numbers
        if x.dtype == torch.float64:  # beyond its threshold torch's kernel is 2e-9 off
            return super()._backward(incoming, x)
        found: Tensor = torch.ops.aten.softplus_backward(incoming, -x, 1.0, 20.0)
        return found


class Exponential(Pointwise):
    """exp(x)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.exp(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.exp(x)


class BentIdentity(Pointwise):
    """(sqrt(x^2 + 1) - 1) / 2 + x, with sqrt(x^2 + 1) - 1 as x^2 / (sqrt(x^2 + 1) + 1)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        near = bounded(x)
        root = hypotenuse(near)
        return x * (0.5 * (near / (root + 1)) + 1)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        return 0.5 * near / hypotenuse(near) + 1


class ScaledELU(Pointwise):
    """scale x where x > 0, else scale alpha (exp(x) - 1); the gradient at 0 is scale alpha."""

    alpha: float
    scale: float
    PARAMETERS = ("alpha", "scale")

    @staticmethod
    def _value(x: Tensor, alpha: float, scale: float) -> Tensor:
        return torch.where(x > 0, scale * x, scale * alpha * torch.expm1(x.clamp(max=0)))

    @staticmethod
    def _slope(x: Tensor, alpha: float, scale: float) -> Tensor:
        return torch.where(x > 0, scale, scale * alpha * torch.exp(x.clamp(max=0)))

    def is_non_decreasing(self) -> bool:
        """Return whether the negative side rises, too."""
        return self.alpha >= 0


def selu(alpha: float, scale: float) -> nn.Module:
    """Return torch's SELU for its own constants, ScaledELU for others."""
    if (alpha, scale) == (1.6732632423543772, 1.0507009873554805):
        return nn.SELU()
    return ScaledELU(alpha=alpha, scale=scale)


class SqrtSoftplus(Pointwise):
    """sqrt(log(1 + exp(x))); for negative x as exp(x / 2) sqrt(log1p(e) / e), e = exp(x)."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        below = x.clamp(max=0)
        negative = torch.exp(0.5 * below) * _log1p_ratio(torch.exp(below)).sqrt()
        return torch.where(x > 0, softplus(x.clamp(min=0)).sqrt(), negative)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        below, above = x.clamp(max=0), x.clamp(min=0)
        grown = torch.exp(below)
        negative = torch.exp(0.5 * below) / (2 * (1 + grown) * _log1p_ratio(grown).sqrt())
        return torch.where(x > 0, torch.sigmoid(above) / (2 * softplus(above).sqrt()), negative)


def _log1p_ratio(e: Tensor) -> Tensor:
    """Return log(1 + e) / e, 1 where e is too small to tell."""
    tiny = e < 1e-20
    return torch.where(tiny, 1.0, log1p(e) / torch.where(tiny, 1.0, e))
