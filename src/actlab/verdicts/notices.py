"""What a reader must know before believing a slot's groups."""

from collections.abc import Sequence
from statistics import median

from actlab import stats
from actlab.text import Formatter
from actlab.verdicts.chance import near_chance
from actlab.verdicts.pairs import Conditions, Difference
from actlab.verdicts.replication import Replication, Scores

FEW_SEEDS = 6
"""Below this many seeds a paired t-test over many pairs sees very large gaps only."""


def notices(
    replication: Replication,
    scores: Sequence[Scores],
    shared: tuple[int, ...],
    differences: Sequence[Difference],
    conditions: Conditions,
    words: Formatter,
) -> tuple[str, ...]:
    """Return the sentences that apply."""
    found = [
        _few_seeds(len(shared), differences, conditions, words),
        _overlap(replication, words),
        _failures(scores, replication.chance, words),
        _stuck(scores, replication.chance, words),
        _left_out(scores, shared, words),
        _stopped(scores, shared, words),
    ]
    return tuple(text for text in found if text)


def _few_seeds(
    n: int, differences: Sequence[Difference], conditions: Conditions, words: Formatter
) -> str:
    if not 2 <= n < FEW_SEEDS or not differences:
        return ""
    _ = words.translations.gettext
    spread = median(found.spread for found in differences)
    smallest = stats.detectable_difference(n, spread, len(differences), reuse=conditions.reuse)
    return _(
        "{n} seeds are few: only very large gaps can show, here those of about {smallest} points "
        "and more. Six seeds are the least to rely on, ten are better."
    ).format(n=n, smallest=words.difference(smallest))


def _overlap(replication: Replication, words: Formatter) -> str:
    if not replication.rows_overlap:
        return ""
    _ = words.translations.gettext
    return _(
        "There are not enough fresh rows for every replicate, so replicates share rows with each "
        "other or with the search. All intervals and tests are widened for it (Nadeau and Bengio)."
    )


def _failures(scores: Sequence[Scores], chance: float, words: Formatter) -> str:
    failed = {s.activation: s.diverged for s in scores if s.diverged}
    if not failed:
        return ""
    _ = words.translations.gettext
    counts = ", ".join(f"{name} ({count})" for name, count in failed.items())
    return _(
        "Replicates that diverged or failed count at chance level ({chance}), none is dropped: "
        "{counts}."
    ).format(chance=words.percent(chance), counts=counts)


def _stuck(scores: Sequence[Scores], chance: float, words: Formatter) -> str:
    near = {
        s.activation: sum(near_chance(found, chance) for found in s.by_replicate.values())
        - s.diverged
        for s in scores
    }
    stuck = ", ".join(f"{name} ({count})" for name, count in near.items() if count)
    if not stuck:
        return ""
    _ = words.translations.gettext
    return _(
        "Replicates that ran to their end and learnt next to nothing: {counts}. A single one among "
        "good ones widens the intervals so far that the t-test may leave a candidate unclear that "
        "is behind on every seed; look at the single seeds and the ranks, too."
    ).format(counts=stuck)


def _left_out(scores: Sequence[Scores], shared: tuple[int, ...], words: Formatter) -> str:
    left_out = sum(len(s.by_replicate.keys() - set(shared)) for s in scores)
    if not left_out:
        return ""
    ngettext = words.translations.ngettext
    return ngettext(
        "Only the seeds that all compared candidates have are used; {count} replicate is left out.",
        "Only the seeds that all compared candidates have are used; "
        "{count} replicates are left out.",
        left_out,
    ).format(count=left_out)


def _stopped(scores: Sequence[Scores], shared: tuple[int, ...], words: Formatter) -> str:
    fewer = [s.activation for s in scores if s.by_replicate and set(shared) - s.by_replicate.keys()]
    if not fewer:
        return ""
    _ = words.translations.gettext
    return _(
        "Clearly behind, so not trained with all seeds: {names}. Each is compared over the seeds "
        "that it has."
    ).format(names=words.names(fewer))
