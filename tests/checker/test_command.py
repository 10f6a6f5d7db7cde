"""`actlab check` from the command line."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab.cli.main import run

PROGRAM = """\
import torch
from torch import nn
from torch.nn import functional as F

def published():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
        nn.Softmax(dim=1),
    )

def corrected():
    return published()[:-1]

def with_loss():
    return corrected(), loss

def with_everything():
    return published(), nn.CrossEntropyLoss(), (torch.randn(4, 64), torch.tensor([0, 1, 2, 3]))

def loss(scores, y):
    return F.cross_entropy(scores, y)

def relu_head():
    return nn.Sequential(nn.Linear(8, 1), nn.Tanh())

class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.fc = nn.Embedding(100, 8), nn.Linear(8, 5)
    def forward(self, ids):
        return self.fc(self.embed(ids).mean(1))

class Needs(nn.Module):
    def __init__(self, width): ...

def fails():
    raise OSError("no weights here")

number = 3
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.py"
    path.write_text(PROGRAM)
    return path


def written(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(["check", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_fault_is_shown_with_its_source_line(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _err = written(capsys, "net.py:published", "--data", "digits")
    assert code == 1
    assert "error[ACT101] double-softmax" in out
    assert "net.py:11:9 module 4" in out
    assert " 11 |         nn.Softmax(dim=1),\n    |         ^^^^^^^^^^^^^^^^^\n" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("net.py:corrected", "--data", "digits"),
        ("net.py:corrected", "--input-shape", "1,8,8"),
        ("net.py:corrected", "--input-shape", "64", "--loss", "ce"),
        ("net.py:with_loss", "--input-shape", "64", "--task", "multiclass"),
        ("net.py:corrected", "--input-shape", "8x8", "--loss", "net.py:loss"),
        ("net.py:Tagger", "--input-shape", "long:12", "--loss", "CrossEntropyLoss"),
        ("net.py:published", "--data", "digits", "--ignore", "ACT101"),
    ],
)
def test_what_is_fine_exits_with_zero(
    program: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    code, out, _err = written(capsys, *arguments)
    assert code == 0, out
    assert "0 errors" in out


@pytest.mark.parametrize("task", ["multilabel", "probability"])
def test_labels_of_yes_and_no_are_asked_of_logits_or_of_probabilities(
    program: Path, capsys: pytest.CaptureFixture[str], task: str
) -> None:
    program.write_text(
        PROGRAM
        + "def logits():\n    return nn.Linear(8, 6)\n"
        + "def probabilities():\n    return nn.Sequential(logits(), nn.Sigmoid())\n"
        + "def rectified():\n    return nn.Sequential(logits(), nn.ReLU())\n"
    )
    for name, right in (("logits", True), ("probabilities", True), ("rectified", False)):
        code, out, err = written(capsys, f"net.py:{name}", "--input-shape", "8", "--task", task)
        assert code == (0 if right else 1), out + err
        assert ("error[ACT108]" in out) is not right


def test_a_module_by_its_dotted_name(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = written(capsys, "net:with_everything")
    assert code == 1
    assert "net.py:11" in out


def test_warnings_fail_only_when_strict(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("net.py:relu_head", "--input-shape", "8", "--loss", "bce_with_logits")
    assert written(capsys, *arguments)[0] == 0
    code, out, _err = written(capsys, *arguments, "--strict")
    assert code == 1
    assert "warning[ACT108]" in out


def test_made_up_targets_prove_nothing(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = written(capsys, "net.py:relu_head", "--input-shape", "8", "--loss", "mse")
    assert code == 0
    assert "the targets were made up; give real ones with --data" in out


@pytest.mark.parametrize("option", [("--format", "json"), ("--json",)])
def test_json_is_one_document(
    program: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    code, out, _err = written(capsys, "net.py:published", "--data", "digits", *option)
    document = json.loads(out)
    assert code == 1
    assert document["format_version"] == 1
    assert document["findings"][0]["code"] == "ACT101"
    assert document["findings"][0]["location"]["line"] == 11
    assert {"fine", "unchecked", "task"} <= document.keys()


def test_sarif(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _code, out, _err = written(capsys, "net.py:published", "--data", "digits", "--format", "sarif")
    log = json.loads(out)
    assert log["version"] == "2.1.0"
    (result,) = log["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "net.py"


def test_data_from_a_file(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    np.savez("data.npz", x=rng.normal(size=(80, 8)), y=rng.normal(size=(80, 1)) * 3)
    code, out, _err = written(capsys, "net.py:relu_head", "--data", "data.npz", "--loss", "mse")
    assert code == 1
    assert "error[ACT301]" in out


def broken(name: str, **arrays: Any) -> str:
    np.savez(name, **arrays)
    return name


@pytest.mark.parametrize(
    ("arguments", "story"),
    [
        ((), "A TARGET is needed"),
        (("net.py",), "net.py ended without a backward pass. Nothing was checked"),
        (("net.py",), "What is in it can be checked by name: net.py:published, "),
        (("gone.py",), "There is no file gone.py."),
        (("net",), "A module is run with -m net"),
        (("-m", "gone.module"), "There is no module gone.module to run"),
        (("net.py", "--steps", "2"), "ended without a backward pass"),
        (("--steps", "0", "net.py"), "--steps must be at least 1"),
        (("--loss", "mse", "net.py"), "--loss is for an address, such as train.py:Net"),
        (("net.py:corrected", "stray"), "net.py:corrected is an address and takes no arguments"),
        (("gone.py:net", "--input-shape", "4"), "There is no file gone.py"),
        (
            ("gone.module:net", "--input-shape", "4"),
            "gone.module raised ModuleNotFoundE",
        ),
        (("net.py:publisched", "--input-shape", "4"), 'Did you mean "published"?'),
        (("net.py:number", "--input-shape", "4"), "must be a model, a class or a function"),
        (("net.py:Needs", "--input-shape", "4"), "net.py:Needs needs width: give --set width"),
        (("net.py:fails", "--input-shape", "4"), "raised OSError: no weights here"),
        (("net.py:corrected",), "A batch is needed"),
        (("net.py:corrected", "--input-shape", "4,a"), "--input-shape must look like"),
        (("net.py:corrected", "--input-shape", "0"), "--input-shape must look like"),
        (("net.py:corrected", "--input-shape", "7"), "The model raised RuntimeError"),
        (("net.py:corrected", "--input-shape", "64", "--loss", "crossentropi"), "Did you mean"),
        (("net.py:corrected", "--input-shape", "64", "--task", "classes"), "no task"),
        (("net.py:corrected", "--input-shape", "64", "--ignore", "ACT1"), "no rule"),
        (("net.py:corrected", "--data", "imagenet"), "no data set"),
        (("net.py:corrected", "--data", "gone.npz"), "There is no file gone.npz"),
        (("net.py:corrected", "--data", "text.npz"), "cannot be read as an .npz file"),
        (("net.py:corrected", "--data", "pickled.npz"), "cannot be read as an .npz file"),
        (("net.py:corrected", "--data", "names.npz"), "an input and a target at least; it has a."),
        (
            ("net.py:corrected", "--data", "rows.npz"),
            "equally many rows, at least one; got x (3, 64)",
        ),
        (
            ("net.py:Needs", "--set", "width", "--input-shape", "4"),
            "--set must look like hidden=32",
        ),
        (("net.py:Needs", "--set", "wdith=3", "--input-shape", "4"), 'Did you mean "width"?'),
        (("net.py:Tagger", "--input-shape", "12"), "takes ids: --input-shape long:16"),
        (("net.py:corrected", "--input-shape", "9" * 30), "does not fit into memory"),
        (("--explain", "ACT999"), "no rule"),
    ],
)
def test_wrong_use_is_one_line_and_exits_with_two(
    program: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], story: str
) -> None:
    Path("text.npz").write_text("no archive")
    broken("pickled.npz", x=np.array([{"a": 1}], dtype=object), y=np.zeros(1))
    broken("names.npz", a=np.zeros(1))
    broken("rows.npz", x=np.zeros((3, 64)), y=np.zeros(2))
    code, out, err = written(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert story in err
    assert "Traceback" not in err


def test_a_page_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = written(capsys, "--explain", "ACT101")
    assert code == 0
    assert out.startswith("# ACT101 double-softmax")
    for title in ("## What it does", "## Why is this bad?", "## Use instead", "## Sources"):
        assert title in out
    assert written(capsys, "--explain", "double-softmax")[1] == out
    document = json.loads(written(capsys, "--explain", "act101", "--json")[1])
    assert document["severity"] == "error"


def test_help_loads_no_torch() -> None:
    code = (
        "import sys; from actlab.cli.main import run; run(['check', '--help']);"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "TARGET" in done.stdout


def test_what_is_a_safe_edit_is_mended(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("net.py:published", "--data", "digits", "--fix")
    before = program.read_text()
    code, out, err = written(capsys, *arguments, "--diff")
    assert code == 1
    assert "-        nn.Softmax(dim=1),\n+        nn.Identity(),\n" in out
    assert "would be mended" in err
    assert program.read_text() == before
    assert written(capsys, *arguments)[0] == 1
    assert program.read_text() == before.replace("nn.Softmax(dim=1)", "nn.Identity()")
    sys.modules.pop("net", None)
    code, _out, err = written(capsys, *arguments)
    assert (code, err) == (0, "Nothing to mend by a safe edit.\n")
    assert written(capsys, *arguments[:-1], "--diff")[0] == 2
    assert written(capsys, *arguments, "--json")[0] == 2


def test_annotations_for_github(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = written(capsys, "net.py:published", "--data", "digits", "--format", "github")
    assert code == 1
    (line,) = out.splitlines()
    assert line.startswith(
        "::error title=ACT101 double-softmax,file=net.py,line=11,col=9,endColumn=25::"
    )
    assert "%0A" in line


def test_several_inputs_by_shape_and_by_name(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program.write_text(
        PROGRAM + "class Pair(nn.Module):\n"
        "    def __init__(self, width, act='relu'):\n"
        "        super().__init__()\n"
        "        self.e, self.a = nn.Embedding(9, 4), nn.Linear(5, 4)\n"
        "        self.b, self.act = nn.Linear(4, width), getattr(torch, act)\n"
        "    def forward(self, ids, other, mask=None):\n"
        "        return {'logits': self.b(self.act(self.e(ids).mean(1) + self.a(other)))}\n"
    )
    target = ("net.py:Pair", "--set", "width=3", "--set", "act=tanh")
    shapes = ("--input-shape", "long:7", "--input-shape", "5")
    assert written(capsys, *target, *shapes)[0] == 0
    named = (
        "--input-shape",
        "other=5",
        "--input-shape",
        "ids=long:7",
        "--input-shape",
        "mask=bool:7",
    )
    assert written(capsys, *target, *named)[0] == 0
    np.savez(
        "batch.npz",
        other=np.ones((6, 5), np.float32),
        ids=np.ones((6, 7), int),
        kind=np.arange(6) % 3,
    )
    code, out, _err = written(capsys, *target, "--data", "batch.npz")
    assert code == 0
    assert "Task: multiclass" in out
    code, _out, err = written(capsys, *target, "--input-shape", "5")
    assert code == 2
    assert "It takes ids, other, mask" in err or "takes ids" in err


def test_the_json_is_what_its_schema_says(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs = Path(__file__).parents[2] / "docs"
    script = docs / "generate_report_schema.py"
    stale = subprocess.run([sys.executable, str(script), "--check"], check=False).returncode
    assert stale == 0, f"run {script}"
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((docs / "check-report.schema.json").read_text())
    _code, out, _err = written(capsys, "net.py:published", "--data", "digits", "--json")
    jsonschema.validate(json.loads(out), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**json.loads(out), "findings": [{}]}, schema)
