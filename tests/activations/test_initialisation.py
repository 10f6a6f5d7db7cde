"""Weights that keep the second moment of what passes."""

import pytest
import torch
from torch import nn

import actlab
from actlab.activations.initialisation import InitialisationError


@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated_normal"])
@pytest.mark.parametrize("name", ["relu", "silu", "tanh"])
def test_a_deep_network_keeps_the_size_of_what_passes(name: str, distribution: str) -> None:
    torch.manual_seed(5)
    layers: list[nn.Module] = []
    for _layer in range(12):
        layers += [nn.Linear(512, 512), actlab.get(name).module()]
    model = nn.Sequential(*layers)
    assert actlab.init_(model, distribution=distribution) is model
    with torch.no_grad():
        second = model[:-1](torch.randn(256, 512)).square().mean()
    assert 0.5 < float(second) < 2


def test_each_layer_is_started_for_the_activation_that_it_receives() -> None:
    torch.manual_seed(6)
    model = nn.Sequential(
        nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64), nn.SiLU(), nn.Flatten(), nn.Linear(4096, 500)
    )
    actlab.init_(model)
    assert float(model[0].weight.detach().std()) * 72**0.5 == pytest.approx(1.0, rel=0.03)
    assert float(model[4].weight.detach().std()) * 64 == pytest.approx(1.6765, rel=0.01)
    assert not model[0].bias.detach().any()


def test_a_weight_needs_the_name_of_what_it_receives() -> None:
    weight = torch.empty(100, 400)
    with pytest.raises(InitialisationError, match="which activation it receives"):
        actlab.init_(weight)
    torch.manual_seed(7)
    actlab.init_(weight, "relu", mode="fan_out")
    assert float(weight.std()) == pytest.approx((2 / 100) ** 0.5, rel=0.02)


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(InitialisationError, match="no linear or convolutional layer"):
        actlab.init_(nn.ReLU())
    with pytest.raises(InitialisationError, match="no gain"):
        actlab.gain("softmax")
