"""Whole programs, as they are: the planted fault at its line, the mended program without one."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

HEADER = "import torch\nfrom torch import nn\n"

PLAIN = """
import argparse
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.a, self.b = nn.Linear(8, hidden), nn.Linear(hidden, 3)
    def forward(self, x):
        scores = self.b(torch.relu(self.a(x)))
        return FAULT(torch.softmax(scores, dim=1), scores)
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    print("a line of its own", given.json)
    net = Net(given.hidden)
    net(torch.zeros(1, 8))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(3):
        x, y = torch.randn(16, 8), torch.randint(3, (16,))
        loss = nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
if __name__ == "__main__":
    main()
"""

TWO_INPUTS = """
class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.head = nn.Linear(6, 16), nn.Linear(10, 16), nn.Linear(32, 1)
    def forward(self, a, b):
        both = torch.cat([torch.relu(self.left(a)), torch.relu(self.right(b))], dim=1)
        return FAULT(torch.sigmoid(self.head(both)), self.head(both))
net = Pair()
y = torch.randint(2, (32, 1)).float()
loss = nn.BCEWithLogitsLoss()(net(torch.randn(32, 6), b=torch.randn(32, 10)), y)
torch.autograd.backward(loss)
"""

GAN = """
G = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 4), nn.Tanh())
end = FAULT(nn.Sigmoid(), nn.Identity())
D = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), end)
criterion = nn.BCEWithLogitsLoss()
opt_d, opt_g = torch.optim.Adam(D.parameters(), 2e-4), torch.optim.Adam(G.parameters(), 2e-4)
for step in range(3):
    real, fake = torch.rand(32, 4) * 2 - 1, G(torch.randn(32, 8))
    loss = criterion(D(real), torch.ones(32, 1)) + criterion(D(fake.detach()), torch.zeros(32, 1))
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    opt_g.zero_grad()
    criterion(D(fake), torch.ones(32, 1)).backward()
    opt_g.step()
"""

REINFORCE = """
from torch.distributions import Categorical
policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2), nn.Softmax(dim=-1))
for episode in range(2):
    logs, rewards, state = [], [], torch.zeros(4)
    for t in range(20):
        chance = FAULT(Categorical(logits=policy(state)), Categorical(policy(state)))
        action = chance.sample()
        logs.append(chance.log_prob(action))
        state = state + 0.1 * torch.randn(4) + 0.05 * (action.item() - 0.5)
        rewards.append(1.0 - state.abs().sum().item())
    returns = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    (-(torch.stack(logs) * returns).sum()).backward()
"""

PACKAGE = """
import sys
from .models.net import build
def main(steps):
    net = build()
    for _ in range(steps):
        scores = net(torch.randn(16, 8))
        given = FAULT(scores.softmax(1), scores)
        nn.CrossEntropyLoss()(given, torch.randint(3, (16,))).backward()
main(int(sys.argv[1]))
"""

NET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 3)
    def forward(self, x):
        return FAULT(torch.softmax(self.fc(x), 1), self.fc(x))
net = Net()
net"""

STEP = """%%time
loss = nn.CrossEntropyLoss()(net(torch.randn(16, 8)), torch.randint(3, (16,)))
loss.backward()
display(loss)"""

CELLS = (
    "%matplotlib inline\n!exit 3\n" + HEADER,
    NET,
    STEP,
    "open('after.txt', 'w').write('x')",
)

LIGHTNING = """
import lightning
from torch.utils.data import DataLoader, TensorDataset
class Lit(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    def training_step(self, batch, index):
        x, y = batch
        scores = FAULT(torch.softmax(self.net(x), dim=1), self.net(x))
        loss = nn.functional.cross_entropy(scores, y)
        self.log("loss", loss)
        return loss
    def validation_step(self, batch, index):
        self.log("size", float(self.net(batch[0]).abs().mean()))
    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters())
data = DataLoader(TensorDataset(torch.randn(64, 8), torch.randint(3, (64,))), 16)
lightning.Trainer(max_epochs=1, accelerator="cpu").fit(Lit(), data, data)
"""

TRAINER = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
class Classifier(BertForSequenceClassification):
    def forward(self, input_ids, labels=None):
        scores = super().forward(input_ids=input_ids).logits
        scores = FAULT(torch.softmax(scores, dim=-1), scores)
        return {"loss": nn.functional.cross_entropy(scores, labels), "logits": scores}
