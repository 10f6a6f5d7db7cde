"""Functions that oscillate, and the Gaussian bell."""

from typing import ClassVar

import torch
from torch import Tensor

from actlab.activations.modules.pointwise import Pointwise, bounded


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
