"""The verdict on the page: first, in words, with every number and none made up."""

import json
import re
from dataclasses import replace
from gettext import NullTranslations
from html import escape
from typing import Any

import pytest

from actlab.records import (
    Candidate,
    Conditions,
    LayerProbe,
    LearntParameter,
    Notice,
    Probes,
    RatePoint,
    Setting,
    SlotVerdict,
    Verdict,
)
from actlab.studies.confirm.verdict_text import wording
from actlab.studies.report import ReportData, render
from actlab.studies.report.judged_panel import slot_headline
from actlab.text import NO_BREAK, Formatter
from actlab.verdicts.text import Wording, candidate_sentence

from .studies import published_study, record, small_study
from .test_page import Marked, drawn_texts, page_data, read, text_of
from .verdicts import CLAIMS, MARGIN, empty_verdict, full_verdict, meagre_verdict

FULL = replace(published_study(), verdict=full_verdict(), claims=CLAIMS)
ONE = Candidate("relu", "best", scores=(0.9, 0.9), mean=0.9, low=0.9, high=0.9)
ALONE = Verdict(
    (SlotVerdict(slot="fc", candidates=(ONE,), pairs=(), ranks=None, seeds=2),),
    MARGIN,
    2,
    Conditions(2, 5000, 3000, 0.1),
)


@pytest.fixture(scope="module")
def page() -> str:
    return render(FULL)


@pytest.fixture(scope="module")
def figures(page: str) -> Any:
    return page_data(page)["figures"]


def judged(verdict: Verdict) -> ReportData:
    """A page that is quick to draw: nothing of the search is on it."""
    return replace(small_study(), records=(), verdict=verdict)


def test_the_answer_comes_first_then_the_evidence_then_the_search(page: str) -> None:
    order = re.findall(r'<(?:section|header|div)(?: class="tab[^"]*")? id="([\w-]+)"', page)
    assert order[:2] == ["tab-answer", "answer"]
    assert order[2:10] == [
        *("tab-evidence", "claims", "accuracies", "tab-differences", "differences"),
        *("tab-rates-chosen", "rates", "plateaus"),
    ]
    assert order[10:13] == ["importance", "tab-mechanisms-seen", "mechanisms"]
    assert order.index("tab-search") < order.index("tab-methods") < order.index("paper")
    links = [link for link in read(page).links if link.startswith("#tab")]
    tabs = (
        *("answer", "evidence", "differences", "rates-chosen", "mechanisms-seen", "search"),
        *("trials", "methods", "reproduce"),
    )
    assert links[1:] == [f"#tab-{name}" for name in tabs]
    assert page.count("<h1") == 1
    assert "What 10 fresh seeds show" in text_of(page)


def test_a_slot_has_a_headline_that_names_or_counts_who_is_equivalent() -> None:
    how = Wording(Formatter(NullTranslations()), 0.005)
    slot = full_verdict().slots[0]
    tied = [row for row in slot.candidates if row.group == "tied"]
    headline = slot_headline(slot, how)
    assert headline.startswith(f"prelu and {len(tied)} more: equivalent within 0.5 points.")
    few = replace(slot, candidates=(slot.candidates[0], *tied[:2]))
    names = ", ".join(["prelu", *(row.name for row in tied[:2])])
    assert slot_headline(few, how) == f"{names}: equivalent within 0.5 points."
    assert slot_headline(replace(slot, candidates=()), how) == "Nothing can be said yet."


def test_rows_that_are_the_same_networks_say_so(page: str) -> None:
    lanes = re.search(r'<table class="lanes".*?</table>', page, re.DOTALL)
    assert lanes is not None
    assert "<i>= FC prelu</i>" in lanes.group()
    assert "one and the same set of trained networks" in page
    verdict = full_verdict()
    alone = render(judged(replace(verdict, slots=verdict.slots[:1])))
    assert "one and the same set" not in alone


def test_after_a_confirmation_the_pick_of_the_search_is_one_line(page: str) -> None:
    assert "Front-runner" not in text_of(page)
    shown = text_of(page)
    start = shown.index("The search's pick, by one run of 97.94 % (trial 102).")
    assert "With fresh seeds: conv prelu: best, 98.09 %; FC tanh: equivalent" in shown[start:]


def test_without_a_verdict_nothing_of_it_is_on_the_page() -> None:
    without = render(published_study())
    for trace in ("tab-evidence", "margin-first", "data-group-of", "groupAt"):
        assert trace not in without
    assert "verdict" not in page_data(without)
    assert without.count("<h1") == 1


