"""Targets made from the digit, against the sentences that define them."""

import numpy as np
import pytest

from actlab.data.targets import LABELS, OUTPUTS, target_of_digits
from actlab.tasks import TASKS

DIGITS = np.arange(10)


def test_strokes_and_holes() -> None:
    found = target_of_digits("regression", DIGITS)
    assert found.dtype == np.float32
    groups = {1: {1}, 2: {0, 2, 3, 7}, 3: {5, 6, 9}, 4: {8}, 6: {4}}
    for value, digits in groups.items():
        assert {int(d) for d in DIGITS if found[d, 0] == value} == digits


def test_the_four_labels() -> None:
    found = target_of_digits("multilabel", DIGITS)
    sentences = {
        "even": [d % 2 == 0 for d in range(10)],
        "prime": [d > 1 and all(d % k for k in range(2, d)) for d in range(10)],
        "curved": [d in (0, 3, 6, 8, 9) for d in range(10)],
        "square": [round(d**0.5) ** 2 == d for d in range(10)],
    }
    assert list(LABELS) == list(sentences)
    np.testing.assert_array_equal(found, np.array(list(sentences.values())).T)


def test_probability_and_binary_ask_the_same() -> None:
    one, two = target_of_digits("probability", DIGITS), target_of_digits("binary", DIGITS)
    assert one.dtype == np.float32
    assert two.dtype == np.int64
    assert (one.shape, two.shape) == ((10, 1), (10,))
    np.testing.assert_array_equal(one[:, 0], two)


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_the_outputs_fit_the_target(task: str) -> None:
    target = target_of_digits(task, DIGITS)  # type: ignore[arg-type]  # names of TASKS
    if target.dtype == np.int64:
        assert set(target.tolist()) == set(range(OUTPUTS[task]))  # type: ignore[index]  # likewise
    else:
        assert target.shape == (10, OUTPUTS[task])  # type: ignore[index]  # likewise
