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
    assert found.reason is None
    changes = found.slots["conv"]
    p = [scipy_stats.ttest_rel(after[name], before[name]).pvalue for name in MEANS]
    for change, p_value in zip(changes, p, strict=True):
        name = change.activation
        assert change.difference.mean == pytest.approx(np.mean(after[name]) - np.mean(before[name]))
        assert change.difference.p_value == pytest.approx(p_value)
        assert change.difference.p_value <= change.p_adjusted
    assert min(c.p_adjusted for c in changes) == pytest.approx(3 * min(p))


def test_only_shared_activations_and_seeds_count() -> None:
    found = protocol_change(
        replication({"relu": [0.9, 0.91, 0.92], "tanh": [0.9, 0.9]}),
        replication({"relu": [0.93, None], "silu": [0.9, 0.9]}),
    )
    (relu,) = found.slots["conv"]
    assert (relu.activation, relu.difference.n) == ("relu", 2)
    assert relu.second_mean == pytest.approx((0.93 + 0.1) / 2)


def test_other_seeds_or_data_are_no_pairs() -> None:
    told = replication({"relu": [0.9, 0.91]})
    other_seeds = tuple(replace(r, seeds=Seeds(7, 7, 7 + (r.replicate or 0))) for r in told.records)
    other_data = tuple(replace(r, fingerprint="sha256:two") for r in told.records)
    reasons = [
        protocol_change(told, replace(told, records=r)).reason for r in (other_seeds, other_data)
    ]
    assert reasons[0] is not None
    assert "different seeds" in reasons[0]
    assert reasons[1] is not None
    assert "different data" in reasons[1]


def test_a_study_without_replicates_has_no_changes() -> None:
    told = replication({"relu": [0.9, 0.91]})
    reason = protocol_change(told, replication({"relu": []})).reason
    assert reason is not None
    assert "actlab study confirm" in reason
