"""The tables of docs/verdict.md are what the committed figures give."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("generate_verdict")


def test_the_committed_page_is_current(generator: ModuleType) -> None:
    text = (DOCS / "verdict.md").read_text(encoding="utf-8")
    found = json.loads((DOCS / "verdict" / "figures.json").read_text(encoding="utf-8"))
    assert generator.page(text, found) == text, "not current: run python docs/generate_verdict.py"
    assert "--data-dir DIR" in text
    assert "/tmp" not in text


def test_another_figure_makes_another_page(generator: ModuleType) -> None:
    text = (DOCS / "verdict.md").read_text(encoding="utf-8")
    found = json.loads((DOCS / "verdict" / "figures.json").read_text(encoding="utf-8"))
    found["studies"]["corrected"]["verdict"]["slots"]["conv"][0]["mean"] = 0.12345
    assert "12.35\u00a0%" in generator.page(text, found)
