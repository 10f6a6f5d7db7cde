"""Winograd convolution changes values and gradients by rounding alone, where it may be used."""

import copy
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from actlab.networks import PoolingFirst, build
from actlab.networks.winograd import stem_computation, winograd_first
from actlab.networks.winograd.stem import Stem, extremes_for

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


def values_and_gradients(network: nn.Module, images: Tensor) -> list[Tensor]:
    outputs = network(images)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).reshape(outputs.shape)
    return [outputs, *torch.autograd.grad((outputs * weights).sum(), list(network.parameters()))]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects one number for each pass that used Winograd convolutions."""
    seen: list[int] = []
    apply = stem_computation.apply

    def counted(stem: Stem, images: Tensor) -> Tensor:
        seen.append(len(images))
        return apply(stem, images)

    monkeypatch.setattr(stem_computation, "apply", counted)
    return seen


@pytest.mark.parametrize("name", STUDY)
def test_the_published_network_in_float64(name: str, passes: list[int]) -> None:
    torch.manual_seed(0)
    published = build("published_cnn", name, name, "logits").double()
    images = torch.randn(3, 1, 28, 28, dtype=torch.float64)
    expected = values_and_gradients(published, images)
    found = values_and_gradients(winograd_first(published), images)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    assert passes == [3]


@pytest.mark.parametrize("name", ["relu", "tanh", "silu"])
def test_float32_is_nearly_as_near_to_float64_as_direct_convolutions_are(name: str) -> None:
    torch.manual_seed(1)
    direct = build("published_cnn", name, name, "logits")
    # Few images: among many, two values of a window tie up to rounding, and another one is taken.
    images = torch.randn(3, 1, 28, 28)
    exact = values_and_gradients(copy.deepcopy(direct).double(), images.double())
    by_direct = values_and_gradients(direct, images)
    by_ours = values_and_gradients(winograd_first(direct), images)
    for truth, theirs, ours in zip(exact, by_direct, by_ours, strict=True):
        scale = truth.norm()
        assert (ours - truth).norm() / scale < 10 * (theirs - truth).norm() / scale + 1e-6
        assert (ours - truth).norm() / scale < 1e-5


def test_larger_images_have_more_tiles(passes: list[int]) -> None:
    torch.manual_seed(0)
    layers = list(build("published_cnn", "relu", "tanh", "logits").double())[:7]
    network = nn.Sequential(*layers)
    images = torch.randn(2, 1, 44, 60, dtype=torch.float64)
    found, expected = winograd_first(network)(images), network(images)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert passes == [2]


def test_prelu_is_asked_again_in_every_pass(passes: list[int]) -> None:
    network = build("published_cnn", "prelu", "tanh", "logits").double()
    fast = winograd_first(network)
    images = torch.randn(2, 1, 28, 28, dtype=torch.float64)
    for slope, extremes in ((0.25, 1), (-0.1, 2)):
        with torch.no_grad():
            network.conv2_activation.weight.fill_(slope)
        assert extremes_for(network.conv2_activation) == extremes
        expected = values_and_gradients(network, images)
        for ours, theirs in zip(values_and_gradients(fast, images), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    assert passes == [2, 2]


@pytest.mark.parametrize("name", STUDY)
def test_bf16_is_as_near_as_direct_convolutions_in_it(name: str, passes: list[int]) -> None:
    torch.manual_seed(1)
    direct = build("published_cnn", name, "tanh", "logits")
    images = torch.randn(32, 1, 28, 28)
    exact = values_and_gradients(copy.deepcopy(direct).double(), images.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        by_direct = values_and_gradients(direct, images)
        by_ours = values_and_gradients(winograd_first(direct), images)
    assert passes == [32]
    truth, theirs, ours = (
        torch.cat([one.flatten() for one in gradients])
        for _values, *gradients in (exact, by_direct, by_ours)
    )
    assert (ours - truth).norm() < 3 * (theirs - truth).norm()
    assert (by_ours[0] - exact[0]).norm() < 3 * (by_direct[0] - exact[0]).norm()


def test_slopes_by_channel_go_the_usual_way(passes: list[int]) -> None:
    network: nn.Sequential = build("published_cnn", "relu", "tanh", "logits")
    network.conv1_activation = nn.PReLU(32)
    with torch.no_grad():
        network.conv1_activation.weight.copy_(torch.linspace(0, 1, 32))
    images = torch.randn(32, 1, 28, 28)
    torch.testing.assert_close(winograd_first(network)(images), network(images))
    assert passes == []


@pytest.mark.parametrize("change", ["gradient", "autocast", "size", "dropout", "dtype"])
def test_what_does_not_fit_goes_the_usual_way(change: str, passes: list[int]) -> None:
    network: nn.Sequential = build("published_cnn", "relu", "tanh", "logits")
    images = torch.randn(2, 1, 28, 28)
    if change == "gradient":
        images.requires_grad_()
    if change == "dtype":
        network, images = network.bfloat16(), images.bfloat16()
    if change == "size":
        network, images = nn.Sequential(*list(network)[:7]), torch.randn(2, 1, 32, 32)
    if change == "dropout":
        network = nn.Sequential(*list(network)[:2], nn.Dropout(0.0), *list(network)[2:])
    with torch.autocast("cpu", dtype=torch.float16, enabled=change == "autocast"):
        found, expected = winograd_first(network)(images), network(images)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)
    assert passes == []


def test_it_shares_layers_names_and_parameters() -> None:
    published = build("published_cnn", "prelu", "tanh", "softmax")
    fast = winograd_first(published)
    assert isinstance(fast, PoolingFirst)
    assert list(fast.state_dict()) == list(published.state_dict())
    assert all(
        ours is theirs
        for ours, theirs in zip(fast.parameters(), published.parameters(), strict=True)
    )


def test_what_is_made_in_inference_mode_serves_training() -> None:
    stem_computation._plan.cache_clear()
    network = winograd_first(build("published_cnn", "relu", "tanh", "logits"))
    images = torch.randn(2, 1, 28, 28)
    with torch.inference_mode():
        scored = network(images)
    trained, *_gradients = values_and_gradients(network, images)
    assert torch.equal(trained, scored)


def test_loops_are_not_loaded_for_a_network_that_does_not_need_them() -> None:
    code = (
        "import sys, torch\n"
        "from actlab.networks import build, winograd_first\n"
        "network = winograd_first(build('small_cnn', 'relu', 'relu', 'logits'))\n"
        "network(torch.zeros(1, 1, 8, 8))\n"
        "assert 'numba' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_numba_the_same_network_pools_first(
    passes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build("published_cnn", "relu", "tanh", "logits")
    images = torch.randn(2, 1, 28, 28)
    by_loops = winograd_first(network)(images)
    assert len(passes) == 1
    module = sys.modules["actlab.networks.winograd.winograd_first"]
    monkeypatch.setattr(module, "_NUMBA_IS_THERE", False)
    torch.testing.assert_close(winograd_first(network)(images), by_loops, rtol=1e-4, atol=1e-4)
    assert len(passes) == 1


def test_the_published_network_of_a_user_is_computed_so_too(passes: list[int]) -> None:
    """What a user's builder returns is one child of the network that a study builds."""
    torch.manual_seed(0)
    network = build("published_cnn", "relu", "tanh", "logits").double()
    within = nn.Sequential(nn.Sequential(*network))
    images = torch.randn(2, 1, 28, 28, dtype=torch.float64)
    found, expected = winograd_first(within)(images), network(images)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert passes == [2]
