import json
import math
import re
from dataclasses import replace
from gettext import NullTranslations
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from actlab import documentation
from actlab.pages.kit import unpack
from actlab.pages.theme import SHAPES
from actlab.records import Record
from actlab.studies.report import NextStep, ReportData, render, write

from .studies import PUBLISHED_NAMES, curve, published_study, record, small_study


class Marked(NullTranslations):
    """Messages in brackets, so that a text which is not a message shows itself."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class Reader(HTMLParser):
    """Collects the page's visible texts, the values of one attribute, and its JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.identifiers: list[str] = []
        self.json = ""
        self.packed = ""
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("style", "script"):
            self._inside.append(found.get("id") or tag)
        self.links += [str(found[name]) for name in ("href", "src") if name in found]
        self.identifiers += [str(found["id"])] if "id" in found else []
        self.texts += [str(found["aria-label"])] if "aria-label" in found else []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.texts.append(data)
        elif self._inside[-1] == "page-data":
            self.json += data
        elif self._inside[-1] == "page-figures":
            self.packed += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def text_of(page: str) -> str:
    return " ".join(" ".join(read(page).texts).replace("\xa0", " ").split())


def page_data(page: str) -> Any:
    """Return what the page's scripts read: at once, and the figures."""
    found = read(page)
    return {**json.loads(found.json), "figures": json.loads(unpack(found.packed))}


def only(data: ReportData, *records: Record) -> ReportData:
    return replace(data, records=records)


FAILED = tuple(r for r in small_study().records if r.valid_accuracy is None)
STATES = {
    "published": published_study(),
    "small": small_study(),
    "none recorded": only(small_study()),
    "none completed": only(small_study(), *FAILED),
    "one": only(published_study(), published_study().records[0]),
    "no environment": replace(
        published_study(),
        environment=replace(
            published_study().environment,
            class_counts={},
            versions={},
            machine={},
            network=replace(published_study().environment.network, layers=()),
        ),
    ),
}


@pytest.mark.parametrize("state", STATES)
def test_any_state_of_a_study_has_a_page_without_outside(state: str) -> None:
    page = render(STATES[state])
    reader = read(page)
    assert page == render(STATES[state])
    assert all(link.startswith(("#", "data:", documentation.ADDRESS)) for link in reader.links)
    assert len(set(reader.identifiers)) == len(reader.identifiers)
    targets = {link[1:] for link in reader.links if link.startswith("#")}
    assert targets <= set(reader.identifiers)
    figures = page_data(page)["figures"]
    assert {f"plot-{name}" for name in figures} == {
        identifier
        for identifier in reader.identifiers
        if identifier.startswith("plot-")
        and not identifier.startswith(("plot-trial-", "plot-parallel"))
    }


def test_the_answer_comes_first_as_what_is_known_and_what_ran() -> None:
    shown = text_of(render(published_study()))
    start = shown.index("published · published_cnn · mnist · 120 trials · fp32 · cuda · 2025-03-01")
    answer = shown[start : start + 600]
    assert "Not decided yet: 35 of 120 settings are as good as the best" in answer
    assert "Front-runner: conv prelu · FC tanh · learning rate 0.00091 – 0.0029" in answer
    assert "98.02 % on test (97.73 to 98.28)" in answer
    assert "Not decided yet: one setting is ahead" not in shown


@pytest.mark.parametrize(
    ("records", "headline"),
    [
        ((), "No answer yet: no trial was completed"),
        ((0,), "Not decided yet: there is one trial only"),
        ((0, 1), "Not decided yet: one setting is ahead, by one run"),
    ],
)
def test_the_headline_says_what_is_known(records: tuple[int, ...], headline: str) -> None:
    scores = (0.99, 0.5)
    some = [record(number, "relu", "elu", 0.001, scores[number]) for number in records]
    assert headline in text_of(render(only(published_study(), *some)))


def test_the_lanes_have_every_candidate_the_best_first() -> None:
    page = render(published_study())
    lanes = re.findall(r'<table class="lanes".*?</table>', page, re.DOTALL)
    names = [re.findall(r'<th scope="row">(\S+)', table) for table in lanes]
    assert names[0][:3] == ["prelu", "elu", "relu"]
    assert [sorted(found) for found in names] == [sorted(PUBLISHED_NAMES)] * 2
    assert "with FC tanh, lr 0.002" in lanes[0]
    assert lanes[0].count('class="lane near"') == 4