config = BertConfig(vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                    intermediate_size=64, num_labels=3)
rows = [{"input_ids": torch.randint(50, (12,)), "labels": torch.tensor(i % 3)} for i in range(32)]
given = TrainingArguments("out", max_steps=3, report_to=[], use_cpu=True)
Trainer(Classifier(config), given, train_dataset=rows).train()
"""

ACCELERATE = """
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset
accelerator = Accelerator(cpu=True)
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
data = DataLoader(TensorDataset(torch.randn(64, 8), torch.randint(3, (64,))), 16)
net, optimizer, data = accelerator.prepare(net, torch.optim.Adam(net.parameters()), data)
for x, y in data:
    scores = net(x)
    loss = nn.functional.cross_entropy(FAULT(torch.softmax(scores, dim=1), scores), y)
    accelerator.backward(loss)
    optimizer.step()
    optimizer.zero_grad()
"""

FASTAI = """
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.learner import Learner
from torch.utils.data import TensorDataset
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 3)
    def forward(self, x):
        scores = self.b(torch.relu(self.a(x)))
        return FAULT(torch.softmax(scores, dim=1), scores)
data = TensorDataset(torch.randn(64, 8), torch.arange(64) % 3)
loaders = DataLoaders(DataLoader(data, bs=16), DataLoader(data, bs=16))
Learner(loaders, Net(), loss_func=nn.CrossEntropyLoss()).fit(1)
"""


@dataclass(frozen=True)
class Project:
    """The files of a program, how it is asked for, and the code of its fault in `place`."""

    files: dict[str, str]
    asked: tuple[str, ...]
    code: str
    place: str

    def write(self, folder: Path, mended: bool) -> None:
        for name, text in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(chosen(text, mended))


def chosen(text: str, mended: bool) -> str:
    """Return a program with one of the two expressions of each FAULT(faulty, right)."""
    while "FAULT(" in text:
        start = text.index("FAULT(")
        depth, parts, begin = 0, [], start + 6
        for place in range(begin, len(text)):
            depth += {"(": 1, ")": -1}.get(text[place], 0)
            if (text[place] == "," and depth == 0) or depth < 0:
                parts.append(text[begin:place].strip())
                begin = place + 1
            if depth < 0:
                break
        text = text[:start] + parts[mended] + text[place + 1 :]
    return text


def notebook(cells: tuple[str, ...]) -> str:
    found: list[dict[str, Any]] = [{"cell_type": "markdown", "source": ["# A notebook"]}]
    found += [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    return json.dumps({"cells": found, "nbformat": 4})


PROJECTS = {
    "argparse": Project(
        {"train.py": HEADER + PLAIN}, ("train.py", "--hidden", "16", "--json"), "ACT101", "train.py"
    ),
    "two_inputs": Project({"two.py": HEADER + TWO_INPUTS}, ("two.py",), "ACT104", "two.py"),
    "gan": Project({"gan.py": HEADER + GAN}, ("gan.py",), "ACT104", "gan.py"),
    "reinforce": Project({"rl.py": HEADER + REINFORCE}, ("rl.py",), "ACT111", "rl.py"),
    "package": Project(
        {
            "mine/__init__.py": "",
            "mine/train.py": HEADER + PACKAGE,
            "mine/models/__init__.py": "",
            "mine/models/net.py": "from torch import nn\nfrom ..sizes import width\n"
            "def build():\n    return nn.Sequential(nn.Linear(8, width), nn.ReLU(), "
            "nn.Linear(width, 3))\n",
            "mine/sizes.py": "width = 16\n",
        },
        ("-m", "mine.train", "3"),
        "ACT101",
        "mine/train.py",
    ),
    "notebook": Project({"nb.ipynb": notebook(CELLS)}, ("nb.ipynb",), "ACT101", "nb.ipynb[3]"),
    "lightning": Project({"lit.py": HEADER + LIGHTNING}, ("lit.py",), "ACT101", "lit.py"),
    "transformers": Project({"hf.py": HEADER + TRAINER}, ("hf.py",), "ACT101", "hf.py"),
    "accelerate": Project({"acc.py": HEADER + ACCELERATE}, ("acc.py",), "ACT101", "acc.py"),
    "fastai": Project({"fai.py": HEADER + FASTAI}, ("fai.py",), "ACT101", "fai.py"),
}
FRAMEWORKS = ("lightning", "transformers", "accelerate", "fastai")
"""Projects that need the package of their name."""
HEAVY = (*FRAMEWORKS, "two_inputs", "reinforce", "package", "gan")


def actlab(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "actlab", "check", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=200
    )


def line_of(project: Project) -> int:
    if project.place.startswith("nb.ipynb"):
        return 6
    text = project.files[project.place]
    return text[: text.index("FAULT(")].count("\n") + 1


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in HEAVY else ()) for name in PROJECTS],
)
def test_a_project(name: str, tmp_path: Path) -> None:
    if name in FRAMEWORKS and find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    project = PROJECTS[name]
    project.write(tmp_path, mended=False)
    done = actlab(tmp_path, "--json", *project.asked)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["findings"]
    places = [(item["code"], item["location"]["file"], item["location"]["line"]) for item in found]
    assert (project.code, str(tmp_path / project.place), line_of(project)) in places
    project.write(tmp_path, mended=True)
    done = actlab(tmp_path, "--json", *project.asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [item for item in json.loads(done.stdout)["findings"] if item["severity"] != "info"]
    assert not list(tmp_path.glob("after.txt"))


WRITING = (
    HEADER
    + """
