"""Every page, at two sizes, in both themes and languages: nothing for axe-core, no text cut."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import actlab
from actlab.case_study.published_results import published_trials
from actlab.i18n import translation
from actlab.studies.report import write
from actlab.studies.report.tasks import write_tasks
from actlab.studies.report.trial_pictures import PUBLISHED_ZOOMS
from actlab.studies.report.unreplicated import write_unreplicated
from actlab.verdicts.unreplicated import summarise_trials
from tests.activations.explorer.explorers import explorer
from tests.chromium import Watched, browser, pytestmark
from tests.pages.accessibility import cut_texts, violations
from tests.studies.report.studies import measured_study, published_study, small_study
from tests.studies.report.tasks_run import tasks_run
from tests.studies.report.verdicts import full_verdict

__all__ = ["browser", "pytestmark"]


def finished(path: Path, language: str) -> Path:
    return write(path, replace(small_study(), verdict=None), language)


def confirmed(path: Path, language: str) -> Path:
    return write(path, replace(published_study(), verdict=full_verdict()), language)


def published(path: Path, language: str) -> Path:
    table = published_trials()
    summary = summarise_trials(table, translation(language))
    written = datetime(2026, 1, 1, tzinfo=UTC)
    return write_unreplicated(
        path, summary, table, written=written, language=language, zooms=PUBLISHED_ZOOMS
    )


def regression(path: Path, language: str) -> Path:
    return write(path, measured_study(), language)


def scores(path: Path, language: str) -> Path:
    draw = np.random.default_rng(0)
    rows = {"method": ["a"] * 9 + ["b"] * 9, "seed": [*range(9)] * 2, "acc": draw.random(18)}
    actlab.verdict(rows, candidate="method").page(path, language)
    return path


def tasks(path: Path, language: str) -> Path:
    return write_tasks(path, tasks_run(names=("regression",)), language)


def explored(path: Path, language: str) -> Path:
    from actlab.activations.explorer import write as write_explorer

    return write_explorer(path, explorer(), language, translations=NullTranslations())


PAGES: dict[str, tuple[Callable[[Path, str], Path], tuple[str, ...]]] = {
    "finished": (finished, ("#tab-answer", "#tab-search", "#tab-trials?trial=2", "#tab-methods")),
    "confirmed": (confirmed, ("#tab-answer", "#tab-evidence", "#tab-reproduce")),
    "published": (published, ("#tab-answer", "#tab-trials", "#tab-budgets")),
    "regression": (
        regression,
        ("#tab-answer", "#tab-evidence", "#tab-search", "#tab-trials?trial=2", "#tab-methods"),
    ),
    "scores": (scores, ("",)),
    "tasks": (tasks, ("",)),
    "explorer": (explored, ("#relu,%3Dx*tanh(a*x)",)),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("width", "scheme", "language"),
    [(1280, "light", "en"), (1280, "dark", "ko"), (390, "light", "en"), (390, "dark", "ko")],
)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_and_no_text_is_cut(
    browser: Any, tmp_path: Path, name: str, width: int, scheme: str, language: str
) -> None:
    make, addresses = PAGES[name]
    path = make(tmp_path / "page.html", language)
    for address in addresses:
        size = {"width": width, "height": 844}
        watched = Watched(browser, path, address, viewport=size, color_scheme=scheme)
        assert watched.page.evaluate("document.documentElement.scrollWidth") == width
        assert violations(watched.page) == []
        assert cut_texts(watched.page) == []
        watched.check()
        watched.page.close()


@pytest.mark.slow
@pytest.mark.parametrize(("width", "screen"), [(1280, 800), (390, 844)])
@pytest.mark.parametrize("make", [finished, confirmed, regression, published])
def test_a_tab_takes_at_most_three_screens(
    browser: Any, tmp_path: Path, make: Callable[[Path, str], Path], width: int, screen: int
) -> None:
    size = {"width": width, "height": screen}
    watched = Watched(browser, make(tmp_path / "page.html", "en"), viewport=size)
    links = watched.page.locator("nav.tabs a")
    heights = {}
    for address in links.evaluate_all("links => links.map((link) => link.getAttribute('href'))"):
        watched.visit(address)
        heights[address] = watched.page.evaluate("document.documentElement.scrollHeight")
    assert len(heights) > 2
    assert {tab: height for tab, height in heights.items() if height > 3 * screen} == {}
    watched.check()


@pytest.mark.slow
def test_print_is_a_document(browser: Any, tmp_path: Path) -> None:
    watched = Watched(browser, confirmed(tmp_path / "page.html", "en"))
    pdf = watched.page.pdf(format="A4")
    pages = pdf.count(b"/Type /Page") - pdf.count(b"/Type /Pages")
    assert 4 < pages < 30
    watched.page.emulate_media(media="print")
    shown = watched.page.locator(".plot .drawing")
    assert shown.count() > 10, "the figures of every tab are on paper"
    assert watched.page.locator("nav.tabs").is_hidden()
    watched.check()


@pytest.mark.slow
def test_the_first_paint_is_quick_and_no_task_is_long(browser: Any, tmp_path: Path) -> None:
    watched = Watched(browser, confirmed(tmp_path / "page.html", "en"))
    page = watched.page
    page.evaluate(
        """() => { window.tasks = []; new PerformanceObserver((list) => {
            window.tasks.push(...list.getEntries().map((task) => task.duration));
        }).observe({type: "longtask", buffered: true}); }"""
    )
    for tab in ("evidence", "search", "trials"):
        watched.visit(f"#tab-{tab}")
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    tasks = page.evaluate("window.tasks")
    print(f"first paint {paint:.0f} ms, longest task {max(tasks, default=0):.0f} ms")
    assert paint < 3000, "0.3 s on a machine that is free"
    assert max(tasks, default=0) < 2000, "0.2 s on a machine that is free"
