"""Functions of torch, transformers, JAX, Keras and timm under their own names are not accused."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from actlab.activations import Function, get
from actlab.activations.catalogue.aliases import FRAMEWORKS
from actlab.activations.conformance import Report, check

pytestmark = pytest.mark.slow

KNOWN_FAULTS = {
    ("torch", "hardswish", "value"): "x (x + 3) / 6 overflows at the largest float64",
    ("torch", "softplus", "value"): "x from 20 on (its threshold): 3e-10 off in float64",
    ("torch", "softplus", "gradient"): "1 from 20 on (its threshold): 2e-9 off in float64",
    ("torch", "hardsigmoid", "gradient"): "1 / 6 is float32's in the float64 kernel",
    ("hf", "sqrtsoftplus", "gradient"): "sqrt(softplus(x)) has a NaN gradient where it underflows",
    ("hf", "xielu", "value"): "transformers keeps xielu's parameters in bfloat16",
    ("hf", "xielu", "gradient"): "transformers keeps xielu's parameters in bfloat16",
    ("hf", "xielu", "second derivative"): "transformers keeps xielu's parameters in bfloat16",
    ("keras", "sparsemax", "value"): "keras-team/keras#23426: the outputs do not sum to 1",
    ("keras", "sparsemax", "gradient"): "keras-team/keras#23426",
    ("keras", "sparsemax", "NaN kept"): "a row with NaN: sorting puts it aside",
    ("jax", "gelu", "gradient"): "openxla/xla, llvm_ir/math_ops.cc: float32 tanh is 1 from 8 on",
    ("keras", "hard_shrink", "NaN kept"): "where(|x| > t, x, 0) is 0 for NaN",
    ("keras", "soft_shrink", "NaN kept"): "the branch for neither side is 0 for NaN",
    ("jax", "sparse_plus", "gradient"): "(x + 1)^2 overflows in the branch that is not taken",
    ("keras", "sparse_plus", "gradient"): "(x + 1)^2 overflows in the branch that is not taken",
    ("jax", "squareplus", "gradient"): "x^2 overflows from 2e19 on",
    ("keras", "squareplus", "gradient"): "x^2 overflows from 2e19 on",
    ("jax", "squareplus", "value"): "x + sqrt(x^2 + b) cancels on the left",
    ("keras", "squareplus", "value"): "x + sqrt(x^2 + b) cancels on the left",
}
"""What is wrong with theirs, and why."""


def accusations(framework: str, spelling: str, report: Report) -> list[Any]:
    return [
        (framework, spelling, report.dtype, row)
        for row in report.checks
        if not row.ok and (framework, spelling, row.name) not in KNOWN_FAULTS
    ]


def bound(function: Function) -> dict[str, float]:
    return {name: value for name, value in function.values.items() if name != "approximate"}


def test_torch() -> None:
    found = []
    for spelling in FRAMEWORKS["torch"]:
        function = get(f"torch:{spelling}")
        kernels: list[Callable[..., Any]] = []
        if hasattr(nn, spelling):
            needed = {"Threshold": (1.0, 0.0), "Softmax2d": ()}.get(spelling, ())
            dim = {"dim": -1} if spelling in ("Softmax", "Softmin", "LogSoftmax") else {}
            kernels.append(getattr(nn, spelling)(*needed, **dim))
        elif spelling.endswith("_"):
            kernels.append(getattr(functional, spelling[:-1]))
        if function.name in ("prelu", "gumbel_softmax", "threshold") or spelling == "Softmax2d":
            kernels = kernels[:1] if function.name == "prelu" else []
        for kernel in kernels:
            for dtype in ("float32", "bfloat16"):
                found += accusations("torch", spelling, check(kernel, function, dtype))
    assert found == []


def test_torch_functional() -> None:
    found = []
    names = """relu hardtanh hardswish relu6 elu selu celu leaky_relu gelu logsigmoid hardshrink
        tanhshrink softsign softplus softshrink tanh sigmoid hardsigmoid silu mish"""
    for name in names.split():
        for dtype in ("float32", "float16", "float64"):
            report = check(getattr(functional, name), get(f"F.{name}"), dtype)
            found += accusations("torch", name, report)
    assert found == []


def test_transformers() -> None:
    activations = pytest.importorskip("transformers.activations")
    found = []
    for spelling in activations.ACT2CLS:
        report = check(activations.ACT2FN[spelling], get(f"hf:{spelling}"))
        found += accusations("hf", spelling, report)
    assert found == []


class _OfJax(torch.autograd.Function):
    """A function of JAX on torch's tensors, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[[Any], Any]) -> Tensor:
        ctx.function, ctx.x = function, x.detach().numpy()
        return torch.from_numpy(np.array(function(x.detach().numpy())))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        import jax

        _value, pulled = jax.vjp(ctx.function, ctx.x)
        (slope,) = pulled(gradients[0].numpy())
        return torch.from_numpy(np.array(slope)), None


def _of_library(framework: str, home: Any, skipped: set[str]) -> list[Any]:
    found = []
    for spelling in FRAMEWORKS[framework]:
        function = getattr(home, spelling, None)
        entry = get(f"{framework}:{spelling}")
        if function is None or spelling in skipped or not callable(function):
            continue
        kernel = lambda x, f=function: _OfJax.apply(x, f)  # noqa: E731
        found += accusations(framework, spelling, check(kernel, entry))
    return found


def test_jax() -> None:
    jax = pytest.importorskip("jax")
    assert _of_library("jax", jax.nn, set()) == []


def test_keras() -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras = pytest.importorskip("keras")
    assert _of_library("keras", keras.activations, {"threshold"}) == []


def test_timm() -> None:
    try:
        from timm.layers import create_act
    except (ImportError, RuntimeError):  # its torchvision is another torch's
        pytest.skip("needs timm")
    found = []
    for spelling in create_act._ACT_FN_DEFAULT:
        report = check(create_act.get_act_fn(spelling), get(f"timm:{spelling}"))
        found += accusations("timm", spelling, report)
    for spelling, layer in create_act._ACT_LAYER_DEFAULT.items():
        found += accusations("timm", spelling, check(layer(), get(f"timm:{spelling}")))
    assert found == []
