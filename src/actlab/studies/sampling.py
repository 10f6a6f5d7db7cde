"""Asking Optuna for settings: the sampler with every option explicit, and the planned start.

The sampler is made anew for each trial from the plan's seed and the trial's number, so that what
is asked depends on the records so far alone: a study that was interrupted asks the same again.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from actlab.records import Plan, Setting, Space


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Return the search space in Optuna's terms."""
    return {
        "conv_activation": CategoricalDistribution(space.conv_activation),
        "fc_activation": CategoricalDistribution(space.fc_activation),
        "learning_rate": FloatDistribution(
            space.learning_rate_low, space.learning_rate_high, log=True
        ),
    }


def setting_of(parameters: Mapping[str, Any]) -> Setting:
    """Return the setting that Optuna's parameters of a trial describe."""
    return Setting(
        conv_activation=str(parameters["conv_activation"]),
        fc_activation=str(parameters["fc_activation"]),
        learning_rate=float(parameters["learning_rate"]),
    )


def derived_seed(*parts: int | str) -> int:
    """Return a 32-bit seed that depends on all `parts` and on nothing else.

    >>> derived_seed(1, "ask", 0) == derived_seed(1, "ask", 0) != derived_seed(1, "ask", 1)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def sampler(plan: Plan, number: int) -> optuna.samplers.TPESampler:
    """Return the TPE sampler (Bergstra et al. 2011) for trial `number`."""
    return optuna.samplers.TPESampler(
        n_startup_trials=plan.sampler.startup_trials,
        n_ei_candidates=plan.sampler.candidates,
        multivariate=plan.sampler.multivariate,
        group=False,
        constant_liar=plan.sampler.constant_liar,
        seed=derived_seed(plan.seed, "ask", number),
    )


def start_settings(plan: Plan) -> tuple[Setting, ...]:
    """Return the settings that a study begins with, before its sampler is asked.

    With `each_candidate` every activation of both slots has one trial: the shorter list is
    repeated in shuffled order against the longer one, and the learning rates are the centres of
    as many equal parts of the logarithmic range, shuffled.
    """
    if plan.sampler.start == "random":
        return ()
    space = plan.space
    count = max(len(space.conv_activation), len(space.fc_activation))
    generator = np.random.default_rng(derived_seed(plan.seed, "start"))
    conv = _spread(space.conv_activation, count, generator)
    fc = _spread(space.fc_activation, count, generator)
    low, high = math.log(space.learning_rate_low), math.log(space.learning_rate_high)
    centres = np.exp(low + (high - low) * (np.arange(count) + 0.5) / count)
    rates = generator.permutation(centres)
    rows = zip(conv, fc, rates, strict=True)
    settings = [Setting(one, other, float(rate)) for one, other, rate in rows]
    return tuple(settings[: plan.trials])


def _spread(names: tuple[str, ...], count: int, generator: np.random.Generator) -> list[str]:
    rounds = [generator.permutation(names) for _round in range(math.ceil(count / len(names)))]
    return [str(name) for name in np.concatenate(rounds)[:count]]
