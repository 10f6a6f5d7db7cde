"""The extremes of a window, with their places."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.networks.winograd.extremes import EXTREMES, decisive, highest

WINDOW = st.tuples(*[st.sampled_from([-2.0, -1.0, 0.0, 1.0, 3.5])] * 4)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WINDOW)
def test_the_first_of_the_highest_and_of_the_lowest(window: tuple[float, ...]) -> None:
    found = [highest(sign, window) for sign in EXTREMES]
    values = list(window)
    assert found == [
        (max(values), values.index(max(values))),
        (min(values), values.index(min(values))),
    ]


@pytest.mark.parametrize("sign", EXTREMES)
@pytest.mark.parametrize("place", range(4))
def test_a_nan_wins(sign: np.float32, place: int) -> None:
    window = [1.0, 2.0, -3.0, 4.0]
    window[place] = float("nan")
    value, where = highest(sign, tuple(window))
    assert torch.tensor(value).isnan()
    assert where == place


def test_the_judge_decides_and_without_one_the_highest_value() -> None:
    values = torch.tensor([[1.0, 5.0, torch.nan, -1.0], [-3.0, -2.0, torch.nan, -1.0]])
    places = torch.arange(8, dtype=torch.uint8).view(2, 4)
    found, of_found = decisive(values, places, None)
    torch.testing.assert_close(found, values[0], equal_nan=True, rtol=0, atol=0)
    assert of_found.tolist() == [0, 1, 2, 3]
    found, of_found = decisive(values, places, torch.abs)
    torch.testing.assert_close(
        found, torch.tensor([-3.0, 5.0, torch.nan, -1.0]), equal_nan=True, rtol=0, atol=0
    )
    assert of_found.tolist() == [4, 1, 2, 3]
