"""The matrices of minimal filtering correlate."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from .matrices import cook_toom


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
