"""Numbers shown beside the rule, which decide nothing: other tests, ranks, chances, more seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from actlab import stats
from actlab.records import Candidate, Ranks
from actlab.verdicts.pairs import ALPHA, Conditions, Difference

BCA_FROM = 30
"""From this many seeds on a BCa interval stands beside Student's; below, it covers too little."""

POWER = 0.8
"""The probability with which the advised number of seeds separates two candidates."""

MOST_SEEDS = 1000
"""More seeds than this are no advice."""


def beside(
    candidates: Sequence[Candidate],
    table: Mapping[str, Mapping[int, float]],
    differences: Mapping[tuple[str, str], Difference],
    conditions: Conditions,
    generator: np.random.Generator,
) -> list[Candidate]:
    """Return the candidates with what stands beside the rule's own numbers."""
    best = next(c.activation for c in candidates if c.group == "best")
    chances = _chances(candidates, generator)
    found = []
    for candidate in candidates:
        told = replace(candidate, probability_of_best=chances.get(candidate.activation))
        if told.n >= BCA_FROM:
            bca = stats.bca_interval(told.scores, generator)
            told = replace(told, bca_low=bca.low, bca_high=bca.high)
        if told.p_adjusted is not None:
            told = _other_tests(told, table[best], table[told.activation], generator)
            difference = differences.get((best, told.activation))
            difference = difference or differences[told.activation, best]
            more = _more_seeds(told, difference, len(differences), conditions)
            told = replace(told, more_seeds=more)
        found.append(told)
    return found


def _chances(candidates: Sequence[Candidate], generator: np.random.Generator) -> dict[str, float]:
    """Return the probability of being best, among the candidates with all seeds."""
    n = max(c.n for c in candidates)
    full = [c for c in candidates if c.n == n]
    if len(full) < 2:
        return {}
    chances = stats.probability_of_best(np.transpose([c.scores for c in full]), generator)
    return {c.activation: float(p) for c, p in zip(full, chances, strict=True)}


def _other_tests(
    candidate: Candidate,
    best: Mapping[int, float],
    own: Mapping[int, float],
    generator: np.random.Generator,
) -> Candidate:
    shared = sorted(best.keys() & own.keys())
    first, second = (np.array([row[r] for r in shared]) for row in (best, own))
    return replace(
        candidate,
        p_wilcoxon=stats.wilcoxon_p(first, second),
        p_permutation=stats.permutation_p(first, second, generator),
    )


def _more_seeds(
    candidate: Candidate, found: Difference, comparisons: int, conditions: Conditions
) -> int | None:
    """Return how many seeds on top would separate a candidate that is not worse yet."""
    if candidate.group == "worse":
        return None
    needed = stats.seeds_to_separate(
        found.mean, found.spread, comparisons, ALPHA, POWER, conditions.reuse
    )
    if needed is None or needed > MOST_SEEDS:
        return None
    return max(needed - found.n, 1)


def ranks(candidates: Sequence[Candidate], n: int) -> Ranks | None:
    """Return Friedman's test and Nemenyi's critical difference; None below 3 candidates, 2 seeds.

    The blocks are seeds, not data sets. A picture only: the rule decides.
    """
    full = [c for c in candidates if c.n == n]
    if n < 2 or len(full) < 3:
        return None
    found = stats.friedman_nemenyi(np.transpose([c.scores for c in full]))
    names = [c.activation for c in full]
    return Ranks(
        mean_ranks=dict(zip(names, found.mean_ranks, strict=True)),
        critical_difference=found.critical_difference,
        p_value=found.p_value,
        cliques=tuple(tuple(names[place] for place in clique) for clique in found.cliques),
    )
