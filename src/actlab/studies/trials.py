"""From a plan and a setting to the trial that a worker gets."""

from dataclasses import dataclass, replace

from actlab import data
from actlab.records import Environment, Plan, Seeds, Setting, Stage, Trial
from actlab.studies.seeds import derived_seed


def search_trial(plan: Plan, environment: Environment, number: int, setting: Setting) -> Trial:
    """Return trial `number` of a search: all of them share the plan's seeds."""
    return Trial(
        number=number,
        setting=setting,
        protocol=plan.protocol,
        network=plan.network,
        data=plan.data,
        fingerprint=environment.fingerprint,
        seeds=Seeds.of_search(plan.seed),
        precision=environment.precision,
        device="cuda" if environment.device == "cuda" else "cpu",
    )


@dataclass(frozen=True)
class Replicate:
    """One setting to be trained again; the number follows from its place, not from its turn."""

    number: int
    setting: Setting
    stage: Stage
    replicate: int


def replicate_trial(plan: Plan, environment: Environment, one: Replicate) -> Trial:
    """Return the trial that trains a setting again: with the seeds of the replicate, on fresh rows.

    The seeds depend on plan, stage and replicate alone, so that all settings share them.
    """
    return replace(
        search_trial(plan, environment, one.number, one.setting),
        seeds=replicate_seeds(plan.seed, one.stage, one.replicate),
        stage=one.stage,
        replicate=one.replicate,
        avoided_split=None if rows_overlap(plan) else Seeds.of_search(plan.seed).split,
    )


def replicate_seeds(plan_seed: int, stage: Stage, replicate: int) -> Seeds:
    """Return the seeds of a replicate.

    >>> replicate_seeds(1, "choose", 0) == replicate_seeds(1, "confirm", 0)
    False
    """
    return Seeds(
        split=derived_seed(plan_seed, stage, replicate, "split"),
        weights=derived_seed(plan_seed, stage, replicate, "weights"),
        order=derived_seed(plan_seed, stage, replicate, "order"),
    )


def rows_overlap(plan: Plan) -> bool:
    """Return whether replicates share rows with the search, for want of rows it never saw."""
    pool, _test = data.pool_sizes(plan.data.name)
    return not data.has_unseen_rows(pool, plan.data.splits)
