"""The page of a run of tasks in headless Chromium: silent, offline, no wider than the screen."""

from pathlib import Path
from typing import Any

import pytest

from actlab.studies.report.tasks import write_tasks
from tests.chromium import Watched, browser, pytestmark

from .tasks_run import tasks_run

__all__ = ["browser", "pytestmark"]


@pytest.mark.slow
@pytest.mark.parametrize(("language", "width", "scheme"), [("ko", 390, "dark")])
def test_the_page_is_silent_offline_and_fits(
    browser: Any, tmp_path: Path, language: str, width: int, scheme: str
) -> None:
    data = tasks_run(names=("regression", "multiclass"))
    path = write_tasks(tmp_path / "tasks.html", data, language)
    size = {"width": width, "height": 800}
    watched = Watched(browser, path, color_scheme=scheme, viewport=size)
    page = watched.page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    drawn = page.locator(".plot .drawing").count()
    assert drawn == page.locator(".plot").count() > 9
    watched.check()