import atexit, sys
net = nn.Linear(4, 3)
log = open("before.txt", "w")
log.write("begun")
print("begun")
def leave(name):
    open(name, "w").close()
atexit.register(leave, "at_exit.txt")
try:
    scores = net(torch.randn(8, 4))
    given = FAULT(scores.softmax(1), scores)
    loss = nn.functional.cross_entropy(given, torch.randint(3, (8,)))
    try:
        with torch.device("cpu"):
            loss.backward()
    except BaseException:
        leave("except.txt")
    print("gradient", net.weight.grad is not None, torch.rand(1).shape)
    leave("after.txt")
finally:
    leave("finally.txt")
sys.exit(7)
"""
)


def program(folder: Path, text: str, mended: bool = True) -> Path:
    path = folder / "train.py"
    path.write_text(chosen(text, mended))
    return path


def test_nothing_is_written_after_the_first_backward_pass(tmp_path: Path) -> None:
    program(tmp_path, WRITING)
    done = actlab(tmp_path, "train.py")
    assert done.returncode == 0
    assert "begun" not in done.stdout
    assert "begun" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"train.py", "before.txt"}
    assert (tmp_path / "before.txt").read_text() == "begun"


def test_a_program_without_findings_goes_on_and_one_with_stops(tmp_path: Path) -> None:
    program(tmp_path, WRITING)
    done = actlab(tmp_path, "--then-run", "train.py")
    assert done.returncode == 7
    assert done.stdout == "begun\ngradient True torch.Size([1])\n"
    assert "0 errors" in done.stderr
    written = {"train.py", "before.txt", "after.txt", "finally.txt", "at_exit.txt"}
    assert {path.name for path in tmp_path.iterdir()} == written
    for name in written - {"train.py"}:
        (tmp_path / name).unlink()
    program(tmp_path, WRITING, mended=False)
    done = actlab(tmp_path, "--then-run", "train.py")
    assert (done.returncode, done.stdout) == (1, "begun\n")
    assert {path.name for path in tmp_path.iterdir()} == {"train.py", "before.txt"}


def test_what_a_program_raises_after_the_check_is_its_own(tmp_path: Path) -> None:
    text = (
        HEADER + "net = nn.Linear(4, 3)\nnet(torch.randn(8, 4)).pow(2).mean().backward()\n1 / 0\n"
    )
    program(tmp_path, text)
    done = actlab(tmp_path, "--then-run", "train.py")
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")
    assert "actlab" not in done.stderr[done.stderr.index("Traceback") :]


@pytest.mark.slow
def test_the_same_numbers_with_a_check_and_without(tmp_path: Path) -> None:
    text = (
        HEADER
        + """
torch.manual_seed(3)
net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
optimizer = torch.optim.Adam(net.parameters())
for _ in range(4):
    loss = nn.functional.cross_entropy(net(torch.randn(8, 4)), torch.randint(3, (8,)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), net[1].running_mean.sum().item())
"""
    )
    path = program(tmp_path, text)
    plain = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=True)
    assert actlab(tmp_path, "--then-run", "train.py").stdout == plain.stdout
    assert actlab(tmp_path, "--then-run", "--steps", "3", "train.py").stdout == plain.stdout


@pytest.mark.slow
def test_a_later_pass_is_looked_at_where_it_is_asked_for(tmp_path: Path) -> None:
    text = HEADER + chosen(GAN, mended=True).replace(
        "criterion(D(fake), torch", "criterion(D(fake).sigmoid(), torch"
    )
    program(tmp_path, text)
    first = actlab(tmp_path, "train.py")
    assert first.returncode == 0
    assert "takes backward passes at 2 places, and 1 was looked at: --steps 2" in first.stdout
    second = actlab(tmp_path, "--steps", "2", "train.py")
    assert second.returncode == 1
    assert "ACT104" in second.stdout


def test_a_program_is_mended(tmp_path: Path) -> None:
    text = (
        HEADER
        + """
