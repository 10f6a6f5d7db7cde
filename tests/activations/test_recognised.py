"""Names, modules and callables that are functions of the catalogue; facts of those that are not."""

import math

import pytest
import torch
from torch import Tensor, nn

import actlab
from actlab.activations.facts.curve import MeasurementError
from actlab.errors import UnknownNameError


@pytest.mark.parametrize(
    ("thing", "name", "values"),
    [
        (nn.SiLU(), "silu", {}),
        (nn.GELU(), "gelu", {}),
        (nn.GELU(approximate="tanh"), "gelu_tanh", {}),
        (nn.LeakyReLU(0.2), "leaky_relu", {"negative_slope": 0.2}),
        (nn.Hardtanh(-2, 3), "hardtanh", {"min_val": -2.0, "max_val": 3.0}),
        (nn.Softplus(2.0), "softplus", {"beta": 2.0, "threshold": 20.0}),
        (nn.PReLU(init=0.1), "prelu", {"a": pytest.approx(0.1)}),
        (nn.functional.silu, "silu", {}),
        (torch.tanh, "tanh", {}),
        ("nn.SiLU", "silu", {}),
        ("torch.nn.functional.silu", "silu", {}),
        ("jax.nn.gelu", "gelu_tanh", {}),
        ("keras.activations.leaky_relu", "leaky_relu", {"negative_slope": 0.2}),
        ("hf:sqrtsoftplus", "sqrtsoftplus", {}),
        ("torch:Softmax2d", "softmax", {"dim": -3.0}),
    ],
)
def test_a_thing_is_the_function_that_it_is(thing: object, name: str, values: dict) -> None:
    found = actlab.get(thing)
    assert found.name == name
    assert found.values == values


def test_own_modules_are_recognised_with_what_they_learnt() -> None:
    module = actlab.get("swish").module()
    with torch.no_grad():
        module.beta.fill_(1.5)
    assert actlab.get(module).values == {"beta": 1.5}


class Disguised(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.tanh(torch.exp(x.clamp(max=20)))


class Kinked(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0.5, x, 0.1 * x + 0.45)


def test_a_module_of_ones_own_is_measured() -> None:
    with pytest.raises(UnknownNameError, match=r"actlab\.facts"):
        actlab.get(Disguised())
    found = actlab.facts(Disguised())
    known = actlab.facts("tanhexp")
    assert found.mean_under_N01 == pytest.approx(known.mean_under_N01, abs=1e-9)
    assert found.min_y == pytest.approx(known.min_y, abs=1e-9)
    assert (found.nearest.name, found.nearest.equal) == ("tanhexp", True)
    assert found.smoothness is None
    assert found.kinks is None


def test_a_kink_that_is_seen_is_said() -> None:
    found = actlab.facts(Kinked())
    assert found.smoothness == "C0"
    assert [kink.x for kink in found.kinks] == [0.5]
    assert not found.nearest.equal


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (lambda x: torch.softmax(x, -1), "mixes its inputs"),
        (lambda x: x.float().tanh(), "computes in float32"),
        (lambda x: x.sum(), "one number for each number"),
        (lambda x: x @ torch.ones(3), "cannot be run"),
    ],
)
def test_what_cannot_be_measured_is_said(thing: object, words: str) -> None:
    with pytest.raises(MeasurementError, match=words):
        actlab.facts(thing)


def test_the_gain_is_exact() -> None:
    assert actlab.gain("relu") == pytest.approx(math.sqrt(2), rel=1e-15)
    assert actlab.gain("relu", "fan_out") == pytest.approx(math.sqrt(2), rel=1e-15)
    assert actlab.gain(nn.LeakyReLU(0.2)) == pytest.approx(math.sqrt(2 / (1 + 0.04)), rel=1e-12)