def test_the_next_command_stands_with_what_it_takes_and_shows() -> None:
    records = tuple(replace(r, seconds=10.0) for r in published_study().records)
    step = NextStep("confirm", "actlab study confirm 'a b' --seeds 10", 60, 2, 10)
    shown = text_of(render(replace(only(published_study(), *records), next_step=step)))
    assert "Decide it actlab study confirm 'a b' --seeds 10" in shown
    assert "about 5 min 0 s for 60 trainings · shows gaps from about" in shown


def test_the_notices_say_how_unequal_and_how_unsure() -> None:
    shown = text_of(render(published_study()))
    assert "most trials tanh (54), fewest leaky_relu_0.1 (6)" in shown
    assert "Pairs tried: 37 of 64" in shown
    assert "An accuracy of 97.94 % on 5,000 examples has a standard error of 0.20 points" in shown
    assert "34 of the 119 other completed trials lie within two of these (0.40 points)" in shown
    assert "The search is not finished" not in shown
    assert "no accuracy" not in shown


def test_an_unfinished_search_with_failures_says_so() -> None:
    shown = text_of(render(small_study()))
    assert "7 of 10 planned trials are here." in shown
    assert "3 trials have no result" in shown
    assert "1 diverged, 1 pruned, 1 failed." in shown
    assert "Trial 1, snake × mish, diverged. The loss was not finite." in shown
    assert "1 other trial reached exactly the same accuracy" in shown


def test_equal_budgets_get_no_notice() -> None:
    data = published_study()
    even = tuple(
        record(8 * i + j, conv, fc, 0.001, 0.9)
        for i, conv in enumerate(data.plan.space.conv_activation)
        for j, fc in enumerate(data.plan.space.fc_activation)
    )
    assert "Unequal budgets" not in text_of(render(only(data, *even)))


def test_what_was_not_recorded_is_a_dash_and_not_a_zero() -> None:
    page = render(published_study())
    row = re.search(r'<tr[^>]* class="best".*?</tr>', page, re.DOTALL)
    assert row is not None
    cells = re.findall(r">([^<>]*)</td>", row.group())
    assert cells[-3:] == ["–", "–", "–"]
    assert "No learning curve was recorded for trial 102." in text_of(page)


def test_names_and_reasons_are_shown_as_they_are_and_never_as_markup() -> None:
    page = render(small_study())
    assert "<b>odd" not in page
    assert "<b>odd & name</b>" in text_of(page)
    names = {trace.get("name") for trace in page_data(page)["figures"]["rates-fc"]["data"]}
    assert "&lt;b&gt;odd &amp; name&lt;/b&gt;" in names


def test_verdict_and_findings_appear_only_when_there_are_any() -> None:
    with_both = text_of(render(small_study()))
    assert "to lie within 0.5 points of the best: mish and snake." in with_both
    assert "ACT101 Softmax comes before cross entropy." in with_both
    assert "−0.15" in with_both
    without = text_of(render(replace(small_study(), verdict=None, findings=None)))
    assert "Verdict" not in without
    assert "checker" not in without
    assert "found no misuse" in text_of(render(replace(small_study(), findings=())))


def test_the_published_close_ups_are_there_for_the_published_search_only() -> None:
    views = page_data(render(published_study()))["figures"]
    near = [math.log10(0.0005), math.log10(0.006)]
    for name in ("rates-conv", "rates-fc"):
        layouts = [view["layout"] for view in views[name]["views"]]
        assert {"xaxis.range": near, "yaxis.range": [0.6, 1.0]} in layouts
        assert {"xaxis.range": near, "yaxis.range": [0.9, 0.98]} in layouts
    assert [0.8, 0.983] in [view["layout"]["yaxis.range"] for view in views["history"]["views"]]
    other = page_data(render(small_study()))["figures"]
    assert len(other["rates-conv"]["views"]) == 2


def test_the_figures_draw_every_trial_once() -> None:
    data = small_study()
    figures = page_data(render(data))["figures"]
    for slot in ("conv", "fc"):
        drawn = [
            (x, y) for trace in figures[f"rates-{slot}"]["data"]
            for x, y in zip(trace["x"], trace["y"], strict=True)
        ]  # fmt: skip
        trials = [r for r in data.records if r.replicate is None]
        expected = [(r.setting.learning_rate, r.valid_accuracy or 0) for r in trials]
        assert sorted(drawn) == sorted(expected)
    numbers = [
        x for trace in figures["history"]["data"]
        if trace["mode"] == "markers" and trace["name"] != "best trial" for x in trace["x"]
    ]  # fmt: skip
    assert sorted(numbers) == [0, 1, 2, 3, 4, 5, 7]


