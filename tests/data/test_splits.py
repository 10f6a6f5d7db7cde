"""Splits: of the asked sizes, without overlap, from the right pool, the same for the same seed."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.data import (
    Dataset,
    Examples,
    class_counts,
    draw_splits,
    final_test_split,
    has_unseen_rows,
    size_faults,
)
from actlab.errors import DataError
from actlab.records import SplitSizes


def numbered(count: int, first: int) -> Examples:
    """Return examples whose two pixels spell their number, so that each can be told."""
    numbers = np.arange(first, first + count)
    pixels = np.stack([numbers // 256, numbers % 256], axis=1).astype(np.uint8)
    return Examples(pixels.reshape(count, 1, 1, 2), (numbers % 10).astype(np.int64))


def numbers_of(examples: Examples) -> list[int]:
    high, low = examples.images.reshape(-1, 2).astype(int).T
    return (high * 256 + low).tolist()


POOLS = (300, 100)
DATASET = Dataset("numbered", numbered(300, 0), numbered(100, 300), 255, 10, "none")
SIZES = SplitSizes(150, 60, 90, 100)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(
    st.tuples(*[st.integers(1, 100)] * 4).map(lambda sizes: SplitSizes(*sizes)),
    st.integers(0, 2**63),
)
def test_sizes_pools_and_no_overlap(sizes: SplitSizes, seed: int) -> None:
    splits = draw_splits(DATASET, sizes, seed)
    parts = [splits.train, splits.valid_epoch, splits.valid_trial]
    test = final_test_split(DATASET, sizes, seed)
    assert [len(part) for part in (*parts, test)] == list(vars(sizes).values())
    drawn = [number for part in parts for number in numbers_of(part)]
    assert len(set(drawn)) == len(drawn)
    assert set(drawn) <= set(range(300))
    assert set(numbers_of(test)) <= set(range(300, 400))
    assert len(set(numbers_of(test))) == sizes.test
    for part in (*parts, test):
        assert part.labels.tolist() == [number % 10 for number in numbers_of(part)]


def test_the_seed_decides() -> None:
    first, again = (numbers_of(draw_splits(DATASET, SIZES, 5).train) for _ in range(2))
    other = numbers_of(draw_splits(DATASET, SIZES, 6).train)
    assert first == again
    assert first != other


def test_the_whole_test_pool_keeps_its_order() -> None:
    assert numbers_of(final_test_split(DATASET, SIZES, 1)) == list(range(300, 400))


def test_avoided_rows_come_in_no_split() -> None:
    sizes = SplitSizes(80, 30, 40, 1)
    seen = {
        number
        for part in vars(draw_splits(DATASET, sizes, 5)).values()
        for number in numbers_of(part)
    }
    for seed in range(20):
        fresh = draw_splits(DATASET, sizes, seed, avoided=5)
        drawn = [number for part in vars(fresh).values() for number in numbers_of(part)]
        assert len(set(drawn)) == 150
        assert not seen & set(drawn)
    assert numbers_of(fresh.train) != numbers_of(draw_splits(DATASET, sizes, 0, avoided=5).train)


def test_too_few_rows_to_avoid_any_are_refused() -> None:
    sizes = SplitSizes(81, 30, 40, 1)
    assert not has_unseen_rows(300, sizes)
    with pytest.raises(DataError, match="too few for two draws of 151"):
        draw_splits(DATASET, sizes, 1, avoided=5)


def test_every_example_is_as_likely_as_any_other_to_be_learnt_from() -> None:
    sizes = SplitSizes(30, 30, 30, 1)
    drawn = Counter(
        number
        for seed in range(300)
        for number in numbers_of(draw_splits(DATASET, sizes, seed).train)
    )
    # 300 draws of a tenth each: 30 times on average, standard deviation 5.2.
    assert set(drawn) == set(range(300))
    assert max(drawn.values()) < 30 + 5 * 5.2


def test_class_counts_are_those_of_the_splits() -> None:
    counts = class_counts(DATASET, SIZES, seed=3)
    splits = draw_splits(DATASET, SIZES, seed=3)
    for name, part in {**vars(splits), "test": DATASET.test_pool}.items():
        by_hand = Counter(part.labels.tolist())
        assert counts[name] == tuple(by_hand[label] for label in range(10))


def test_a_class_that_does_not_occur_counts_zero() -> None:
    counts = class_counts(DATASET, SplitSizes(1, 1, 1, 1), seed=0)
    assert all(len(values) == 10 and sum(values) == 1 for values in counts.values())


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        (SplitSizes(200, 60, 90, 100), "has 300 training images; train, valid_epoch and"),
        (SplitSizes(150, 60, 90, 101), "has 100 test images; test asks for 101"),
        (SplitSizes(0, 60, 90, 100), "The split train must have at least 1 image; it has 0."),
        (SplitSizes(150, 60, -1, 100), "The split valid_trial must have at least 1 image"),
    ],
)
def test_sizes_that_do_not_fit(sizes: SplitSizes, said: str) -> None:
    assert any(said in fault for fault in size_faults("numbered", POOLS, sizes))
    for draw in (draw_splits, final_test_split, class_counts):
        with pytest.raises(DataError, match=said):
            draw(DATASET, sizes, 1)


def test_every_fault_is_said_at_once() -> None:
    assert len(size_faults("numbered", POOLS, SplitSizes(0, 0, 301, 101))) == 4
