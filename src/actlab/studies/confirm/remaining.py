"""How many trainings a study still has before it, over all its phases."""

from collections.abc import Sequence

from actlab.records import Confirmation, Plan, Record
from actlab.studies.confirm.candidate_settings import CHOOSE_SEEDS, settings_to_choose_from


def trainings_left(plan: Plan, records: Sequence[Record], confirmation: Confirmation | None) -> int:
    """Return the trainings that are left, those of a confirmation that was asked for among them.

    Until the search has ended it is an estimate: which settings are trained again depends on it.
    Candidates that are stopped early make it fewer.
    """
    done = dict.fromkeys(("search", "choose", "confirm"), 0)
    for record in records:
        done[record.stage] += 1
    left = max(plan.trials - done["search"], 0)
    seeds = plan.replicates if confirmation is None else max(confirmation.seeds, plan.replicates)
    if seeds:
        choose = len(settings_to_choose_from(plan.space, records, plan.sampler)) * CHOOSE_SEEDS
        left += max(choose - done["choose"], 0)
        left += max(_candidates(plan) * seeds - done["confirm"], 0)
    return left


def _candidates(plan: Plan) -> int:
    """Return how many settings stand for the candidates: the best pair is one of both slots."""
    lists = plan.space.by_slot.values()
    return sum(map(len, lists)) - len(lists) + 1
