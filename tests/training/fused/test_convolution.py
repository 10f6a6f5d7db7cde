"""A population's convolution against torch's, trial by trial, in double precision."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from actlab.training.fused import fusable
from actlab.training.fused.convolution import Window, convolvable, convolve

TWO = st.tuples(st.integers(1, 2), st.integers(1, 2))


@st.composite
def layers(draw: st.DrawFn) -> nn.Conv2d:
    """Return a convolution whose window fits into 7 x 8 images."""
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.one_of(st.sampled_from(["valid", "same"]), TWO))
    stride = (1, 1) if padding == "same" else draw(TWO)
    layer = nn.Conv2d(2, draw(st.integers(1, 4)), size, stride, padding, draw(TWO), bias=False)
    return layer.double()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(layer=layers(), shared=st.booleans(), seed=st.integers(0, 2**16))
def test_outputs_and_gradients_are_those_of_torch(
    layer: nn.Conv2d, shared: bool, seed: int
) -> None:
    if not convolvable(layer):
        assert not fusable(nn.Sequential(layer))
        return
    torch.manual_seed(seed)
    trials, examples = 3, 6
    values = torch.randn(1 if shared else trials, examples, 7, 8, 2, dtype=torch.float64)
    weight = torch.randn(trials, *layer.weight.shape, dtype=torch.float64)
    values.requires_grad_()
    weight.requires_grad_()
    made = convolve(values, weight, Window.of(layer))
    expected = torch.stack(
        [_by_torch(layer, values[trial % len(values)], weight[trial]) for trial in range(trials)]
    )
    torch.testing.assert_close(made, expected)
    upstream = torch.randn_like(expected)
    found = torch.autograd.grad(made, (values, weight), upstream)
    for one, other in zip(
        found, torch.autograd.grad(expected, (values, weight), upstream), strict=True
    ):
        torch.testing.assert_close(one, other)


def _by_torch(layer: nn.Conv2d, images: Tensor, weight: Tensor) -> Tensor:
    named = {"weight": weight}
    made: Tensor = torch.func.functional_call(layer, named, (images.movedim(3, 1),))
    return made.movedim(1, 3)


def test_under_autocast_products_are_in_its_type() -> None:
    layer = nn.Conv2d(2, 3, 3)
    values, weight = torch.randn(4, 5, 6, 6, 2), torch.randn(4, 3, 2, 3, 3, requires_grad=True)
    exact = convolve(values, weight, Window.of(layer))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = convolve(values, weight, Window.of(layer))
    assert made.dtype == torch.bfloat16
    torch.testing.assert_close(made.float(), exact, rtol=0.05, atol=0.2)
    (gradient,) = torch.autograd.grad(made.float().sum(), (weight,))
    assert gradient.dtype == torch.float32


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
        nn.Conv2d(4, 4, (2, 3), padding="same"),
    ],
    ids=["groups", "padded with values", "more zeros on one side"],
)
def test_what_it_does_not_compute_is_not_fused(layer: nn.Conv2d) -> None:
    assert not convolvable(layer)
    assert not fusable(nn.Sequential(layer))
