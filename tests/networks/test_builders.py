"""Networks by name: the published layers, the two slots, the two heads."""

import itertools

import pytest
import torch
from torch import nn

from actlab.errors import UnknownNameError
from actlab.networks import NAMES, build
from actlab.networks.builders import _BUILDERS
from actlab.networks.shapes import INPUT_SHAPES

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


def seeded(name: str, conv: str, fc: str) -> nn.Sequential:
    torch.manual_seed(3)
    return build(name, conv, fc, "logits")


def test_the_published_network_layer_for_layer() -> None:
    # Written out by hand from the published study's description of its network.
    assert [repr(layer) for layer in build("published_cnn", "relu", "sigmoid", "softmax")] == [
        "Conv2d(1, 32, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))",
        "ReLU()",
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1))",
        "ReLU()",
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
        "Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1))",
        "ReLU()",
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=1024, out_features=64, bias=True)",
        "Sigmoid()",
        "Linear(in_features=64, out_features=10, bias=True)",
        "Softmax(dim=1)",
    ]


def test_parameters_of_the_published_network() -> None:
    def count(conv: str, fc: str) -> int:
        return sum(p.numel() for p in build("published_cnn", conv, fc, "softmax").parameters())

    by_hand = (9 + 1) * 32 + (32 * 9 + 1) * 64 + (64 * 9 + 1) * 64 + 1025 * 64 + 65 * 10
    assert count("relu", "sigmoid") == by_hand == 121_994
    assert count("prelu", "tanh") == by_hand + 3
    assert count("prelu", "prelu") == by_hand + 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("conv", "fc"), list(zip(STUDY, reversed(STUDY), strict=True)))
def test_every_choice_gives_scores_or_shares(name: str, conv: str, fc: str) -> None:
    images = torch.randn(4, *INPUT_SHAPES[name])
    scores = build(name, conv, fc, "logits")(images)
    shares = build(name, conv, fc, "softmax")(images)
    assert scores.shape == shares.shape == (4, 10)
    assert torch.allclose(shares.sum(dim=1), torch.ones(4))
    assert not torch.allclose(scores.sum(dim=1), torch.ones(4))


def test_the_softmax_head_is_applied_to_the_scores() -> None:
    images = torch.randn(4, 1, 8, 8)
    torch.manual_seed(3)
    shares = build("small_cnn", "relu", "tanh", "softmax")(images)
    scores = seeded("small_cnn", "relu", "tanh")(images)
    assert torch.allclose(shares, scores.exp() / scores.exp().sum(dim=1, keepdim=True))


def test_the_softmax_head_keeps_float64_and_leaves_bf16() -> None:
    head = build("small_cnn", "relu", "tanh", "softmax")[-1]
    assert head(torch.zeros(1, 10, dtype=torch.float64)).dtype is torch.float64
    assert head(torch.zeros(1, 10, dtype=torch.bfloat16)).dtype is torch.float32


@pytest.mark.parametrize("name", NAMES)
def test_weights_do_not_depend_on_the_activations(name: str) -> None:
    plain = dict(seeded(name, "relu", "relu").named_parameters())
    for conv, fc in itertools.pairwise(STUDY):
        other = dict(seeded(name, conv, fc).named_parameters())
        assert all(torch.equal(other[key], value) for key, value in plain.items())


def test_prelu_learns_one_slope_per_layer_from_a_quarter() -> None:
    network = build("published_cnn", "prelu", "prelu", "softmax")
    slopes = [value for key, value in network.named_parameters() if "activation" in key]
    assert [slope.tolist() for slope in slopes] == [[0.25]] * 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("publshed_cnn", "relu", "relu"), 'no network "publshed_cnn". Did you mean "publish'),
        (("small_cnn", "rleu", "relu"), 'no activation "rleu"'),
        (("small_cnn", "relu", "tahn"), 'no activation "tahn". Did you mean "tanh"'),
    ],
)
def test_unknown_names(arguments: tuple[str, str, str], said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        build(*arguments, "logits")


def test_every_name_can_be_built() -> None:
    assert set(_BUILDERS) == set(NAMES)
