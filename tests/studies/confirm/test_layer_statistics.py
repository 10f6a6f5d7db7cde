"""Mechanisms: correlations over candidates, the two claims that they judge, the table of probes."""

import dataclasses
from collections.abc import Mapping, Sequence
from gettext import NullTranslations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.case_study.mechanism_claims import information_claim, sparsity_claim
from actlab.records import LayerProbe, Mechanism, Probes, SlotName
from actlab.studies.confirm.layer_statistics import (
    mechanism_sentence,
    mechanisms,
    probe_rows,
    property_name,
)
from actlab.studies.confirm.replication import Replication
from actlab.text import Formatter

from .planted import NAMES, replication

WORDS = Formatter(NullTranslations())


def layer(slot: SlotName, path: str, **numbers: float | None) -> LayerProbe:
    usual: dict[str, float | None] = {
        "zeros": 0.0,
        "dead": 0.0,
        "saturated": 0.0,
        "mean": 0.1,
        "spread": 0.5,
        "gradient_norm": 0.2,
        "sparseness": 0.5,
    }
    return LayerProbe(path, slot, **{**usual, **numbers})  # type: ignore[arg-type]  # kept short


def probed(
    accuracies: Mapping[str, Sequence[float | None]], numbers: Mapping[str, Mapping[str, float]]
) -> Replication:
    """The replicates of conv candidates whose two conv layers have these numbers."""
    found = replication(accuracies)

    def probes(name: str, seed: int) -> Probes:
        off = {key: value + 0.001 * seed for key, value in numbers[name].items()}
        on = {key: value + 0.1 for key, value in off.items()}
        return Probes(
            300,
            (
                layer("conv", "conv1_activation", **off),
                layer("conv", "conv2_activation", **on),
                layer("fc", "fc1_activation", gradient_norm=0.4),
            ),
        )

    records = tuple(
        dataclasses.replace(record, probes=probes(record.setting.conv_activation, record.replicate))
        if record.valid_accuracy is not None and record.replicate is not None
        else record
        for record in found.records
    )
    return dataclasses.replace(found, records=records)


def scores(order: Sequence[float]) -> dict[str, list[float | None]]:
    return {
        name: [0.9 + value / 100, 0.902 + value / 100]
        for name, value in zip(NAMES, order, strict=True)
    }


def by_key(found: Sequence[Mechanism]) -> dict[str, Mechanism]:
    return {one.key: one for one in found}


def of(study: Replication) -> dict[str, Mechanism]:
    return by_key(mechanisms(study, np.random.default_rng(1)))


def graded(values: Sequence[float], order: Sequence[float]) -> dict[str, Mechanism]:
    numbers = {name: {"sparseness": v} for name, v in zip(NAMES, values, strict=True)}
    return of(probed(scores(order), numbers))


RISING = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def test_values_are_means_over_layers_and_seeds_and_the_correlation_is_spearmans() -> None:
    order = [3, 1, 2, 5, 4, 8, 6, 7]
    found = graded(RISING, order)["sparseness"]
    assert found.values["sigmoid"] == pytest.approx(np.mean([0.1, 0.2, 0.101, 0.201]), abs=5e-5)
    assert list(found.values) == list(NAMES)
    assert found.correlation == pytest.approx(scipy_stats.spearmanr(RISING, order).statistic)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.correlation < found.high
    assert (found.slot, len(found.values), found.claim) == ("conv", 8, 4)
    assert property_name(found.key, WORDS) == "sparseness"


@pytest.mark.parametrize(
    ("order", "sentence", "fourth", "fifth"),
    [
        (range(8), "a larger sparseness goes with a higher", "supported", "not supported"),
        (range(7, -1, -1), "a larger sparseness goes with a lower", "not supported", "supported"),
        (
            [4, 1, 6, 3, 0, 7, 2, 5],
            "cannot be said whether the sparseness",
            "not enough evidence",
            "not enough evidence",
        ),
    ],
)
def test_the_claims_follow_the_interval(
    order: Sequence[float], sentence: str, fourth: str, fifth: str
) -> None:
    found = tuple(graded(RISING, order).values())
    assert sentence in mechanism_sentence(by_key(found)["sparseness"], WORDS)
    of_fc = tuple(dataclasses.replace(one, claim=5 if one.claim else None) for one in found)
    sparsity, information = sparsity_claim(found, WORDS), information_claim(of_fc, WORDS)
    assert (sparsity.number, sparsity.outcome) == (4, fourth)
    assert (information.number, information.outcome) == (5, fifth)
    assert mechanism_sentence(by_key(found)["sparseness"], WORDS) in sparsity.reason
    assert ("no cause" in sparsity.reason) == (fourth != "not enough evidence")


