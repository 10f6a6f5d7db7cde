"""torch.compile gives the values and the gradients of eager mode, in one graph."""

from collections.abc import Sequence

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


MODES = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}


def infer(function: Function) -> None:
    """Compare compiled and strictly exported inference with eager mode."""
    torch.compiler.reset()
    module, x = module_of(function), an_input(function)
    expected = module(x).detach()
    for mode in MODES.values():
        with mode():
            compiled = torch.compile(module, backend="aot_eager", fullgraph=True)
            assert torch.allclose(compiled(x), expected, atol=1e-6)
    exported = torch.export.export(module, (x,), strict=True).module()
    assert torch.allclose(exported(x), expected, atol=1e-6)
    torch.compiler.reset()


@pytest.mark.parametrize("name", ["golu", "arctan", "acon_c", "sparsemax", "rational_pau"])
def test_a_selection_is_compiled_and_exported_for_inference(name: str) -> None:
    infer(get(name))


@pytest.mark.slow
@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_is_compiled_and_exported_for_inference(function: Function) -> None:
    infer(function)


@pytest.mark.parametrize("name", SOME)
def test_a_selection_compiles_ahead_of_time(name: str) -> None:
    compare([get(name)], "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_compiles_ahead_of_time(function: Function) -> None:
    compare([function], "aot_eager")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("start", range(0, len(ALL), 15))
def test_every_function_compiles_with_inductor(start: int) -> None:
    compare(ALL[start : start + 15], "inductor")
