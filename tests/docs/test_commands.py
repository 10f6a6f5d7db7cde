"""Every command of README and docs is run as it is written, in a folder that has what it names.

Only what a newcomer would put there is replaced (a run folder's name, DIR, COLUMN), and a study is
given fewer trials. What cannot be run here is listed with its reason.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import actlab
from tests.real_mnist import REAL

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "README.ko.md", "CONTRIBUTING.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
NOT_RUN = {
    "pip install": "it would install from an index; .ci/run and the releases do",
    "make ": "a target of the Makefile: make test-all runs the documentation and this very test",
    "actlab study run published --data-dir DIR --trials 120": "an hour of processor",
    "actlab study run corrected --data-dir DIR --trials 120": "an hour of processor",
    "actlab tasks run": "a quarter of an hour of MNIST; tests/cli run it with fewer rows",
    "actlab functions test model.onnx": "tests/activations/conformance runs ONNX files",
    "actlab functions test port_output/": "the output of a port in another language",
    "if actlab gate": "a loop of the shell around the command that is run without it",
}
"""Commands by their beginnings, each with the reason why it is not run."""

ELSEWHERE = "--precision fp32 --workers 1 --out runs/short-{number}"
SHORTER = {
    "actlab study run digits": f"--trials 8 {ELSEWHERE} --search-only",
    "actlab study run digits --network": f"--trials 8 {ELSEWHERE}",
    "actlab study run published": f"--trials 2 {ELSEWHERE} --search-only",
    "actlab study run corrected": f"--trials 2 {ELSEWHERE} --search-only",
    "actlab study run balanced": f"--trials 2 {ELSEWHERE} --search-only",
    "actlab functions verify": "relu silu softmax",
}
"""What is added to a command so that it takes seconds; of several beginnings the longest counts."""

PUT_IN = {"DIR": str(REAL.resolve()), "COLUMN": "label"}
"""What stands for a name that a reader has to fill in."""

TRAIN = """
import argparse, json
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, hidden=16, inputs=3072):
        super().__init__()
        body = [nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU()]
        self.layers = nn.Sequential(*body, nn.Linear(hidden, 10))

    def forward(self, x):
        return self.layers(x)

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--new", action="store_true")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    net = Net(inputs=20)
    loss = nn.functional.cross_entropy(net(torch.randn(32, 20)), torch.arange(32) % 10)
    loss.backward()
    print(json.dumps({"score": 0.9 + 0.01 * given.new + 0.001 * torch.rand(()).item()}))

if __name__ == "__main__":
    main()
"""
NET = """
from torch import nn

def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
"""
KERNELS = """
import torch
from torch.nn import functional as F

silu = F.silu

def fast_gelu(x):
    return F.gelu(x, approximate="tanh")

def mystery(x):
    return x * torch.sigmoid(1.702 * x)

def swiglu(x):
    a, b = x.chunk(2, dim=-1)
    return F.silu(a) * b
"""
IMAGES = """
from torch import nn

def build():
    head = nn.Sequential(nn.Flatten(), nn.Linear(4096, 10))
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.SiLU(), head)
"""
SIAMESE = """
import torch
from torch import nn

class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.arm = nn.Sequential(nn.Linear(20, 16), nn.ReLU())
        self.head = nn.Linear(16, 2)

    def forward(self, a, b):
        return self.head((self.arm(a) - self.arm(b)).abs())
"""
BERT = """
from torch import nn

