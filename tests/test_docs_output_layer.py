"""The tables of docs/output-layer.md are what the tasks and the committed documents give today."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from actlab.tasks import TASKS

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("generate_output_layer")


def test_the_committed_page_is_current(generator: ModuleType) -> None:
    text = (DOCS / "output-layer.md").read_text(encoding="utf-8")
    assert generator.page(text, generator.documents()) == text, (
        "not current: run python docs/generate_output_layer.py"
    )
    assert all(f"| {task.name} |" in text for task in TASKS)
    assert "--data-dir DIR" in text
    assert "/tmp" not in text


def test_another_figure_makes_another_page(generator: ModuleType) -> None:
    text = (DOCS / "output-layer.md").read_text(encoding="utf-8")
    documents = generator.documents()
    documents["corrected"]["settings"][0]["test"] = [1.0, 2.0, "inf"]
    assert "∞ (1.0000 to ∞)" in generator.page(text, documents)
