"""The margin's slider in headless Chromium: the page groups as the rule does, without a sound."""

from collections.abc import Iterator
from dataclasses import replace
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import pytest

from actlab.studies.report import write
from actlab.studies.report.judged_panel import slot_headline
from actlab.text import Formatter
from actlab.verdicts.text import Wording
from tests.chromium import Watched, browser, pytestmark

from .studies import published_study
from .verdicts import full_verdict, group_at

__all__ = ["browser", "pytestmark"]

VERDICT = full_verdict()


@pytest.fixture(scope="module")
def watched(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    path = tmp_path_factory.mktemp("page") / "report.html"
    few = tuple(record for record in published_study().records if record.number < 12)
    write(path, replace(published_study(), records=few, verdict=VERDICT), "en")
    watched = Watched(browser, path, viewport={"width": 390, "height": 800})
    watched.visit("#tab-differences")
    yield watched, path
    watched.check()


def shown_groups(page: Any, slot: str) -> list[str]:
    words = {"equivalent": "tied", "inconclusive": "unclear"}
    found = page.locator(f"#answer table [data-group-of={slot}] .word").all_text_contents()
    return [words.get(word, word) for word in found]


def drawn_groups(watched: Any, slot: str) -> dict[int, str]:
    """The group in whose shape each lane's mean is drawn."""
    script = (
        f"document.getElementById('plot-intervals-{slot}').actlab.data"
        ".filter((t) => t.meta).map((t) => [t.meta.group, t.x])"
    )
    found = watched.page.evaluate(script)
    return {
        lane: g for g, values in found for lane, value in enumerate(values) if value is not None
    }


def test_the_slider_regroups_text_tables_and_figures_as_the_rule_does(
    watched: tuple[Any, Path],
) -> None:
    found, _path = watched
    page = found.page
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    slider = page.locator("#margin-second")
    for margin in (0.05, 0.12, 0.31, 0.9, 2.0):
        slider.fill(str(margin))
        for slot in VERDICT.slots:
            expected = [group_at(slot, row, margin / 100) for row in slot.candidates]
            assert shown_groups(page, slot.slot) == expected
            table = page.locator(f"#accuracies td[data-group-of={slot.slot}] .chip")
            classes = table.evaluate_all("chips => chips.map((chip) => chip.className)")
            assert classes == [f"chip {group}" for group in expected]
            found.visit("#tab-evidence")
            drawn = drawn_groups(found, slot.slot)
            found.visit("#tab-differences")
            assert [drawn.get(lane) for lane, row in enumerate(slot.candidates) if row.scores] == [
                group for group, row in zip(expected, slot.candidates, strict=True) if row.scores
            ]
            at_margin = replace(
                slot,
                candidates=tuple(
                    replace(row, group=group)
                    for row, group in zip(slot.candidates, expected, strict=True)
                ),
            )
            headline = page.locator(f"[data-slot={slot.slot}] [data-headline]").text_content()
            assert headline == slot_headline(
                at_margin, Wording(Formatter(NullTranslations()), margin / 100)
            )
            assert found.layout(f"differences-{slot.slot}", "shapes[0].x0") == -margin


def test_the_slider_works_by_keyboard_in_both_places_and_goes_back(
    watched: tuple[Any, Path],
) -> None:
    found, _path = watched
    page = found.page
    first, second = page.locator("#margin-first"), page.locator("#margin-second")
    second.fill("0.5")
    assert page.locator("[data-margin-note]").last.is_hidden()
    second.focus()
    page.keyboard.press("ArrowRight")
    assert first.input_value() == second.input_value() == "0.51"
    assert first.get_attribute("aria-valuetext") == "0.51\u00a0points"
    assert page.locator("[data-margin-note]").last.is_visible()
    assert "margin=0.51" in page.url
    page.keyboard.press("Home")
    assert first.input_value() == "0.01"
    page.locator("[data-margin-reset]").last.click()
    assert "margin" not in page.url
    assert second.input_value() == "0.5"
    for slot in VERDICT.slots:
        assert shown_groups(page, slot.slot) == [row.group for row in slot.candidates]


def test_paragraph_and_tables_are_copied(watched: tuple[Any, Path]) -> None:
    page = watched[0].page
    watched[0].visit("#paper")
    buttons = page.locator("#paper [data-copy]")
    assert buttons.count() == 3
    page.locator("#paper summary").click()
    buttons.nth(1).click()
    page.locator("#paper").get_by_role("button", name="Copied").wait_for()


def test_a_margin_in_the_address_is_shown_from_the_start(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(published_study(), verdict=VERDICT))
    opened = Watched(browser, path, "#tab-answer?margin=1.5")
    assert opened.page.locator("#margin-first").input_value() == "1.5"
    assert "1.5 points" in opened.page.locator("[data-headline]").first.inner_text()
    opened.check()
