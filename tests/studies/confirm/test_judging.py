"""The groups, against the rule written down a second time with SciPy's own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from gettext import NullTranslations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from actlab.errors import VerdictError
from actlab.records import Candidate, Group, SlotVerdict
from actlab.studies.confirm.judging import judge
from actlab.studies.confirm.verdict_text import methods
from actlab.text import Formatter
from actlab.verdicts.text import Wording, candidate_sentence, notice_text, summary

from .planted import NAMES, drawn, plan, record, replication, setting

WORDING = Wording(Formatter(NullTranslations()), margin=0.005)


def conv(scores: Mapping[str, Sequence[float | None]], margin: float = 0.005) -> SlotVerdict:
    return judge(plan(), replication(scores), margin=margin).slots[0]


def notices(slot: SlotVerdict) -> list[str]:
    return [notice_text(notice, WORDING) for notice in slot.notices]


def by_name(slot: SlotVerdict) -> dict[str, Candidate]:
    return {candidate.name: candidate for candidate in slot.candidates}


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
        if result.confidence_interval(0.90).high < margin:
            groups[name] = "tied"
        else:
            groups[name] = "worse" if adjusted[best, name] <= 0.05 else "unclear"
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
    found = {c.name: c.group for c in conv(scores).candidates}
    assert found == expected(scores, 0.005)


def test_numbers_of_a_candidate() -> None:
    scores = {"relu": [0.90, 0.92, 0.91, 0.93], "tanh": [0.88, 0.91, 0.90, 0.90]}
    slot = conv(scores)
    relu, tanh = slot.candidates
    assert (relu.name, relu.group, relu.p_adjusted, relu.difference) == (
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
        assert by_name(conv(scores, edge + 1e-9))[candidate.name].group == "tied"
        assert by_name(conv(scores, edge - 1e-9))[candidate.name].group == "unclear"


def test_certain_but_small_is_tied_and_says_so() -> None:
    generator = np.random.default_rng(1)
    scores = drawn(generator, {"relu": 0.970, "tanh": 0.968}, 10, 0.0003)
    slot = conv(scores)
    tanh = by_name(slot)["tanh"]
    assert tanh.group == "tied"
    assert (tanh.p_adjusted or 1.0) < 0.05
    sentence = candidate_sentence(tanh, slot, WORDING)
    assert (
        "which is less than the margin of 0.5 points: equivalent, though the difference" in sentence
    )


def test_equal_means_have_one_best_and_no_nan() -> None:
    slot = conv({"relu": [0.9, 0.8, 0.7], "tanh": [0.9, 0.8, 0.7]})
    assert [c.group for c in slot.candidates] == ["best", "tied"]
    assert slot.candidates[1].p_adjusted == 1.0


def test_a_failed_replicate_is_left_to_the_other_question() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91, 0.9], "tanh": [0.88, None, 0.9, 0.89]})
    tanh = by_name(slot)["tanh"]
    assert tanh.scores == (0.88, None, 0.9, 0.89)
    assert (tanh.n, tanh.diverged, tanh.failures, tanh.trained) == (4, 1, 1, 3)
    assert tanh.mean == pytest.approx(0.89)
    assert tanh.difference == pytest.approx(np.mean([-0.02, -0.01, -0.01]))
    assert "tanh failed in 1 of 4 runs, relu in 0 of 4" in candidate_sentence(tanh, slot, WORDING)
    assert any("tanh (1)" in text for text in notices(slot))


def test_a_replicate_that_learns_next_to_nothing_failed() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91], "tanh": [0.9, 0.11, 0.91]})
    tanh = by_name(slot)["tanh"]
    assert (tanh.failures, tanh.diverged, tanh.mean) == (1, 0, pytest.approx(0.905))


def test_who_fails_too_often_is_unreliable_whatever_its_mean() -> None:
    good: list[float | None] = [0.98] * 10
    slot = conv({"relu": [0.9, 0.92] * 5, "tanh": [*good[:6], None, None, 0.1, None]})
    tanh = by_name(slot)["tanh"]
    assert (tanh.group, tanh.failures) == ("unreliable", 4)
    assert tanh.failure_rate_low == pytest.approx(0.15, abs=0.001)
    assert tanh.difference is None
    assert slot.best == by_name(slot)["relu"]
    sentence = candidate_sentence(tanh, slot, WORDING)
    assert "4 of 10 runs failed, so its failure rate is 15 % or more" in sentence
    assert "its mean is 98.00 %" in sentence
    assert "tanh does not train reliably." in summary(slot, WORDING)


def test_one_failure_of_ten_hides_no_difference() -> None:
    """Counted at chance, the one failure made the interval so wide that nothing was clear."""
    generator = np.random.default_rng(0)
    scores: dict[str, list[float | None]] = {
        **drawn(generator, {"relu": 0.98, "tanh": 0.94}, 10, 0.002)
    }
    scores["tanh"][3] = None
    assert by_name(conv(scores))["tanh"].group == "worse"


def test_only_shared_seeds_are_compared() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91, 0.2], "tanh": [0.88, 0.9, 0.9]})
    assert {c.n for c in slot.candidates} == {3}
    assert by_name(slot)["relu"].mean == pytest.approx(0.91)
    assert any("1 replicate is left out" in notice for notice in notices(slot))


def test_a_candidate_that_was_stopped_keeps_its_seeds_and_takes_none_from_others() -> None:
    generator = np.random.default_rng(0)
    scores: dict[str, Sequence[float | None]] = dict(
        drawn(generator, {"relu": 0.97, "tanh": 0.969, "silu": 0.90}, 10, 0.003)
    )
    scores["silu"] = scores["silu"][:4]
    told = replace(replication(scores), stopped={"conv": frozenset({"silu"})})
    slot = judge(plan(), told).slots[0]
    assert {c.name: c.n for c in slot.candidates} == {"relu": 10, "tanh": 10, "silu": 4}
    silu = by_name(slot)["silu"]
    assert silu.group == "worse"
    best = by_name(slot)[slot.candidates[0].name]
    expected = scipy_stats.ttest_rel(scores["silu"], scores[best.name][:4])
    assert silu.difference == pytest.approx(
        np.mean(scores["silu"]) - np.mean(scores[best.name][:4])
    )
    assert slot.ranks is None, "two candidates with all seeds have no ranks"
    (pair,) = (p for p in slot.pairs if {p.first, p.second} == {best.name, "silu"})
    assert pair.difference.p_value == pytest.approx(expected.pvalue)
    assert any("silu" in notice for notice in notices(slot))


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
    assert (silu.name, silu.group, silu.n, silu.mean) == ("silu", "unclear", 0, None)
    assert "no trial of it" in candidate_sentence(silu, slot, WORDING)


def test_one_candidate_is_no_comparison() -> None:
    slot = conv({"relu": [0.9, 0.92, 0.91]})
    (relu,) = slot.candidates
    assert (relu.group, relu.difference, relu.n) == ("unclear", None, 3)
    assert "only candidate" in summary(slot, WORDING)


def test_one_seed_says_nothing() -> None:
    slot = conv({"relu": [0.9], "tanh": [0.8]})
    assert {c.group for c in slot.candidates} == {"unclear"}
    assert {(c.low, c.p_adjusted, c.difference) for c in slot.candidates} == {(None, None, None)}
    assert "fewer than two seeds" in summary(slot, WORDING)


def test_all_diverged_makes_up_no_number() -> None:
    slot = conv({"relu": [None, None, None], "tanh": [None, None, None]})
    assert {(c.group, c.n, c.mean, c.diverged) for c in slot.candidates} == {
        ("unreliable", 3, None, 3)
    }
    assert "every run of every candidate failed" in summary(slot, WORDING)


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
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.9655}, 10, 0.002)
    apart = judge(plan(), replication(scores)).slots[0]
    shared = judge(plan(), replication(scores, overlap=True)).slots[0]
    assert by_name(apart)["tanh"].group == "worse"
    assert by_name(shared)["tanh"].group == "unclear"
    before, after = by_name(apart)["relu"], by_name(shared)["relu"]
    factor = ((1 / 10 + 5000 / 3000) / (1 / 10)) ** 0.5
    width = (before.high or 0.0) - (before.low or 0.0)
    assert (after.high or 0.0) - (after.low or 0.0) == pytest.approx(factor * width)
    assert any("Nadeau" in notice for notice in notices(shared))


def test_the_methods_say_of_which_rows_the_intervals_are() -> None:
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.967}, 10, 0.002)
    apart = methods(judge(plan(), replication(scores)), WORDING.words)
    shared = methods(judge(plan(), replication(scores, overlap=True)), WORDING.words)
    assert "rows anew" in apart
    assert "Nadeau" not in apart
    assert "rows anew" not in shared
    assert "Nadeau" in shared


def test_an_interval_ends_where_accuracies_do() -> None:
    tanh = by_name(conv({"relu": [0.99, 0.98, 0.99], "tanh": [0.97, 0.3, 0.97]}))["tanh"]
    assert (tanh.low, tanh.high) == (0.0, 1.0)


def test_few_seeds_have_a_notice() -> None:
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, 5, 0.002)
    assert any("5 seeds are few" in notice for notice in notices(conv(scores)))
    scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, 6, 0.002)
    assert not notices(conv(scores))


def test_bca_stands_beside_from_thirty_seeds() -> None:
    for n, there in ((29, False), (30, True)):
        scores = drawn(np.random.default_rng(2), {"relu": 0.97, "tanh": 0.964}, n, 0.002)
        assert all((c.bca_low is not None) == there for c in conv(scores).candidates)
