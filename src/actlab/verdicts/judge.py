"""Records -> verdict: the one way in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from gettext import NullTranslations

import numpy as np

from actlab.records import BalancedSampler, Importance, Plan, SlotName, Verdict
from actlab.text import Formatter
from actlab.verdicts.mechanisms import mechanisms
from actlab.verdicts.methods import methods
from actlab.verdicts.probe_table import probe_rows
from actlab.verdicts.rates import rate_curves
from actlab.verdicts.replication import Replication, replicates_of
from actlab.verdicts.slot import slot_verdict

SLOTS: tuple[SlotName, ...] = ("conv", "fc")
DEFAULT_MARGIN = 0.005
"""Half a percentage point: a smaller difference of accuracy does not matter."""


@dataclass(frozen=True)
class Beside:
    """What a verdict is told from elsewhere: costs by activation, importance."""

    costs: Mapping[str, float] = field(default_factory=dict)
    importance: Sequence[Importance] = ()


def judge(
    plan: Plan,
    replication: Replication,
    *,
    margin: float = DEFAULT_MARGIN,
    beside: Beside | None = None,
    translations: NullTranslations | None = None,
) -> Verdict:
    """Return what the replicates of a study support.

    `margin` is the largest difference of accuracy that does not matter, as a fraction. Sentences
    are in the language of `translations` (English without). The same arguments give the same
    verdict: what is drawn at random is drawn from the plan's seed.

    Raises VerdictError where there are no replicates, or where they do not belong together.
    """
    told = beside or Beside()
    words = Formatter(translations or NullTranslations())
    replicates = replicates_of(replication)
    search = [r for r in replication.records if r.stage == "search"]
    balanced = search if isinstance(plan.sampler, BalancedSampler) else []
    slots = tuple(
        slot_verdict(
            replication,
            slot,
            margin,
            told.costs,
            np.random.default_rng((plan.seed, place)),
            words,
        )
        for place, slot in enumerate(SLOTS)
        if slot in replication.chosen
    )
    seeds = max((candidate.n for found in slots for candidate in found.candidates), default=0)
    return Verdict(
        slots=slots,
        margin=margin,
        seeds=seeds,
        rows_overlap=replication.rows_overlap,
        chance=replication.chance,
        rates=rate_curves(balanced, plan.space, replication.chance),
        importance=tuple(told.importance),
        mechanisms=mechanisms(replication, np.random.default_rng((plan.seed, len(SLOTS))), words),
        probes=probe_rows(replication, words),
        methods=methods(replication, margin, seeds, len(replicates), words),
    )
