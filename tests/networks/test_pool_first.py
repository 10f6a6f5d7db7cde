"""Pooling first changes neither values nor gradients, and happens only where it may."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from actlab.activations import get
from actlab.networks import PoolingFirst, as_written, build, pooling_first

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")
POOLED_FIRST = set(STUDY) - {"silu"}


def stage(activation: nn.Module) -> nn.Sequential:
    """Return what the published network starts with, small: convolution, activation, pooling."""
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), activation, nn.MaxPool2d(2))


def values_and_gradients(network: nn.Sequential, images: Tensor) -> list[Tensor]:
    """Return the outputs, the gradient by the images and those by every parameter."""
    images = images.clone().requires_grad_()
    outputs = network(images)
    weights = torch.linspace(-1, 1, outputs.numel(), dtype=outputs.dtype).reshape(outputs.shape)
    sources = [images, *network.parameters()]
    return [outputs, *torch.autograd.grad((outputs * weights).sum(), sources)]


def elements_seen(network: nn.Sequential, activation: nn.Module, images: Tensor) -> int:
    seen: list[int] = []
    hook = activation.register_forward_hook(
        lambda _module, inputs, _output: seen.append(inputs[0].numel())
    )
    network(images)
    hook.remove()
    return seen[0]


@pytest.mark.parametrize("name", STUDY)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), scale=st.sampled_from([0.1, 1.0, 5.0]))
def test_values_and_gradients_are_those_of_the_published_order(
    name: str, seed: int, scale: float
) -> None:
    torch.manual_seed(seed)
    published = stage(get(name).module())
    images = torch.randn(3, 1, 8, 8) * scale
    expected = values_and_gradients(published, images)
    found = values_and_gradients(pooling_first(published), images)
    # Values are equal to the last bit; gradients add the same terms, in another order.
    assert torch.equal(found[0], expected[0])
    for ours, theirs in zip(found[1:], expected[1:], strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", STUDY)
def test_the_whole_published_network_in_float64(name: str) -> None:
    torch.manual_seed(0)
    published = build("published_cnn", name, name, "logits").double()
    images = torch.randn(2, 1, 28, 28, dtype=torch.float64)
    expected = values_and_gradients(published, images)
    found = values_and_gradients(pooling_first(published), images)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("name", STUDY)
def test_a_monotonic_activation_sees_a_quarter_of_the_elements(name: str) -> None:
    activation = get(name).module()
    published = stage(activation)
    images = torch.randn(2, 1, 8, 8)
    assert elements_seen(published, activation, images) == 2 * 4 * 8 * 8
    share = 4 if name in POOLED_FIRST else 1
    assert elements_seen(pooling_first(published), activation, images) == 2 * 4 * 8 * 8 // share


def test_prelu_is_asked_again_in_every_pass() -> None:
    activation = nn.PReLU()
    fast = pooling_first(stage(activation))
    images = torch.randn(2, 1, 8, 8)
    sizes = []
    for slope in (0.25, -0.1, 0.0, float("nan")):
        with torch.no_grad():
            activation.weight.fill_(slope)
        sizes.append(elements_seen(fast, activation, images))
    assert sizes == [128, 512, 128, 512]


def test_prelu_with_a_negative_slope_has_its_own_values() -> None:
    torch.manual_seed(0)
    published = stage(nn.PReLU(init=-2.0))
    images = torch.randn(2, 1, 8, 8)
    assert torch.equal(pooling_first(published)(images), published(images))


def test_silu_pooled_first_would_be_wrong() -> None:
    # The test above it can fail: for SiLU the two orders differ.
    values = torch.tensor([[[[-1.0, -5.0], [-1.0, -5.0]]]])
    activation, pool = nn.SiLU(), nn.MaxPool2d(2)
    assert not torch.allclose(pool(activation(values)), activation(pool(values)))


def test_blank_regions_tie_and_still_agree() -> None:
    """All values of a window are equal where an image is blank, as most of a digit's is."""
    torch.manual_seed(0)
    published = stage(nn.Tanh())
    images = -torch.ones(2, 1, 8, 8)
    images[:, :, 3:5, 3:5] = torch.rand(2, 1, 2, 2)
    expected = values_and_gradients(published, images)
    for ours, theirs in zip(
        values_and_gradients(pooling_first(published), images), expected, strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_it_shares_layers_names_and_parameters() -> None:
    published = build("published_cnn", "prelu", "tanh", "softmax")
    fast = pooling_first(published)
    assert isinstance(fast, PoolingFirst)
    assert list(fast.state_dict()) == list(published.state_dict())
    assert all(
        ours is theirs
        for ours, theirs in zip(fast.parameters(), published.parameters(), strict=True)
    )
    assert pooling_first(copy.deepcopy(fast)).state_dict().keys() == published.state_dict().keys()


def test_only_a_directly_preceding_activation_moves() -> None:
    network = nn.Sequential(nn.ReLU(), nn.Dropout(0.0), nn.MaxPool2d(2), nn.Tanh())
    images = torch.randn(2, 1, 8, 8)
    assert elements_seen(pooling_first(network), network[0], images) == 128
    assert torch.equal(pooling_first(network)(images), network(images))


def test_a_network_as_written_applies_the_same_layers_as_they_are_listed() -> None:
    published = build("published_cnn", "relu", "tanh", "logits")
    written = as_written(pooling_first(published))
    assert not isinstance(written, PoolingFirst)
    assert [*map(id, written.parameters())] == [*map(id, published.parameters())]
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(written(images), published(images))
    assert elements_seen(written, published.conv1_activation, images) == 2 * 32 * 28 * 28
    assert as_written(published) is published


def test_layers_of_a_sequence_within_count_as_its_own() -> None:
    """A user's network is one child of the network that a study builds."""
    torch.manual_seed(0)
    published = stage(nn.Tanh())
    within = nn.Sequential(nn.Sequential(*published))
    images = torch.randn(4, 1, 8, 8)
    assert elements_seen(pooling_first(within), published[1], images) == 4 * 4 * 8 * 8 // 4
    expected = values_and_gradients(published, images)
    for ours, theirs in zip(
        values_and_gradients(pooling_first(within), images), expected, strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