def test_every_candidate_has_its_group_as_a_word_and_a_sign_beside_its_sentence(page: str) -> None:
    words = {"tied": "equivalent", "unclear": "inconclusive"}
    signs = {"best": "★", "tied": "●", "unclear": "◇", "worse": "▼", "unreliable": "✕"}
    how = wording(FULL.verdict, Formatter(NullTranslations(), NO_BREAK)) if FULL.verdict else None
    assert how is not None
    assert FULL.verdict is not None
    for slot in FULL.verdict.slots:
        found = re.findall(
            rf'<li><span data-group-of="{slot.slot}" data-row="(\d+)">'
            r'<span class="chip (\w+)"><span class="sign" aria-hidden="true">(.)</span>'
            r'<span class="word">(\w+)</span></span></span><span>([^<]*)</span></li>',
            page,
        )
        expected = [
            (
                str(place),
                row.group,
                signs[row.group],
                words.get(row.group, row.group),
                escape(candidate_sentence(row, slot, how), quote=False).replace(" %", "\xa0%"),
            )
            for place, row in enumerate(slot.candidates)
        ]
        assert found == expected
        assert {row.group for row in slot.candidates} >= {"best", "tied"}


@pytest.mark.parametrize(
    "verdict",
    [full_verdict(2, 1), meagre_verdict(), empty_verdict(), ALONE],
    ids=["two seeds", "meagre", "empty", "alone"],
)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_any_verdict_has_a_page_with_all_its_figures(verdict: Verdict, language: str) -> None:
    shown = render(judged(verdict), language)
    reader = read(shown)
    assert len(set(reader.identifiers)) == len(reader.identifiers)
    plots = {name for name in reader.identifiers if name.startswith("plot-")}
    assert plots == {f"plot-{name}" for name in page_data(shown)["figures"]}
    targets = {link[1:] for link in reader.links if link.startswith("#")}
    assert targets <= set(reader.identifiers)
    assert "nan" not in text_of(shown).lower().split()
    assert not re.search(r"<td[^>]*>-\d", shown)


def test_a_verdict_without_replicates_draws_no_picture_and_no_number() -> None:
    nothing = replace(
        empty_verdict(),
        slots=(
            SlotVerdict(
                slot="conv",
                candidates=(Candidate("tanh", "unclear"),),
                pairs=(),
                ranks=None,
                seeds=0,
            ),
        ),
    )
    shown = render(judged(nothing))
    names = page_data(shown)["figures"]
    assert not [name for name in names if name.startswith(("intervals", "differences", "ranks"))]
    numbers = shown[shown.index('id="accuracies"') :]
    row = re.search(r'<th scope="row">tanh</th>.*?</tr>', numbers, re.DOTALL)
    assert row is not None
    assert re.findall(r'class="number">([^<]*)<', row.group()) == ["–", "–", "0", *"–" * 6]


def test_the_dot_plot_has_every_replicate_mean_and_interval(figures: Any) -> None:
    assert FULL.verdict is not None
    for slot in FULL.verdict.slots:
        drawn = figures[f"intervals-{slot.slot}"]["data"]
        dots, groups = drawn[0], drawn[1:]
        expected = [score for row in slot.candidates for score in row.scores]
        assert dots["x"] == expected
        lanes = [round(height) for height in dots["y"]]
        assert lanes == [i for i, row in enumerate(slot.candidates) for _score in row.scores]
        for trace in groups:
            for lane, row in enumerate(slot.candidates):
                own = row.group == trace["meta"]["group"]
                assert trace["x"][lane] == (row.mean if own else None)
                assert trace["meta"]["values"][lane] == row.mean
                if row.mean is not None and row.high is not None:
                    assert trace["error_x"]["array"][lane] == pytest.approx(row.high - row.mean)


def test_chance_is_marked_only_where_it_is_in_sight(figures: Any) -> None:
    assert figures["intervals-conv"]["layout"]["shapes"][0]["x0"] == pytest.approx(0.1135)
    assert "shapes" not in figures["intervals-fc"]["layout"]


def test_the_close_up_says_who_is_outside(figures: Any) -> None:
    for kind, text in (("intervals", "%"), ("differences", "−")):
        views = figures[f"{kind}-conv"]["views"]
        outside = [note["text"] for note in views[0]["layout"]["annotations"]]
        assert len(outside) == 1
        assert text in outside[0]
        assert views[1]["layout"]["annotations"] == []
        assert figures[f"{kind}-fc"]["views"] == []


