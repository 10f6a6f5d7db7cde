"""Functions that are polynomials in pieces, where torch has no module of its own."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from actlab.activations.modules.pointwise import (
    FAR,
    Number,
    Pointwise,
    below_infinity,
    hypotenuse,
    into,
)


class Step(Pointwise):
    """1 where x > 0, else 0; the gradient is 0 everywhere."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.where(x.isnan(), x, (x > 0).to(x.dtype))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.zeros_like(x)


class Abs(Pointwise):
    """|x|; the gradient at 0 is 0."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return x.abs()

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return x.sign()


class ReLUSquared(Pointwise):
    """max(x, 0)^2."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.relu(x) ** 2

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 2 * torch.relu(x)


class StarReLU(Pointwise):
    """s max(x, 0)^2 + b, as (s x) x: for s < 1 the square alone would overflow earlier."""

    s: nn.Parameter
    b: nn.Parameter
    PARAMETERS = ("s", "b")
    LEARNABLE = frozenset({"s", "b"})

    @staticmethod
    def _value(x: Tensor, s: Number, b: Number) -> Tensor:
        above = torch.relu(x)
        value = s * above
        value = into(value, torch.mul, value, above)
        return into(value, torch.add, value, b)

    @staticmethod
    def _slope(x: Tensor, s: Number, b: Number) -> Tensor:  # noqa: ARG004  as the base class calls it
        return 2 * s * torch.relu(x)

    @classmethod
    def _gradients(
        cls,
        incoming: Tensor,
        needed: Sequence[bool],  # noqa: ARG003  as the base class calls it
        *numbers: Any,
    ) -> list[Tensor | None]:
        x, s, _b = numbers
        above = torch.relu(x)
        share = incoming * above
        return [share * (2 * s), into(above, torch.mul, above, share), incoming]

    @staticmethod
    def _parameter_slopes(x: Tensor, s: Number, b: Number) -> tuple[Number, ...]:  # noqa: ARG004  as the base class calls it
        return (torch.relu(x) ** 2, 1.0)

    def is_non_decreasing(self) -> bool:
        """Return whether no scale is negative."""
        return bool((self.s >= 0).all())


class NLReLU(Pointwise):
    """log(1 + beta max(x, 0)); the gradient at 0 is 0."""

    PARAMETERS = ("beta",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, beta: Number) -> Tensor:
        return torch.log1p(beta * torch.relu(x))

    @staticmethod
    def _slope(x: Tensor, beta: Number) -> Tensor:
        return torch.where(x > 0, beta / (1 + beta * torch.relu(x)), torch.zeros_like(x))


class AReLU(Pointwise):
    """(1 + sigmoid(b)) x where x > 0, else a x, with a kept in [0.01, 0.99]."""

    a: nn.Parameter
    b: nn.Parameter
    PARAMETERS = ("a", "b")
    LEARNABLE = frozenset({"a", "b"})
    NON_DECREASING: ClassVar = True

    def effective(self) -> tuple[Tensor, Tensor]:
        """Return a within its bounds, and b."""
        return (self.a.clamp(0.01, 0.99), self.b)

    @staticmethod
    def _value(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(x > 0, (1 + torch.sigmoid(b)) * x, a * x)

    @staticmethod
    def _slope(x: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(x > 0, 1 + torch.sigmoid(b), a)

    @staticmethod
    def _parameter_slopes(x: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:  # noqa: ARG004  as the base class calls it
        bend = torch.sigmoid(b) * torch.sigmoid(-b)
        return (x.clamp(max=0), bend * torch.relu(x))


class SparseSigmoid(Pointwise):
    """(x + 1) / 2 within [0, 1]; the gradient at -1 and at 1 is 0."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return (0.5 * x + 0.5).clamp(0, 1)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 0.5 * (x.abs() < 1).to(x.dtype)


class SparsePlus(Pointwise):
    """0 up to -1, (x + 1)^2 / 4 up to 1, then x."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        middle = 0.25 * (x.clamp(-1, 1) + 1) ** 2
        return torch.where(x > 1, x, middle)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 0.5 * (x.clamp(-1, 1) + 1)


class HardMish(Pointwise):
    """x within (0, inf), x (x + 2) / 2 within (-2, 0), else 0; the gradient at -2 is 0."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        below = x.clamp(-2, 0)
        return torch.where(x > 0, x, 0.5 * below * (below + 2))

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.where(x > -2, x.clamp(max=0) + 1, torch.zeros_like(x))


class SQNL(Pointwise):
    """x - sign(x) x^2 / 4 within [-2, 2], -1 and 1 outside."""

    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        within = x.clamp(-2, 2)
        return within - 0.25 * within * within.abs()

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return 1 - 0.5 * x.clamp(-2, 2).abs()


class LeakyReLUSquared(Pointwise):
    """The square of leaky_relu(x)."""

    PARAMETERS = ("negative_slope",)

    @staticmethod
    def _value(x: Tensor, negative_slope: float) -> Tensor:
        bent = torch.where(x > 0, x, negative_slope * x)
        return bent * bent

    @staticmethod
    def _slope(x: Tensor, negative_slope: float) -> Tensor:
        return 2 * torch.where(x > 0, x, negative_slope**2 * x)


class SmoothReLUSquared(Pointwise):
    """x (x + sqrt(x^2 + a^2)) / 2, on the left by the quotient that does not cancel."""

    PARAMETERS = ("a",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, a: float) -> Tensor:
        near = below_infinity(x)
        return 0.5 * near * _twice_smooth_relu(near, a)

    @staticmethod
    def _slope(x: Tensor, a: float) -> Tensor:
        near = below_infinity(x)
        rise = _twice_smooth_relu(near, a)
        return torch.where(x > FAR, 2 * x, 0.5 * rise * (rise / hypotenuse(near, a)))


def _twice_smooth_relu(x: Tensor, a: float) -> Tensor:
    """Return x + sqrt(x^2 + a^2)."""
    total = hypotenuse(x, a) + x.abs()
    return torch.where(x > 0, total, a * (a / total))
