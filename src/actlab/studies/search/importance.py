"""How much each parameter of a setting matters, over the trials of a search.

Two methods, which answer different questions:

* PED-ANOVA: what tells the best tenth of the trials from all of them? The divergence of the two
  densities, one parameter at a time. Watanabe, Bansal and Hutter 2023, arXiv:2304.10255.
* fANOVA: which parameter alone explains the accuracy over all trials? Shares of the variance of a
  random forest's prediction (`fanova.py`: Optuna's own takes 2^k steps a tree for k candidates).

Both assume trials all over the space, as a balanced search has them. Those of a search that
follows its own results stand where results were good, and fANOVA then guesses about the rest.
"""

import math
import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator

from actlab.records import Importance, Outcome, Plan, Record
from actlab.studies.search.fanova import shares_of_variance
from actlab.studies.search.sampling import distributions
from actlab.studies.trials import derived_seed

FEWEST_TRIALS = 10
"""With fewer trials there is no best part to speak of."""

_BEST_SHARE, _BEST_TRIALS = 0.1, 5
"""The best part of PED-ANOVA, and how many trials it has at least (Optuna's own advice)."""

_TREES = 16
"""Of fANOVA's forest. With 64 no share of 128 trials moved by more than 0.001."""

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
    # By the logarithm every decade of learning rates counts alike.
    space[_RATE] = FloatDistribution(math.log(low), math.log(high))
    known = [
        record
        for record in records
        if record.stage == "search"
        and record.outcome in (Outcome.COMPLETED, Outcome.DIVERGED)
        and (record.score is not None or math.isfinite(chance))
    ]
    settings = [{**r.setting.parameters, _RATE: _inside(r, low, high)} for r in known]
    scores = [chance if record.score is None else record.score for record in known]
    if len(known) < FEWEST_TRIALS or len(set(scores)) == 1:
        return tuple(Importance(name, None, None) for name in space)
    ped_anova = _normalised(_ped_anova(settings, scores, space))
    fanova = _normalised(
        shares_of_variance(
            {
                **{f"{slot}_activation": names for slot, names in plan.space.by_slot.items()},
                _RATE: (math.log(low), math.log(high)),
            },
            settings,
            scores,
            trees=_TREES,
            seed=derived_seed(plan.seed, "importance"),
        )
    )
    return tuple(Importance(name, ped_anova.get(name), fanova.get(name)) for name in space)


def _inside(record: Record, low: float, high: float) -> float:
    """Return the logarithm of a learning rate; rounding must not carry it over an end."""
    return math.log(min(max(record.setting.learning_rate, low), high))


def _ped_anova(
    settings: Sequence[Mapping[str, str | float]],
    scores: Sequence[float],
    space: dict[str, BaseDistribution],
) -> dict[str, float]:
    study = optuna.study.create_study(
        storage=optuna.storages.InMemoryStorage(), direction="maximize"
    )
    study.add_trials(
        [
            optuna.trial.create_trial(value=score, params=dict(setting), distributions=space)
            for setting, score in zip(settings, scores, strict=True)
        ]
    )
    best = max(_BEST_SHARE, min(0.5, _BEST_TRIALS / len(scores)))
    with warnings.catch_warnings():
        # Optuna warns where it answers with equal shares, which is told apart below.
        warnings.simplefilter("ignore")
        return optuna.importance.get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(target_quantile=best),
            params=list(space),
            normalize=False,
        )


def _normalised(found: Mapping[str, float]) -> dict[str, float]:
    """Return shares that add up to 1; none where all are zero."""
    total = sum(found.values())
    if not (math.isfinite(total) and total > 0):
        return {}
    return {name: float(value / total) for name, value in found.items()}
