"""Korean pages: one for every page, in the terms of the glossary, with particles by sound."""

import json
import re
import tomllib
from pathlib import Path

import pytest

import actlab
from actlab.checker.rules import RULES

DOCS = Path(__file__).parents[2] / "docs"
LOCALE = Path(actlab.__file__).parent / "locale"
TERMS = tomllib.loads((LOCALE / "glossary.toml").read_text(encoding="utf-8"))["term"]
PAGES = sorted(path for path in DOCS.rglob("*.md") if not path.name.endswith(".ko.md"))
MADE_AT_BUILD = ("rules", "functions")
"""Folders whose Korean pages are made from the program (the rules), or from its facts."""
HEDGE = re.compile(r"은\(는\)|이\(가\)|을\(를\)|[와과]\([와과]\)|\(으\)로")


def korean_texts() -> dict[str, str]:
    texts = {
        str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
        for path in DOCS.rglob("*.ko.md")
    }
    texts["README"] = (DOCS.parent / "README.ko.md").read_text(encoding="utf-8")
    texts["rules.toml"] = (LOCALE / "ko" / "rules.toml").read_text(encoding="utf-8")
    for path in DOCS.glob("*/*.ko.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        written = ["".join(c["source"]) for c in cells if c["cell_type"] == "markdown"]
        texts[path.name] = "\n".join(written)
    return texts


TEXTS = korean_texts()


def test_every_title_of_the_navigation_has_its_korean() -> None:
    text = (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")
    titles = re.findall(
        r'^ +- "?([^:"\n]+?)"?:(?: \S+\.(?:md|ipynb))?$', text.split("\nnav:")[1], re.M
    )
    korean = re.findall(r'^ {12}"?([^:"\n]+?)"?: \S', text.split("nav_translations:")[1], re.M)
    assert len(titles) > 30
    assert set(titles) - set(korean) == {"actlab"}


@pytest.mark.parametrize(
    "page", [path for path in PAGES if path.parent.name not in MADE_AT_BUILD], ids=str
)
def test_every_page_has_its_korean_with_the_same_code(page: Path) -> None:
    korean = page.with_suffix(".ko.md")
    assert korean.is_file(), f"{korean} is missing"
    assert commands(korean) == commands(page)


def commands(page: Path) -> list[str]:
    """Return the commands of a page without the comments beside them."""
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    lines = (re.sub(r"\s*#.*", "", line).strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("name", TEXTS)
def test_a_page_keeps_to_the_terms(name: str) -> None:
    text = TEXTS[name]
    used = [avoided for term in TERMS for avoided in term["avoid"] if avoided in text]
    assert used == []
    assert HEDGE.findall(text) == []


def test_every_rule_has_its_korean_page() -> None:
    from actlab.checker.reporting.rule_pages import in_korean

    found = in_korean()
    assert {rule.code for rule in RULES} <= set(found)
    assert all(set(page) == {"summary", "what", "why"} for page in found.values())
