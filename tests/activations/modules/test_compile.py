"""Compiled, exported and forward-mode functions give the values and gradients of eager mode."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from actlab.activations import Function, get
from tests.contracts.functions import ALL, an_input, module_of, name_of

# Dynamo instantiates autograd.Function while it traces one, Inductor imports torch.jit.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SOME = ["prelu", "tanhexp", "xielu", "smu", "swiglu", "laplace"]
"""A native kernel, a gate, learnt numbers with and without bounds, halves, a detour by float64."""


class Together(nn.Module):
    """Several functions of one input: one compilation for all of them."""

    def __init__(self, functions: Sequence[Function]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(module_of(function) for function in functions)

    def forward(self, x: Tensor) -> list[Tensor]:
        return [part(x) for part in self.parts]


def compare(functions: Sequence[Function], backend: str) -> None:
    torch.compiler.reset()
    eager = Together(functions)
    compiled = torch.compile(eager, backend=backend, fullgraph=True)
    x = an_input(functions[0]).requires_grad_()
    for function, found, expected in zip(functions, compiled(x), eager(x), strict=True):
        incoming = torch.ones_like(found)
        (slope,) = torch.autograd.grad(found, x, incoming, retain_graph=True)
        (expected_slope,) = torch.autograd.grad(expected, x, incoming)
        assert torch.allclose(found, expected, atol=1e-6), function.name
        assert torch.allclose(slope, expected_slope, atol=1e-5), function.name
    torch.compiler.reset()


RANDOM = ("gumbel_softmax",)
MODES = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}


def infer(functions: Sequence[Function]) -> None:
    """Compare compiled and strictly exported inference with eager mode."""
    torch.compiler.reset()
    module, x = Together(functions), an_input(functions[0])
    expected = [y.detach() for y in module(x)]
    found = {}
    for name, mode in MODES.items():
        with mode():
            found[name] = torch.compile(module, backend="aot_eager", fullgraph=True)(x)
    found["exported"] = torch.export.export(module, (x,), strict=True).module()(x)
    for name, values in found.items():
        for function, value, wanted in zip(functions, values, expected, strict=True):
            if function.name not in RANDOM:
                assert torch.allclose(value, wanted, atol=1e-6), (name, function.name)
    torch.compiler.reset()


@pytest.mark.parametrize("name", ["golu", "arctan", "acon_c", "sparsemax", "rational_pau"])
def test_a_selection_is_compiled_and_exported_for_inference(name: str) -> None:
    infer([get(name)])


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(ALL), 15))
def test_every_function_is_compiled_and_exported_for_inference(start: int) -> None:
    infer(ALL[start : start + 15])


@pytest.mark.parametrize("name", SOME)
def test_a_selection_compiles_ahead_of_time(name: str) -> None:
    compare([get(name)], "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(ALL), 15))
def test_every_function_compiles_ahead_of_time(start: int) -> None:
    compare(ALL[start : start + 15], "aot_eager")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", range(0, len(ALL), 15))
def test_every_function_compiles_with_inductor(start: int) -> None:
    compare(ALL[start : start + 15], "inductor")


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_forward_mode_gives_what_reverse_mode_gives(function: Function) -> None:
    module, x = module_of(function), an_input(function).double()
    module = module.double()
    generator = torch.Generator().manual_seed(8)
    along = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    torch.manual_seed(9)
    value, moved = torch.func.jvp(module, (x,), (along,))
    incoming = torch.randn(value.shape, generator=generator, dtype=torch.float64)
    torch.manual_seed(9)
    _value, pulled = torch.func.vjp(module, x)
    (slope,) = pulled(incoming)
    assert torch.allclose((incoming * moved).sum(), (slope * along).sum(), rtol=1e-9)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_is_exported_to_onnx(function: Function, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    logging.getLogger("torch.onnx").setLevel(logging.CRITICAL)
    module, x, path = module_of(function), an_input(function), tmp_path / "function.onnx"
    torch.onnx.export(module, (x,), str(path), dynamo=True, verbose=False)
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for scale in (1.0, 30.0):
        (found,) = session.run(None, {name: (scale * x).numpy()})
        expected = module(scale * x).detach()
        assert found.shape == expected.shape
        if function.name not in RANDOM:
            # onnxruntime's sigmoid is coarse far out: a gate times a large value is off by that.
            room = 1e-7 * max(100.0, float(expected.abs().max()))
            close = torch.allclose(torch.from_numpy(found), expected, rtol=1e-5, atol=room)
            assert close, (scale, (torch.from_numpy(found) - expected).abs().max())
