"""The extremes of a window, with their places."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.networks.memory_order.extremes import EXTREMES, highest

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
