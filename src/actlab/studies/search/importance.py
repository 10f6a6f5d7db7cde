"""How much each parameter of a setting matters, over the trials of a search.

Two methods, which answer different questions:

* PED-ANOVA: what tells the best tenth of the trials from all of them? The divergence of the two
  densities, one parameter at a time. Watanabe, Bansal and Hutter 2023, arXiv:2304.10255.
* fANOVA: which parameter alone explains the accuracy over all trials? Shares of the variance of a
  random forest's prediction. Hutter, Hoos and Leyton-Brown 2014, ICML, PMLR 32(1), 754-762.

Both assume trials all over the space, as a balanced search has them. Those of a search that
follows its own results stand where results were good, and fANOVA then guesses about the rest.
"""

import math
import warnings
from collections.abc import Sequence

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
)

from actlab.records import Importance, Outcome, Plan, Record
from actlab.studies.search.sampling import distributions
from actlab.studies.trials import derived_seed

FEWEST_TRIALS = 10
"""With fewer trials there is no best part to speak of."""

_BEST_SHARE, _BEST_TRIALS = 0.1, 5
"""The best part of PED-ANOVA, and how many trials it has at least (Optuna's own advice)."""

_TREES = 16
"""Of fANOVA's forest. Optuna's 64 took four times as long for 128 trials, 7 s of a slow core, and
moved no share by more than 0.001."""

_RATE = "learning_rate"

# Optuna would log each study that is made in memory.
optuna.logging.set_verbosity(optuna.logging.WARNING)


def importance(plan: Plan, records: Sequence[Record], chance: float) -> tuple[Importance, ...]:
    """Return each parameter's share of the importance, by both methods; shares add up to 1.

    A diverged trial counts at `chance`, the accuracy of guessing; one that failed or was pruned
    says nothing about its setting and is left out. A method that cannot be used (too few trials,
    all of one accuracy, every parameter fixed) gives None for all parameters, never a guess.

    The same records give the same shares: the forest is grown from the plan's seed.
    """
    space: dict[str, BaseDistribution] = distributions(plan.space)
    low, high = plan.space.learning_rate_low, plan.space.learning_rate_high
    # fANOVA takes a range as it is: by the logarithm every decade of learning rates counts alike.
    space[_RATE] = FloatDistribution(math.log(low), math.log(high))
    trials = [
        optuna.trial.create_trial(
            value=chance if record.score is None else record.score,
            params={**record.setting.parameters, _RATE: _inside(record, low, high)},
            distributions=space,
        )
        for record in records
        if record.stage == "search"
        and record.outcome in (Outcome.COMPLETED, Outcome.DIVERGED)
        and (record.score is not None or math.isfinite(chance))
    ]
    ped_anova, fanova = (
        _shares(trials, evaluator, space)
        for evaluator in (
            PedAnovaImportanceEvaluator(
                target_quantile=max(_BEST_SHARE, min(0.5, _BEST_TRIALS / max(len(trials), 1)))
            ),
            FanovaImportanceEvaluator(n_trees=_TREES, seed=derived_seed(plan.seed, "importance")),
        )
    )
    return tuple(Importance(name, ped_anova.get(name), fanova.get(name)) for name in space)


def _inside(record: Record, low: float, high: float) -> float:
    """Return the logarithm of a learning rate; rounding must not carry it over an end."""
    return math.log(min(max(record.setting.learning_rate, low), high))


def _shares(
    trials: list[optuna.trial.FrozenTrial],
    evaluator: BaseImportanceEvaluator,
    space: dict[str, BaseDistribution],
) -> dict[str, float]:
    values = {trial.value for trial in trials}
    if len(trials) < FEWEST_TRIALS or len(values) == 1:
        return {}
    study = optuna.study.create_study(
        storage=optuna.storages.InMemoryStorage(), direction="maximize"
    )
    study.add_trials(trials)
    with warnings.catch_warnings():
        # Optuna warns where it answers with equal shares, which is told apart below.
        warnings.simplefilter("ignore")
        try:
            found = optuna.importance.get_param_importances(
                study, evaluator=evaluator, params=list(space), normalize=False
            )
        except RuntimeError:
            # No tree of the forest found anything to split.
            return {}
    total = sum(found.values())
    if not (math.isfinite(total) and total > 0):
        return {}
    return {name: float(value / total) for name, value in found.items()}
