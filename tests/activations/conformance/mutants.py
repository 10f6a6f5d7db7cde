"""Twenty kernels, and wrong versions of each: what a check has to notice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

Kernel = Callable[[Tensor], Tensor]


def _softmax(x: Tensor) -> Tensor:
    return torch.softmax(x, -1)


def _swiglu(x: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return F.silu(a) * b


def _geglu(x: Tensor) -> Tensor:
    a, b = x.chunk(2, -1)
    return F.gelu(a) * b


def _clamped_swiglu(
    x: Tensor, alpha: float = 1.702, limit: float = 7.0, plus: float = 1.0, low: bool = False
) -> Tensor:
    a, b = x.chunk(2, -1)
    gate = a.clamp(-limit if low else None, limit)
    return gate * torch.sigmoid(alpha * gate) * (b.clamp(-limit, limit) + plus)


SCALAR: dict[str, Kernel] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "celu": F.celu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
    "softplus": F.softplus,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu6": F.relu6,
    "softsign": F.softsign,
}
STRUCTURAL: dict[str, Kernel] = {
    "softmax": _softmax,
    "swiglu": _swiglu,
    "geglu": _geglu,
    "clamped_swiglu": _clamped_swiglu,
}
KERNELS = {**SCALAR, **STRUCTURAL}
OTHERS = {
    "relu": "relu6",
    "leaky_relu": "relu",
    "elu": "selu",
    "selu": "elu",
    "celu": "relu",
    "gelu": "gelu_tanh",
    "gelu_tanh": "gelu",
    "silu": "gelu",
    "mish": "silu",
    "hardswish": "silu",
    "hardsigmoid": "sigmoid",
    "softplus": "relu",
    "sigmoid": "hardsigmoid",
    "tanh": "softsign",
    "relu6": "relu",
    "softsign": "tanh",
    "swiglu": "geglu",
    "geglu": "swiglu",
    "clamped_swiglu": "swiglu",
}
"""Which kernel a port takes by mistake."""


class _OtherBranch(torch.autograd.Function):
    """The right value with the gradient of another side."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Kernel) -> Tensor:
        ctx.save_for_backward(x)
        ctx.kernel = kernel
        return kernel(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (x,) = ctx.saved_tensors
        with torch.enable_grad():
            turned = (-x).detach().requires_grad_()
            (slope,) = torch.autograd.grad(ctx.kernel(turned), turned, gradients[0])
        return slope, None


def mutants(name: str) -> Iterator[tuple[str, Kernel]]:
    """Yield the wrong versions of a kernel, each with its kind."""
    kernel = KERNELS[name]
    yield "wrong sign", lambda x: -kernel(x)
    yield "wrong sign of the input", lambda x: kernel(-x)
    yield "missing + 1", lambda x: kernel(x) - 1
    yield "an offset of a thousandth", lambda x: kernel(x) + 1e-3
    yield "missing factor", lambda x: 0.5 * kernel(x)
    yield "a factor off by a thousandth", lambda x: 1.001 * kernel(x)
    yield "wrong clamp of the input", lambda x: kernel(x.clamp(-3, 3))
    yield "wrong clamp of the output", lambda x: kernel(x).clamp(max=2.5)
    yield "gradient of another branch", lambda x: _OtherBranch.apply(x, kernel)
    yield "gradient lost", lambda x: kernel(x).detach() + 0 * kernel(x)
    yield "gradient doubled", lambda x: 2 * kernel(x) - kernel(x).detach()
    yield "half precision", lambda x: kernel(x.half()).to(x.dtype)
    yield "bfloat16 inside", lambda x: kernel(x.bfloat16()).to(x.dtype)
    yield "half precision of the output", lambda x: kernel(x).bfloat16().to(x.dtype)
    yield "another type", lambda x: kernel(x).double()
    yield "written into its input", lambda x: x.data.add_(1).sub_(0) * 0 + kernel(x)
    yield "random", lambda x: kernel(x) + 1e-4 * torch.rand_like(kernel(x))
    yield "NaN replaced", lambda x: kernel(torch.nan_to_num(x))
    yield "neighbours exchanged", lambda x: kernel(x.flip(-1))
    yield "off by one", lambda x: kernel(x.roll(1, -1))
    other = OTHERS.get(name)
    if other is not None:
        yield f"{other} in its place", KERNELS[other]
    yield from _of(name)


def _of(name: str) -> Iterator[tuple[str, Kernel]]:
    match name:
        case "gelu":
            yield "quick in its place", lambda x: x * torch.sigmoid(1.702 * x)
            yield "erf without the root", lambda x: 0.5 * x * (1 + torch.erf(x))
        case "gelu_tanh":
            yield (
                "0.0447 for 0.044715",
                lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.0447 * x**3))),
            )
            yield (
                "missing root",
                lambda x: 0.5 * x * (1 + torch.tanh(2 / torch.pi * (x + 0.044715 * x**3))),
            )
        case "silu":
            yield "beta 1.01", lambda x: x * torch.sigmoid(1.01 * x)
        case "leaky_relu":
            yield "slope 0.02", lambda x: F.leaky_relu(x, 0.02)
        case "elu" | "celu":
            yield "alpha 1.01", lambda x: F.elu(x, 1.01)
        case "softplus":
            yield "beta 1.01", lambda x: F.softplus(x, 1.01)
            yield "threshold 5", lambda x: F.softplus(x, threshold=5)
        case "hardswish":
            yield "divided by 6.01", lambda x: x * F.relu6(x + 3) / 6.01
        case "hardsigmoid":
            yield "0.2 x + 0.5", lambda x: (0.2 * x + 0.5).clamp(0, 1)
        case "softmax":
            yield "off-by-one axis", lambda x: torch.softmax(x, -2)
            yield "logarithm", lambda x: torch.log_softmax(x, -1)
            yield (
                "halves added up in half precision",
                lambda x: x.exp() / x.exp().bfloat16().sum(-1, keepdim=True).to(x.dtype),
            )
        case "swiglu" | "geglu" | "clamped_swiglu":
            kernel = KERNELS[name]
            yield "halves exchanged", lambda x: kernel(torch.cat(x.chunk(2, -1)[::-1], -1))
            yield "off-by-one axis", lambda x: kernel(x.movedim(-1, -2)).movedim(-1, -2)
            yield "interleaved", lambda x: kernel(torch.cat([x[..., ::2], x[..., 1::2]], -1))
    if name == "clamped_swiglu":
        yield "without + 1", lambda x: _clamped_swiglu(x, plus=0.0)
        yield "limit 6", lambda x: _clamped_swiglu(x, limit=6.0)
        yield "alpha 1.7", lambda x: _clamped_swiglu(x, alpha=1.7)
        yield "gate clamped from below", lambda x: _clamped_swiglu(x, low=True)


def equivalent(name: str, kind: str) -> bool:
    """Return whether a mutant computes the same as its kernel, in value and in gradient."""
    same = {
        ("relu6", "wrong clamp of the output"): False,
        ("sigmoid", "wrong clamp of the output"): True,
        ("hardsigmoid", "wrong clamp of the output"): True,
        ("tanh", "wrong clamp of the output"): True,
        ("softsign", "wrong clamp of the output"): True,
        ("softmax", "wrong clamp of the output"): True,
        ("hardsigmoid", "wrong clamp of the input"): True,
        ("sigmoid", "gradient of another branch"): True,
        ("hardsigmoid", "gradient of another branch"): True,
        ("tanh", "gradient of another branch"): True,
        ("softsign", "gradient of another branch"): True,
        ("softmax", "neighbours exchanged"): False,
    }
    return same.get((name, kind), False)
