"""The page in headless Chromium: silent, offline, and every control does what it says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actlab.pages.theme import DARK, LIGHT
from actlab.studies.report import write
from tests.chromium import Watched, browser, pytestmark

from .studies import curve, published_study, small_study

__all__ = ["browser", "pytestmark"]


class Report(Watched):
    """The page of a study."""

    def shown(self) -> list[str]:
        return self.page.locator("#trials-table tbody tr:visible td:first-child").all_inner_texts()


def published_with_curves(path: Path, language: str) -> Path:
    data = published_study()
    trials = tuple(
        replace(r, curve=curve(9, r.valid_accuracy or 0), epochs=9) for r in data.records
    )
    return write(path / f"{language}.html", replace(data, records=trials), language)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_page_is_silent_offline_and_complete(
    browser: Any, tmp_path: Path, language: str
) -> None:
    path = published_with_curves(tmp_path, language)
    watched = Report(browser, path, color_scheme="light", viewport={"width": 390, "height": 800})
    page = watched.page
    plots = page.locator(".plot .main-svg:first-child")
    assert plots.count() == 8
    assert page.locator(".plot").count() == 8
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    zoom = page.locator("#figure-rates-conv .views button")
    zoom.nth(2).click()
    assert watched.layout("rates-conv", "yaxis.range") == [0.9, 0.98]
    assert watched.layout("rates-conv", "xaxis.range") == [0, 0.006]
    assert zoom.nth(2).get_attribute("aria-pressed") == "true"
    zoom.nth(0).click()
    assert watched.layout("rates-conv", "xaxis.range")[1] > 0.01
    page.locator("#figure-history .views button").nth(1).click()
    assert watched.layout("history", "yaxis.range") == [0.8, 0.983]
    for scheme, colours in (("dark", DARK), ("light", LIGHT)):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_selector(f"html[data-drawn={scheme}]", state="attached")
        assert watched.layout("history", "paper_bgcolor") == colours["surface"]
        assert watched.layout("history", "yaxis.range") == [0.8, 0.983]
    watched.check()


def test_the_table_of_trials_sorts_and_filters(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path, viewport={"width": 1440, "height": 900})
    page = watched.page
    assert watched.shown() == ["0", "1", "2", "3", "4", "5", "7"]
    header = page.locator("#trials-table th").nth(4)
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert watched.shown() == ["3", "0", "2", "5", "1", "4", "7"]
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert watched.shown() == ["2", "5", "0", "3", "1", "4", "7"]
    page.locator("[data-column=conv]").select_option("snake")
    assert sorted(watched.shown()) == ["1", "3", "7"]
    page.locator("[data-column=outcome]").select_option("diverged")
    assert watched.shown() == ["1"]
    assert page.locator("output").inner_text() == "1 of 7 trials"
    page.locator("[data-column=conv]").select_option("")
    page.locator("[data-column=outcome]").select_option("")
    page.locator("[data-any]").fill("KILLED")
    assert watched.shown() == ["4"]
    page.locator("[data-copy]").click()
    page.get_by_role("button", name="Copied").wait_for()
    watched.check()


def test_a_page_without_a_completed_trial_is_silent_too(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), records=(), verdict=None))
    watched = Report(browser, path)
    assert watched.page.locator(".plot").count() == 1
    watched.check()
