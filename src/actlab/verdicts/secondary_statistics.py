"""Secondary statistics, reported and not used in the decision: other tests, ranks, more seeds."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from actlab import stats
from actlab.records import Candidate, Pair, Ranks
from actlab.verdicts.scores import Scores

BCA_FROM = 30
"""From this many seeds on a BCa interval is given with Student's; below, it covers too little."""

POWER = 0.8
"""The probability with which the advised number of seeds shows a difference of the margin."""

MOST_SEEDS = 1000
"""More seeds than this are no advice, and so many scores need no resampling."""


def with_secondary(
    rows: Sequence[Candidate],
    reference: Candidate,
    scores: Scores,
    pairs: tuple[Pair, ...],
    margin: float,
    reuse: float,
    alpha: float,
    generator: np.random.Generator,
) -> list[Candidate]:
    """Return the candidates with their secondary statistics; `reference` is the best."""
    chances = _chances(rows, scores, generator)
    found = []
    for row in rows:
        trained = [score for score in row.scores if score is not None]
        result = replace(row, probability_of_best=chances.get(row.name))
        if BCA_FROM <= len(trained) <= MOST_SEEDS:
            bca = stats.bca_interval(trained, generator)
            result = replace(result, bca_low=bca.low, bca_high=bca.high)
        pair = next((p for p in pairs if {p.first, p.second} == {row.name, reference.name}), None)
        if pair is not None and scores.paired:
            result = _other_tests(result, reference.name, scores, generator)
            # More blocks are not to be had for the asking, and their test is another.
            if scores.runs is None:
                more = _more_seeds(result, pair, len(pairs), margin, reuse, alpha)
                result = replace(result, more_seeds=more)
        found.append(result)
    return found


def _chances(
    rows: Sequence[Candidate], scores: Scores, generator: np.random.Generator
) -> dict[str, float]:
    """Return the probability of being best, among those that train reliably with all seeds."""
    full = _complete(scores, [place for place, row in enumerate(rows) if row.group != "unreliable"])
    table = scores.values[full][:, scores.trained[full].all(axis=0)] if full else None
    if table is None or len(full) < 2 or not 2 <= table.shape[1] <= MOST_SEEDS:
        return {}
    chances = stats.probability_of_best(table.T, generator)
    return {rows[place].name: float(p) for place, p in zip(full, chances, strict=True)}


def _complete(scores: Scores, places: Sequence[int]) -> list[int]:
    """Return those of some candidates that have as many runs as the one with most."""
    if not scores.paired or not places:
        return []
    runs = scores.ran.sum(axis=1)
    most = runs[list(places)].max()
    return [place for place in places if runs[place] == most]


def _other_tests(
    row: Candidate, reference: str, scores: Scores, generator: np.random.Generator
) -> Candidate:
    places = [scores.candidates.index(name) for name in (reference, row.name)]
    shared = scores.trained[places].all(axis=0)
    first, second = scores.values[places][:, shared]
    if len(first) > MOST_SEEDS:
        return row
    return replace(
        row,
        p_wilcoxon=stats.wilcoxon_p(first, second),
        p_permutation=stats.permutation_p(first, second, generator),
    )


def _more_seeds(
    row: Candidate, pair: Pair, comparisons: int, margin: float, reuse: float, alpha: float
) -> int | None:
    """Return how many seeds on top would decide about a candidate that is unclear.

    With so many a difference of the margin shows, and where there is none a tie does. What was seen
    says nothing here: of equal candidates it would promise a difference that more seeds would show.
    """
    if row.group != "unclear":
        return None
    found = pair.difference
    needed = stats.seeds_to_separate(
        margin, found.standard_deviation, comparisons, alpha, POWER, reuse
    )
    if needed is None or needed > MOST_SEEDS:
        return None
    return max(needed - found.n, 1)


def ranks(scores: Scores, places: Sequence[int]) -> Ranks | None:
    """Return Friedman's test and Nemenyi's critical difference; None below 3 candidates, 2 seeds.

    The blocks are seeds, not data sets. A picture only: the rule decides.
    """
    full = _complete(scores, places)
    if len(full) < 3:
        return None
    table = scores.values[full][:, scores.trained[full].all(axis=0)]
    if table.shape[1] < 2:
        return None
    found = stats.friedman_nemenyi(table.T)
    names = [scores.candidates[place] for place in full]
    return Ranks(
        mean_ranks=dict(zip(names, found.mean_ranks, strict=True)),
        critical_difference=found.critical_difference,
        p_value=found.p_value,
        cliques=tuple(tuple(names[place] for place in clique) for clique in found.cliques),
    )
