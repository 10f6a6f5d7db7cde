"""Whether max-pooling may come first: for the parameters that a module has at this moment."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from actlab.activations import falls_then_rises, get, is_non_decreasing

CASES = {
    "prelu": {"a": st.floats(-1, 1)},
    "leaky_relu": {"negative_slope": st.floats(-1, 1)},
    "elu": {"alpha": st.floats(0.05, 2)},
    "penalized_tanh": {"a": st.floats(-1, 1)},
    "star_relu": {"s": st.floats(-1, 1), "b": st.floats(-1, 1)},
    "swish": {"beta": st.one_of(st.just(0.0), st.floats(0.1, 3))},
    "acon_c": {
        "p1": st.floats(-1.5, 1.5),
        "p2": st.floats(-1.5, 1.5),
        "beta": st.one_of(st.just(0.0), st.floats(0.5, 3)),
    },
    "smu": {"alpha": st.floats(-1.0, 2.0), "mu": st.floats(0.5, 3)},
    "selu": {"alpha": st.floats(-2, 2), "scale": st.floats(0.1, 2)},
    "xielu": {"alpha_n": st.floats(0.6, 2), "beta": st.floats(-0.5, 0.5)},
}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_answer_is_what_a_grid_shows(name: str, data: st.DataObject) -> None:
    values = {key: data.draw(strategy, label=key) for key, strategy in CASES[name].items()}
    module = get(name).module(**values).double().eval()
    xs = torch.linspace(-30, 30, 60_001, dtype=torch.float64)
    with torch.no_grad():
        steps = module(xs).diff()
    deepest = float(steps.min()) / 1e-3
    if abs(deepest) > 1e-4:
        assert is_non_decreasing(module) == (deepest > 0)


def test_the_answer_follows_training() -> None:
    module = get("prelu").module(channels=3)
    assert is_non_decreasing(module)
    with torch.no_grad():
        module.weight[1] = -0.01
    assert not is_non_decreasing(module)


@pytest.mark.parametrize("channels", [None, 4])
def test_one_channel_is_enough_to_say_no(channels: int | None) -> None:
    module = get("star_relu").module(channels=channels)
    assert is_non_decreasing(module)
    with torch.no_grad():
        module.s[-1] = -1.0
    assert not is_non_decreasing(module)


def test_what_is_unknown_or_random_is_not_pooled_first() -> None:
    assert not is_non_decreasing(nn.Linear(2, 2))
    assert not is_non_decreasing(nn.Softmax(dim=-1))
    assert not is_non_decreasing(nn.RReLU().train())
    assert is_non_decreasing(nn.RReLU().eval())
    assert is_non_decreasing(nn.LogSigmoid())


WINDOWS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=6)


@pytest.mark.parametrize("name", ["silu", "gelu", "gelu_tanh", "mish", "hardswish"])
@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(window=WINDOWS)
def test_the_highest_of_what_falls_then_rises_is_at_an_extreme(
    name: str, window: list[float]
) -> None:
    module = get(name).module()
    assert falls_then_rises(module)
    assert not is_non_decreasing(module)
    values = module(torch.tensor(window, dtype=torch.float64))
    ends = module(torch.tensor([min(window), max(window)], dtype=torch.float64))
    torch.testing.assert_close(ends.max(), values.max(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("prelu", {"a": -0.3}),
        ("leaky_relu", {"negative_slope": -0.3}),
    ],
)
def test_a_negative_slope_falls_first(name: str, values: dict[str, float]) -> None:
    assert falls_then_rises(get(name).module(**values))
    assert not falls_then_rises(get(name).module())


def test_slopes_of_both_signs_are_of_neither_kind() -> None:
    module = nn.PReLU(2)
    with torch.no_grad():
        module.weight[0] = -0.1
    assert not falls_then_rises(module)
    assert not is_non_decreasing(module)
    assert not falls_then_rises(nn.Softmax(dim=-1))