def test_exact_zeros_of_relu_alone_are_no_correlation() -> None:
    numbers = {name: {"zeros": 0.6 if name == "relu" else 0.0} for name in NAMES}
    study = probed(scores(range(8)), numbers)
    study = dataclasses.replace(
        study,
        records=tuple(
            dataclasses.replace(
                r,
                probes=Probes(
                    300,
                    (layer("conv", "a", zeros=0.6 if r.setting.conv_activation == "relu" else 0),),
                ),
            )
            for r in study.records
        ),
    )
    found = of(study)["zeros"]
    assert (found.correlation, found.low, found.high) == (None, None, None)
    assert mechanism_sentence(found, WORDS) == (
        "The share of exact zeros is 0 in 7 of 8 candidates and differs in relu alone; that is "
        "too little to correlate with accuracy."
    )
    assert (
        mechanism_sentence(of(study)["sparseness"], WORDS)
        == "The sparseness is the same, 0.5, in all 8 candidates."
    )
    claim = sparsity_claim(tuple(of(study).values()), WORDS)
    assert claim.outcome == "not enough evidence"
    assert "differs in relu alone" in claim.reason


def test_zero_centredness_is_the_mean_in_spreads() -> None:
    numbers = {name: {"mean": -0.1 * place} for place, name in enumerate(NAMES)}
    found = of(probed(scores(range(8)), numbers))["off_centre"]
    means = [-0.3, -0.2, -0.299, -0.199]
    assert found.values["leaky_relu_0.1"] == pytest.approx(np.mean(np.abs(means)) / 0.5, abs=5e-5)
    assert found.claim is None


def test_a_diverged_replicate_counts_at_chance_and_has_no_network_to_look_into() -> None:
    rows = scores(range(8))
    rows["silu"] = [0.99, None]
    rows["tanh"] = [None, None]
    numbers = {name: {"sparseness": v} for name, v in zip(NAMES, RISING, strict=True)}
    found = of(probed(rows, numbers))["sparseness"]
    assert "tanh" not in found.values
    assert found.values["silu"] == pytest.approx(0.85)
    assert len(found.values) == 7
    order = [0, 1, 2, 3, 4, 5, -1]
    expected = scipy_stats.spearmanr([*RISING[:6], RISING[7]], order).statistic
    assert found.correlation == pytest.approx(expected)


def test_too_few_candidates_no_probes_and_equal_accuracies() -> None:
    three = {name: [0.9, 0.91] for name in NAMES[:3]}
    numbers = {name: {"sparseness": v} for name, v in zip(NAMES, RISING, strict=True)}
    assert mechanism_sentence(of(probed(three, numbers))["sparseness"], WORDS) == (
        "The sparseness is known for 3 candidates; a correlation needs at least 4."
    )
    assert mechanisms(replication(scores(range(8))), np.random.default_rng(1)) == ()
    claim = information_claim((), WORDS)
    assert claim.outcome == "not enough evidence"
    assert claim.reason == "No network of the replicates was looked into."
    same = of(probed(scores([0] * 8), numbers))["sparseness"]
    assert same.correlation is None
    assert (
        mechanism_sentence(same, WORDS)
        == "All candidates have the same accuracy, so nothing goes with it."
    )


def test_the_same_generator_gives_the_same_intervals() -> None:
    order = [3, 1, 2, 5, 4, 8, 6, 7]
    assert graded(RISING, order) == graded(RISING, order)


def test_the_table_has_means_with_students_interval() -> None:
    numbers = {name: {"dead": 0.2} for name in NAMES}
    rows = probe_rows(probed(scores(range(8)), numbers))
    (dead,) = [
        row
        for row in rows
        if (row.activation, row.layer, row.key) == ("relu", "conv2_activation", "dead")
    ]
    values = [0.3, 0.301]
    assert dead.mean == pytest.approx(np.mean(values))
    half = scipy_stats.t.ppf(0.975, 1) * np.std(values, ddof=1) / np.sqrt(2)
    assert dead.low == pytest.approx(np.mean(values) - half)
    assert dead.high == pytest.approx(np.mean(values) + half)
    assert (dead.slot, dead.networks) == ("conv", 2)
    assert property_name(dead.key, WORDS) == "share of dead units"
    (ratio,) = [row for row in rows if (row.activation, row.layer) == ("relu", None)]
    assert (ratio.key, ratio.mean) == ("gradient_ratio", pytest.approx(0.5))
    assert len(rows) == 8 * (2 * 8 + 1)


def test_an_interval_ends_where_the_property_does() -> None:
    study = probed({"relu": [0.9, 0.9]}, {"relu": {"dead": 0.0, "mean": 0.0}})
    rows = {row.key: row for row in probe_rows(study) if row.layer == "conv1_activation"}
    assert rows["dead"].low == 0.0
    assert rows["dead"].high is not None
    assert rows["dead"].high < 0.01
    assert rows["mean"].low is not None
    assert rows["mean"].low < 0


def test_one_network_has_no_interval_and_an_unknown_number_no_row() -> None:
    study = probed({"relu": [0.9]}, {"relu": {"dead": 0.2}})
    assert {(row.low, row.high, row.networks) for row in probe_rows(study)} == {(None, None, 1)}
    record = study.records[0]
    blind = Probes(300, (layer("conv", "a", gradient_norm=None, mean=None),))
    study = dataclasses.replace(study, records=(dataclasses.replace(record, probes=blind),))
    keys = {row.key for row in probe_rows(study)}
    assert keys == {"zeros", "sparseness", "dead", "saturated", "spread"}
