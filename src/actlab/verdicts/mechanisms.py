"""Does a property of the trained networks go with their accuracy, across candidates?

A candidate's property is the mean over its networks of the mean over the slot's layers; its
accuracy is the mean over its replicates, diverged ones at chance, as the verdict has it. The
correlation is Spearman's. It is a weak instrument, and says so: a study has about eight candidates,
so that the interval is wide; candidates differ in more than one property, and in the learning rate
and the partner that suit them best; the intervals are not adjusted for their number. What it shows
is where a conjecture about the cause could not be right.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from actlab import stats
from actlab.records import Mechanism, SlotName
from actlab.text import Formatter
from actlab.verdicts.properties import CORRELATED, SPARSENESS, ZEROS, Property, layers_of, probed
from actlab.verdicts.replication import Replication, Scores, scores_of

CLAIM_OF: dict[SlotName, int] = {"conv": 4, "fc": 5}
"""Which claim of the published study speaks of a slot's sparsity."""

FEWEST = 4
"""Below this many candidates every order is likely by chance."""

_DECIMALS = 4
"""Properties that agree to these decimals count as equal: a rank should rest on no rounding."""


def mechanisms(
    replication: Replication, generator: np.random.Generator, words: Formatter
) -> tuple[Mechanism, ...]:
    """Return a correlation per slot and property; none where no network was looked into."""
    return tuple(
        _mechanism(replication, slot, one, generator, words)
        for slot in replication.chosen
        for one in CORRELATED
        if any(probed(replication, scores) for scores in scores_of(replication, slot))
    )


def _mechanism(
    replication: Replication,
    slot: SlotName,
    one: Property,
    generator: np.random.Generator,
    words: Formatter,
) -> Mechanism:
    values: dict[str, float] = {}
    accuracies = []
    for scores in scores_of(replication, slot):
        value = _of_candidate(replication, scores, slot, one)
        if value is not None:
            values[scores.activation] = round(value, _DECIMALS)
            accuracies.append(fmean(scores.by_replicate.values()))
    obstacle = _obstacle(values, accuracies, one, words)
    found = None
    if obstacle is None:
        found = stats.rank_correlation(list(values.values()), accuracies, generator)
    return Mechanism(
        slot=slot,
        property_name=words.translations.gettext(one.name),
        correlation=found.estimate if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        candidates=len(values),
        claim=CLAIM_OF.get(slot) if one in (SPARSENESS, ZEROS) else None,
        sentence=obstacle or (_sentence(found, len(values), one, words) if found else ""),
        values=values,
        key=one.key,
    )


def _of_candidate(
    replication: Replication, scores: Scores, slot: SlotName, one: Property
) -> float | None:
    """Return the mean over networks of the mean over layers; a network without one is left out."""
    means = []
    for record in probed(replication, scores):
        found = [one.value(layer) for layer in layers_of(record, slot)]
        known = [value for value in found if value is not None]
        if known:
            means.append(fmean(known))
    return fmean(means) if means else None


def _obstacle(
    values: dict[str, float], accuracies: Sequence[float], one: Property, words: Formatter
) -> str | None:
    """Return in a sentence why there is no correlation; None where there can be one."""
    _, ngettext = words.translations.gettext, words.translations.ngettext
    name = words.translations.gettext(one.name)
    if len(values) < FEWEST:
        return ngettext(
            "The {property} is known for {count} candidate; a correlation needs at least {needed}.",
            "The {property} is known for {count} candidates; a correlation needs at least "
            "{needed}.",
            len(values),
        ).format(property=name, count=len(values), needed=FEWEST)
    if len(set(accuracies)) == 1:
        return _("All candidates have the same accuracy, so nothing goes with it.")
    usual, times = Counter(values.values()).most_common(1)[0]
    apart = [candidate for candidate, value in values.items() if value != usual]
    if not apart:
        return _("The {property} is the same, {value}, in all {count} candidates.").format(
            property=name, value=f"{usual:.4g}", count=len(values)
        )
    if times > len(values) / 2:
        return _(
            "The {property} is {value} in {times} of {count} candidates and differs in {names} "
            "alone; that is too little to correlate with accuracy."
        ).format(
            property=name,
            value=f"{usual:.4g}",
            times=times,
            count=len(values),
            names=words.names(apart),
        )
    return None


def _sentence(found: stats.Interval, candidates: int, one: Property, words: Formatter) -> str:
    _ = words.translations.gettext
    if found.low > 0:
        text = _(
            "Across {count} candidates a larger {property} goes with a higher accuracy: rank "
            "correlation {correlation} (95 % interval {low} to {high})."
        )
    elif found.high < 0:
        text = _(
            "Across {count} candidates a larger {property} goes with a lower accuracy: rank "
            "correlation {correlation} (95 % interval {low} to {high})."
        )
    else:
        text = _(
            "Across {count} candidates it cannot be said whether the {property} goes with "
            "accuracy: rank correlation {correlation}, but with so few candidates the 95 % "
            "interval is wide ({low} to {high})."
        )
    return text.format(
        count=candidates,
        property=_(one.name),
        correlation=signed(found.estimate),
        low=signed(found.low),
        high=signed(found.high),
    )


def signed(correlation: float) -> str:
    """Write a correlation with its sign.

    >>> signed(-0.314), signed(0.95)
    ('−0.31', '+0.95')
    """
    return f"{correlation:+.2f}".replace("-", "−")
