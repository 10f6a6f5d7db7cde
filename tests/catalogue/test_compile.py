"""torch.compile gives the values and the gradients of eager mode, in one graph."""

import pytest
import torch

from actlab.catalogue import Function, get
from tests.contracts.functions import ALL, an_input, module_of, name_of, value_and_gradient

# Dynamo itself instantiates autograd.Function while it traces one.
pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")

SOME = ["prelu", "tanhexp", "xielu", "smu", "swiglu", "laplace"]
"""A native kernel, a gate, learnt numbers with and without bounds, halves, a detour by float64."""


def compare(function: Function, backend: str) -> None:
    torch.compiler.reset()
    eager = module_of(function)
    compiled = torch.compile(eager, backend=backend, fullgraph=True)
    x = an_input(function)
    values, gradient = value_and_gradient(compiled, x)
    expected, slopes = value_and_gradient(eager, x)
    assert torch.allclose(values, expected, atol=1e-6)
    assert torch.allclose(gradient, slopes, atol=1e-5)
    torch.compiler.reset()


@pytest.mark.parametrize("name", SOME)
def test_a_selection_compiles_ahead_of_time(name: str) -> None:
    compare(get(name), "aot_eager")


@pytest.mark.slow
@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_compiles_ahead_of_time(function: Function) -> None:
    compare(function, "aot_eager")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_function_compiles_with_inductor(function: Function) -> None:
    compare(function, "inductor")
