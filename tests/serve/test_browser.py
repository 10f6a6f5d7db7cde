"""The live view in headless Chromium: silent under its own policy, and new within two seconds."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from actlab.serve.runs import key_of  # after the extra is known to be there
from actlab.studies.lock import locked
from actlab.studies.run_folder import RunFolder
from tests.chromium import browser, pytestmark
from tests.pages.accessibility import cut_texts, violations
from tests.serve.test_app import FINISHED, serving

__all__ = ["browser", "pytestmark"]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_list_live_view_and_report_are_silent_and_ask_nobody_else(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    for name in ("one", "two"):
        shutil.copytree(FINISHED, tmp_path / name)
    servers = serving([tmp_path])
    origin = f"http://127.0.0.1:{next(servers)}"
    page = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme
    ).new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    key = key_of(tmp_path / "one")
    for path in ("/", f"/runs/{key}", f"/runs/{key}?lang=ko", f"/runs/{key}/report#tab-search"):
        page.goto(origin + path)
        assert page.evaluate("document.documentElement.scrollWidth") == width
    page.wait_for_selector("html[data-drawn]", state="attached")
    assert page.locator(".plot .drawing").count() > 0
    assert said == []
    assert all(url.startswith((origin, "data:", "blob:")) for url in asked)
    next(servers, None)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_axe_finds_nothing_in_list_live_view_and_comparison(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    for name in ("one", "two"):
        shutil.copytree(FINISHED, tmp_path / name)
    first = json.loads((tmp_path / "two" / "records.jsonl").read_text().splitlines()[0])
    setting = {name: first["setting"][f"{name}_activation"] for name in ("conv", "fc")}
    known = setting | {"identity": "new", "number": 99, "stage": "search", "worker": 7}
    (tmp_path / "two" / "progress.jsonl").write_text(
        "".join(
            json.dumps(known | {"epoch": n, "metric": n / 9, "seconds": 1.0, "time": time.time()})
            + "\n"
            for n in (1, 2, 3)
        )
    )
    servers = serving([tmp_path])
    size = {"width": width, "height": 844}
    page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
    one, two = (key_of(tmp_path / name) for name in ("one", "two"))
    origin = f"http://127.0.0.1:{next(servers)}"
    with locked(RunFolder(tmp_path / "two").lock_path):
        for path in ("/", f"/runs/{one}", f"/runs/{two}", f"/compare?run={one}&run={two}"):
            for language in ("en", "ko"):
                page.goto(f"{origin}{path}{'&' if '?' in path else '?'}lang={language}")
                assert violations(page) == [], (path, language)
                assert cut_texts(page) == [], (path, language)
                if path == f"/runs/{two}":
                    assert page.locator("svg.workers rect.running").count() == 1
                    assert page.locator(".smalls figure").count() == 1
    next(servers, None)


def test_a_trial_is_on_the_page_within_two_seconds(browser: Any, tmp_path: Path) -> None:
    shutil.copytree(FINISHED, tmp_path / "one")
    (tmp_path / "one" / "confirm.json").unlink()
    (tmp_path / "one" / "verdict.json").unlink()
    records = tmp_path / "one" / "records.jsonl"
    search = [
        line
        for line in records.read_bytes().splitlines(keepends=True)
        if b'"stage":"confirm"' not in line.replace(b" ", b"")
    ]
    records.write_bytes(b"".join(search[:-1]))
    servers = serving([tmp_path])
    page = browser.new_context().new_page()
    page.goto(f"http://127.0.0.1:{next(servers)}/runs/{key_of(tmp_path / 'one')}")
    rows = page.locator("#live table").last.locator("tbody tr")
    assert rows.count() == len(search) - 1
    with records.open("ab") as stream:
        stream.write(search[-1])
    start = time.perf_counter()
    page.wait_for_function(
        "n => document.querySelectorAll('#live table:last-of-type').length && "
        "[...document.querySelectorAll('#live table')].at(-1).tBodies[0].rows.length === n",
        arg=len(search),
        timeout=10_000,
    )
    assert time.perf_counter() - start < 5, "two seconds on a machine that is free"
    next(servers, None)
