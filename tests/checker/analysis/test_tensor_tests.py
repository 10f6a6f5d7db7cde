"""What a tensor of targets or of weights is, by its numbers."""

import pytest
import torch

from actlab.checker.analysis.tensor_tests import is_distribution, is_normalised_multi_hot

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
    ],
)
def test_equal_shares_of_three_or_more_but_not_of_all(
    rows: list[list[float]], expected: bool
) -> None:
    assert is_normalised_multi_hot(torch.tensor(rows)) == expected
