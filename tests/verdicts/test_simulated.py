"""Studies with planted truths, through the whole verdict."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from actlab.studies.confirm.judging import judge
from actlab.verdicts import Question, compare, scores_by_seed
from tests.studies.confirm.planted import NAMES, drawn, plan, replication

MARGIN = 0.005


def groups(scores: Mapping[str, Sequence[float]]) -> dict[str, str]:
    """Judge without what decides nothing, which is most of the time of a verdict."""
    table = scores_by_seed({name: dict(enumerate(row)) for name, row in scores.items()})
    found = compare(table, Question(MARGIN, resolution=1 / 5000, limits=(0.0, 1.0)))
    return {candidate.name: candidate.group for candidate in found.candidates}


def share_with_a_false_worse(studies: int, seeds: int, paired_spread: float) -> float:
    generator = np.random.default_rng(seeds)
    equal = dict.fromkeys(NAMES, 0.97)
    wrong = 0
    for _ in range(studies):
        found = groups(
            drawn(generator, equal, seeds, paired_spread, shared_spread=0.003, rows=None)
        )
        wrong += "worse" in found.values()
    return wrong / studies


def share_tied(studies: int) -> float:
    generator = np.random.default_rng(4)
    equal = dict.fromkeys(NAMES, 0.97)
    tied = 0
    for _ in range(studies):
        found = groups(drawn(generator, equal, 10, 0.6 * MARGIN, rows=None))
        tied += sum(group == "tied" for group in found.values())
    return tied / (studies * (len(NAMES) - 1))


def share_with_the_winner(studies: int) -> float:
    generator = np.random.default_rng(5)
    means = dict.fromkeys(NAMES, 0.97) | {"prelu": 0.98}
    found = 0
    for _ in range(studies):
        judged = groups(drawn(generator, means, 10, 0.0035, rows=None))
        others = {group for name, group in judged.items() if name != "prelu"}
        found += judged["prelu"] == "best" and others == {"worse"}
    return found / studies


# 40 studies at a true rate of 0.04 have more than six false ones once in 600 tries.
def test_equal_candidates_are_seldom_called_worse() -> None:
    assert share_with_a_false_worse(40, 10, 0.003) <= 6 / 40


def test_equal_candidates_are_tied() -> None:
    assert share_tied(25) >= 0.95


def test_a_winner_by_one_point_is_found() -> None:
    assert share_with_the_winner(15) >= 14 / 15


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "spread"), [(2, 0.003), (3, 0.003), (10, 0.003), (10, 0.01)])
def test_equal_candidates_are_called_worse_in_five_percent_of_studies_at_most(
    seeds: int, spread: float
) -> None:
    assert share_with_a_false_worse(2000, seeds, spread) <= 0.05


@pytest.mark.slow
def test_equal_candidates_are_tied_in_many_studies() -> None:
    assert share_tied(1000) >= 0.95


@pytest.mark.slow
def test_a_winner_is_found_in_many_studies() -> None:
    assert share_with_the_winner(500) >= 0.99


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_heavy_ties_are_no_certainty(seeds: int) -> None:
    """Few images: accuracies fall on the same few values, and differences are often all equal."""
    generator = np.random.default_rng(seeds)
    wrong = 0
    for _ in range(30):
        scores = drawn(generator, dict.fromkeys(NAMES[:4], 0.95), seeds, 0.006, rows=100)
        slot = judge(plan(), replication(scores, evaluation_rows=100)).slots[0]
        wrong += any(c.group == "worse" for c in slot.candidates)
    assert wrong <= 4


def test_a_candidate_that_always_diverges_is_unreliable() -> None:
    scores: dict[str, Sequence[float | None]] = dict(
        drawn(np.random.default_rng(1), dict.fromkeys(NAMES[:3], 0.97), 10, 0.003)
    )
    scores["silu"] = [None] * 10
    slot = judge(plan(), replication(scores)).slots[0]
    silu = slot.candidates[-1]
    assert (silu.name, silu.group, silu.mean, silu.diverged) == ("silu", "unreliable", None, 10)
    assert {c.group for c in slot.candidates[1:-1]} == {"tied"}


@pytest.mark.parametrize("seed", range(5))
def test_two_seeds_never_crash(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scores: dict[str, Sequence[float | None]] = dict(
        drawn(generator, dict.fromkeys(NAMES, 0.9), 2, 0.01, rows=50)
    )
    scores["relu"] = [None, 0.9]
    scores["tanh"] = [None, None]
    scores["elu"] = []
    verdict = judge(plan(), replication(scores, scores, evaluation_rows=50))
    for slot in verdict.slots:
        assert sum(c.group == "best" for c in slot.candidates) == 1
        numbers = [c.difference for c in slot.candidates if c.difference is not None]
        assert all(-1 <= number <= 0 for number in numbers)
