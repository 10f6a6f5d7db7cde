"""The balanced plan: the same budget for every activation, over the whole learning-rate range."""

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actlab.errors import PlanError
from actlab.records import BalancedSampler, Plan, Setting, SlotCandidates, Space
from actlab.studies.plan.file import read_plan
from actlab.studies.search.balanced import balanced_settings
from actlab.studies.search.optuna_study import OptunaStudy
from tests.studies.test_run_folder import record

NAMES = tuple("abcdefghi")


def shares(planned: tuple[Setting, ...], space: Space) -> list[float]:
    """Return where each learning rate lies in the logarithmic range, from 0 to 1."""
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    return [(math.log(one.learning_rate) - low) / (high - low) for one in planned]


def plan_of(convs: int, fcs: int, passes: int, seed: int = 7) -> Plan:
    space = Space(NAMES[:convs], NAMES[:fcs], 1e-4, 1e-2)
    plan = read_plan("balanced", {"seed": seed})
    return replace(plan, space=space, trials=convs * fcs * passes)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_every_activation_sees_every_stratum_once(
    convs: int, fcs: int, passes: int, seed: int
) -> None:
    plan = plan_of(convs, fcs, passes, seed)
    planned = balanced_settings(plan)
    assert len(planned) == plan.trials == convs * fcs * passes
    places = list(zip(planned, shares(planned, plan.space), strict=True))
    for name in plan.space.conv_activation:
        own = [share for one, share in places if one.conv_activation == name]
        assert sorted(int(share * passes * fcs) for share in own) == list(range(passes * fcs))
    for name in plan.space.fc_activation:
        own = [share for one, share in places if one.fc_activation == name]
        assert sorted(int(share * passes * convs) for share in own) == list(range(passes * convs))
    pairs: dict[tuple[str, str], list[int]] = {}
    for one, share in places:
        pairs.setdefault((one.conv_activation, one.fc_activation), []).append(int(share * passes))
    assert {tuple(sorted(blocks)) for blocks in pairs.values()} == {tuple(range(passes))}


def test_the_preset_gives_each_activation_sixteen_trials_in_each_slot() -> None:
    plan = read_plan("balanced", {})
    planned = balanced_settings(plan)
    assert plan.protocol.name == "corrected"
    assert len(planned) == 128
    assert set(Counter(one.conv_activation for one in planned).values()) == {16}
    assert set(Counter(one.fc_activation for one in planned).values()) == {16}


@pytest.mark.parametrize(("convs", "fcs"), [(8, 8), (3, 5), (4, 6), (1, 3), (2, 8), (6, 4)])
def test_whatever_the_number_of_trials_budgets_differ_by_at_most_one(convs: int, fcs: int) -> None:
    plan = plan_of(convs, fcs, 2)
    whole = balanced_settings(plan)
    for trials in range(1, len(whole) + 1):
        planned = whole[:trials]
        for names, slot in (
            (plan.space.conv_activation, "conv_activation"),
            (plan.space.fc_activation, "fc_activation"),
        ):
            counts = Counter(dict.fromkeys(names, 0))
            counts.update(getattr(one, slot) for one in planned)
            assert max(counts.values()) - min(counts.values()) <= 1
    odd = replace(plan, trials=convs * fcs + 1)
    assert len(balanced_settings(odd)) == convs * fcs + 1


def test_the_first_pass_holds_low_and_high_rates_alike() -> None:
    plan = read_plan("balanced", {})
    first = shares(balanced_settings(plan), plan.space)[:64]
    assert 20 <= sum(share < 0.5 for share in first) <= 44


def test_the_seed_alone_decides() -> None:
    assert balanced_settings(plan_of(3, 5, 2)) == balanced_settings(plan_of(3, 5, 2))
    assert balanced_settings(plan_of(3, 5, 2)) != balanced_settings(plan_of(3, 5, 2, seed=8))


def test_a_range_of_one_rate_is_that_rate() -> None:
    plan = plan_of(3, 2, 1)
    plan = replace(plan, space=replace(plan.space, learning_rate_low=1e-3, learning_rate_high=1e-3))
    assert {one.learning_rate for one in balanced_settings(plan)} == {1e-3}


def test_options_of_the_other_sampler_are_refused() -> None:
    with pytest.raises(PlanError, match=r"sampler\.candidates: there is no such key"):
        read_plan("balanced", {"sampler.candidates": 24})
    with pytest.raises(PlanError, match=r'one of .*got "balance"\. Did you mean "balanced"'):
        read_plan("balanced", {"sampler.name": "balance"})


def test_optuna_is_asked_for_the_plan_and_again_for_its_gaps() -> None:
    plan = replace(read_plan("digits", {}), trials=64, sampler=BalancedSampler())
    planned = balanced_settings(plan)
    study = OptunaStudy(plan)
    assert [study.ask() for _trial in range(6)] == list(enumerate(planned[:6]))
    ended = [replace(record(n, 0.5), setting=planned[n]) for n in (0, 2)]
    resumed = OptunaStudy(plan, ended)
    assert resumed.running() == {1: planned[1]}
    assert resumed.ask() == (3, planned[3])


def test_more_slots_than_two_have_equal_budgets_and_rates_all_over_the_range() -> None:
    further = (SlotCandidates("a", ("relu", "tanh", "silu")), SlotCandidates("b", ("elu", "gelu")))
    plan = read_plan("digits", {"trials": 24})
    space = replace(plan.space, conv_activation=(), slots=further)
    settings = balanced_settings(replace(plan, space=space))
    assert len(settings) == 24
    for slot, names in space.by_slot.items():
        for name in names:
            own = sorted(s.learning_rate for s in settings if s.activations[slot] == name)
            assert len(own) == 24 // len(names)
            middle = (space.learning_rate_low * space.learning_rate_high) ** 0.5
            assert abs(sum(rate < middle for rate in own) - len(own) / 2) <= 1, "half in each half"


def test_one_slot_alone_has_its_candidates_equally_often() -> None:
    plan = read_plan("digits", {"trials": 20})
    settings = balanced_settings(replace(plan, space=replace(plan.space, conv_activation=())))
    counts = Counter(setting.fc_activation for setting in settings)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert {setting.conv_activation for setting in settings} == {None}
