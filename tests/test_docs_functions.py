"""The generated pages of docs/functions are what the facts give today."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(DOCS))
    return importlib.import_module("generate_functions")


def test_the_committed_pages_are_current(generator: ModuleType) -> None:
    for name, text in generator.pages().items():
        assert (DOCS / "functions" / name).read_text(encoding="utf-8") == text, (
            f"{name} is not current: run python docs/generate_functions.py"
        )


def test_what_does_not_hold_is_marked(generator: ModuleType) -> None:
    page = generator.pages()["published-claims.md"]
    lines = {line for line in page.splitlines() if "✘" in line or "◐" in line or "| ? " in line}

    def marked(about: str, sign: str) -> bool:
        return any(about in line and sign in line for line in lines)

    assert marked("It equals 2 sigmoid - 1.", "✘ does not hold")
    assert marked("Its minimum is -a.", "✘ does not hold")
    assert marked("mean of the weights", "✘ does not hold")
    assert marked("as dropout does", "? conjecture")
    for name in ("ELU", "SiLU"):
        assert marked(f"| {name} | It is zero-centred.", "◐ by degree")
    assert "| ✔ holds |" in page
