"""Know and check where only the core is installed: nothing of the extras can be imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_architecture import CORE, import_name, project

COMES_WITH_THE_CORE = {"jinja2", "markupsafe", "pydantic"}
"""torch requires Jinja, which requires MarkupSafe, and Typer requires pydantic."""

WITHOUT = """
import sys

sys.modules.update(dict.fromkeys(ABSENT))  # None there: not to be found, not to be imported
from actlab.cli.main import run

sys.exit(run(sys.argv[1:]))
"""

NET = """
from torch import nn

def build():
    return nn.Sequential(nn.Linear(20, 10), nn.Softmax(1))
"""


def core_only(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the extras cannot be imported."""
    extras = project()["optional-dependencies"]
    names = {import_name(line) for name, lines in extras.items() for line in lines}
    absent = names - CORE - COMES_WITH_THE_CORE - {"actlab"}
    code = f"ABSENT = {sorted(absent)!r}" + WITHOUT
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("functions show silu", 0),
        ("functions formula x*tanh(exp(x))", 0),
        ("functions list", 0),
        ("functions plot silu -o plot.html", 0),
        ("explore -o explorer.html", 0),
        ("check net.py:build --loss cross_entropy --input-shape 20", 1),
        ("tasks list", 0),
        ("doctor", 0),
    ],
)
def test_a_command_of_the_core_works(arguments: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(NET)
    ran = core_only(tmp_path, *arguments.split())
    assert ran.returncode == code, ran.stderr


@pytest.mark.parametrize(
    "arguments",
    ["study run digits --out out", "report --study published", "functions plot silu -o a.svg"],
)
def test_a_command_that_needs_more_says_what_to_install(arguments: str, tmp_path: Path) -> None:
    ran = core_only(tmp_path, *arguments.split())
    assert ran.returncode == 2, ran.stderr
    assert ran.stderr.strip().count("\n") == 0
    assert 'pip install "actlab[study]"' in ran.stderr
    assert list(tmp_path.iterdir()) == []
