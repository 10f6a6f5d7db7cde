"""The claim that learning rates of 0.004 and more do worse, on a search with equal budgets.

Each pair of activations has learning rates on both sides of 0.004 or on one; the pairs with both
compare the two sides with the same activations, so nothing but the rate (and chance) differs:
d = mean accuracy below 0.004 - mean accuracy from 0.004 on, one d per pair of activations. A trial
that failed counts at chance. All trials of a search share split and seed.
"""

from collections.abc import Sequence
from statistics import mean

import numpy as np

from actlab import verdicts
from actlab.records import Claim, ClaimOutcome, Record
from actlab.text import Formatter
from actlab.verdicts import ALPHA

THRESHOLD = 0.004
FEWEST_PAIRS = 6
"""Pairs of activations with rates on both sides that the comparison needs."""


def learning_rate_claim(
    search: Sequence[Record], chance: float, margin: float, words: Formatter
) -> Claim:
    """Return claim 3, judged over the records of a balanced search (empty: there was none)."""
    _ = words.translations.gettext
    text = _("Learning rates of 0.004 and more do worse.")
    if not search:
        reason = _(
            "Only a search with equal budgets can say: in this one the trials stand where earlier "
            "results were good. Run the preset balanced."
        )
        return Claim(3, text, "not enough evidence", reason)
    low, high = _sides(search, chance)
    if len(low) < FEWEST_PAIRS:
        reason = _(
            "Only {count} pairs of activations have learning rates on both sides of 0.004."
        ).format(count=len(low))
        return Claim(3, text, "not enough evidence", reason)
    outcome, reason = _judged(low, high, margin, words)
    return Claim(3, text, outcome, reason)


def _sides(search: Sequence[Record], chance: float) -> tuple[list[float], list[float]]:
    """Return the mean accuracy below and from 0.004 on, per pair of activations with both."""
    cells: dict[tuple[str, ...], tuple[list[float], list[float]]] = {}
    for record in search:
        setting = record.setting
        cell = cells.setdefault(tuple(setting.activations.values()), ([], []))
        accuracy = chance if record.valid_accuracy is None else record.valid_accuracy
        cell[setting.learning_rate >= THRESHOLD].append(accuracy)
    both = [cell for cell in cells.values() if cell[0] and cell[1]]
    return [mean(low) for low, _high in both], [mean(high) for _low, high in both]


def _judged(
    low: list[float], high: list[float], margin: float, words: Formatter
) -> tuple[ClaimOutcome, str]:
    _ = words.translations.gettext
    first, second = np.array(low), np.array(high)
    found = verdicts.paired_difference(first, second)
    numbers = _(
        "Over {count} pairs of activations with rates on both sides, those from 0.004 on are "
        "{difference} points lower (95 % interval {low} to {high}; {p}; Wilcoxon {wilcoxon}); "
        "lower in {lower} of them."
    ).format(
        count=len(low),
        difference=words.difference(found.mean),
        low=words.difference(found.low),
        high=words.difference(found.high),
        p=words.p_value(found.p_value),
        wilcoxon=words.p_value(verdicts.wilcoxon_p(first, second)),
        lower=int((first > second).sum()),
    )
    if found.high_90 < margin:
        return "not supported", numbers
    if found.p_value <= ALPHA:
        return "supported" if found.mean > 0 else "not supported", numbers
    return "not enough evidence", numbers