def test_differences_are_paired_by_seed_and_in_points(figures: Any) -> None:
    assert FULL.verdict is not None
    slot = FULL.verdict.slots[0]
    best = slot.candidates[0]
    drawn = figures["differences-conv"]
    expected = [
        100 * (own - top)
        for row in slot.candidates[1:]
        for own, top in zip(row.scores, best.scores, strict=False)
    ]
    assert drawn["data"][0]["x"] == pytest.approx(expected)
    assert drawn["layout"]["shapes"][0]["x0"] == -100 * MARGIN
    ticks = drawn["data"][-1]
    known = [row for row in slot.candidates if row.smallest_margin is not None]
    assert ticks["x"] == pytest.approx([-100 * (row.smallest_margin or 0) for row in known])
    assert not [t for t in drawn["data"] if t.get("meta", {}).get("group") == "best"]


def test_the_ranks_diagram_joins_its_cliques_and_the_words_say_who_decides(page: str) -> None:
    assert FULL.verdict is not None
    slot = FULL.verdict.slots[1]
    assert slot.ranks is not None
    bars = page_data(page)["figures"]["ranks-fc"]["data"][1:]
    assert [bar["text"][0].split(", ") for bar in bars] == [list(c) for c in slot.ranks.cliques]
    shown = text_of(page)
    assert "The paired t tests with Holm's correction decide." in shown
    assert "the diagram joins them, the test separates them" in shown
    agreeing = replace(slot, pairs=())
    alone = text_of(render(judged(replace(full_verdict(), slots=(agreeing,)))))
    assert "Here the two agree on every pair." in alone


def test_a_rate_curve_shows_trials_failures_and_plateau(figures: Any) -> None:
    assert FULL.verdict is not None
    curves = [curve for curve in FULL.verdict.rates if curve.slot == "conv"]
    drawn = figures["plateaus-conv"]
    sigmoid = next(place for place, curve in enumerate(curves) if curve.failures)
    own = [t for t in drawn["data"] if t["xaxis"] == f"x{sigmoid + 1}"]
    marks = [x for trace in own if trace["mode"] == "markers" for x in trace["x"]]
    points = [point.learning_rate for point in curves[sigmoid].points]
    assert sorted(set(marks)) == pytest.approx(sorted(points))
    bands = drawn["layout"]["shapes"]
    assert [(band["x0"], band["x1"]) for band in bands] == [
        (curve.plateau_low, curve.plateau_high) for curve in curves
    ]


def test_of_very_many_trials_a_rate_curve_draws_an_even_share_and_says_so() -> None:
    verdict = full_verdict()
    rates = [10 ** (-4 + 3 * place / 999) for place in range(1_000)]
    heights = [0.9 if rate < 0.003 else 0.8 for rate in rates]
    many = tuple(
        RatePoint(rate, None if place % 3 == 0 else height)
        for place, (rate, height) in enumerate(zip(rates, heights, strict=True))
    )
    line = tuple(RatePoint(rate, height) for rate, height in zip(rates, heights, strict=True))
    curves = (replace(verdict.rates[0], points=many, smoothed=line), *verdict.rates[1:])
    page = render(judged(replace(verdict, rates=curves)))
    drawn = [
        t for t in page_data(page)["figures"]["plateaus-conv"]["data"] if t["xaxis"] in ("x", "x1")
    ]
    (curve,) = (trace for trace in drawn if trace["mode"] == "lines")
    # The corners of a step are all that a line needs.
    assert curve["y"] == [0.9, 0.9, 0.8, 0.8]
    dots = [len(trace["x"]) for trace in drawn if trace["mode"] == "markers"]
    assert sorted(dots) == [1, 67, 133]  # the star, failures, trials: 200 of 1,000
    sentence = "Of more than 200 trials every second or further one is drawn."
    assert sentence in text_of(page)
    assert sentence not in text_of(render(FULL))


def test_claims_have_outcome_and_reason_in_order(page: str) -> None:
    claims = page[page.index('<section id="claims">') :]
    rows = re.findall(
        r'<span class="outcome (\w+)">.*?</span>([^<]+)</span></td>\n<td>(.*?)<', claims
    )
    assert rows == [
        ("caution", "not enough evidence", "prelu is tied with relu."),
        ("trouble", "not supported", "tanh is tied with six others."),
        ("good", "supported", "0.61 points less, p &lt; 0.001."),
    ]


