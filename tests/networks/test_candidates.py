"""What a candidate's name stands for, and which names stand for one function."""

from pathlib import Path

import pytest
import torch
from torch import nn

from actlab.addresses import offer
from actlab.errors import ActlabError
from actlab.networks import check_name, same_functions, slots, swap
from actlab.networks.candidates import module_of

PROGRAM = """
import torch
from torch import nn

class Act(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(0.25))
    def forward(self, x):
        return torch.where(x > 0, x, self.slope * x)

def cubed(x):
    return x ** 3

def relu_again(x):
    return x.clamp(min=0)
"""
X = torch.linspace(-3, 3, 25)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("leaky_relu(0.2)", torch.where(X > 0, X, 0.2 * X)),
        ("leaky_relu(negative_slope=0.3)", torch.where(X > 0, X, 0.3 * X)),
        ("keras:leaky_relu", torch.where(X > 0, X, 0.2 * X)),
        ("x*tanh(x)", X * torch.tanh(X)),
        ("max(x, 0.1*x)", torch.maximum(X, 0.1 * X)),
    ],
)
def test_a_name_with_parameters_or_a_formula_is_a_module(name: str, expected: torch.Tensor) -> None:
    check_name(name)
    assert torch.allclose(module_of(name)(X), expected)


def test_an_address_is_a_class_or_a_function_of_a_tensor(tmp_path: Path) -> None:
    file = tmp_path / "activations_of_a_test.py"
    file.write_text(PROGRAM)
    assert torch.allclose(module_of(f"{file}:cubed")(X), X**3)
    act = module_of(f"{file}:Act")
    assert [name for name, _value in act.named_parameters()] == ["slope"]
    assert act is not module_of(f"{file}:Act"), "each layer has one of its own"
    offer("here:square", lambda x: x * x)
    assert torch.allclose(module_of("here:square")(X), X * X)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("reluu", 'Did you mean "relu"'),
        ("leaky_relu(0.1, 0.2)", "has 1 parameters"),
        ("elu(beta=1)", "beta"),
        ("x*sigmoid(beta*x)", "beta"),
        ("softmax", "does not map each value on its own"),
        ("x*foo(x)", "foo"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name: str, told: str) -> None:
    with pytest.raises(ActlabError) as error:
        check_name(name)
    assert told in str(error.value)


def test_one_function_under_two_names_is_one_candidate(tmp_path: Path) -> None:
    file = tmp_path / "same_functions_of_a_test.py"
    file.write_text(PROGRAM)
    names = (
        *("relu", "gelu", "torch:gelu", "leaky_relu(0.01)", "leaky_relu", "x*sigmoid(x)", "silu"),
        *("prelu", f"{file}:Act", f"{file}:relu_again", "gelu_tanh", "max(x, 0)"),
    )
    assert dict(same_functions(names)) == {
        "torch:gelu": "gelu",
        "leaky_relu": "leaky_relu(0.01)",
        "silu": "x*sigmoid(x)",
        f"{file}:Act": "prelu",
        f"{file}:relu_again": "relu",
        "max(x, 0)": "relu",
    }
    assert same_functions(("prelu", "leaky_relu(0.25)")) == [], "one of them learns its slope"


def block(width: int = 60) -> nn.Sequential:
    return nn.Sequential(nn.Linear(12, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 5))


def test_a_gated_unit_changes_the_width_at_the_same_number_of_parameters() -> None:
    model, x = block(), torch.randn(3, 12)
    gated = swap(model, fc="swiglu", example=x)
    first, last = gated[0], gated[3]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    assert first.out_features == 2 * last.in_features
    counts = [sum(p.numel() for p in one.parameters()) for one in (model, gated)]
    assert abs(counts[0] - counts[1]) <= (2 * 13 + 5) / 2, "to half a unit"
    assert gated(x).shape == (3, 5)
    assert isinstance(model[1], nn.GELU), "the original stays"
    assert model[0].out_features == 60


def test_a_gated_unit_is_refused_where_the_width_is_not_free() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.act, self.down = nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.down(x + self.act(self.up(x)))  # type: ignore[no-any-return]

    with pytest.raises(ActlabError, match=r"one nn\.Linear right before it and one after it"):
        swap(Residual(), fc="geglu", example=torch.randn(2, 8))
    convolutional = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))
    with pytest.raises(ActlabError, match="swiglu gives half as many values as it takes"):
        swap(convolutional, conv="swiglu", example=torch.randn(1, 1, 8, 8))
    assert [slot.kind for slot in slots(block(), torch.randn(2, 12))] == ["fc"]
