"""The rates of candidates from one fit to a search, on planted response curves."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from actlab.records import Setting, Space
from actlab.studies.confirm.candidate_settings import shrunk
from actlab.studies.confirm.fitted_rates import Trials, fitted_curves
from actlab.studies.plan.file import read_plan
from actlab.studies.search.balanced import balanced_settings

PLAN = read_plan("quick", {"trials": 128})
Best = Callable[[Setting], float]


def searched(best: Best, noise: float, seed: int = 1) -> Trials:
    """Return a balanced search in which accuracy falls with the distance from the best rate."""
    generator = np.random.default_rng(seed)
    found = []
    for one in balanced_settings(replace(PLAN, seed=seed)):
        away = math.log(one.learning_rate / best(one))
        found.append((one, 0.98 - 0.01 * away**2 + float(generator.normal(0, noise))))
    return tuple(found)


def test_candidates_alike_get_nearly_the_same_rate() -> None:
    curves = fitted_curves(PLAN.space, searched(lambda _setting: 0.002, noise=0.003))
    rates = [setting.learning_rate for setting in curves.best_of("conv").values()]
    assert max(rates) / min(rates) < 1.7
    assert all(0.0012 < rate < 0.0033 for rate in rates)


def test_a_candidate_that_is_clearly_apart_gets_its_own() -> None:
    def best(setting: Setting) -> float:
        return 0.0008 if setting.conv_activation == "elu" else 0.004

    chosen = fitted_curves(PLAN.space, searched(best, noise=0.001)).best_of("conv")
    assert chosen["elu"].learning_rate < 0.0015
    assert chosen["relu"].learning_rate > 0.0025
    assert len({setting.fc_activation for setting in chosen.values()}) == 1


def test_a_failure_moves_nobody_far() -> None:
    trials = searched(lambda _setting: 0.002, noise=0.002)
    failed = tuple((one, None if n % 17 == 0 else score) for n, (one, score) in enumerate(trials))
    before = fitted_curves(PLAN.space, trials).best_of("fc")
    after = fitted_curves(PLAN.space, failed).best_of("fc")
    for name, setting in before.items():
        assert 0.5 < after[name].learning_rate / setting.learning_rate < 2.0


def test_an_activation_without_an_accuracy_has_no_setting() -> None:
    trials = tuple(
        (one, None if one.conv_activation == "relu" else score)
        for one, score in searched(lambda _setting: 0.002, noise=0.002)
    )
    chosen = fitted_curves(PLAN.space, trials).best_of("conv")
    assert "relu" not in chosen
    assert len(chosen) == 7


def test_a_space_with_one_rate_is_taken_as_it_is() -> None:
    space = Space(("relu", "tanh"), ("relu",), 0.001, 0.001)
    trials = ((Setting("relu", "relu", 0.001), 0.9), (Setting("tanh", "relu", 0.001), 0.8))
    chosen = fitted_curves(space, trials).best_of("conv")
    assert {name: round(one.learning_rate, 9) for name, one in chosen.items()} == {
        "relu": 0.001,
        "tanh": 0.001,
    }


def test_luck_at_a_rate_is_drawn_toward_what_the_rate_does_to_all() -> None:
    truth = np.array([0.97, 0.975, 0.972])
    right = {"kept": 0, "raw": 0}
    for seed in range(50):
        luck = np.random.default_rng(seed).normal(0, 0.003, (8, 3, 3))
        alike = truth[None, :, None] + luck
        right["kept"] += int((shrunk(alike).argmax(axis=1) == 1).sum())
        right["raw"] += int((alike.mean(axis=2).argmax(axis=1) == 1).sum())
    assert right["kept"] > 395 > 370 > right["raw"]


def test_a_real_difference_between_rates_survives() -> None:
    table = np.full((8, 3, 3), 0.97) + np.random.default_rng(2).normal(0, 0.001, (8, 3, 3))
    table[:, 1] += 0.005
    table[3, 1:] = 0.1  # fails at two of three rates
    assert shrunk(table).argmax(axis=1).tolist() == [1, 1, 1, 0, 1, 1, 1, 1]