class Masked(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(50, 8), nn.Linear(8, 3)

    def forward(self, input_ids, attention_mask):
        kept = self.embedding(input_ids) * attention_mask.unsqueeze(-1)
        return self.head(kept.mean(dim=1).relu())

def build():
    return Masked()
"""
NOTEBOOK = """{"cells": [{"cell_type": "code", "execution_count": null, "metadata": {},
"outputs": [], "source": ["import torch\\n", "from torch import nn\\n", "net = nn.Linear(4, 3)\\n",
"nn.functional.cross_entropy(net(torch.randn(6, 4)), torch.arange(6) % 3).backward()"]}],
"metadata": {}, "nbformat": 4, "nbformat_minor": 5}"""


def lines(page: Path) -> Iterator[str]:
    """Yield the command lines of a page's shell blocks, continued ones joined."""
    inside, block = None, ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            if inside in ("sh", "bash", "console"):
                yield from block.replace("\\\n", " ").splitlines()
            inside, block = (line[3:] or "text", "") if inside is None else (None, "")
        else:
            block += line + "\n"


def command_of(line: str) -> str:
    """Return a line without its comment, blanks as one."""
    return re.sub(r"\s+", " ", re.sub(r"\s#.*", "", line)).strip()


COMMANDS = sorted(
    {
        command
        for page in PAGES
        for line in lines(page)
        if re.match(r"(if )?(actlab|make|pip|python) ", command := command_of(line))
    }
)
RUN = [command for command in COMMANDS if not command.startswith(tuple(NOT_RUN))]


def test_the_pages_have_commands_and_no_reason_is_left_over() -> None:
    assert len(RUN) >= 40
    unused = [start for start in NOT_RUN if not any(c.startswith(start) for c in COMMANDS)]
    assert unused == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages have it: the files that they name, and run folders of a small study."""
    place = tmp_path_factory.mktemp("docs")
    page = (ROOT / "docs/start/check.md").read_text(encoding="utf-8")
    source = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert source is not None
    (place / "mypackage").mkdir()
    models = TRAIN.replace("hidden=16", "width=16")
    files = {
        "mymodel.py": source[1],
        "train.py": TRAIN,
        "net.py": NET,
        "two.py": SIAMESE,
        "kernels.py": KERNELS,
        "my_model.py": IMAGES,
        "bert.py": BERT,
        "notebook.ipynb": NOTEBOOK,
        "mypackage/__init__.py": "",
        "mypackage/train.py": TRAIN,
        "mypackage/models.py": re.sub(r"\bhidden\b", "width", models),
    }
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    draw = np.random.default_rng(0)
    x = draw.normal(size=(400, 64)).astype("float32")
    y = np.arange(400) % 10
    np.savez(place / "shapes.npz", x=x, y=y)
    np.savez(place / "batch.npz", x=x[:64], y=(draw.random((64, 10)) < 0.3).astype("float32"))
    np.savez(place / "targets.npz", y=y)
    head = ",".join([*(f"c{column}" for column in range(64)), "label"])
    rows = [",".join([*(f"{v:.4f}" for v in row), str(k)]) for row, k in zip(x, y, strict=True)]
    (place / "table.csv").write_text("\n".join([head, *rows]) + "\n")
    (place / "regression").mkdir()
    shutil.copy(place / "table.csv", place / "regression")
    (place / "regression" / "net.py").write_text(NET.replace("Linear(16, 10)", "Linear(16, 1)"))
    scores = ["optimizer,dataset,seed,val_accuracy"]
    for name, mean in (("adam", 0.93), ("lion", 0.934)):
        for dataset in ("a", "b", "c", "d", "e"):
            scores += [f"{name},{dataset},{s},{mean + draw.normal(0, 0.002):.4f}" for s in range(6)]
    (place / "scores.csv").write_text("\n".join(scores) + "\n")
    overrides = {
        "trials": 2, "replicates": 0, "protocol.max_epochs": 1, "execution.precision": "fp32",
        "execution.workers": 1, "execution.device": "cpu",
    }  # fmt: skip
    candidates = {"conv": ["relu", "silu"], "fc": ["relu"]}
    study = actlab.study("digits", out=place / "made", overrides=overrides, **candidates)
    for name in ("digits", "published", "corrected"):
        shutil.copytree(study.path, place / "runs" / name)
    shutil.copytree(study.path, place / "R")
    address = f"{place / 'net.py'}:build"
    actlab.study(
        model=address, data=(x, y), out=place / "runs" / "study", overrides=overrides, fc=["tanh"]
    )
    return place


def written(command: str, number: int) -> list[str]:
    """Return the words of a command, with what stands for something put in its place."""
    words = shlex.split(command.partition(" > ")[0])
    words = [re.sub(r"^(runs/\w+)-\.\.\.$", r"\1", word) for word in words]
    words = [PUT_IN.get(word, word) for word in words]
    starts = [start for start in SHORTER if command.startswith(start)]
    if starts:
        words += shlex.split(SHORTER[max(starts, key=len)].format(number=number))
    return words


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("command", RUN)
def test_a_command_runs_as_it_is_written(command: str, folder: Path) -> None:
    if "DIR" in command and not REAL.is_dir():
        pytest.skip("the MNIST files are not here")
    words = written(command, RUN.index(command))
    if words[:2] == ["actlab", "serve"]:
        answers(words, folder)
        return
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kernels = str(folder / "compiled")
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder / "regression" if "regression" in words else folder,
        env=os.environ | {"PATH": programs, "TORCHINDUCTOR_CACHE_DIR": kernels},
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    says_no = words[1] in ("check", "gate", "verdict", "functions") and done.returncode == 1
    assert done.returncode == 0 or says_no, done.stdout + done.stderr
    assert done.stdout.strip()


def answers(words: list[str], folder: Path) -> None:
    """Start the server, read a page from the address that it prints, and end it."""
    with subprocess.Popen(
        [sys.executable, "-m", *words, "--port", "0"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = next(
                found[0] for line in server.stdout if (found := re.search(r"http://\S+", line))
            )
            with urllib.request.urlopen(address, timeout=60) as answer:
                assert b"digits" in answer.read()
        finally:
            server.terminate()
