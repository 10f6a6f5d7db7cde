"""Headless Chromium: a browser, and a page of which every message and request is kept."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api")
_CHROMIUM = shutil.which("chromium")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(_CHROMIUM is None, reason="chromium is not installed"),
]
"""The marks of a module that opens pages."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser of the module's own."""
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_QUIET))
        yield started
        started.close()


class Watched:
    """A page whose console and requests are kept."""

    def __init__(self, browser: Any, path: Path, address: str = "", **context: Any) -> None:
        self.path = path
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page = browser.new_context(**context).new_page()
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() + address)
        self.page.wait_for_selector("html[data-drawn]", state="attached")

    def visit(self, address: str) -> None:
        """Go to an address within the page, such as "#tab-search", and wait for its figures."""
        self.page.evaluate("delete document.documentElement.dataset.drawn")
        self.page.evaluate("address => { location.hash = address; }", address)
        self.page.wait_for_selector("html[data-drawn]", state="attached")

    def check(self) -> None:
        """Fail where the page said something, or asked for anything but itself."""
        assert self.messages == []
        own = [
            url.partition("#")[0] for url in self.requests if not url.startswith(("data:", "blob:"))
        ]
        assert own == [self.path.as_uri()]

    def layout(self, figure: str, script: str) -> Any:
        """Return a part of a figure's layout as it is drawn."""
        return self.page.evaluate(
            f"document.getElementById('plot-{figure}').actlab.layout.{script}"
        )
