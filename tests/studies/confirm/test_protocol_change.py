from dataclasses import replace

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.records import Seeds
from actlab.studies.confirm.protocol_change import protocol_change

from .planted import drawn, replication

MEANS = {"relu": 0.95, "tanh": 0.96, "silu": 0.9}


def test_changes_are_paired_by_seed() -> None:
    generator = np.random.default_rng(0)
    before, after = drawn(generator, MEANS, 8, 0.004), drawn(generator, MEANS, 8, 0.004)
    found = protocol_change(replication(before), replication(after))
    assert found.obstacle is None
    changes = found.slots["conv"]
    p = [scipy_stats.ttest_rel(after[name], before[name]).pvalue for name in MEANS]
    for change, p_value in zip(changes, p, strict=True):
        name = change.activation
        assert change.difference is not None
        assert change.p_adjusted is not None
        assert change.difference.mean == pytest.approx(np.mean(after[name]) - np.mean(before[name]))
        assert change.difference.p_value == pytest.approx(p_value)
        assert change.difference.p_value <= change.p_adjusted
    assert min(c.p_adjusted or 0.0 for c in changes) == pytest.approx(3 * min(p))


def test_only_shared_activations_and_seeds_count() -> None:
    found = protocol_change(
        replication({"relu": [0.9, 0.91, 0.92], "tanh": [0.9, 0.9]}),
        replication({"relu": [0.93, 0.95], "silu": [0.9, 0.9]}),
    )
    (relu,) = found.slots["conv"]
    assert relu.difference is not None
    assert (relu.activation, relu.seeds, relu.difference.n) == ("relu", 2, 2)
    assert relu.second_mean == pytest.approx(0.94)


def test_failed_trainings_are_counted_apart() -> None:
    """One training of ten that stays at chance moves no mean and no interval."""
    before = [0.957 + 0.001 * place for place in range(10)]
    after = [score + 0.007 + 0.0001 * place for place, score in enumerate(before)]
    for failed in (0.1, None):  # learnt nothing, or diverged
        scores = [failed if place == 5 else one for place, one in enumerate(after)]
        found = protocol_change(replication({"sigmoid": before}), replication({"sigmoid": scores}))
        (change,) = found.slots["conv"]
        assert change.difference is not None
        assert (change.seeds, change.first_failures, change.second_failures) == (10, 0, 1)
        assert change.difference.n == 9
        assert change.difference.mean == pytest.approx(0.00744, abs=1e-5)
        assert change.difference.low > 0.007
    everywhere = protocol_change(
        replication({"sigmoid": before}), replication({"sigmoid": [None] * 10})
    )
    (change,) = everywhere.slots["conv"]
    assert (change.difference, change.second_failures, change.p_adjusted) == (None, 10, None)


def test_other_seeds_or_data_are_no_pairs() -> None:
    before = replication({"relu": [0.9, 0.91]})
    other_seeds = tuple(
        replace(r, seeds=Seeds(7, 7, 7 + (r.replicate or 0))) for r in before.records
    )
    other_data = tuple(replace(r, fingerprint="sha256:two") for r in before.records)
    found = [
        protocol_change(before, replace(before, records=r)).obstacle
        for r in (other_seeds, other_data)
    ]
    assert found == ["other seeds", "other data"]


def test_a_study_without_replicates_has_no_changes() -> None:
    before = replication({"relu": [0.9, 0.91]})
    assert protocol_change(before, replication({"relu": []})).obstacle == "no replicates"
