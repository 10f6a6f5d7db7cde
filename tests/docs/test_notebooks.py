"""Tutorials and examples run, have the same code in both languages, and hold what they print."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted(path for path in DOCS.glob("*/*.ipynb") if not path.stem.endswith(".ko"))
NOT_RUN_YET = {"command-line.ko"}
"""Notebooks without outputs."""
KERNEL_SPEAKS_TCP = "ignore:Kernel is running over TCP"


def cells(path: Path, kind: str) -> list[str]:
    document = json.loads(path.read_text(encoding="utf-8"))
    return ["".join(cell["source"]) for cell in document["cells"] if cell["cell_type"] == kind]


def test_there_are_enough_of_each() -> None:
    folders = [path.parent.name for path in NOTEBOOKS]
    assert {name: folders.count(name) for name in folders} == {"tutorials": 5, "examples": 6}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_korean_has_the_same_code_and_a_text_for_each(path: Path) -> None:
    korean = path.with_suffix(".ko.ipynb")
    assert cells(korean, "code") == cells(path, "code")
    assert len(cells(korean, "markdown")) == len(cells(path, "markdown"))


@pytest.mark.parametrize("path", sorted(DOCS.glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_outputs_are_kept_and_name_no_place_of_one_machine(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    outputs = [one for cell in document["cells"] for one in cell.get("outputs", ())]
    if path.stem not in NOT_RUN_YET:
        assert outputs, "run docs/site_pages/notebooks.py"
    assert all(one.get("name") != "stderr" and one["output_type"] != "error" for one in outputs)
    text = json.dumps(outputs)
    assert not any(place in text for place in ("/home/", "/root/", "/tmp/", "site-packages"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings(KERNEL_SPEAKS_TCP)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbclient")
    if path.stem == "hugging-face":
        pytest.importorskip("transformers")
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from site_pages.notebooks import run  # type: ignore[import-not-found]  # it is beside the docs

    done: Any = run(path, "en")  # a cell that raises ends it with CellExecutionError
    kept = json.loads(path.read_text(encoding="utf-8"))
    for now, then in zip(done.cells, kept["cells"], strict=True):
        if now.cell_type == "code":
            assert len(now.outputs) == len(then["outputs"]), "".join(then["source"])
