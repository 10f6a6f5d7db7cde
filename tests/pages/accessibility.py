"""What axe-core finds wrong with a page, and text that is cut without a way to see it."""

from importlib import resources
from typing import Any

import pytest

pytest.importorskip("axe_playwright_python")

_CUT = """[...document.querySelectorAll('main *')].filter((part) => part.offsetParent &&
    !part.children.length && part.textContent.trim() &&
    !part.closest('.scroll, pre, .lanes, .unseen') &&
    getComputedStyle(part).overflow !== 'visible' && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.outerHTML)"""


def violations(page: Any) -> list[str]:
    """Return the rules of axe-core that a page breaks, each with its first place."""
    axe = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    page.evaluate(axe + ";0")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:200]}" for rule in found]


def cut_texts(page: Any) -> list[str]:
    """Return the elements whose text does not fit and cannot be scrolled to."""
    found: list[str] = page.evaluate(_CUT)
    return found
