"""The groups, against the rule written down a second time with SciPy's own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from actlab.errors import VerdictError
from actlab.records import Candidate, Group, SlotVerdict
from actlab.verdicts import judge

from .planted import NAMES, drawn, plan, record, replication, setting


def conv(scores: Mapping[str, Sequence[float | None]], margin: float = 0.005) -> SlotVerdict:
    return judge(plan(), replication(scores), margin=margin).slots[0]


def by_name(slot: SlotVerdict) -> dict[str, Candidate]:
    return {candidate.activation: candidate for candidate in slot.candidates}


def expected(scores: dict[str, list[float]], margin: float) -> dict[str, Group]:
    """The rule, written down from the design alone."""
    names = list(scores)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    p = [scipy_stats.ttest_rel(scores[a], scores[b]).pvalue for a, b in pairs]
    running, adjusted = 0.0, {}
    for rank, place in enumerate(np.argsort(p)):
        running = max(running, min(1.0, p[place] * (len(p) - rank)))
        adjusted[pairs[place]] = adjusted[pairs[place][::-1]] = running
    best = max(names, key=lambda name: np.mean(scores[name]))
    groups: dict[str, Group] = {best: "best"}
    for name in names:
        if name == best:
            continue
        result = scipy_stats.ttest_rel(scores[best], scores[name])
        if adjusted[best, name] <= 0.05:
            groups[name] = "worse"
        else:
            tied = result.confidence_interval(0.90).high < margin
            groups[name] = "tied" if tied else "unclear"
    return groups


@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(3, 12),
    spread=st.floats(0.001, 0.01),
    gap=st.floats(0.0, 0.02),
)
def test_groups_are_those_of_the_rule(seed: int, n: int, spread: float, gap: float) -> None:
    generator = np.random.default_rng(seed)
    means = {name: 0.97 - gap * place / 4 for place, name in enumerate(NAMES[:5])}
    scores = drawn(generator, means, n, spread, rows=None)
    found = {c.activation: c.group for c in conv(scores).candidates}
    assert found == expected(scores, 0.005)


def test_numbers_of_a_candidate() -> None:
    scores = {"relu": [0.90, 0.92, 0.91, 0.93], "tanh": [0.88, 0.91, 0.90, 0.90]}
    slot = conv(scores)
    relu, tanh = slot.candidates
    assert (relu.activation, relu.group, relu.p_adjusted, relu.difference) == (
        "relu",
        "best",
        None,
        0.0,
    )
    assert relu.scores == tuple(scores["relu"])
    paired = scipy_stats.ttest_rel(scores["tanh"], scores["relu"])
    assert tanh.difference == pytest.approx(-0.0175)
    assert tanh.p_adjusted == pytest.approx(paired.pvalue)
    ends = paired.confidence_interval(0.95)
    assert (tanh.difference_low, tanh.difference_high) == pytest.approx((ends.low, ends.high))
    assert tanh.smallest_margin == pytest.approx(-paired.confidence_interval(0.90).low)
    alone = scipy_stats.ttest_1samp(scores["tanh"], 0.0).confidence_interval(0.95)
    assert (tanh.low, tanh.high) == pytest.approx((alone.low, alone.high))


def test_the_smallest_margin_is_where_a_tie_begins() -> None:
    scores = drawn(np.random.default_rng(3), dict.fromkeys(NAMES[:3], 0.97), 10, 0.003)
    tied = [c for c in conv(scores).candidates if c.group == "tied"]
    assert tied
    for candidate in tied:
        edge = candidate.smallest_margin or 0.0
        assert by_name(conv(scores, edge + 1e-9))[candidate.activation].group == "tied"
        assert by_name(conv(scores, edge - 1e-9))[candidate.activation].group == "unclear"


def test_certain_but_small_is_worse_not_tied() -> None:
    generator = np.random.default_rng(1)
    scores = drawn(generator, {"relu": 0.970, "tanh": 0.968}, 10, 0.0003)
    tanh = by_name(conv(scores))["tanh"]
    assert tanh.group == "worse"
    assert (tanh.smallest_margin or 1.0) < 0.005


def test_equal_means_have_one_best_and_no_nan() -> None:
    slot = conv({"relu": [0.9, 0.8, 0.7], "tanh": [0.9, 0.8, 0.7]})
    assert [c.group for c in slot.candidates] == ["best", "tied"]
    assert slot.candidates[1].p_adjusted == 1.0


def test_a_diverged_replicate_counts_at_chance() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91], "tanh": [0.9, None, 0.91]})
    tanh = by_name(slot)["tanh"]
    assert tanh.scores == (0.9, 0.1, 0.91)
    assert (tanh.n, tanh.diverged) == (3, 1)
    assert any("tanh (1)" in notice for notice in slot.notices)


def test_a_replicate_that_stays_at_chance_is_named() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91], "tanh": [0.9, 0.11, 0.91], "elu": [0.9, None, 0.9]})
    (notice,) = [text for text in slot.notices if "learnt next to nothing" in text]
    assert "tanh (1)" in notice
    assert "elu" not in notice, "what diverged is counted elsewhere"


def test_only_shared_seeds_are_compared() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91, 0.2], "tanh": [0.88, 0.9, 0.9]})
    assert {c.n for c in slot.candidates} == {3}
    assert by_name(slot)["relu"].mean == pytest.approx(0.91)
    assert any("1 replicate is left out" in notice for notice in slot.notices)


def test_a_candidate_that_was_stopped_keeps_its_seeds_and_takes_none_from_others() -> None:
    generator = np.random.default_rng(0)
    scores: dict[str, Sequence[float | None]] = dict(
        drawn(generator, {"relu": 0.97, "tanh": 0.969, "silu": 0.90}, 10, 0.003)
    )
    scores["silu"] = scores["silu"][:4]
    told = replace(replication(scores), stopped={"conv": frozenset({"silu"})})
    slot = judge(plan(), told).slots[0]
    assert {c.activation: c.n for c in slot.candidates} == {"relu": 10, "tanh": 10, "silu": 4}
    silu = by_name(slot)["silu"]
    assert silu.group == "worse"
    best = by_name(slot)[slot.candidates[0].activation]
    expected = scipy_stats.ttest_rel(scores["silu"], best.scores[:4])
    assert silu.difference == pytest.approx(np.mean(silu.scores) - np.mean(best.scores[:4]))
    assert slot.ranks is None, "two candidates with all seeds have no ranks"
    (pair,) = (p for p in slot.pairs if {p.first, p.second} == {best.activation, "silu"})
    assert pair.p_value == pytest.approx(expected.pvalue)
    assert any("silu" in notice for notice in slot.notices)


def test_search_and_choice_do_not_count() -> None:
    scores = {"relu": [0.9, 0.92], "tanh": [0.88, 0.9]}
    lucky = [
        record(setting("conv", "tanh"), None, 0.99, stage="search"),
        record(setting("conv", "tanh"), 7, 0.99, stage="choose"),
    ]
    with_them = judge(plan(), replication(scores, others=lucky))
    assert with_them.slots == judge(plan(), replication(scores)).slots


def test_a_candidate_without_a_setting_is_unclear() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91], "tanh": [0.88, 0.9, 0.9], "silu": []})
    silu = slot.candidates[-1]
    assert (silu.activation, silu.group, silu.n, silu.mean) == ("silu", "unclear", 0, None)
    assert "none of its trials" in silu.sentence


def test_one_candidate_is_no_comparison() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91]})
    (relu,) = slot.candidates
    assert (relu.group, relu.difference, relu.n) == ("unclear", None, 3)
    assert "only candidate" in slot.summary


def test_one_seed_says_nothing() -> None:
    slot = conv({"relu": [0.9], "tanh": [0.8]})
    assert {c.group for c in slot.candidates} == {"unclear"}
    assert {(c.low, c.p_adjusted, c.difference) for c in slot.candidates} == {(None, None, None)}
    assert "fewer than two seeds" in slot.summary


def test_all_diverged_makes_up_no_number() -> None:
    slot = conv({"relu": [None, None, None], "tanh": [None, None, None]})
    assert {(c.group, c.n, c.mean, c.diverged) for c in slot.candidates} == {
        ("unclear", 0, None, 3)
    }
    assert "every replicate of every candidate failed" in slot.summary


def test_no_replicates_are_refused() -> None:
    searched = record(setting("conv", "relu"), None, 0.9, stage="search")
    with pytest.raises(VerdictError, match="actlab study confirm"):
        judge(plan(), replication({"relu": []}, others=[searched]))


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "sha256:two"},
        {"protocol": plan().protocol.__class__("published", "softmax")},
    ],
)
def test_mixed_records_are_refused(change: dict[str, str]) -> None:
    scores = {"relu": [0.9, 0.92], "tanh": [0.88, 0.9]}
    stranger = record(setting("conv", "relu"), 2, 0.9, **change)  # type: ignore[arg-type]  # keywords of two types
    with pytest.raises(VerdictError, match="these come from 2"):
        judge(plan(), replication(scores, others=[stranger]))


def test_a_replicate_twice_is_refused() -> None:
    twice = record(setting("conv", "relu"), 0, 0.9)
    with pytest.raises(VerdictError, match="two of replicate 0"):
        judge(plan(), replication({"relu": [0.9, 0.92]}, others=[twice]))


def test_overlapping_rows_widen_everything() -> None:
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.967}, 10, 0.002)
    apart = judge(plan(), replication(scores)).slots[0]
    shared = judge(plan(), replication(scores, overlap=True)).slots[0]
    assert by_name(apart)["tanh"].group == "worse"
    assert by_name(shared)["tanh"].group == "unclear"
    before, after = by_name(apart)["relu"], by_name(shared)["relu"]
    factor = ((1 / 10 + 5000 / 3000) / (1 / 10)) ** 0.5
    width = (before.high or 0.0) - (before.low or 0.0)
    assert (after.high or 0.0) - (after.low or 0.0) == pytest.approx(factor * width)
    assert any("Nadeau" in notice for notice in shared.notices)


def test_the_methods_say_of_which_rows_the_intervals_are() -> None:
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.967}, 10, 0.002)
    apart = judge(plan(), replication(scores)).methods
    shared = judge(plan(), replication(scores, overlap=True)).methods
    assert "rows anew" in apart
    assert "Nadeau" not in apart
    assert "rows anew" not in shared
    assert "Nadeau" in shared


def test_an_interval_ends_where_accuracies_do() -> None:
    tanh = by_name(conv({"relu": [0.99, 0.98, 0.99], "tanh": [0.97, None, 0.97]}))["tanh"]
    assert (tanh.low, tanh.high) == (0.0, 1.0)


def test_few_seeds_have_a_notice() -> None:
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, 5, 0.002)
    assert any("5 seeds are few" in notice for notice in conv(scores).notices)
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, 6, 0.002)
    assert not conv(scores).notices


def test_bca_stands_beside_from_thirty_seeds() -> None:
    for n, there in ((29, False), (30, True)):
        scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, n, 0.002)
        assert all((c.bca_low is not None) == there for c in conv(scores).candidates)
