"""Which known function a formula is."""

import pytest

from actlab.activations.facts.nearest import nearest
from actlab.activations.formula import parse


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("log(1+exp(x))", "softplus(beta=1)"),
        ("log1p(exp(x))", "softplus(beta=1)"),
        ("log(1+exp(10*x))/10", "softplus(beta=10)"),
        ("sqrt(x**2)", "abs"),
        ("(exp(x)-exp(-x))/(exp(x)+exp(-x))", "tanh"),
        ("x/(1+exp(-1.5*x))", "swish(beta=1.5)"),
        ("x", "identity"),
        ("where(x>0, x, 0.3*x)", "leaky_relu(negative_slope=0.3)"),
    ],
)
def test_a_formula_is_recognised_however_it_is_written(text: str, call: str) -> None:
    found = nearest(parse(text), {})
    assert found is not None
    assert (found.call, found.equal) == (call, True)


@pytest.mark.parametrize("text", ["max(x-1000000, 0)", "sigmoid(x-1e5)", "1e-300*x", "-x", "2*x"])
def test_equal_is_relative_to_the_size_of_the_function(text: str) -> None:
    found = nearest(parse(text), {})
    assert found is not None
    assert not found.equal
