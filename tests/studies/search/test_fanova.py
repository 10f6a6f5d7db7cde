"""Shares of variance: planted truths, the predictions of the forest itself, and many candidates."""

import itertools
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from actlab.studies.search.fanova import Choices, Range, shares_of_variance

CONV, FC = ("a", "b", "c"), ("a", "b")
SPACE: Mapping[str, Choices | Range] = {"conv": CONV, "fc": FC, "rate": (0.0, 1.0)}


def settings(space: Mapping[str, Choices | Range], count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(7)
    return [
        {
            name: str(random.choice(values))
            if isinstance(values[0], str)
            else float(random.uniform(*values))
            for name, values in space.items()
        }
        for _setting in range(count)
    ]


def score(setting: Mapping[str, Any]) -> float:
    bonus = 0.3 if setting["conv"] == "b" and setting["fc"] == "a" else 0.0
    of_conv = {"a": 0.1, "b": 0.4, "c": 0.2}[setting["conv"]]
    return of_conv + bonus + float(setting["rate"]) ** 2


def test_the_shares_are_those_of_the_forest_s_predictions_over_the_space() -> None:
    """Second route: one tree asked at every point of a fine grid."""
    given = settings(SPACE, 60)
    scores = [score(one) for one in given]
    found = shares_of_variance(SPACE, given, scores, trees=1, seed=3)

    def row(conv: str, fc: str, rate: float) -> list[float]:
        names = [float(conv == one) for one in CONV]
        return [*names, *(float(fc == one) for one in FC), rate]

    forest = RandomForestRegressor(1, max_samples=60, random_state=3)
    forest.fit([row(one["conv"], one["fc"], one["rate"]) for one in given], scores)
    rates = (np.arange(4000) + 0.5) / 4000
    grid = np.array(
        [
            forest.predict([row(conv, fc, rate) for rate in rates])
            for conv, fc in itertools.product(CONV, FC)
        ]
    ).reshape(3, 2, rates.size)
    marginals = {"conv": grid.mean((1, 2)), "fc": grid.mean((0, 2)), "rate": grid.mean((0, 1))}
    for name, marginal in marginals.items():
        assert found[name] == pytest.approx(marginal.var() / grid.var(), abs=2e-3)


def test_a_parameter_without_a_choice_explains_nothing() -> None:
    space: Mapping[str, Choices | Range] = {**SPACE, "fc": ("a",)}
    given = settings(space, 40)
    found = shares_of_variance(space, given, [score(one) for one in given], trees=4, seed=1)
    assert found["fc"] == 0.0
    assert list(found) == ["conv", "fc", "rate"]


def test_where_nothing_varies_there_are_no_shares() -> None:
    given = settings(SPACE, 20)
    assert shares_of_variance(SPACE, given, [0.5] * 20, trees=4, seed=1) == {}
    fixed: Mapping[str, Choices | Range] = {"conv": ("a",), "rate": (0.1, 0.1)}
    assert shares_of_variance(fixed, [], [], trees=4, seed=1) == {}


def test_many_candidates_cost_no_more_than_their_trials() -> None:
    names = tuple(f"candidate {number}" for number in range(40))
    space: Mapping[str, Choices | Range] = {"conv": names, "fc": names, "rate": (-7.0, -4.0)}
    given = settings(space, 2000)
    scores = [names.index(one["conv"]) / 40 + 0.1 * names.index(one["fc"]) / 40 for one in given]
    before = time.process_time()
    found = shares_of_variance(space, given, scores, trees=4, seed=1)
    assert time.process_time() - before < 10, "steps by combinations of candidates never end"
    assert found["conv"] == pytest.approx(1 / 1.01, abs=0.05)
