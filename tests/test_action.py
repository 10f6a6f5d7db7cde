"""The Action of GitHub: its step does what `actlab check` does, and keeps its exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ACTION = Path(__file__).parents[1] / "action.yml"

PROGRAM = """import torch
from torch import nn
net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
nn.CrossEntropyLoss()(net(torch.randn(8, 4)), torch.randint(3, (8,))).backward()
"""


@pytest.mark.parametrize("upload", ["true", "false"])
def test_the_step_of_the_action(tmp_path: Path, upload: str) -> None:
    yaml = pytest.importorskip("yaml")
    action = yaml.safe_load(ACTION.read_text())
    (step,) = [step for step in action["runs"]["steps"] if step["name"] == "Check"]
    (tmp_path / "train.py").write_text(PROGRAM)
    command = tmp_path / "bin" / "actlab"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m actlab "$@"\n')
    command.chmod(0o755)
    given = {"TARGET": "train.py", "ARGUMENTS": "--x 1", "OPTIONS": "--strict", "UPLOAD": upload}
    assert set(step["env"]) == set(given)
    path = f"{command.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=tmp_path,
        env={**os.environ, **given, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    if upload == "true":
        log = json.loads((tmp_path / "actlab.sarif").read_text())
        (result,) = log["runs"][0]["results"]
        assert result["ruleId"] == "ACT101"
        place = result["locations"][0]["physicalLocation"]
        assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("train.py", 3)
    else:
        assert done.stdout.startswith("::error title=ACT101 double-softmax,file=train.py,line=3,")
