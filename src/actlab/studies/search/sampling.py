"""Asking for settings: samplers with every option explicit, the planned start, the balanced plan.

The sampler is made anew for each trial from the plan's seed and the trial's number, so that what
is asked depends on the records so far alone: a study that was interrupted asks the same again.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from typing import Protocol as Interface

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from actlab.errors import PlanError
from actlab.i18n import _
from actlab.records import Plan, Setting, Space, TpeSampler
from actlab.studies.executors.dispatch import worker_count
from actlab.studies.search.balanced import balanced_settings
from actlab.studies.trials import derived_seed


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the search space in Optuna's terms."""
    found: dict[str, BaseDistribution] = {
        f"{slot}_activation": CategoricalDistribution(names)
        for slot, names in space.by_slot.items()
    }
    rates = FloatDistribution(space.learning_rate_low, space.learning_rate_high, log=True)
    return found | {"learning_rate": rates}


def setting_of(parameters: Mapping[str, Any]) -> Setting:
    """Return the setting that Optuna's parameters of a trial describe."""
    activations = {
        name.removesuffix("_activation"): str(value)
        for name, value in parameters.items()
        if name != "learning_rate"
    }
    return Setting.of(activations, float(parameters["learning_rate"]))


class Strategy(Interface):
    """What is trained under which number."""

    def sampler(self, number: int) -> BaseSampler:
        """Return what suggests the setting of trial `number`."""


class TreeParzen:
    """The tree-structured Parzen estimator (Bergstra et al. 2011), after the planned start."""

    def __init__(self, plan: Plan, options: TpeSampler) -> None:
        self._seed, self._options = plan.seed, options
        self._start = start_settings(plan) if options.start == "each_candidate" else ()

    def sampler(self, number: int) -> BaseSampler:
        """Return the estimator for trial `number`, which learns from all trials told so far."""
        if number < len(self._start):
            return Planned(self._start[number])
        return TPESampler(
            n_startup_trials=self._options.startup_trials,
            n_ei_candidates=self._options.candidates,
            multivariate=self._options.multivariate,
            group=False,
            constant_liar=self._options.constant_liar,
            seed=derived_seed(self._seed, "ask", number),
        )


class Balanced:
    """The balanced plan: what is trained under which number was settled before the first trial."""

    def __init__(self, plan: Plan) -> None:
        self._settings = balanced_settings(plan)

    def sampler(self, number: int) -> BaseSampler:
        """Return the planned setting of trial `number` as a sampler."""
        return Planned(self._settings[number])


class Planned(RandomSampler):
    """Suggests the values of one setting; like random ones, they do not depend on other trials."""

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self._parameters = setting.parameters

    def sample_independent(
        self,
        study: optuna.Study,  # noqa: ARG002  Optuna's signature
        trial: FrozenTrial,  # noqa: ARG002  Optuna's signature
        param_name: str,
        param_distribution: BaseDistribution,  # noqa: ARG002  Optuna's signature
    ) -> Any:
        """Return the planned value."""
        return self._parameters[param_name]


def with_lag(plan: Plan) -> Plan:
    """Return a plan whose search repeats exactly: of a sampler that follows results, with a lag.

    It is the number of trials that train at a time when the study is planned; workers beyond it
    stay idle. A lag that the plan has already, and a plan whose settings are all known before, are
    left as they are. Raises PlanError for a pruner, whose decisions follow the clock.
    """
    if plan.pruner.name != "none":
        reason = _("a pruner follows whoever is faster; with --deterministic there must be none")
        raise PlanError(plan.name, [reason])
    if not isinstance(plan.sampler, TpeSampler) or plan.sampler.lag is not None:
        return plan
    together = plan.together(plan.execution.device)
    lag = together if together > 1 else worker_count(plan, plan.trials)
    return replace(plan, sampler=replace(plan.sampler, lag=lag))


def strategy(plan: Plan) -> Strategy:
    """Return the strategy that the plan's sampler names."""
    if not isinstance(plan.sampler, TpeSampler):
        return Balanced(plan)
    return TreeParzen(plan, plan.sampler)


def start_settings(plan: Plan) -> tuple[Setting, ...]:
    """Return settings in which every activation of every slot has one trial.

    A shorter list is repeated in shuffled order against the longest one, and the learning rates are
    the centres of as many equal parts of the logarithmic range, shuffled.
    """
    space = plan.space
    count = max(len(names) for names in space.by_slot.values())
    generator = np.random.default_rng(derived_seed(plan.seed, "start"))
    columns = {slot: _spread(names, count, generator) for slot, names in space.by_slot.items()}
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    centres = np.exp(low + (high - low) * (np.arange(count) + 0.5) / count)
    rates = generator.permutation(centres)
    rows = zip(*columns.values(), strict=True)
    settings = [
        Setting.of(dict(zip(columns, row, strict=True)), float(rate))
        for row, rate in zip(rows, rates, strict=True)
    ]
    return tuple(settings[: plan.trials])


def _spread(names: tuple[str, ...], count: int, generator: np.random.Generator) -> list[str]:
    rounds = [generator.permutation(names) for _round in range(math.ceil(count / len(names)))]
    return [str(name) for name in np.concatenate(rounds)[:count]]
