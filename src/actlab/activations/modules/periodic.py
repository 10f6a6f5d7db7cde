"""Functions that oscillate, and the Gaussian bell."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from actlab.activations.modules.pointwise import Number, Pointwise, bounded, into


class Sine(Pointwise):
    """sin(omega x)."""

    PARAMETERS = ("omega",)

    @staticmethod
    def _value(x: Tensor, omega: float) -> Tensor:
        return torch.sin(omega * x)

    @staticmethod
    def _slope(x: Tensor, omega: float) -> Tensor:
        return omega * torch.cos(omega * x)


class Snake(Pointwise):
    """x + sin(a x)^2 / a; its slope is 1 + sin(2 a x)."""

    PARAMETERS = ("a",)
    NON_DECREASING: ClassVar = True

    @staticmethod
    def _value(x: Tensor, a: float) -> Tensor:
        return x + torch.sin(a * bounded(x)) ** 2 / a

    @staticmethod
    def _slope(x: Tensor, a: float) -> Tensor:
        return 1 + 2 * torch.sin(a * x) * torch.cos(a * x)


class GCU(Pointwise):
    """x cos(x)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return x * torch.cos(x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        return torch.cos(x) - x * torch.sin(x)


class Gaussian(Pointwise):
    """exp(-x^2)."""

    @staticmethod
    def _value(x: Tensor) -> Tensor:
        return torch.exp(-x * x)

    @staticmethod
    def _slope(x: Tensor) -> Tensor:
        near = bounded(x)
        return -2 * near * torch.exp(-near * near)


class SnakeBeta(Pointwise):
    """x + sin(alpha x)^2 / beta; its slope is 1 + alpha / beta sin(2 alpha x)."""

    alpha: Tensor
    beta: Tensor
    PARAMETERS = ("alpha", "beta")
    LEARNABLE = frozenset({"alpha", "beta"})

    @staticmethod
    def _value(x: Tensor, alpha: Number, beta: Number) -> Tensor:
        wave = alpha * bounded(x)
        wave = into(wave, torch.sin, wave)
        wave = into(wave, torch.mul, wave, wave)
        wave = into(wave, torch.div, wave, beta)
        return into(wave, torch.add, wave, x)

    @staticmethod
    def _slope(x: Tensor, alpha: Number, beta: Number) -> Tensor:
        angle = alpha * x
        return 1 + 2 * torch.sin(angle) * torch.cos(angle) * (alpha / beta)

    @staticmethod
    def _parameter_slopes(x: Tensor, alpha: Number, beta: Number) -> tuple[Tensor, ...]:
        near = bounded(x)
        sine, cosine = torch.sin(alpha * near), torch.cos(alpha * near)
        return (2 * sine * cosine * (near / beta), -((sine / beta) ** 2))

    @classmethod
    def _gradients(
        cls,
        incoming: Tensor,
        needed: Sequence[bool],  # noqa: ARG003  as the base class calls it
        *numbers: Any,
    ) -> list[Tensor | None]:
        x, alpha, beta = numbers
        angle = alpha * x
        sine = torch.sin(angle)
        wave = into(angle, torch.cos, angle)
        wave = into(wave, torch.mul, wave, sine)
        wave = into(wave, torch.mul, wave, 2 / beta)
        wave = into(wave, torch.mul, wave, incoming)
        by_x = wave * alpha
        by_x = into(by_x, torch.add, by_x, incoming)
        by_beta = into(sine, torch.div, sine, beta)
        by_beta = into(by_beta, torch.mul, by_beta, by_beta)
        by_beta = into(by_beta, torch.mul, by_beta, incoming)
        return [by_x, into(wave, torch.mul, wave, bounded(x)), into(by_beta, torch.neg, by_beta)]

    def is_non_decreasing(self) -> bool:
        """Return whether the swings never outweigh the line."""
        return bool((self.alpha.abs() <= self.beta.abs()).all())