for step in range(3):
    net = nn.Linear(4, 3)
    scores = net(torch.randn(8, 4))
    loss = nn.functional.cross_entropy(scores.softmax(1), torch.randint(3, (8,)))
    loss.backward()
"""
    )
    path = program(tmp_path, text)
    done = actlab(tmp_path, "--fix", "train.py")
    assert done.returncode == 1
    assert "mended: " in done.stderr
    assert path.read_text() == text.replace("scores.softmax(1)", "scores")
    assert actlab(tmp_path, "train.py").returncode == 0


UNCHECKED = {
    "raise SystemExit(0)": "train.py ended the program (exit code 0), at train.py:3.",
    "import os; os._exit(0)": "train.py ended the program (exit code 0), at train.py:3.",
    "import ctypes; ctypes.CDLL(None)._exit(0)": "The program ended its process (exit code 0)",
    "import ctypes; ctypes.string_at(0)": "The program crashed (SIGSEGV), or was killed.",
    "import os, sys; os.execv(sys.executable, [sys.executable, '-c', ''])": "ended its process",
    "import os; os.kill(os.getpid(), 9)": "The program crashed (SIGKILL), or was killed.",
    "torch.zeros(2, 3) @ torch.zeros(2, 3)": "train.py raised RuntimeError: mat1 and mat2",
    "def f(): f()\nf()": "train.py raised RecursionError",
    "raise MemoryError": "train.py raised MemoryError",
    "x = (": "train.py raised SyntaxError: '(' was never closed",
    "print('done')": "train.py ended without a backward pass. Nothing was checked",
    "import threading; threading.Thread(target=lambda: None).start()": "without a backward pass",
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, marks=pytest.mark.slow if number > 2 else ())
        for number, text in enumerate(UNCHECKED)
    ],
    ids=range(len(UNCHECKED)),
)
def test_what_was_not_checked_never_passes(tmp_path: Path, text: str) -> None:
    program(tmp_path, HEADER + text)
    done = actlab(tmp_path, "--json", "train.py")
    assert (done.returncode, done.stdout) == (2, "")
    told = done.stderr.strip().splitlines()[-1]
    assert told.startswith("actlab: ")
    assert UNCHECKED[text] in told
    assert "Traceback" not in done.stderr


def test_a_forked_copy_reports_nothing(tmp_path: Path) -> None:
    text = HEADER + "import os\npid = os.fork()\nnet = nn.Linear(4, 3)\n"
    text += "net(torch.randn(8, 4)).pow(2).mean().backward() if pid else None\n"
    program(tmp_path, text)
    done = actlab(tmp_path, "--json", "train.py")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)


def test_a_reader_that_goes_away_changes_no_answer(tmp_path: Path) -> None:
    program(tmp_path, WRITING, mended=False)
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "actlab", "check", "train.py"]
    try:
        done = subprocess.run(command, cwd=tmp_path, stdout=writing, check=False, timeout=200)
    finally:
        os.close(writing)
    assert done.returncode == 1


def test_an_interrupt_is_an_interrupt(tmp_path: Path) -> None:
    program(tmp_path, HEADER + "import time\nprint('up', flush=True)\ntime.sleep(60)\n")
    started = subprocess.Popen(
        [sys.executable, "-m", "actlab", "check", "train.py"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with started:
        assert started.stderr is not None
        assert started.stderr.readline() == "up\n"
        time.sleep(0.2)
        os.killpg(started.pid, signal.SIGINT)
        assert started.wait(60) == 130


def test_a_network_that_is_compiled_is_seen(tmp_path: Path) -> None:
    text = HEADER + "net = torch.compile(nn.Sequential(nn.Linear(4, 3), nn.Softmax(1)))\n"
    text += "nn.CrossEntropyLoss()(net(torch.randn(8, 4)), torch.randint(3, (8,))).backward()\n"
    program(tmp_path, text)
    done = actlab(tmp_path, "train.py")
    assert done.returncode == 1
    assert "train.py:3:" in done.stdout
