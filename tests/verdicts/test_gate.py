"""The gate on simulated streams: its error over all looks, its ledger's, and what it finds."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats as scipy_stats

from actlab.errors import VerdictError
from actlab.verdicts.gate import (
    GatePlan,
    GateResult,
    Run,
    _null_p_values,
    alpha_of,
    levels,
    run_gate,
)

from .test_null_tables import noise


def stream(
    generator: np.random.Generator, plan: GatePlan, lift: float, shape: str = "normal"
) -> GateResult:
    """Decide between two sides that share what a seed brings; the candidate is `lift` ahead."""
    shared = 3.0 * noise(generator, shape, (plan.max_seeds,))
    own = noise(generator, shape, (2, plan.max_seeds))

    def run(runs: Sequence[Run]) -> dict[Run, float | None]:
        return {
            (side, seed): float(shared[seed] + own[int(side == "candidate"), seed])
            + (lift if side == "candidate" else 0.0)
            for side, seed in runs
        }

    return run_gate(plan, run)


def share_better(streams: int, plan: GatePlan, lift: float = 0.0, shape: str = "normal") -> float:
    generator = np.random.default_rng((plan.max_seeds, len(shape)))
    found = [stream(generator, plan, lift, shape).decision for _stream in range(streams)]
    return sum(decision == "better" for decision in found) / streams


def test_an_equal_candidate_seldom_passes() -> None:
    assert share_better(200, GatePlan()) <= 0.09


def test_a_better_one_passes_and_a_worse_one_does_not() -> None:
    assert share_better(60, GatePlan(), lift=3.0) == 1.0
    generator = np.random.default_rng(0)
    assert {stream(generator, GatePlan(), -3.0).decision for _s in range(20)} == {"worse"}
    down = GatePlan(higher_is_better=False)
    assert {stream(generator, down, -3.0).decision for _s in range(20)} == {"better"}


def test_a_difference_within_the_margin_is_tied() -> None:
    generator = np.random.default_rng(1)
    plan = GatePlan(max_seeds=40, margin=3.0)
    found = [stream(generator, plan, 0.5).decision for _stream in range(30)]
    assert found.count("tied") >= 28
    assert "better" not in found


def test_the_levels_add_up_where_they_cannot_be_simulated() -> None:
    looks = GatePlan(max_seeds=20).looks
    assert looks == (3, 4, 5, 6, 8, 10, 12, 15, 20)
    assert sum(levels(looks, 0.001)) == pytest.approx(0.001)
    assert 0.05 < sum(levels(looks, 0.05)) < 0.2
    assert levels((5,), 0.05) == (0.05,)


def test_a_ledger_spends_its_error_once() -> None:
    spent = [alpha_of(number, 0.05) for number in range(1, 100_000)]
    assert math.fsum(spent) < 0.05
    assert spent == sorted(spent, reverse=True)


def failing(base: Sequence[bool], candidate: Sequence[bool]) -> GateResult:
    failed = {"base": base, "candidate": candidate}

    def run(runs: Sequence[Run]) -> Mapping[Run, float | None]:
        return {(side, seed): None if failed[side][seed] else float(seed) for side, seed in runs}

    return run_gate(GatePlan(max_seeds=10), run)


def test_failures_are_an_answer_of_their_own() -> None:
    result = failing([False] * 10, [True] * 10)
    assert (result.decision, result.reason, result.failures) == (
        "worse",
        "unreliable",
        {"base": 0, "candidate": 3},
    )
    once = failing([False] * 10, [True, *[False] * 9])
    assert (once.decision, once.pairs, once.failures["candidate"]) == ("undecided", 9, 1)
    with pytest.raises(VerdictError, match="The baseline failed in 3 of 3 runs"):
        failing([True] * 10, [False] * 10)


def test_a_candidate_that_fails_often_does_not_pass() -> None:
    """Ahead by far where it runs; two failures of five are no proof that it is unreliable yet."""

    def decided(failing_seeds: set[int], most: int = 8) -> GateResult:
        def run(runs: Sequence[Run]) -> dict[Run, float | None]:
            return {
                (side, seed): None
                if side == "candidate" and seed in failing_seeds
                else 0.001 * (seed % 3) + (0.1 + 0.01 * seed if side == "candidate" else 0.0)
                for side, seed in runs
            }

        return run_gate(GatePlan(max_seeds=most), run)

    assert (decided(set()).decision, decided(set()).pairs) == ("better", 3)
    twice = decided({0, 3})
    assert (twice.decision, twice.reason, twice.failures["candidate"]) == ("better", "", 2)
    assert twice.pairs == 6, "2 of 8 are within what is tolerated"
    of_six = decided({0, 3}, most=6)
    assert (of_six.decision, of_six.reason) == ("undecided", "failures")
    thrice = decided({0, 3, 6})
    assert (thrice.decision, thrice.reason) == ("worse", "unreliable")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shape", ["normal", "skewed", "heavy"])
@pytest.mark.parametrize("most", [5, 20, 50])
def test_false_better_is_at_most_5_percent(most: int, shape: str) -> None:
    share = share_better(1000, GatePlan(max_seeds=most), shape=shape)
    print(f"\nfalse better: {most} {shape}: {100 * share:.1f} %")
    assert share <= 0.062


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_false_better_over_a_ledger_of_fifty() -> None:
    """The same baseline runs for all candidates, as a ledger has them."""
    generator = np.random.default_rng(3)
    wrong = 0
    for _ledger in range(1000):
        base = generator.standard_normal(20)

        def decide(number: int, base: np.ndarray = base) -> str:
            own = generator.standard_normal(20)
            rows = {"base": base, "candidate": own}

            def run(runs: Sequence[Run]) -> dict[Run, float | None]:
                return {(side, seed): float(rows[side][seed]) for side, seed in runs}

            return run_gate(GatePlan(alpha=alpha_of(number, 0.05)), run).decision

        wrong += any(decide(number) == "better" for number in range(1, 51))
    print(f"\nfalse better in a ledger of 50: {wrong / 10:.1f} %")
    assert wrong / 1000 <= 0.062


@pytest.mark.slow
@pytest.mark.parametrize("lift", [0.5, 1.0, 2.0])
def test_what_it_finds(lift: float) -> None:
    """Differences in units of one side's own spread; the paired spread is 1.41."""
    generator = np.random.default_rng(5)
    found = [stream(generator, GatePlan(), lift) for _stream in range(500)]
    better = [one for one in found if one.decision == "better"]
    pairs = float(np.mean([one.pairs for one in found]))
    print(f"\nlift {lift}: better in {len(better) / 5:.0f} %, {pairs:.1f} pairs on average")
    assert better or lift < 1.0


