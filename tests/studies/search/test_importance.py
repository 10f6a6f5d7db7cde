"""Importance of the parameters: planted truths, and studies in which nothing can be said."""

import dataclasses
import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from actlab.records import (
    DataPlan,
    Importance,
    Outcome,
    Plan,
    Protocol,
    Record,
    Seeds,
    Setting,
    Space,
    SplitSizes,
)
from actlab.studies.search.importance import importance

NAMES = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")
PROTOCOL = Protocol("corrected", "logits")
PLAN = Plan(
    name="planted",
    data=DataPlan("digits", SplitSizes(800, 300, 300, 397)),
    network="small_cnn",
    space=Space(NAMES, NAMES, 0.0005, 0.01),
    protocol=PROTOCOL,
    trials=128,
    seed=5,
)
Truth = Callable[[Setting], float | None]


def search(truth: Truth, count: int = 64) -> tuple[Record, ...]:
    """All pairs in turn, with learning rates drawn over the whole range."""
    random = np.random.default_rng(3)
    settings = [
        Setting(
            NAMES[number % 8],
            NAMES[number // 8 % 8],
            float(np.exp(random.uniform(math.log(0.0005), math.log(0.01)))),
        )
        for number in range(count)
    ]
    return tuple(record(number, one, truth(one)) for number, one in enumerate(settings))


def record(number: int, setting: Setting, accuracy: float | None) -> Record:
    return Record(
        identity=str(number),
        number=number,
        setting=setting,
        replicate=None,
        seeds=Seeds.of_search(5),
        protocol=PROTOCOL,
        precision="fp32",
        fingerprint="sha256:one",
        outcome=Outcome.DIVERGED if accuracy is None else Outcome.COMPLETED,
        reason=None if accuracy is not None else "the loss was not finite",
        valid_accuracy=accuracy,
        epochs=3,
        best_epoch=1,
        curve=(),
        seconds=1.0,
        code_version="test",
    )


def by_name(found: tuple[Importance, ...]) -> dict[str, Importance]:
    return {one.parameter: one for one in found}


def nothing(found: tuple[Importance, ...]) -> bool:
    return all(one.ped_anova is None and one.fanova is None for one in found) and len(found) == 3


def of_conv(setting: Setting) -> float:
    return 0.9 + 0.01 * NAMES.index(setting.conv_activation)


def of_rate(setting: Setting) -> float:
    return 0.97 - 0.05 * (math.log(setting.learning_rate) - math.log(0.001)) ** 2


@pytest.mark.parametrize(
    ("truth", "parameter"), [(of_conv, "conv_activation"), (of_rate, "learning_rate")]
)
def test_the_parameter_that_decides_has_nearly_all_of_the_importance(
    truth: Truth, parameter: str
) -> None:
    found = by_name(importance(PLAN, search(truth, 96), 0.1))
    assert list(found) == ["conv_activation", "fc_activation", "learning_rate"]
    decides = found.pop(parameter)
    assert decides.ped_anova is not None
    assert decides.fanova is not None
    assert decides.ped_anova > 0.75
    assert decides.fanova > 0.95
    assert decides.fanova + sum(one.fanova or 0 for one in found.values()) == pytest.approx(1)
    assert decides.ped_anova + sum(one.ped_anova or 0 for one in found.values()) == pytest.approx(1)


def test_fanova_gives_the_shares_of_variance_of_an_additive_truth() -> None:
    """Two effects whose variances over the space stand as 4 to 1."""

    def truth(setting: Setting) -> float:
        fc = NAMES.index(setting.fc_activation)
        return 0.5 + 0.02 * NAMES.index(setting.conv_activation) + 0.01 * fc

    found = by_name(importance(PLAN, search(truth, 192), 0.1))
    # The forest sees each pair three times and each tree leaves some out: it is near, not exact.
    assert found["conv_activation"].fanova == pytest.approx(0.8, abs=0.1)
    assert found["fc_activation"].fanova == pytest.approx(0.2, abs=0.1)


def test_ped_anova_is_the_divergence_of_the_best_part_from_all() -> None:
    """Second route for categories: counts with one prior count spread over the choices."""
    records = search(of_conv)
    found = by_name(importance(PLAN, records, 0.1))
    best = sorted(records, key=lambda r: -(r.valid_accuracy or 0))[:7]
    cut = best[-1].valid_accuracy or 0
    best = [r for r in records if (r.valid_accuracy or 0) >= cut]

    def divergence(slot: str) -> float:
        def shares(part: list[Record]) -> np.ndarray:
            counts = np.array([sum(getattr(r.setting, slot) == n for r in part) for n in NAMES])
            kernels = np.count_nonzero(counts) + 1
            off = 1 / kernels / (1 + len(NAMES) / kernels)
            on = (1 + 1 / kernels) / (1 + len(NAMES) / kernels)
            total = counts.sum() + 1
            density = np.array(
                [on * c + off * (counts.sum() - c) for c in counts], dtype=np.float64
            )
            return (density + 1 / len(NAMES)) / total

        top, everything = shares(best), shares(list(records))
        return float((everything * (top / everything - 1) ** 2).sum())

    ratio = divergence("fc_activation") / divergence("conv_activation")
    fc, conv = found["fc_activation"].ped_anova, found["conv_activation"].ped_anova
    assert fc is not None
    assert conv is not None
    assert fc / conv == pytest.approx(ratio, rel=1e-6, abs=1e-9)


def test_a_diverged_trial_counts_at_chance_and_a_failed_one_not_at_all() -> None:
    def truth(setting: Setting) -> float | None:
        return None if setting.learning_rate > 0.004 else of_conv(setting)

    records = search(truth)
    at_chance = tuple(
        dataclasses.replace(r, valid_accuracy=0.1, outcome=Outcome.COMPLETED)
        if r.valid_accuracy is None
        else r
        for r in records
    )
    assert importance(PLAN, records, 0.1) == importance(PLAN, at_chance, 0.1)
    assert (by_name(importance(PLAN, records, 0.1))["learning_rate"].fanova or 0) > 0.5
    lost = dataclasses.replace(records[0], outcome=Outcome.FAILED, valid_accuracy=None)
    confirmed = dataclasses.replace(records[1], stage="confirm", valid_accuracy=0.2)
    known = importance(PLAN, records, 0.1)
    assert importance(PLAN, (*records, lost, confirmed), 0.1) == known


@pytest.mark.parametrize(
    "records",
    [
        (),
        search(of_conv, 9),
        search(lambda _setting: 0.5),
        search(lambda _setting: None),
    ],
    ids=["none", "few", "constant", "all diverged"],
)
def test_where_nothing_can_be_said_nothing_is(records: tuple[Record, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert nothing(importance(PLAN, records, 0.1))


def test_a_fixed_space_has_no_importance_and_a_fixed_parameter_none_of_it() -> None:
    fixed = dataclasses.replace(PLAN, space=Space(("relu",), ("tanh",), 0.001, 0.001))
    records = tuple(
        record(number, Setting("relu", "tanh", 0.001), 0.9 + number / 1000) for number in range(20)
    )
    assert nothing(importance(fixed, records, 0.1))
    half = dataclasses.replace(PLAN, space=Space(("relu",), NAMES, 0.0005, 0.01))
    some = tuple(
        dataclasses.replace(r, setting=dataclasses.replace(r.setting, conv_activation="relu"))
        for r in search(of_rate)
    )
    found = by_name(importance(half, some, 0.1))
    assert (found["conv_activation"].ped_anova, found["conv_activation"].fanova) == (0.0, 0.0)


def test_few_trials_many_ties_and_no_word_on_any_channel(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = importance(
            PLAN, search(lambda s: 0.9 if s.conv_activation == "relu" else 0.8, 11), 0.1
        )
        one_apart = search(lambda s: 0.9 if s == search(of_conv)[3].setting else 0.8, 40)
        again = importance(PLAN, one_apart, 0.1)
    for one in (*found, *again):
        assert all(share is None or 0 <= share <= 1 for share in (one.ped_anova, one.fanova))
    assert capfd.readouterr() == ("", "")


def test_the_seed_of_the_plan_decides_the_forest() -> None:
    records = search(lambda s: of_conv(s) + of_rate(s), 24)
    first, again = importance(PLAN, records, 0.1), importance(PLAN, records, 0.1)
    other = importance(dataclasses.replace(PLAN, seed=6), records, 0.1)
    assert first == again
    assert first != other
    assert [one.ped_anova for one in first] == [one.ped_anova for one in other]
