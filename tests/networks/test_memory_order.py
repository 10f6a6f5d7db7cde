"""Positions first changes neither values nor gradients beyond rounding, and only where it may."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.networks import PoolingFirst, build, winograd
from actlab.networks import memory_order as subject
from actlab.networks import pooled_convolution as pooled_convolution_module
from actlab.networks.leading_maximum import leading_maximum
from actlab.networks.memory_order import positions_first
from actlab.networks.pooled_convolution import pooled_convolution
from actlab.networks.winograd import cook_toom, winograd_convolution

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


def values_and_gradients(network: nn.Module, images: Tensor) -> list[Tensor]:
    outputs = network(images)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).reshape(outputs.shape)
    return [outputs, *torch.autograd.grad((outputs * weights).sum(), list(network.parameters()))]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects one number for each pass that was computed positions first."""
    seen: list[int] = []
    apply = subject._apply

    def counted(leading: subject._Leading, images: Tensor) -> Tensor:
        seen.append(len(images))
        return apply(leading, images)

    monkeypatch.setattr(subject, "_apply", counted)
    return seen


@pytest.mark.parametrize("name", STUDY)
def test_the_published_network_in_float64(name: str, passes: list[int]) -> None:
    torch.manual_seed(0)
    published = build("published_cnn", name, name, "logits").double()
    images = torch.randn(3, 1, 28, 28, dtype=torch.float64)
    expected = values_and_gradients(published, images)
    found = values_and_gradients(positions_first(published), images)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    assert len(passes) == (0 if name == "silu" else 1)


@pytest.mark.parametrize("name", ["relu", "tanh"])
def test_float32_is_nearly_as_near_to_float64_as_direct_convolutions_are(name: str) -> None:
    torch.manual_seed(1)
    direct = build("published_cnn", name, name, "logits")
    images = torch.randn(32, 1, 28, 28)
    exact = values_and_gradients(copy.deepcopy(direct).double(), images.double())
    by_direct = values_and_gradients(direct, images)
    by_ours = values_and_gradients(positions_first(direct), images)
    for truth, theirs, ours in zip(exact, by_direct, by_ours, strict=True):
        scale = truth.norm()
        assert (ours - truth).norm() / scale < 10 * (theirs - truth).norm() / scale + 1e-6
        assert (ours - truth).norm() / scale < 1e-5


def test_larger_images_have_more_tiles(passes: list[int]) -> None:
    torch.manual_seed(0)
    layers = list(build("published_cnn", "relu", "tanh", "logits").double())[:7]
    network = nn.Sequential(*layers)
    images = torch.randn(2, 1, 44, 60, dtype=torch.float64)
    found, expected = positions_first(network)(images), network(images)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    assert passes == [2]


def test_blank_regions_tie_and_the_first_of_equals_gets_the_gradient() -> None:
    images = -torch.ones(2, 1, 8, 8)
    images[:, :, 3:5, 3:5] = torch.rand(2, 1, 2, 2)
    weight, bias = torch.randn(5, 1, 3, 3), torch.randn(5)
    weights, coefficients = (
        (weight.requires_grad_(), bias.requires_grad_()),
        torch.randn(2, 5, 4, 4),
    )
    pooled = F.max_pool2d(torch.conv2d(images, *weights, padding=1), 2)
    expected = torch.autograd.grad((pooled * coefficients).sum(), weights)
    found = pooled_convolution(images, *weights, padding=1)
    torch.testing.assert_close(found, pooled.flatten(2).permute(2, 0, 1))
    ours = torch.autograd.grad((found * coefficients.flatten(2).permute(2, 0, 1)).sum(), weights)
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-5)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    values=st.lists(st.lists(st.integers(-2, 2), min_size=3, max_size=3), min_size=4, max_size=4)
)
def test_leading_maximum_is_max_pooling(values: list[list[int]]) -> None:
    leading = torch.tensor(values, dtype=torch.float32).requires_grad_()
    windows = leading.t().reshape(1, 3, 2, 2)
    pooled = F.max_pool2d(windows, 2).flatten()
    found = leading_maximum(leading)
    assert torch.equal(found, pooled)
    coefficients = torch.tensor([1.0, 2.0, 3.0])
    (expected,) = torch.autograd.grad(pooled, leading, coefficients)
    (ours,) = torch.autograd.grad(found, leading, coefficients)
    assert torch.equal(ours, expected)


def test_winograd_gradients_are_those_of_its_values() -> None:
    torch.manual_seed(0)
    shapes = ((36, 2, 2), (3, 2, 3, 3), (3,))
    sources = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    order = torch.randperm(16)
    assert torch.autograd.gradcheck(
        lambda *given: winograd_convolution(*given, torch.arange(36), order), sources
    )


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    outputs=st.integers(2, 5),
    taps=st.integers(2, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_cook_toom_correlates(outputs: int, taps: int, seed: int) -> None:
    points = (0.0, 1.0, -1.0, 0.5, -2.0, 2.0, -0.5)[: outputs + taps - 2]
    generator = np.random.default_rng(seed)
    kernel, signal = generator.normal(size=taps), generator.normal(size=outputs + taps - 1)
    of_outputs, of_taps, of_inputs = cook_toom(outputs, taps, points)
    found = of_outputs @ ((of_taps @ kernel) * (of_inputs @ signal))
    np.testing.assert_allclose(found, np.correlate(signal, kernel), rtol=1e-9, atol=1e-9)


def test_prelu_is_asked_again_in_every_pass(passes: list[int]) -> None:
    network = build("published_cnn", "prelu", "tanh", "logits").double()
    fast, images = positions_first(network), torch.randn(2, 1, 28, 28, dtype=torch.float64)
    for slope in (0.25, -0.1):
        with torch.no_grad():
            network.conv2_activation.weight.fill_(slope)
        torch.testing.assert_close(fast(images), network(images), rtol=1e-10, atol=1e-10)
    assert passes == [2]


@pytest.mark.parametrize("change", ["gradient", "autocast", "size", "dropout"])
def test_what_does_not_fit_goes_the_usual_way(change: str, passes: list[int]) -> None:
    network: nn.Sequential = build("published_cnn", "relu", "tanh", "logits")
    images = torch.randn(2, 1, 28, 28)
    if change == "gradient":
        images.requires_grad_()
    if change == "size":
        network, images = nn.Sequential(*list(network)[:7]), torch.randn(2, 1, 32, 32)
    if change == "dropout":
        network = nn.Sequential(*list(network)[:2], nn.Dropout(0.0), *list(network)[2:])
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=change == "autocast"):
        found, expected = positions_first(network)(images), network(images)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)
    assert passes == []


def test_it_shares_layers_names_and_parameters() -> None:
    published = build("published_cnn", "prelu", "tanh", "softmax")
    fast = positions_first(published)
    assert isinstance(fast, PoolingFirst)
    assert list(fast.state_dict()) == list(published.state_dict())
    assert all(
        ours is theirs
        for ours, theirs in zip(fast.parameters(), published.parameters(), strict=True)
    )


def test_what_is_made_in_inference_mode_serves_training() -> None:
    for made_once in (subject._plan, winograd._transforms, pooled_convolution_module._placement):
        made_once.cache_clear()
    network = positions_first(build("published_cnn", "relu", "tanh", "logits"))
    images = torch.randn(2, 1, 28, 28)
    with torch.inference_mode():
        scored = network(images)
    trained, *_gradients = values_and_gradients(network, images)
    assert torch.equal(trained, scored)
