"""The plugin of pytest, in a run of its own, and what it costs a run that does not use it."""

import subprocess
import sys
from pathlib import Path

SUITE = """
import torch
from torch import nn
batch = (torch.randn(8, 4), torch.randint(3, (8,)))
def test_right(actlab_check):
    actlab_check(nn.Linear(4, 3), nn.CrossEntropyLoss(), batch, strict=True)
def test_wrong(actlab_check):
    net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
    actlab_check(net, nn.CrossEntropyLoss(), batch)
def test_step(actlab_check):
    net = nn.Linear(4, 3)
    actlab_check(lambda: nn.functional.cross_entropy(net(batch[0]).softmax(1), batch[1]))
"""


def test_the_fixture(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-n0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "activations are misused:" in done.stdout
    assert "error[ACT101] double-softmax" in done.stdout
    assert "test_mine.py:8:" in done.stdout


def test_a_run_that_does_not_use_it_loads_no_torch() -> None:
    program = "import sys, actlab.testing.plugin; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
