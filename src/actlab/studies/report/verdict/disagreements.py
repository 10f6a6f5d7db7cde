"""Where the critical-difference diagram and the paired tests say different things, and who wins."""

from actlab.records import Pair, SlotVerdict
from actlab.studies.report.verdict.groups import SIGNIFICANCE
from actlab.text import Formatter

SHOWN = 4
"""How many pairs are named; the table of all pairs has the others."""


def disagreements(slot: SlotVerdict) -> tuple[Pair, ...]:
    """Return the pairs of which only one of the two (Holm's p, Nemenyi's bars) sees a difference.

    The pairs with the smallest p come first.
    """
    if slot.ranks is None:
        return ()
    found = [
        pair
        for pair in slot.pairs
        if {pair.first, pair.second} <= slot.ranks.mean_ranks.keys()
        and _joined(slot, pair) == (pair.p_adjusted <= SIGNIFICANCE)
    ]
    return tuple(sorted(found, key=lambda pair: pair.p_adjusted))


def decision_sentences(slot: SlotVerdict, form: Formatter) -> tuple[str, ...]:
    """Return what the diagram is worth, and each disagreement with who decides it."""
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    if slot.ranks is None:
        return ()
    sentences = [
        _(
            "The diagram is a picture, not the verdict: it forgets how large the differences are, "
            "and its blocks are seeds, not data sets. The paired t tests with Holm's correction "
            "decide."
        )
    ]
    found = disagreements(slot)
    if not found:
        return (*sentences, _("Here the two agree on every pair."))
    sentences.append(
        ngettext(
            "They disagree on {count} pair:", "They disagree on {count} pairs:", len(found)
        ).format(count=len(found))
    )
    for pair in found[:SHOWN]:
        joined = _("{first} and {second}: the diagram joins them, the test separates them ({p}).")
        apart = _("{first} and {second}: the diagram separates them, the test does not ({p}).")
        template = joined if _joined(slot, pair) else apart
        sentences.append(
            template.format(first=pair.first, second=pair.second, p=p_equals(pair.p_adjusted, form))
        )
    if len(found) > SHOWN:
        sentences.append(
            ngettext(
                "And {count} more; the table of all pairs has them.",
                "And {count} more; the table of all pairs has them.",
                len(found) - SHOWN,
            ).format(count=len(found) - SHOWN)
        )
    return tuple(sentences)


def p_equals(p: float, form: Formatter) -> str:
    """Write "p = 0.031" or "p < 0.001"."""
    shown = form.probability(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _joined(slot: SlotVerdict, pair: Pair) -> bool:
    ranks = slot.ranks
    if ranks is None:
        return False
    distance = abs(ranks.mean_ranks[pair.first] - ranks.mean_ranks[pair.second])
    return distance <= ranks.critical_difference