def test_the_learning_curve_is_that_of_the_best_trial_and_skips_lost_losses() -> None:
    lost = record(0, "relu", "relu", 0.001, 0.9, curve=curve(8, 0.9, lost_at=6))
    figures = page_data(render(only(published_study(), lost)))["figures"]
    losses = figures["curve-loss"]["data"][0]["y"]
    assert losses[:6] == [epoch.train_loss for epoch in lost.curve[:6]]
    assert losses[6:] == [None, None]
    assert figures["curve-accuracy"]["data"][0]["y"] == [e.valid_accuracy for e in lost.curve]


def test_an_activation_looks_the_same_in_both_slots() -> None:
    figures = page_data(render(published_study()))["figures"]
    looks = [
        {trace["name"]: trace["marker"]["symbol"] for trace in figures[f"rates-{slot}"]["data"]}
        for slot in ("conv", "fc")
    ]
    assert looks[0] == looks[1]
    assert len(set(looks[0].values())) == 8 <= len(SHAPES)


def test_every_word_on_the_page_is_a_message() -> None:
    data = replace(small_study(), evaluation_order="")
    page = render(data, "ko", translations=Marked())
    values = (
        "actlab small digits mish snake gelu hardswish odd name b small_cnn conv Conv2d corrected "
        "TPE random auto cpu fp32 sha256 77ab python torch x86_64 cores memory_gib UTC"
    )
    own = set(values.split())
    own |= set(re.findall(r"\w+", " ".join(r.reason or "" for r in data.records)))
    own |= set(re.findall(r"\w+", data.environment.command))
    assert data.findings is not None
    assert data.verdict is not None
    findings = (f"{found.code} {found.message} {found.location}" for found in data.findings)
    own |= set(re.findall(r"\w+", " ".join(findings)))
    slot = data.verdict.slots[0]
    sentences = (row.name for row in slot.candidates)
    own |= set(re.findall(r"\w+", " ".join(sentences)))
    own |= {"Markdown"}
    page = re.sub(r"<code id=.paper.*?</code>", "", page, flags=re.DOTALL)
    texts = read(page).texts + list(drawn_texts(page_data(page)))
    for text in texts:
        bare = re.sub(r"<[^>]*>|&\w+;", " ", text)
        while "⟦" in bare:
            bare = re.sub(r"⟦[^⟦⟧]*⟧", " ", bare)
        words = {word for word in re.findall(r"\w+", bare) if re.search(r"[^\W\d_]", word)}
        assert words <= own, text


def drawn_texts(found: dict[str, Any]) -> list[str]:
    """Names, titles, tick labels and hover texts of all figures."""
    texts: list[str] = []
    for figure in found["figures"].values():
        for trace in figure["data"]:
            texts += [trace.get("name", ""), trace.get("hovertemplate", "")]
            texts[-1] = re.sub(r"%\{[^}]*\}", "", texts[-1])
        for key, part in figure["layout"].items():
            if key.startswith(("xaxis", "yaxis")):
                texts += [part["title"].get("text", ""), *part.get("ticktext", [])]
        texts += [shape.get("name", "") for shape in figure["layout"].get("shapes", [])]
    return texts


def test_the_language_of_the_page_is_declared() -> None:
    assert '<html lang="ko">' in render(small_study(), "ko")
    assert '<html lang="en">' in render(small_study())


def test_no_json_ends_its_script_element() -> None:
    data = small_study()
    trick = replace(data.records[-1].setting, conv_activation="</script><img src=x>")
    page = render(only(data, replace(data.records[-1], setting=trick)))
    assert "</script><img" not in page
    assert page_data(page)["figures"]


def test_the_page_is_written_beside_and_renamed(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")
    assert write(target, small_study()) == target
    assert target.read_text(encoding="utf-8") == render(small_study())
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_drawn_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old", encoding="utf-8")
    broken = replace(small_study(), plan=replace(small_study().plan, protocol=None))  # type: ignore[arg-type]  # the fault
    with pytest.raises(AttributeError):
        write(target, broken)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["old"]
