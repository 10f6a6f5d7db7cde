"""Evaluating: parts that stand in a formula several times."""

from typing import Any

import numpy as np
import pytest
import torch

from actlab.activations.formula import NumpyBackend, parse
from actlab.activations.formula.with_torch import TorchBackend


class Counting(NumpyBackend):
    """NumPy's numbers, and how often each function was computed."""

    def __init__(self, as_written: bool) -> None:
        super().__init__()
        self.as_written = as_written
        self.calls: list[str] = []

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language."""
        self.calls.append(function)
        return super().call(function, arguments)


@pytest.mark.parametrize(
    ("text", "once", "written"),
    [
        ("exp(x)*exp(x)+exp(x)", 1, 3),
        ("exp(x)*exp(-x)", 2, 2),
        ("exp(2*x)-exp(2.0*x)", 2, 2),
        ("exp(sin(x))+sin(x)*exp(sin(x))", 2, 5),
        ("where(x>0, exp(x), exp(x)-1)", 1, 2),
        ("sin(x) if sin(x) > 0.5 else -sin(x)", 1, 3),
    ],
)
def test_equal_parts_are_computed_once_unless_as_written(
    text: str, once: int, written: int
) -> None:
    xs = np.linspace(-2, 2, 9)
    shared, separate = Counting(as_written=False), Counting(as_written=True)
    values = [parse(text).evaluate(backend, xs) for backend in (shared, separate)]
    assert np.array_equal(*values)
    assert (len(shared.calls), len(separate.calls)) == (once, written)


def test_an_equal_formula_that_is_parsed_anew_is_shared_as_well() -> None:
    for _time in range(2):
        backend = Counting(as_written=False)
        parse("tanh(x)+tanh(x)*tanh(x)").evaluate(backend, 0.5)
        assert backend.calls == ["tanh"]


def test_autograd_follows_a_formula_as_written() -> None:
    x = torch.tensor([0.3, 1.7], requires_grad=True)
    parse("exp(x)*exp(x)").evaluate(TorchBackend(), x).sum().backward()
    assert x.grad is not None
    assert torch.allclose(x.grad, 2 * torch.exp(2 * x.detach()))
    assert TorchBackend.as_written
