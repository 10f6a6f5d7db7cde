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
    drawn = page.locator(".plot .drawing")
    assert drawn.count() == 0, "nothing is drawn by script before a tab is opened"
    assert path.stat().st_size < 400_000
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    watched.visit("#tab-methods")
    watched.visit("#tab-trials")
    watched.visit("#tab-search")
    assert drawn.count() == page.locator(".picture .plot").count() == 10
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    zoom = page.locator("#figure-rates-conv .views button")
    assert zoom.nth(0).get_attribute("aria-pressed") == "true"
    zoom.nth(2).click()
    assert watched.layout("rates-conv", "yaxis.range") == [0.9, 0.98]
    assert watched.layout("rates-conv", "xaxis.type") == "log"
    assert zoom.nth(2).get_attribute("aria-pressed") == "true"
    zoom.nth(3).click()
    assert watched.layout("rates-conv", "xaxis.range")[1] > -2
    page.locator("#figure-history .views button").nth(1).click()
    assert watched.layout("history", "yaxis.range") == [0.8, 0.983]
    ink = "getComputedStyle(document.querySelector('#plot-history .legend text')).fill"
    for scheme, colours in (("dark", DARK), ("light", LIGHT)):
        page.emulate_media(color_scheme=scheme)
        expected = tuple(int(colours["ink"][at : at + 2], 16) for at in (1, 3, 5))
        assert page.evaluate(ink) == f"rgb{expected}"
        assert watched.layout("history", "yaxis.range") == [0.8, 0.983]
    watched.check()


def test_theme_and_language_are_the_readers_choice(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    assert watched.page.evaluate(background) == "rgb(246, 246, 243)"
    watched.page.locator("[data-theme-switch]").click()
    assert watched.page.evaluate(background) == "rgb(18, 20, 23)"
    watched.check()


def test_filter_and_order_of_the_trials_are_in_the_address(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    first = Report(browser, path, "#tab-trials?sort=-4&conv=snake")
    assert first.shown() == ["3", "1", "7"]
    first.page.locator("[data-column=outcome]").select_option("diverged")
    assert "conv=snake&outcome=diverged" in first.page.url
    again = Report(browser, path, "#" + first.page.url.partition("#")[2])
    assert again.shown() == ["1"]
    first.check()
    again.check()


def test_the_table_is_saved_as_csv(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path, "#tab-trials")
    with watched.page.expect_download() as found:
        watched.page.locator("#trials .save button", has_text="CSV").click()
    rows = Path(found.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 8
    assert rows[3].startswith('"2","mish","hardswish","0.004","0.9666","completed"')


def test_every_picture_is_saved_as_svg_and_png(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path)
    for place, start in ((0, b"<svg"), (1, b"\x89PNG")):
        for box in ("#figure-history", "#tab-answer article"):
            watched.visit("#tab-search" if "history" in box else "#tab-answer")
            with watched.page.expect_download() as found:
                watched.page.locator(f"{box} .save button").nth(place).click()
            content = Path(found.value.path()).read_bytes()
            assert content.startswith(start)
            assert place or b"var(" not in content, "a picture of its own has its own colours"
    watched.check()


def test_a_click_on_a_row_shows_its_curves_and_the_address_has_it(
    browser: Any, tmp_path: Path
) -> None:
    path = published_with_curves(tmp_path, "en")
    watched = Report(browser, path, "#tab-trials")
    page = watched.page
    for number in ("4", "102"):
        page.locator(f"tr[data-trial='{number}']").click()
    page.locator("#plot-trial-score .drawing").wait_for()
    assert "trial=4%2C102" in page.url
    assert page.locator("#trial-panel h3").inner_text().startswith("Trial 4: conv")
    assert page.locator("#plot-trial-score .end").all_text_contents() == ["102", "4"]
    again = Report(browser, path, "#" + page.url.partition("#")[2])
    again.page.locator("#plot-trial-loss .drawing").wait_for()
    page.locator("[data-trial-close]").click()
    assert "trial=" not in page.url
    watched.check()
    again.check()


def test_a_range_on_an_axis_filters_the_table_and_is_in_the_address(
    browser: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path, "#tab-trials?between=2:0.000:0.150")
    assert watched.shown() == ["0", "3"]
    assert watched.page.locator("#tab-trials output").inner_text() == "2 of 7 trials"
    box = watched.page.locator("#plot-parallel").bounding_box()
    assert box is not None
    x = box["x"] + 70 + 2 * (box["width"] - 140) / 4
    watched.page.mouse.click(x, box["y"] + 100)
    assert watched.shown() == ["0", "1", "2", "3", "4", "5", "7"]
    assert "between" not in watched.page.url
    watched.check()


def test_the_language_is_switched_in_place_and_back(browser: Any, tmp_path: Path) -> None:
    data = replace(small_study(), verdict=None)
    path = write(tmp_path / "report.html", data, "en", other=("ko", data))
    watched = Report(browser, path, "#tab-trials?conv=snake")
    page = watched.page
    page.locator("[data-theme-switch]").click()
    page.locator("[data-language-switch]").click()
    page.wait_for_selector("html[lang=ko][data-drawn]", state="attached")
    assert page.locator("html").get_attribute("data-theme") in ("dark", "light")
    assert watched.shown() == ["1", "3", "7"]
    page.locator("[data-language-switch]").click()
    page.wait_for_selector("html[lang=en][data-drawn]", state="attached")
    assert watched.messages == []


def test_the_table_of_trials_sorts_and_filters(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), verdict=None))
    watched = Report(browser, path, viewport={"width": 1440, "height": 900})
    page = watched.page
    watched.visit("#tab-trials")
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
    assert page.locator("#tab-trials output").inner_text() == "1 of 7 trials"
    page.locator("[data-column=conv]").select_option("")
    page.locator("[data-column=outcome]").select_option("")
    page.locator("[data-any]").fill("KILLED")
    assert watched.shown() == ["4"]
    watched.visit("#tab-reproduce")
    page.locator("[data-copy=command]").click()
    page.get_by_role("button", name="Copied").wait_for()
    watched.check()


def test_a_page_without_a_completed_trial_is_silent_too(browser: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "report.html", replace(small_study(), records=(), verdict=None))
    watched = Report(browser, path)
    assert watched.page.locator(".picture .plot").count() == 1
    watched.check()
