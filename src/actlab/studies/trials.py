"""From a plan and a setting to the trial that a worker gets, and its seeds."""

import hashlib
from dataclasses import dataclass, replace

from actlab import data
from actlab.records import Environment, Plan, Record, Seeds, Setting, Stage, Trial

_ROUNDING = 1e-9
"""How far, relatively, a learning rate may lie outside its range: what logarithms round."""


def search_trial(plan: Plan, environment: Environment, number: int, setting: Setting) -> Trial:
    """Return trial `number` of a search: all of them share the plan's seeds."""
    return Trial(
        number=number,
        setting=setting,
        protocol=plan.protocol,
        network=plan.network,
        init=plan.init,
        network_hash=environment.network_hash,
        data=plan.data,
        training=plan.training,
        fingerprint=environment.fingerprint,
        seeds=Seeds.of_search(plan.seed),
        precision=environment.precision,
        device="cuda" if environment.device == "cuda" else "cpu",
    )


def contradiction(plan: Plan, record: Record) -> str | None:
    """Return the key of a plan with which a record cannot have been made, None where it can.

    A run of tasks has heads and losses of its own; what its plan says of them is not compared.
    """
    space, setting, rate = plan.space, record.setting, record.setting.learning_rate
    low, high = space.learning_rate_low, space.learning_rate_high
    for slot, name in setting.activations.items():
        if name not in space.by_slot.get(slot, ()):
            return f"space.{slot}_activation" if slot in ("conv", "fc") else f"space.slots.{slot}"
    if not low * (1 - _ROUNDING) <= rate <= high * (1 + _ROUNDING):
        return "space.learning_rate"
    if plan.execution.precision not in ("auto", record.precision):
        return "execution.precision"
    if record.stage == "search" and record.seeds != Seeds.of_search(plan.seed):
        return "seed"
    if record.stage != "task" and record.protocol != plan.protocol:
        return "protocol"
    return None


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
        avoided_split=None if rows_overlap(plan, environment) else plan.seed,
    )


def derived_seed(*parts: int | str) -> int:
    """Return a 32-bit seed that depends on all `parts` and on nothing else.

    >>> derived_seed(1, "ask", 0) == derived_seed(1, "ask", 0) != derived_seed(1, "ask", 1)
    True
    """
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big")


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


def rows_overlap(plan: Plan, environment: Environment | None) -> bool:
    """Return whether replicates share rows with the search, for want of rows it never saw.

    A study that has begun knows how many rows there are; before, the data are opened.
    """
    if plan.training.function is not None:
        return False  # what a seed decides is in the function
    if environment is not None and environment.divided_by:
        return True  # the rows are not free to be drawn anew
    known = environment.pool if environment is not None else None
    pool = data.pool_sizes(plan.data.name)[0] if known is None else known
    return not data.has_unseen_rows(pool, plan.data.splits)
