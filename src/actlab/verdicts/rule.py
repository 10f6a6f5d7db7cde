"""The one rule: which group a candidate is in. Three questions are asked, in this order.

1. Does it train reliably? *unreliable*: the lower 95 % Clopper-Pearson bound of its rate of
   failures is above `TOLERANCE`. The rest is asked of the others, over the seeds on which both
   candidates of a pair trained, so it is conditional on training at all.
2. Is the difference too small to matter? d = mean(best) - mean(candidate), paired by seed (without
   seeds in common: Welch). *tied*: the upper end of the 90 % interval of d is below the margin. A
   difference that is certain and smaller than the margin is tied, too.
3. Is it real? *worse*: the t test between the two rejects after Holm over all pairs. *unclear*:
   neither.

The *best* has the largest mean, and no candidate is ahead of it on the seeds that they share. With
a baseline, each candidate is compared with that one alone and p-values are adjusted by Dunnett's
method: *best* then is who is better than the baseline, *tied* who is within the margin on both
sides.

The level holds per table: with eight equal candidates, about 3 % of tables have a false *worse*.
Two slots are two questions, and one of them goes wrong about twice as often.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from actlab import stats
from actlab.records import Candidate, Comparison, Difference, Group, Pair
from actlab.verdicts.scores import Scores
from actlab.verdicts.secondary_statistics import ranks, with_secondary

ALPHA = 0.05
"""The level of the test over all comparisons of a table."""

TOLERANCE = 0.05
"""The rate of failures that is still called reliable."""


@dataclass(frozen=True)
class Question:
    """What is asked of a table of scores.

    `margin` is the largest difference that does not matter. `resolution` is the step between two
    possible scores, 1 / rows for an accuracy: a spread is never taken to be less than what that
    rounding causes. `reuse` is evaluation rows / train rows where replicates share rows (see
    `actlab.stats.nadeau_bengio_factor`), 0 where they do not. Intervals of a mean end at `limits`.
    `test` is Student's over seeds, or Wilcoxon's signed ranks over blocks.
    """

    margin: float
    higher_is_better: bool = True
    baseline: str | None = None
    resolution: float | None = None
    reuse: float = 0.0
    limits: tuple[float, float] = (-math.inf, math.inf)
    test: Literal["t", "signed_rank"] = "t"

    def variance_factor(self, n: int) -> float:
        """Return what the variance of a mean of n replicates is a multiple of."""
        return 1 / n + self.reuse


def compare(
    scores: Scores, question: Question, generator: np.random.Generator | None = None
) -> Comparison:
    """Return the groups of the candidates of a table, with the numbers that they rest on.

    What is reported in addition (other tests, ranks, chances, seeds needed) decides nothing; it
    needs a `generator` and is left out without one.

    >>> from actlab.verdicts.scores import scores_by_seed
    >>> rows = {"relu": [0.97, 0.98, 0.97, 0.98], "tanh": [0.90, 0.92, 0.91, 0.90]}
    >>> table = scores_by_seed({name: dict(enumerate(row)) for name, row in rows.items()})
    >>> [(row.name, row.group) for row in compare(table, Question(margin=0.005)).candidates]
    [('relu', 'best'), ('tanh', 'worse')]
    """
    oriented = scores if question.higher_is_better else replace(scores, values=-scores.values)
    rows = [_alone(oriented, place, question) for place in range(len(scores.candidates))]
    asked = [place for place, row in enumerate(rows) if _is_asked(row, question)]
    pairs = _pairs(oriented, asked, question)
    reference = _reference(rows, asked, pairs, question)
    runs = _runs(oriented)
    if reference is not None:
        rows = [_grouped(row, reference, pairs, runs, question) for row in rows]
    if reference is not None and generator is not None:
        rows = with_secondary(
            rows, reference, oriented, pairs, question.margin, question.reuse, ALPHA, generator
        )
    rows.sort(key=_place)
    if not question.higher_is_better:
        rows = [_turned(row) for row in rows]
    return Comparison(
        candidates=tuple(rows),
        pairs=pairs,
        ranks=ranks(oriented, asked) if generator is not None else None,
        seeds=int(scores.ran.sum(axis=1).max(initial=0)),
        unit="seeds" if scores.runs is None else "blocks",
        runs={} if scores.runs is None else runs,
    )


def group_of(found: Pair | None, margin: float, *, both_sides: bool = False) -> Group:
    """Return the group of a candidate from best - candidate, or from baseline - candidate.

    `both_sides` is for a baseline, which a candidate may be better than.

    >>> found = Difference(0.003, 0.002, 0.004, 0.0021, 0.0039, 0.0001, 10, 0.001, 9)
    >>> pair = Pair("relu", "tanh", found, p_adjusted=0.001)
    >>> group_of(pair, margin=0.005), group_of(pair, margin=0.001), group_of(None, margin=0.005)
    ('tied', 'worse', 'unclear')
    """
    if found is None:
        return "unclear"
    behind = found.difference
    if behind.high_90 < margin and (not both_sides or behind.low_90 > -margin):
        return "tied"
    if found.p_adjusted > ALPHA:
        return "unclear"
    if behind.mean > 0:
        return "worse"
    return "best" if both_sides and behind.mean < 0 else "unclear"


def _runs(scores: Scores) -> dict[str, int]:
    """Return how many runs each candidate has, failed ones among them."""
    counts = scores.ran.sum(axis=1) if scores.runs is None else scores.runs
    return {name: int(count) for name, count in zip(scores.candidates, counts, strict=True)}


def _alone(scores: Scores, place: int, question: Question) -> Candidate:
    """Return a candidate on its own: failures, mean and interval, compared with nobody yet."""
    ran, trained = scores.ran[place], scores.trained[place]
    runs, failures = int(ran.sum()), int((ran & ~trained).sum())
    if scores.runs is not None and scores.failures is not None:
        runs, failures = int(scores.runs[place]), int(scores.failures[place])
    low = stats.failure_rate_low(failures, runs) if runs else None
    row = Candidate(
        name=scores.candidates[place],
        group="unreliable" if low is not None and low > TOLERANCE else "unclear",
        scores=tuple(
            float(value) if ok else None
            for value, ok in zip(scores.values[place][ran], trained[ran], strict=True)
        ),
        failures=failures,
        failure_rate_low=low,
    )
    values = scores.values[place][trained]
    if not values.size:
        return row
    row = replace(row, mean=float(values.mean()))
    if values.size == 1:
        return row
    found = stats.student_t_interval(
        values,
        resolution=question.resolution or 0.0,
        variance_factor=question.variance_factor(values.size),
    )
    lowest, highest = question.limits
    return replace(row, low=max(found.low, lowest), high=min(found.high, highest))


def _is_asked(row: Candidate, question: Question) -> bool:
    """Return whether the second and the third question are asked of a candidate."""
    if row.mean is None:
        return False
    return row.group != "unreliable" or row.name == question.baseline


def _pairs(scores: Scores, asked: list[int], question: Question) -> tuple[Pair, ...]:
    """Return the pairs that are compared, with adjusted p-values.

    Without a baseline these are all pairs: the best is picked from the same data, so that pairs
    with the best alone would be too few.
    """
    names = scores.candidates
    differences: dict[tuple[int, int], tuple[Difference, float | None]] = {}
    for first, second in combinations(asked, 2):
        if question.baseline is not None and question.baseline not in (names[first], names[second]):
            continue
        found = _difference(scores, first, second, question)
        if found is not None:
            differences[first, second] = found
    p_values = [found.p_value for found, _chance in differences.values()]
    if question.baseline is None:
        adjusted = stats.holm(p_values)
    else:
        degrees = [found.degrees for found, _chance in differences.values()]
        adjusted = stats.dunnett(p_values, degrees)
    return tuple(
        Pair(names[first], names[second], found, float(p), chance)
        for ((first, second), (found, chance)), p in zip(differences.items(), adjusted, strict=True)
    )


def _difference(
    scores: Scores, first: int, second: int, question: Question
) -> tuple[Difference, float | None] | None:
    """Return first - second and how often first is ahead; None for too few scores."""
    trained = scores.trained
    if scores.paired:
        shared = trained[first] & trained[second]
        n = int(shared.sum())
        if n < 2:
            return None
        one, other = scores.values[first][shared], scores.values[second][shared]
        if question.test == "signed_rank":
            found = stats.signed_rank_difference(one, other)
        else:
            found = stats.paired_difference(
                one, other, question.variance_factor(n), question.resolution
            )
        return found, stats.probability_of_improvement(one, other)
    one, other = (scores.values[place][trained[place]] for place in (first, second))
    if min(one.size, other.size) < 2:
        return None
    return stats.welch_difference(one, other, question.resolution), None


def _reference(
    rows: list[Candidate], asked: list[int], pairs: tuple[Pair, ...], question: Question
) -> Candidate | None:
    """Return whom the others are compared with: the baseline, or the best; None for nobody."""
    if question.baseline is not None:
        return next(row for row in rows if row.name == question.baseline) if pairs else None
    if not pairs:
        unreliable = any(row.group == "unreliable" for row in rows)
        alone = len(asked) == 1 and unreliable and rows[asked[0]].trained > 1
        return rows[asked[0]] if alone else None
    compared = {name for pair in pairs for name in (pair.first, pair.second)}
    ranked = sorted(
        (rows[place] for place in asked if rows[place].name in compared),
        key=lambda row: -_ranked(row.mean),
    )
    return next((row for row in ranked if not _is_behind(row.name, pairs)), ranked[0])


def _is_behind(name: str, pairs: tuple[Pair, ...]) -> bool:
    own = (pair.seen_from(name) for pair in pairs if name in (pair.first, pair.second))
    return any(pair.difference.mean < 0 for pair in own)


def pair_with(name: str, other: str, pairs: tuple[Pair, ...]) -> Pair | None:
    """Return the pair of two candidates with `name` first; None where they were not compared."""
    found = (pair for pair in pairs if {pair.first, pair.second} == {name, other})
    return next((pair.seen_from(name) for pair in found), None)


def _grouped(
    row: Candidate,
    reference: Candidate,
    pairs: tuple[Pair, ...],
    runs: Mapping[str, int],
    question: Question,
) -> Candidate:
    """Put a candidate into its group, with the numbers that say why."""
    with_baseline = question.baseline is not None
    if row.name == reference.name:
        group: Group = "tied" if with_baseline else "best"
        return replace(row, group=row.group if row.group == "unreliable" else group, difference=0.0)
    if row.failures or reference.failures:
        counts = (row.failures, reference.failures)
        of = (runs[row.name], runs[reference.name])
        row = replace(row, p_failures=stats.failure_rates_p(counts, of) if row.n else None)
    found = pair_with(reference.name, row.name, pairs)
    if found is None:
        return row
    behind = found.difference
    smallest = max(behind.high_90, -behind.low_90) if with_baseline else behind.high_90
    return replace(
        row,
        group=group_of(found, question.margin, both_sides=with_baseline),
        difference=-behind.mean,
        difference_low=-behind.high,
        difference_high=-behind.low,
        p_adjusted=found.p_adjusted,
        smallest_margin=smallest,
    )


def _place(row: Candidate) -> tuple[bool, bool, bool, float]:
    """Order by falling mean, the best before its equals, unreliable ones and those without last."""
    unreliable = row.group == "unreliable"
    return row.mean is None, unreliable, row.group != "best", -_ranked(row.mean)


def _ranked(mean: float | None) -> float:
    """Return a mean without its last digits: equal means keep the order of the table."""
    return float(f"{mean or 0.0:.12g}")


def _turned(row: Candidate) -> Candidate:
    """Return a candidate in the unit of a metric in which lower is better."""

    def back(value: float | None) -> float | None:
        return None if value is None else -value

    return replace(
        row,
        scores=tuple(back(score) for score in row.scores),
        mean=back(row.mean),
        low=back(row.high),
        high=back(row.low),
        bca_low=back(row.bca_high),
        bca_high=back(row.bca_low),
    )
