"""What is asked depends on the plan and the records, and on nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.samplers import TPESampler

from actlab.errors import PlanError
from actlab.records import Plan, Space, TpeSampler
from actlab.studies.plan.file import read_plan
from actlab.studies.search.sampling import start_settings, strategy, with_lag

TPE = {"sampler": {"name": "tpe", "start": "each_candidate"}}


def test_the_planned_start_gives_every_candidate_of_both_slots_one_trial() -> None:
    plan = read_plan("digits", TPE)
    start = start_settings(plan)
    assert sorted(one.conv_activation for one in start) == sorted(plan.space.conv_activation)
    assert sorted(one.fc_activation for one in start) == sorted(plan.space.fc_activation)
    assert len({one.learning_rate for one in start}) == len(start) == 8


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_start_covers_any_space_within_its_bounds(conv: int, fc: int, seed: int) -> None:
    names = tuple("abcdefghi")
    plan = replace(
        read_plan("digits", TPE), seed=seed, space=Space(names[:conv], names[:fc], 1e-4, 1e-2)
    )
    start = start_settings(plan)
    assert {one.conv_activation for one in start} == set(names[:conv])
    assert {one.fc_activation for one in start} == set(names[:fc])
    assert all(1e-4 < one.learning_rate < 1e-2 for one in start)


def test_a_random_start_plans_nothing() -> None:
    assert isinstance(strategy(read_plan("published", {})).sampler(0), TPESampler)
    planned = strategy(read_plan("digits", TPE))
    kinds = [type(planned.sampler(number)).__name__ for number in (0, 7, 8)]
    assert kinds == ["Planned", "Planned", "TPESampler"]


@pytest.fixture
def plan() -> Plan:
    return read_plan("published", {})


def test_the_sampler_is_the_published_one(plan: Plan) -> None:
    made = strategy(plan).sampler(0)
    assert isinstance(made, TPESampler)
    assert made._n_startup_trials == 10
    assert made._n_ei_candidates == 24
    assert made._multivariate is False
    assert made._constant_liar is False
    assert made._group is False


def test_an_exact_repetition_is_a_lag_in_the_plan() -> None:
    plan = read_plan("published", {"execution.workers": 3})
    assert isinstance(plan.sampler, TpeSampler)
    assert plan.sampler.lag is None
    exact = with_lag(plan)
    assert exact == replace(plan, sampler=replace(plan.sampler, lag=3))
    assert with_lag(exact) is exact
    balanced = read_plan("balanced", {})
    assert with_lag(balanced) is balanced
    with pytest.raises(PlanError, match="follows whoever is faster"):
        with_lag(read_plan("published", {"pruner": {"name": "median"}}))
