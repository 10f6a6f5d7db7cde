"""Numbers that loops keep as bfloat16 are those of torch, bit for bit."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.networks.winograd.compiled import Array, array, compiled, load, store


@compiled
def copied(values: Array, out: Array) -> None:
    for place in range(len(values)):
        store(out, place, load(values[place]))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=40))
def test_float32_is_rounded_as_torch_rounds_it(bits: list[int]) -> None:
    numbers = torch.from_numpy(np.array(bits, dtype=np.uint32).view(np.float32))
    kept = torch.empty(len(bits), dtype=torch.bfloat16)
    copied(array(numbers), array(kept))
    torch.testing.assert_close(kept, numbers.bfloat16(), rtol=0, atol=0, equal_nan=True)


def test_every_bfloat16_is_loaded_as_it_is() -> None:
    kept = torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16)
    numbers = torch.empty(len(kept))
    copied(array(kept), array(numbers))
    torch.testing.assert_close(numbers, kept.float(), rtol=0, atol=0, equal_nan=True)


def test_ties_go_to_the_even_one() -> None:
    numbers = torch.tensor([1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8])
    kept = torch.empty(3, dtype=torch.bfloat16)
    copied(array(numbers), array(kept))
    assert kept.tolist() == [1, 1 + 2**-6, -1]


def test_other_numbers_stay_as_they_are() -> None:
    numbers = torch.randn(20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    kept = torch.empty_like(numbers)
    copied(array(numbers), array(kept))
    assert torch.equal(kept, numbers)
