"""Weights that keep the second moment of what passes."""

import pytest
import torch
from torch import nn

import actlab
from actlab.activations.initialisation import InitialisationError


@pytest.mark.parametrize("distribution", ["normal", "uniform", "truncated_normal"])
@pytest.mark.parametrize("name", ["relu", "silu", "tanh"])
def test_every_layer_has_the_deviation_of_the_activation_that_follows(
    name: str, distribution: str
) -> None:
    torch.manual_seed(5)
    activation = actlab.get(name).module()
    layers: list[nn.Module] = []
    for _layer in range(3):
        layers += [nn.Linear(512, 512), activation]
    model = nn.Sequential(*layers, nn.Linear(512, 512))
    assert actlab.init_(model, distribution=distribution) is model
    sizes = [float(model[place].weight.detach().std()) * 512**0.5 for place in (0, 2, 4, 6)]
    gain = actlab.gain(name)
    assert sizes == pytest.approx([gain, gain, gain, 1.0], rel=0.01)


def test_started_by_what_they_receive_silu_layers_grow_far_less() -> None:
    torch.manual_seed(5)
    model = nn.Sequential(
        *(part for _layer in range(12) for part in (nn.Linear(512, 512), nn.SiLU())),
        nn.Linear(512, 512),
    )
    x = torch.randn(256, 512)
    with torch.no_grad():
        actlab.init_(model)
        assert float(model[0](x).square().mean()) == pytest.approx(actlab.gain("silu") ** 2, 0.05)
        followed = float(model[:-2](x).square().mean())
        actlab.init_(model[0], "identity")
        actlab.init_(model[-1], "silu")
        assert float(model[0](x).square().mean()) == pytest.approx(1.0, rel=0.05)
        assert 3 * float(model[:-2](x).square().mean()) < followed


def test_an_activation_follows_through_a_normalisation_and_none_across_a_layer() -> None:
    torch.manual_seed(6)
    model = nn.Sequential(
        *(nn.Conv2d(8, 64, 3), nn.BatchNorm2d(64), nn.SiLU(), nn.Flatten()),
        *(nn.Linear(4096, 500), nn.Linear(500, 500), nn.Tanh(), nn.Softmax(1)),
    )
    actlab.init_(model)
    assert float(model[0].weight.detach().std()) * 72**0.5 == pytest.approx(1.6765, rel=0.03)
    assert float(model[4].weight.detach().std()) * 64 == pytest.approx(1.0, rel=0.01)
    assert float(model[5].weight.detach().std()) * 500**0.5 == pytest.approx(1.5925, rel=0.01)
    assert not model[0].bias.detach().any()


def test_a_weight_needs_the_name_of_what_follows() -> None:
    weight = torch.empty(100, 400)
    with pytest.raises(InitialisationError, match="which activation follows it"):
        actlab.init_(weight)
    torch.manual_seed(7)
    actlab.init_(weight, "relu", mode="fan_out")
    assert float(weight.std()) == pytest.approx((2 / 100) ** 0.5, rel=0.02)


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(InitialisationError, match="no linear or convolutional layer"):
        actlab.init_(nn.ReLU())
    with pytest.raises(InitialisationError, match="no gain"):
        actlab.gain("softmax")
