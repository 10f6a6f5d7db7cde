"""Cost is measured, and bytes kept are counted."""

import pytest
import torch

from actlab.activations import facts
from actlab.errors import DeviceError, UnknownNameError


@pytest.mark.parametrize(
    ("name", "dtype", "saved"),
    [
        ("relu", "float32", 4),
        ("tanhexp", "float32", 4),
        ("golu", "bfloat16", 2),
        ("step", "float32", 4),
    ],
)
def test_a_function_costs_time_and_keeps_its_input(name: str, dtype: str, saved: int) -> None:
    found = facts.cost(name, dtype=dtype, elements=1 << 12)
    assert found.saved_bytes == pytest.approx(saved, rel=0.01)
    assert found.forward_ns > 0
    assert found.backward_ratio > 0
    assert found.as_json()["elements"] == 4096


def test_a_formula_as_written_keeps_more_than_the_module() -> None:
    written = facts.cost(facts.pasted("x*tanh(exp(x))"), elements=1 << 12)
    assert written.saved_bytes > facts.cost("tanhexp", elements=1 << 12).saved_bytes


def test_a_heavier_function_costs_more_than_a_light_one() -> None:
    light, heavy = (facts.cost(name, elements=1 << 18) for name in ("relu", "colu"))
    assert heavy.forward_ns > 2 * light.forward_ns


def test_what_is_not_there_is_one_clear_line() -> None:
    with pytest.raises(DeviceError, match="not on this machine"):
        facts.cost("relu", device="nowhere")
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match='"cuda" is not on this machine'):
            facts.cost("relu", device="cuda")
    with pytest.raises(UnknownNameError, match="float32"):
        facts.cost("relu", dtype="float3")