def test_notices_common_to_both_slots_are_said_once(page: str) -> None:
    verdict = full_verdict()
    notice = Notice("few_seeds", {"n": 5, "smallest": 0.01})
    few = tuple(replace(slot, notices=(notice,)) for slot in verdict.slots)
    shown = text_of(render(judged(replace(verdict, slots=few))))
    assert shown.count("5 seeds are few") == 1
    assert "Unequal budgets in the search" not in shown
    assert "Conv activation: Runs that failed" in text_of(page)
    assert "Unequal budgets in the search" in text_of(page)


def test_a_close_up_is_offered_only_where_it_is_about_several_candidates() -> None:
    verdict = full_verdict()
    conv = verdict.slots[0]
    best, *others = conv.candidates
    far = [replace(row, difference=-0.3, mean=0.6) for row in others if row.mean is not None]
    alone = replace(verdict, slots=(replace(conv, candidates=(best, *far)),))
    figures = page_data(render(judged(alone)))["figures"]
    for name in ("intervals-conv", "differences-conv", "mechanism-0"):
        assert figures[name]["views"] == []
    assert len(page_data(render(judged(verdict)))["figures"]["mechanism-0"]["views"]) == 2


def test_what_prelu_learnt_is_drawn_from_its_replicates() -> None:
    setting = Setting("prelu", "tanh", 0.00213)
    layer = LayerProbe("act1", "conv", 0.1, 0.0, 0.0, 0.1, 1.0, 0.1)
    records = tuple(
        replace(
            record(number, "prelu", "tanh", 0.00213, 0.98, replicate=number),
            stage="confirm",
            setting=setting,
            probes=Probes(
                10,
                (layer,),
                (LearntParameter("act1", "conv", "weight", (0.25, 0.2, 0.1 + number / 100)),),
            ),
        )
        for number in range(3)
    )
    data = replace(judged(full_verdict()), records=records)
    drawn = page_data(render(data))["figures"]["slopes-0"]
    up = drawn["data"][0]["y"]
    assert up[3] is up[7] is up[11] is None
    assert [up[place : place + 3] for place in (0, 4, 8)] == [
        pytest.approx([0.25, 0.2, 0.1 + number / 100]) for number in range(3)
    ]
    assert drawn["data"][0]["x"][:4] == [0, 1, 2, None]


def test_what_was_seen_in_the_layers_is_a_table_with_a_gap_where_nothing_was(page: str) -> None:
    rows = re.findall(r"<tr>\n<th scope=.row.>relu</th>\n<td>(act\d|whole network)</td>(.*?)</tr>",
                      page, re.DOTALL)  # fmt: skip
    cells = {layer: re.findall(r">([^<>\n]+)</td>", rest) for layer, rest in rows}
    expected = {"act1": ["0.457", "–"], "act2": ["0.6", "–"], "whole network": ["–", "1.9"]}
    assert cells == expected


def test_every_word_of_the_verdict_is_a_message() -> None:
    data = replace(small_study(), verdict=full_verdict(), findings=None, evaluation_order="")
    shown = render(data, "ko", translations=Marked())
    start, end = shown.index('<header id="answer">'), shown.index('id="tab-search"')
    part = re.sub(r"<code.*?</code>", "", shown[start:end], flags=re.DOTALL)
    own = set(re.findall(r"\w+", json.dumps(_texts(data.verdict))))
    own |= {"fANOVA", "PED", "ANOVA", "Markdown", "mnist", "small", "digits", "x"}
    own |= set(re.findall(r"\w+", " ".join((*data.plan.space.conv_activation, "small_cnn"))))
    own |= {"hardswish", "b", "odd", "name", "conv", "FC"}
    drawn = {
        name: figure
        for name, figure in page_data(shown)["figures"].items()
        if name.split("-")[0] in ("intervals", "differences", "ranks", "plateaus", "importance")
    }
    for text in read(part).texts + list(drawn_texts({"figures": drawn})):
        bare = re.sub(r"<[^>]*>|&\w+;", " ", text)
        while "⟦" in bare:
            bare = re.sub(r"⟦[^⟦⟧]*⟧", " ", bare)
        words = {word for word in re.findall(r"\w+", bare) if re.search(r"[^\W\d_]", word)}
        assert words <= own, text


def _texts(value: Any) -> Any:
    """The names and sentences that a verdict brings along."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return [_texts(part) for part in value]
    if hasattr(value, "__dataclass_fields__"):
        return [_texts(getattr(value, name)) for name in value.__dataclass_fields__]
    return None
