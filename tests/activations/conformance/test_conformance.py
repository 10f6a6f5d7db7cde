"""Kernels that are what they say, kernels that are not, and names for what is computed."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from actlab.activations import get
from actlab.activations.conformance import ConformanceError, check, identify, vectors
from actlab.activations.conformance.modes import agreement

MUTANTS: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "wrong sign": (lambda x: -functional.silu(x), "silu"),
    "quick for erf": (lambda x: x * torch.sigmoid(1.702 * x), "gelu"),
    "tanh for erf": (lambda x: functional.gelu(x, approximate="tanh"), "gelu"),
    "silu for gelu": (functional.silu, "gelu"),
    "wrong clamp": (lambda x: x.clamp(0, 5), "relu6"),
    "missing factor": (functional.elu, "selu"),
    "half precision": (lambda x: functional.silu(x.half()).to(x.dtype), "silu"),
    "wrong slope": (lambda x: functional.leaky_relu(x, 0.02), "leaky_relu"),
    "gradient of one factor": (lambda x: x * torch.sigmoid(x).detach(), "silu"),
    "NaN lost": (lambda x: torch.where(x > 0, x, 0.0), "relu"),
    "in place": (lambda x: x.data.mul_(2).mul_(0.5).add_(1) * 0 + functional.relu(x), "relu"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_killed(mutant: str) -> None:
    kernel, name = MUTANTS[mutant]
    assert not check(kernel, get(name)).ok


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "name", ["relu", "silu", "gelu", "gelu_tanh", "mish", "elu", "hardswish", "tanhexp", "softplus"]
)
def test_what_is_shipped_is_what_it_says(name: str, dtype: str) -> None:
    report = check(get(name).module(), get(name), dtype)
    assert report.ok, [row for row in report.checks if not row.ok]


def test_the_first_wrong_input_is_shown() -> None:
    (row,) = [row for row in check(lambda x: x.clamp(0, 5), get("relu6")).checks if not row.ok][:1]
    assert row.name == "value"
    assert 5 < row.at < 5.3
    assert row.given == 5


def test_what_has_several_inputs_is_compared_on_rows() -> None:
    assert check(nn.Softmax(-1), get("softmax")).ok
    assert not check(nn.Softmax(-2), get("softmax")).ok
    assert check(lambda gate, value: functional.silu(gate) * value, get("swiglu")).ok
    with pytest.raises(ConformanceError, match="learns its shape"):
        check(nn.ReLU(), get("rational_pau"))


def test_vectors_are_true_and_of_the_dtype() -> None:
    table = vectors(get("silu"), "bfloat16")
    x = torch.tensor(table["x"], dtype=torch.float64)
    assert torch.equal(x, x.to(torch.bfloat16).double())
    wanted = functional.silu(x)
    found = torch.tensor(table["y"], dtype=torch.float64)
    assert torch.allclose(found, wanted, rtol=4e-3, atol=1e-38)


def test_a_callable_is_named_to_its_parameters() -> None:
    found = identify(lambda x: x * torch.sigmoid(1.5 * x))
    assert (found["call"], found["equal"]) == ("swish(beta=1.5)", True)
    assert identify(nn.LeakyReLU(0.2))["call"] == "leaky_relu(negative_slope=0.2)"


def _branching(x: Tensor) -> Tensor:
    if x.sum() > 0:
        return torch.tanh(x)
    return torch.sinh(x) / torch.cosh(x)


def test_a_mode_that_a_kernel_cannot_take_is_one_sentence(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ConformanceError, match=r"^The kernel cannot be exported: [^\n]*$"):
        agreement(_branching, torch.linspace(-2, 2, 9), "exported", 1e-5)
    assert capfd.readouterr() == ("", "")
    assert agreement(torch.tanh, torch.linspace(-2, 2, 9), "exported", 1e-5).ok
