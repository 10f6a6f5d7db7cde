"""Which task a target array poses."""

import numpy as np
import pytest

from actlab.data.targets import target_of_digits
from actlab.errors import DataError
from actlab.studies.tasks import suggest
from actlab.tasks import TASKS, task

RANDOM = np.random.default_rng(0)
DIGITS = RANDOM.integers(0, 10, 200)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("regression", "regression"),
        ("probability", "probability"),
        ("binary", "binary"),
        ("multiclass", "multiclass"),
        ("multilabel", "multilabel"),
    ],
)
def test_the_targets_of_the_study_are_told(name: str, found: str) -> None:
    suggestion = suggest(target_of_digits(name, DIGITS))  # type: ignore[arg-type]  # of TASKS
    assert suggestion.task == found
    assert suggestion.faults == ()


@pytest.mark.parametrize(
    ("target", "expected", "alternatives"),
    [
        (RANDOM.normal(size=50), "regression", set()),
        (RANDOM.uniform(size=50), "regression", {"probability"}),
        (RANDOM.normal(size=(50, 3)), "regression", set()),
        (RANDOM.uniform(size=(50, 3)), "regression", {"multilabel"}),
        (RANDOM.dirichlet(np.ones(4), 50), "multiclass", set()),
        (np.eye(5)[RANDOM.integers(0, 5, 60)], "multiclass", {"multilabel"}),
        (np.eye(2)[RANDOM.integers(0, 2, 60)], "binary", {"multilabel"}),
        (RANDOM.integers(0, 2, (60, 4)), "multilabel", set()),
        (RANDOM.integers(0, 2, 60), "binary", {"probability"}),
        (RANDOM.integers(0, 2, 60).astype(bool), "binary", {"probability"}),
        (RANDOM.integers(0, 2, (60, 1)).astype(np.float32), "probability", {"binary"}),
        (RANDOM.choice([-1, 1], 60), "binary", {"regression"}),
        (RANDOM.integers(1, 6, 60), "multiclass", {"regression"}),
        (RANDOM.integers(0, 1000, 600), "regression", {"multiclass"}),
        (RANDOM.choice([1, 2, 3, 4, 6], 60), "regression", {"multiclass"}),
        (RANDOM.choice([1.0, 2.0, 3.0], 60), "regression", {"multiclass"}),
        (RANDOM.choice(["cat", "dog", "emu"], 60), "multiclass", set()),
        (RANDOM.choice(["no", "yes"], 60), "binary", set()),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else None,
)
def test_shapes_types_and_values(target: np.ndarray, expected: str, alternatives: set[str]) -> None:
    found = suggest(target)
    assert found.task == expected
    assert {other.task for other in found.alternatives} == alternatives
    assert found.reasons
    assert found.faults == ()
    assert found.outputs >= 1


def test_a_suggestion_fits_the_target_that_it_was_made_from() -> None:
    """Where nothing is to be prepared, the named task takes the array as it is."""
    from actlab.studies.tasks import target_faults

    for name in (known.name for known in TASKS):
        target = target_of_digits(name, DIGITS)
        found = suggest(target)
        if not found.prepare:
            assert target_faults(found.task, target, found.outputs) == ()
            assert task(found.task).name == found.task


def test_what_stands_in_the_way_is_said() -> None:
    assert "NaN" in suggest(np.array([1.5, np.nan, 2.5])).faults[0]
    assert "nothing to learn" in suggest(np.full(5, 3.5)).faults[0]
    assert "one class only" in suggest(np.zeros(5, dtype=int)).faults[0]
    assert "NaN" in suggest(np.array([[1.0, 0.0], [np.nan, 1.0], [0.0, 1.0]])).faults[0]


def test_large_targets_are_to_be_standardised() -> None:
    (step,) = suggest(RANDOM.normal(5000, 100, 50)).prepare
    assert "Raw, they would train badly." in step
    (step,) = suggest(RANDOM.normal(0, 1, 50)).prepare
    assert "badly" not in step


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (np.array(3.0), "one row per sample"),
        (np.zeros((0,)), "one row per sample"),
        (np.zeros((4, 8, 8)), "per pixel"),
        (np.array([1 + 2j]), "complex128"),
        (np.array([np.nan, np.inf]), "needs finite numbers"),
        (np.array([["a", "b"], ["c", "d"]]), "one per sample"),
    ],
)
def test_arrays_that_are_no_targets(target: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        suggest(target)
