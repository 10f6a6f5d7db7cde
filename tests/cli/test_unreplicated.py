"""`actlab report` on trials that have no run folder."""

import json
from pathlib import Path

import pytest

from tests.cli.invoke import actlab


def test_the_published_trials_are_judged(capsys: pytest.CaptureFixture[str]) -> None:
    result = actlab(capsys, "report", "--study", "published")
    assert result.code == 0, result.err
    assert "What they cannot say" in result.out
    document = json.loads(actlab(capsys, "report", "--study", "published", "--json").out)
    budgets = {c["name"]: c["trials"] for c in document["parameters"][1]["choices"]}
    assert budgets["tanh"] == 54
    assert document["trials"] == 120
    assert document["report"] is None


def test_a_table_becomes_a_page_with_escaping(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("activation,value\n<b>relu</b>,0.9\ntanh,0.8\n")
    page = tmp_path / "page.html"
    result = actlab(capsys, "report", table, "-o", page)
    assert result.out.strip() == str(page)
    text = page.read_text()
    assert "&lt;b&gt;relu&lt;/b&gt;" in text
    assert "<b>relu" not in text
    assert 'http-equiv="Content-Security-Policy"' in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Give the folder of a study"),
        (["--storage", "none.db"], "Give the folder of a study"),
        (["--storage", "none.db", "--study", "x"], "There is no storage none.db"),
        (["some.csv", "--study", "x"], "not both"),
        (["--study", "published", "-o", "no/such/folder/page.html"], "Choose another -o"),
    ],
)
def test_wrong_use_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = actlab(capsys, "report", *arguments)
    assert result.code == 2
    assert told in result.err