def given(
    base: Sequence[float | None], candidate: Sequence[float | None], **plan: Any
) -> GateResult:
    scores = {"base": base, "candidate": candidate}

    def run(runs: Sequence[Run]) -> dict[Run, float | None]:
        return {(side, seed): scores[side][seed] for side, seed in runs}

    return run_gate(GatePlan(**{"max_seeds": len(base), **plan}), run)


@pytest.mark.parametrize(
    ("most", "looks"),
    [
        (2, (2,)),
        (3, (3,)),
        (4, (3, 4)),
        (7, (3, 4, 5, 6, 7)),
        (9, (3, 4, 5, 6, 8, 9)),
        (100, (3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80, 100)),
    ],
)
def test_a_gate_looks_at_last_after_its_last_pair(most: int, looks: tuple[int, ...]) -> None:
    assert GatePlan(max_seeds=most).looks == looks


def test_the_levels_grow_with_the_pairs_and_err_as_often_as_asked() -> None:
    looks = (3, 5, 10)
    found = levels(looks, 0.05)
    assert [level / found[0] for level in found] == pytest.approx([n / 3 for n in looks])
    noise_of = np.random.default_rng(1).standard_normal((20_000, 10))
    crossed = np.zeros(20_000, dtype=bool)
    for n, level in zip(looks, found, strict=True):
        p = scipy_stats.ttest_1samp(noise_of[:, :n], 0.0, axis=1, alternative="greater").pvalue
        crossed |= p <= level
    assert 0.04 < crossed.mean() <= 0.053
    assert sum(levels(looks, 0.0099)) == pytest.approx(0.0099)
    assert sum(levels(looks, 0.01)) > 0.0101
    assert levels((1, 3), 0.05)[0] == pytest.approx(levels((1, 3), 0.05)[1] / 3)


