"""The documentation: its commands exist as written, its site is whole and asks nobody else."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from actlab.cli.main import app

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "README.ko.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "start").glob("*.md")),
]

FIRST = {"README", "README.ko", "index", "index.ko", "compare", "know", "checking", "run-folder"}
"""What a newcomer reads first; records of what was measured name the folders that it ran on."""


def commands(page: Path) -> list[str]:
    """Return the command lines of actlab in a page's shell blocks, continued lines joined."""
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("actlab ")]


WRITTEN = sorted({(page.name, line) for page in PAGES for line in commands(page)})


@pytest.mark.parametrize(("page", "line"), WRITTEN)
def test_a_command_is_understood_as_it_is_written(page: str, line: str) -> None:
    words = shlex.split(line.partition("|")[0].partition(">")[0], comments=True)[1:]
    command, parent = typer.main.get_command(app), None
    path = ["actlab"]
    while words and words[0] in getattr(command, "commands", {}):
        parent = command.context_class(command, info_name=path[-1], parent=parent)
        path.append(words[0])
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]  # it is a group
    assert not getattr(command, "commands", {}), f"{page}: there is no command {words[:1]}"
    command.make_context(path[-1], words, parent=parent)


def test_nothing_refers_to_a_folder_that_a_newcomer_does_not_have() -> None:
    for page in (p for p in PAGES if p.parent.name == "start" or p.stem in FIRST):
        assert "../shared" not in page.read_text(encoding="utf-8"), page


@pytest.mark.slow
def test_the_site_builds_with_every_link_checked_and_no_foreign_asset(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for name in ("index.html", "ko/index.html", "reference/command-line.html", "rules/index.html"):
        assert (tmp_path / name).is_file(), name
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        foreign = r'<(?:script|link|img)[^>]+(?:src|href)="?(?:https?:)?//'
        assert not re.search(foreign, text), page
