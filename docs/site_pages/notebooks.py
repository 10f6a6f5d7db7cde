"""Tutorials and examples: notebooks, shown with the outputs that they hold.

    python docs/site_pages/notebooks.py [--check] [NOTEBOOK...]

runs them and keeps their outputs; with `--check` they are run, and nothing is kept.
"""

import argparse
import re
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1]
FOLDERS = ("tutorials", "examples")


def notebooks() -> list[Path]:
    """Return every notebook of the documentation."""
    return sorted(path for folder in FOLDERS for path in (DOCS / folder).glob("*.ipynb"))


def pages(language: str) -> dict[str, str]:
    """Return a page for each notebook of a language."""
    from nbconvert.exporters import MarkdownExporter

    written = {}
    for path in notebooks():
        name, _dot, suffix = path.stem.partition(".")
        if (suffix or "en") != language:
            continue
        text, _resources = MarkdownExporter().from_filename(str(path))
        note = {
            "en": "This page is a notebook: [{0}]({0}).",
            "ko": "이 페이지는 노트북입니다: [{0}]({0}).",
        }
        title, _newline, rest = _plain(text).partition("\n")
        written[f"{path.parent.name}/{name}"] = "\n\n".join(
            [title, f"*{note[language].format(path.name)}*", rest.strip(), ""]
        )
    return written


def files() -> dict[str, str]:
    """Return nothing: a notebook is in its page whole."""
    return {}


def _plain(text: str) -> str:
    """Return Markdown with outputs as blocks of text, and HTML outputs in one line each.

    nbconvert indents plain outputs; an indented blank line would end an HTML output.
    """
    lines, block = [], []
    for line in text.splitlines():
        if line.startswith("    ") and lines[-1:] != [""] and not block:
            lines.append(line)
        elif line.startswith("    ") or (block and not line.strip()):
            block.append(line[4:] if line.startswith("    ") else "")
        else:
            lines += _fenced(block)
            block = []
            lines.append(line)
    return "\n".join([*lines, *_fenced(block)])


def _fenced(block: list[str]) -> list[str]:
    while block and not block[-1].strip():
        block.pop()
    if not block:
        return []
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(block))
    return ["```text", re.sub(r"\n{3,}", "\n\n", text), "```", ""]


def run(path: Path, language: str) -> Any:
    """Return a notebook with the outputs of a run in a fresh folder."""
    import os
    import tempfile

    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ |= {"ACTLAB_LANG": language, "COLUMNS": "100", "PATH": programs}
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            coalesce_streams=True,
        )
        client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_kept(output) for output in cell.outputs if _is_result(output)]
    notebook.metadata = {"language_info": {"name": "python"}}
    return notebook


def _is_result(output: Any) -> bool:
    """Return whether an output is no progress and no warning."""
    return bool(output.get("name") != "stderr")


def _kept(output: Any) -> Any:
    """Return an output in the one form that a page shows: a terminal's links are their text."""
    if "text" in output:
        output["text"] = re.sub(r"\x1b\]8;[^\x1b]*\x1b\\", "", output["text"])
    data = output.get("data", {})
    if "text/html" in data:
        data.pop("text/plain", None)
    return output


def main() -> int:
    """Run the notebooks that are named, or all."""
    import nbformat

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for path in options.notebooks or notebooks():
        done = run(path, "ko" if path.stem.endswith(".ko") else "en")
        if not options.check:
            nbformat.write(done, path)
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
