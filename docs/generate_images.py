"""Take the pictures in docs/images that are pages, from a study that was run.

    actlab study run digits --out runs/digits
    python docs/generate_images.py runs/digits

Needs Chromium and the extra `dev`. Give the run folder as a relative path: the page names it.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from actlab.activations.explorer import write as write_explorer
from actlab.activations.explorer.data import explorer_data
from actlab.i18n import translation
from actlab.studies.interface.pages import write_page
from actlab.studies.run_folder import RunFolder

IMAGES = Path(__file__).parent / "images"

SIZE = {"width": 1280, "height": 800}


def take(browser: Browser, page: Path, address: str, image: str, scheme: str = "light") -> None:
    """Open a page at an address and save what is on the screen."""
    opened = browser.new_context(
        viewport=SIZE, color_scheme=scheme, device_scale_factor=1
    ).new_page()
    opened.goto(page.as_uri() + address)
    opened.wait_for_selector("html[data-drawn]", state="attached")
    opened.wait_for_timeout(300)
    opened.screenshot(path=IMAGES / image)
    opened.close()


def main(run: Path) -> None:
    """Write every picture."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Path(folder)
        for language in ("en", "ko"):
            write_page(RunFolder.open(run), place / f"report.{language}.html", language)
        write_explorer(place / "explorer.html", explorer_data(translation("en")), "en")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        take(browser, place / "report.en.html", "", "report.png")
        take(browser, place / "report.ko.html", "", "report.ko.png")
        take(browser, place / "report.en.html", "#tab-trials?trial=2", "trials.png", "dark")
        take(browser, place / "explorer.html", "#relu,gelu,silu", "explorer.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
