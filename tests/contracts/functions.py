"""The catalogue as test parameters, and the inputs that contracts are tried on."""

import math

import torch
from torch import Tensor, nn

from actlab.activations import Function, functions

SCALAR = [function for function in functions() if function.kind == "scalar"]
STRUCTURAL = [function for function in functions() if function.kind == "structural"]
LEARNABLE = [f for f in SCALAR if any(parameter.learnable for parameter in f.parameters)]
ALL = [*SCALAR, *STRUCTURAL]

HALF = (torch.float16, torch.bfloat16)
EXTREMES = (math.inf, -math.inf, math.nan, -0.0, 0.0, 1e-30, -1e-30, 3e38, -3e38)

NAN_AT_INFINITY = {
    "softsign": (-math.inf, math.inf),
    "gelu": (-math.inf,),
    "gelu_tanh": (-math.inf,),
    "hardswish": (-math.inf,),
    "silu": (-math.inf,),
    "mish": (-math.inf,),
}
"""torch's own kernels that multiply infinity by 0, or divide it by itself."""


def name_of(function: Function) -> str:
    return function.name


def module_of(function: Function) -> nn.Module:
    return function.module().eval()


def an_input(function: Function) -> Tensor:
    """Return a batch of maps whose width suits every function, structural ones too."""
    return torch.randn(2, 12, 3, 4, generator=torch.Generator().manual_seed(7))


def value_and_gradient(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    points = x.detach().clone().requires_grad_()
    values = module(points)
    (gradient,) = torch.autograd.grad(values, points, torch.ones_like(values))
    return values.detach(), gradient
