"""The verdict on one slot: scores, pairs, groups, words."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from actlab.records import Candidate, Pair, SlotName, SlotVerdict
from actlab.text import Formatter
from actlab.verdicts import sentences
from actlab.verdicts.notices import notices
from actlab.verdicts.pairs import Conditions, all_pairs, interval
from actlab.verdicts.replication import Replication, Scores, common_replicates, scores_of
from actlab.verdicts.rule import gap, group
from actlab.verdicts.secondary_statistics import beside, ranks
from actlab.verdicts.summary import summary


def slot_verdict(
    replication: Replication,
    slot: SlotName,
    margin: float,
    costs: Mapping[str, float],
    generator: np.random.Generator,
    words: Formatter,
) -> SlotVerdict:
    """Return groups, numbers and sentences for one slot.

    `margin` is the largest difference that does not matter, as a fraction; `costs` are relative
    costs by activation, for those that have one.
    """
    scores = scores_of(replication, slot)
    shared = common_replicates(scores, replication.stopped.get(slot, frozenset()))
    conditions = _conditions(replication)
    table = _table(scores, shared)
    pairs, differences = all_pairs(table, conditions)
    candidates = [
        replace(
            _described(candidate, table.get(candidate.activation, {}), conditions, words),
            cost=costs.get(candidate.activation),
        )
        for candidate in scores
    ]
    if pairs:
        candidates = _judged(candidates, len(shared), pairs, margin, words)
        candidates = beside(candidates, table, differences, conditions, generator)
    candidates.sort(key=_place)
    return SlotVerdict(
        slot=slot,
        candidates=tuple(candidates),
        pairs=pairs,
        ranks=ranks(candidates, len(shared)),
        summary=summary(candidates, len(shared), margin, words),
        notices=notices(
            replication, scores, shared, tuple(differences.values()), conditions, words
        ),
    )


def _conditions(replication: Replication) -> Conditions:
    reuse = replication.evaluation_rows / replication.train_rows
    return Conditions(
        resolution=1 / replication.evaluation_rows,
        reuse=reuse if replication.rows_overlap else 0.0,
    )


def _table(scores: tuple[Scores, ...], shared: tuple[int, ...]) -> dict[str, dict[int, float]]:
    """Return the accuracies that are compared, by candidate and replicate.

    Empty where every replicate of every candidate failed: then there is nothing to compare.
    """
    if all(s.diverged == len(s.by_replicate) for s in scores):
        return {}
    table = {
        s.activation: {r: s.by_replicate[r] for r in shared if r in s.by_replicate} for s in scores
    }
    return {name: row for name, row in table.items() if row}


def _described(
    scores: Scores, row: Mapping[int, float], conditions: Conditions, words: Formatter
) -> Candidate:
    """Return a candidate on its own: mean and interval, compared with nobody yet."""
    values = tuple(row.values())
    low, high = interval(np.array(values), conditions) if len(values) > 1 else (None, None)
    return Candidate(
        activation=scores.activation,
        group="unclear",
        sentence=sentences.of_not_comparable(scores, words),
        setting=scores.setting,
        scores=values,
        diverged=scores.diverged,
        mean=float(np.mean(values)) if values else None,
        low=low,
        high=high,
        test_accuracy=scores.test_accuracy,
    )


def _judged(
    candidates: list[Candidate], n: int, pairs: tuple[Pair, ...], margin: float, words: Formatter
) -> list[Candidate]:
    """Put every candidate into its group, with the numbers and a sentence that say why."""
    best = max((c for c in candidates if c.n == n), key=lambda c: c.mean or 0.0)
    return [
        _as_best(c, words) if c is best else _behind(c, best, pairs, margin, words)
        for c in candidates
    ]


def _as_best(candidate: Candidate, words: Formatter) -> Candidate:
    told = sentences.of_best(candidate.activation, candidate.mean or 0.0, candidate.n, words)
    return replace(candidate, group="best", difference=0.0, sentence=told)


def _behind(
    candidate: Candidate, best: Candidate, pairs: tuple[Pair, ...], margin: float, words: Formatter
) -> Candidate:
    found = gap(best.activation, candidate.activation, pairs)
    if found is None:
        return candidate
    kind = group(found, margin)
    if kind == "worse":
        told = sentences.of_worse(candidate.activation, best.activation, found, words)
    elif kind == "tied":
        told = sentences.of_tied(candidate.activation, best.activation, found, margin, words)
    else:
        told = sentences.of_unclear(candidate.activation, best.activation, found, margin, words)
    return replace(
        candidate,
        group=kind,
        sentence=told,
        difference=-found.difference,
        difference_low=-found.high,
        difference_high=-found.low,
        p_adjusted=found.p_adjusted,
        smallest_margin=found.smallest_margin,
    )


def _place(candidate: Candidate) -> tuple[bool, bool, float]:
    """Order by falling mean, the best before its equals, those without a mean last."""
    return candidate.mean is None, candidate.group != "best", -(candidate.mean or 0.0)
