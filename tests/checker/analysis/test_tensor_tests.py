"""What a tensor of targets or of weights is, by its numbers."""

import math

import pytest
import torch

from actlab.checker.analysis.tensor_tests import (
    extremes,
    is_distribution,
    is_multi_hot,
    is_normalised_multi_hot,
    is_one_hot,
    is_simplex,
    log_simplex_error,
    readable,
    sample,
    share_of_zeros,
    simplex_dims,
    simplex_tolerance,
)

THIRD = 1.0 / 3.0


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0.25, 0.75], [0.5, 0.5]], True),
        ([[0.25, 0.75], [0.0, 0.0]], True),
        ([[0.0, 0.0], [0.0, 0.0]], False),
        ([[1.25, -0.25], [0.5, 0.5]], False),
        ([[0.25, 0.70], [0.5, 0.5]], False),
        ([[1.0], [1.0]], False),
        ([[0.25, 0.7502], [0.5, 0.5]], False),
        ([[0.25, 0.75005], [0.5, 0.5]], True),
        ([[0.25, 0.75, 0.0], [1.0, 0.0, 0.0]], True),
    ],
)
def test_shares_sum_to_one_in_some_row_and_to_nothing_in_the_others(
    rows: list[list[float]], expected: bool
) -> None:
    assert is_distribution(torch.tensor(rows), 1) == expected


def test_shares_are_along_the_dimension_that_is_asked_for() -> None:
    columns = torch.tensor([[0.25, 0.5], [0.75, 0.5]])
    assert is_distribution(columns, 0)
    assert not is_distribution(columns, 1)
    assert not is_distribution(columns, 2)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[THIRD, THIRD, THIRD, 0.0], [0.0, 0.0, 0.0, 1.0]], True),
        ([[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]], False),
        ([[0.25, 0.25, 0.25, 0.25]], False),
        ([[0.5, 0.25, 0.25, 0.0]], False),
        ([[THIRD, THIRD, THIRD, -0.1]], False),
        ([[THIRD, THIRD, THIRD, -5e-5]], False),
        ([[THIRD, THIRD, THIRD + 2e-4, 0.0]], False),
        ([[THIRD, THIRD, THIRD + 5e-5, 0.0]], True),
        ([[THIRD, THIRD, THIRD], [0.5, 0.5, 0.0]], True),
        ([[THIRD, THIRD, THIRD]], False),
        ([[0.5, 0.5]], False),
        ([[0.0, 0.0, 0.0, 0.0]], False),
        ([[0.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]], True),
    ],
)
def test_equal_shares_of_three_or_more_but_not_of_all(
    rows: list[list[float]], expected: bool
) -> None:
    assert is_normalised_multi_hot(torch.tensor(rows)) == expected


TOO_MANY = (1 << 18) + 2
"""More elements than a test looks at."""


def test_small_tensors_are_looked_at_whole() -> None:
    numbers = sample(torch.arange(6.0).view(2, 3).half())
    assert numbers is not None
    assert numbers.dtype is torch.float32
    assert numbers.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    precise = sample(torch.tensor([0.1], dtype=torch.float64, requires_grad=True))
    assert precise is not None
    assert precise.dtype is torch.float64
    assert not precise.requires_grad


@pytest.mark.parametrize(
    ("shape", "rows"),
    [
        ((1 << 17, 2), 1 << 17),  # just as many as are looked at
        (((1 << 17) + 1, 2), 1 << 17),
        ((4, 1 << 17), 2),
        ((4, TOO_MANY), 2),  # a row longer than that: two of them, for what compares rows
        ((1, TOO_MANY), 1),
        ((TOO_MANY,), TOO_MANY),  # classes, perhaps: a part of them sums to nothing
        ((3, 2, 1 << 16), 2),
    ],
)
def test_the_first_rows_stand_for_a_large_tensor(shape: tuple[int, ...], rows: int) -> None:
    numbers = sample(torch.zeros(1).expand(shape))
    assert numbers is not None
    assert numbers.shape == (rows, *shape[1:])


