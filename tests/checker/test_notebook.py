"""`%%actlab_check` in a shell of IPython."""

from pathlib import Path
from typing import Any

import pytest

from actlab.checker.captured_step import CheckError

interactive = pytest.importorskip("IPython.core.interactiveshell")

CELL = """loss = nn.CrossEntropyLoss()(net(torch.randn(16, 8)).softmax(1), torch.randint(3, (16,)))
loss.backward()
after = True
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = interactive.InteractiveShell()
    shell.run_line_magic("load_ext", "actlab")
    shell.run_cell("import torch\nfrom torch import nn\nnet = nn.Linear(8, 3)")
    return shell


@pytest.mark.filterwarnings("default")
def test_a_cell_is_checked_and_stopped(shell: Any) -> None:
    report = shell.run_cell_magic("actlab_check", "", CELL)
    assert report.codes == ("ACT101",)
    assert report.findings[0].location.line == 1
    assert "after" not in shell.user_ns
    assert shell.user_ns["net"].weight.grad is None
    assert shell.run_cell_magic("actlab_check", "--ignore ACT101", CELL).codes == ()
    with pytest.raises(CheckError, match="--stpes"):
        shell.run_cell_magic("actlab_check", "--stpes 2", CELL)
    with pytest.raises(CheckError, match="ended without a backward pass"):
        shell.run_cell_magic("actlab_check", "", "x = 1")