def test_the_interval_is_students_at_the_level_of_the_look() -> None:
    base, candidate = [0.5, 0.52, 0.51, 0.5, 0.5], [0.51, 0.5, 0.52, 0.52, 0.5]
    found = given(base, candidate)
    assert (found.decision, found.pairs, found.reason) == ("undecided", 5, "")
    level = levels((3, 4, 5), 0.05)[2]
    expected = scipy_stats.ttest_rel(candidate, base).confidence_interval(1 - 2 * level)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.difference == pytest.approx(np.mean(candidate) - np.mean(base))
    turned = given(base, candidate, higher_is_better=False)
    assert (turned.low, turned.high) == pytest.approx((-expected.high, -expected.low))
    assert (found.alpha, found.tried) == (0.05, 1)
    assert (given(base, candidate, alpha=0.2).alpha, found.notices) == (0.2, ("no_margin",))


def test_a_margin_that_is_only_touched_ties_nothing() -> None:
    base, candidate = [0.5, 0.52, 0.51], [0.51, 0.5, 0.52]
    found = given(base, candidate)
    assert found.low is not None
    assert found.high is not None
    widest = max(-found.low, found.high)
    assert given(base, candidate, margin=widest * 1.001).decision == "tied"
    undecided = given(base, candidate, margin=widest)
    assert (undecided.decision, undecided.notices) == ("undecided", ())


def test_one_score_in_three_runs_of_the_baseline_is_noticed() -> None:
    assert given([0.5, 0.5], [0.5, 0.6]).notices == ("no_margin",)
    assert given([0.5] * 3, [0.5, 0.6, 0.4]).notices == ("baseline_constant", "no_margin")
    assert given([0.5, 0.5, 0.6], [0.5, 0.6, 0.4]).notices == ("no_margin",)


def test_fewer_than_two_pairs_have_no_interval() -> None:
    one = given([0.5, 0.6], [0.7, None])
    assert (one.pairs, one.low, one.high, one.decision) == (1, None, None, "undecided")
    assert one.difference == pytest.approx(0.2)
    none = given([0.5, 0.6], [None, None])
    assert (none.pairs, none.difference, none.reason) == (0, None, "unreliable")


def test_only_what_is_missing_is_run_in_order() -> None:
    asked: list[list[Run]] = []

    def run(runs: Sequence[Run]) -> dict[Run, float | None]:
        asked.append([*runs])
        return {(side, seed): 0.5 + 0.01 * (seed % 2 == (side == "base")) for side, seed in runs}

    run_gate(GatePlan(max_seeds=5), run)
    assert asked == [
        [(side, seed) for seed in seeds for side in ("base", "candidate")]
        for seeds in (range(3), range(3, 4), range(4, 5))
    ]


def test_two_looks_share_their_pairs_too() -> None:
    assert sum(levels((3, 4), 0.05)) > 0.055
    assert sum(levels((3, 4), 0.0099)) == pytest.approx(0.0099)


@pytest.mark.parametrize("alpha", [0.05, 0.4])
def test_the_simulated_error_is_two_standard_errors_below_the_one_asked(alpha: float) -> None:
    looks = (3, 5, 10)
    p_values = _null_p_values(looks)
    crossed = float((p_values <= levels(looks, alpha)).any(axis=1).mean())
    error = math.sqrt(alpha * (1.0 - alpha) / len(p_values))
    assert crossed == pytest.approx(alpha - 2.0 * error, abs=3.0 / len(p_values))


def test_two_pairs_may_decide() -> None:
    assert given([0.5, 0.51], [0.9, 0.911]).decision == "better"
    assert given([0.9, 0.911], [0.5, 0.51]).decision == "worse"