def test_no_numbers_are_read_where_there_are_none() -> None:
    unreadable = [
        torch.empty(0), torch.zeros(2, device="meta"), torch.ones(2) * 1j, torch.eye(2).to_sparse()
    ]  # fmt: skip
    for tensor in unreadable:
        assert readable(tensor) is False
        assert sample(tensor) is None
        assert extremes(tensor) is None
        assert share_of_zeros(tensor) == 0.0
        assert math.isnan(log_simplex_error(tensor, 0))
        assert not is_simplex(tensor, 0)
        assert not is_distribution(tensor, 0)
        assert not is_one_hot(tensor)
        assert not is_multi_hot(tensor)
        assert not is_normalised_multi_hot(tensor)
    assert readable(torch.zeros(())) is True
    inside: list[bool] = []

    def looking(row: torch.Tensor) -> torch.Tensor:
        inside.append(readable(row))
        return row

    torch.vmap(looking)(torch.zeros(2, 2))
    assert inside == [False]


def test_rounding_over_many_classes_is_allowed_for() -> None:
    assert simplex_tolerance(10, torch.float32) == 1e-4
    assert simplex_tolerance(10, torch.int64) == 1e-4
    assert simplex_tolerance(3, torch.bfloat16) == 3 * torch.finfo(torch.bfloat16).eps
    assert simplex_tolerance(10_000, torch.float32) == 10_000 * torch.finfo(torch.float32).eps


@pytest.mark.parametrize(
    ("rows", "dim", "expected"),
    [
        ([[0.25, 0.75], [0.0, 1.0]], 1, True),
        ([[0.25, 0.75], [0.0, 1.0]], 0, False),
        ([[0.25, 0.0], [0.75, 1.0]], 0, True),
        ([[0.25, 0.75], [0.3, 0.6]], 1, False),
        ([[0.25, 0.75], [0.6, 0.6]], 1, False),
        ([[1.25, -0.25], [0.5, 0.5]], 1, False),
        ([[0.25, 0.7502], [0.5, 0.5]], 1, False),
        ([[0.25, 0.75005], [0.5, 0.5]], 1, True),
        ([[1.0], [1.0]], 1, False),
    ],
)
def test_a_simplex_is_of_probabilities_that_sum_to_one(
    rows: list[list[float]], dim: int, expected: bool
) -> None:
    assert is_simplex(torch.tensor(rows), dim) == expected
    assert (dim in simplex_dims(torch.tensor(rows))) == expected


def test_one_number_is_no_simplex() -> None:
    assert not is_simplex(torch.tensor(1.0), 0)
    assert simplex_dims(torch.full((2, 2), 0.5)) == (0, 1)


def test_log_probabilities_are_told_by_their_sum() -> None:
    scores = torch.tensor([[1.0, 2.0, 3.0], [0.5, -4.0, 1.0]])
    assert log_simplex_error(torch.log_softmax(scores, 1), 1) == pytest.approx(0.0, abs=1e-6)
    expected = float(scores.exp().sum(1).log().abs().max())
    assert log_simplex_error(scores, 1) == pytest.approx(expected)
    assert log_simplex_error(torch.log_softmax(scores, 1) - 0.5, 1) == pytest.approx(0.5)
    assert math.isinf(log_simplex_error(torch.tensor([[math.nan, 0.0]]), 1))
    assert math.isnan(log_simplex_error(torch.tensor(0.0), 0))


def test_extremes_are_the_smallest_and_the_largest_number() -> None:
    assert extremes(torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)) == (-2.0, 3.0)


def test_the_share_of_zeros_counts_exact_zeros() -> None:
    assert share_of_zeros(torch.tensor([0.0, 1e-30, 1.0, -0.0])) == 0.5
    assert share_of_zeros(torch.tensor([0, 1, 2, 3])) == 0.25


@pytest.mark.parametrize(
    ("rows", "one_hot", "multi_hot"),
    [
        ([[0, 1], [1, 0]], True, False),
        ([[0, 1, 0], [0, 0, 1]], True, False),
        ([[0, 1, 1], [0, 0, 1]], False, True),
        ([[0, 0, 0], [0, 0, 1]], False, True),
        ([[0, 2, 0], [0, 0, 1]], False, False),
        ([[0.5, 0.5, 0], [0, 0, 1]], False, False),
        ([[-1, 1, 1], [0, 0, 1]], False, False),
        ([[1], [0]], False, False),
        ([0, 1, 1], False, False),
        ([[[0, 1], [1, 0]], [[1, 1], [0, 0]]], True, False),
        ([[[0, 1], [0, 0]], [[1, 1], [0, 0]]], False, True),
    ],
)
def test_rows_of_zeros_and_ones_are_told_by_how_many_ones_they_have(
    rows: list[list[float]], one_hot: bool, multi_hot: bool
) -> None:
    assert is_one_hot(torch.tensor(rows)) == one_hot
    assert is_multi_hot(torch.tensor(rows)) == multi_hot
