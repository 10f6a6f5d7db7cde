"""The commands whose output is kept, by family. All that knows where things lie in actlab is here.

Each family is a function that runs its commands in an empty folder and returns a document per
command: its exit code and the JSON that it printed.
"""

import contextlib
import csv
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

import actlab
from actlab.checker.reporting.sarif import document as sarif_document

# What follows is the only knowledge of actlab's inner layout that the golden tests have.
from actlab.checker.rules import RULES
from actlab.cli.main import run
from actlab.records import jsonable
from actlab.studies.plan.file import read_plan
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search
from tests.checker.test_cases import FAULTS, RIGHT
from tests.studies.inline import Inline, Silent

HERE = Path(__file__).parent
OLD_RUN = HERE / "run_folder_0_1"
"""A small study, searched and confirmed by the version before the move."""

SEED = 20250301

Document = dict[str, Any]


def printed(folder: Path, *arguments: object, language: str = "en") -> Document:
    """Run `actlab ARGUMENTS...` in `folder`; return its exit code and the JSON that it printed.

    Of wrong use, which prints no JSON, it is the last line of the message.
    """
    out, words = io.StringIO(), [str(argument) for argument in arguments]
    before = os.environ.get("ACTLAB_LANG")
    os.environ["ACTLAB_LANG"] = language
    try:
        with (
            contextlib.chdir(folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            code = run(words)
    finally:
        if before is None:
            del os.environ["ACTLAB_LANG"]
        else:
            os.environ["ACTLAB_LANG"] = before
    if code == 2 and not out.getvalue():
        return {"code": code, "error": err.getvalue().splitlines()[-1:]}
    try:
        return {"code": code, "json": json.loads(out.getvalue())}
    except ValueError:
        raise AssertionError(f"no JSON from {words}, {code}: {err.getvalue()[-2000:]}") from None


def commands(folder: Path, lines: list[str], language: str = "en") -> Document:
    """Run commands as they are typed, with words that have no blanks; return what each printed."""
    return {line: printed(folder, *line.split(), language=language) for line in lines}


def functions(folder: Path) -> Document:
    """Know: every fact of every function, and what else is said of some."""
    listed = printed(folder, "functions", "list", "--json")
    names = listed["json"]["names"]
    question = "smooth and not monotonic and lipschitz <= 1.1"
    formulas = (
        "x*tanh(exp(x))",
        "x*sigmoid(x)",
        "relu(x)**2",
        "x^2",
        "a*x+tanh(x) a=0.5",
        "x/(1+abs(x))",
    )
    return {
        "functions list": listed,
        f"functions list --where {question}": printed(
            folder, "functions", "list", "--where", question, "--json"
        ),
        **commands(folder, [f"functions show {name} --json" for name in names]),
        **commands(
            folder,
            [
                "functions show prelu a=0.1 --json",
                "functions show swish beta=2 --json",
                "functions show rleu --json",
                *(
                    f"functions show {name} --hazards --json"
                    for name in ("silu", "elu", "softplus")
                ),
                *(
                    f"functions show {name} --code {framework} --json"
                    for framework in ("torch", "keras", "jax")
                    for name in ("relu", "gelu", "prelu", "selu")
                ),
                *(f"functions verify {name} --json" for name in ("relu", "silu", "prelu", "gelu")),
                *(f"functions formula {text} --json" for text in formulas),
                "functions explain --json",
                "functions explain softmax --json",
            ],
        ),
    }


@dataclass(frozen=True)
class _Checked:
    """A program of the checker's collections."""

    name: str
    build: Callable[[], Any]


def _programs() -> Iterator[_Checked]:
    for rule in RULES:
        for kind, cases in (("faulty", rule.faulty), ("clean", rule.clean)):
            for case in cases:
                yield _Checked(f"{rule.code} {kind} {case.name}", case.build)
    for one in FAULTS:
        for kind, fixed in (("faulty", False), ("fixed", True)):
            name = f"{kind} {one.build.__name__}"
            yield _Checked(name, lambda one=one, fixed=fixed: one.build(fixed))  # type: ignore[misc]
    for other in RIGHT:
        yield _Checked(f"right {other.build.__name__}", other.build)


def _reported(build: Callable[[], Any]) -> Any:
    torch.manual_seed(SEED)
    s = build()
    if s.step is not None:
        return actlab.check_step(s.step, s.model, s.optimizer, s.task, s.evaluate)
    return actlab.check(s.model, s.loss, s.batch, s.task, s.optimizer)


def checks(folder: Path) -> Document:
    """Check: the report on every program of the rules and of the collections, and its SARIF."""
    found: Document = {}
    with contextlib.chdir(folder):
        for program in _programs():
            assert program.name not in found, program.name
            report = _reported(program.build)
            (ran,) = jsonable(sarif_document(report, (), "0"))["runs"]
            found[program.name] = {
                "json": jsonable(report.to_dict()),
                "sarif": {"results": ran["results"], "invocations": ran["invocations"]},
            }
    return found


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

def with_everything():
    torch.manual_seed(0)
    return published(), nn.CrossEntropyLoss(), (torch.randn(4, 64), torch.tensor([0, 1, 2, 3]))

def loss(scores, y):
    return F.cross_entropy(scores, y)

def bounded_head():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 1), nn.Tanh())

class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.fc = nn.Embedding(100, 8), nn.Linear(8, 5)
    def forward(self, ids):
        return self.fc(self.embed(ids).mean(1))
"""


def check_command(folder: Path) -> Document:
    """Check: the command line on a program in a file, and the page of every rule."""
    (folder / "net.py").write_text(PROGRAM)
    rng = np.random.default_rng(0)
    np.savez(folder / "data.npz", x=rng.normal(size=(80, 8)), y=3 * rng.normal(size=(80, 1)))
    lines = [
        "check net.py:published --data digits --json",
        "check net.py:published --data digits --format json",
        "check net.py:published --data digits --format sarif",
        "check net.py:published --data digits --ignore ACT101 --json",
        "check net.py:corrected --input-shape 1,8,8 --json",
        "check net.py:corrected --input-shape 64 --loss ce --format sarif",
        "check net.py:corrected --input-shape 8x8 --loss net.py:loss --json",
        "check net.py:with_everything --json",
        "check net.py:Tagger --input-shape long:12 --loss CrossEntropyLoss --json",
        "check net.py:bounded_head --input-shape 8 --loss bce_with_logits --json",
        "check net.py:bounded_head --input-shape 8 --loss bce_with_logits --strict --json",
        "check net.py:bounded_head --input-shape 8 --loss mse --json",
        "check net.py:bounded_head --data data.npz --loss mse --json",
    ]
    found: Document = {}
    for line in lines:
        torch.manual_seed(SEED)
        found |= commands(folder, [line])
    pages = [f"check --explain {rule.code} --json" for rule in RULES]
    return found | commands(folder, pages)


def tasks(folder: Path) -> Document:
    """Compare: the table of tasks and what targets of each kind pose."""
    rng = np.random.default_rng(0)
    targets = {
        "scores": rng.normal(size=(200, 1)) * 30 + 100,
        "shares": rng.uniform(size=200),
        "yes_no": rng.integers(0, 2, 200),
        "classes": rng.integers(0, 7, 200),
        "labels": rng.integers(0, 2, (200, 5)),
        "one_hot": np.eye(4)[rng.integers(0, 4, 200)],
        "constant": np.full(200, 3.0),
        "with_nan": np.where(rng.uniform(size=200) < 0.1, np.nan, 1.0),
        "words": np.array(["cat", "dog"] * 100),
    }
    for name, values in targets.items():
        np.savez(folder / f"{name}.npz", y=values)
    suggestions = [f"tasks suggest --data {name}.npz --json" for name in targets]
    return commands(folder, ["tasks list --json", *suggestions])


def published(folder: Path) -> Document:
    """Compare: what the author's 120 trials can say and what they cannot."""
    return commands(
        folder, ["report --study published --json", "report --study published -o page.html --json"]
    )


def machine(folder: Path) -> Document:
    """Commands that measure this machine: only the shape of what they print is kept."""
    return commands(folder, ["functions cost relu --json", "doctor --json"])


PLANNED = """\
name = "planned"
trials = 4
seed = 20250301

[data]
name = "digits"
splits = { train = 160, valid_epoch = 60, valid_trial = 200, test = 150 }

[network]
name = "small_cnn"

[space]
conv_activation = ["relu", "tanh"]
fc_activation = ["relu", "silu"]
learning_rate = { low = 0.002, high = 0.01 }

[protocol]
name = "corrected"
max_epochs = 3

[sampler]
name = "balanced"
"""

SEARCHED = """\
name = "searched"
trials = 7
seed = 20250301
margin = 0.05

[data]
name = "digits"
splits = { train = 160, valid_epoch = 60, valid_trial = 200, test = 150 }

[network]
name = "small_cnn"

[space]
conv_activation = ["relu", "tanh", "sigmoid"]
fc_activation = ["relu", "silu", "prelu"]
learning_rate = { low = 0.001, high = 0.02 }

[protocol]
name = "published"
max_epochs = 6

[sampler]
name = "tpe"
startup_trials = 4
candidates = 8
start = "each_candidate"
"""

PRUNED = (
    SEARCHED.replace('"searched"', '"pruned"')
    .replace("trials = 7", "trials = 12")
    .replace('name = "published"', 'name = "corrected"')
    + """
[pruner]
name = "median"
"""
)

TASKS = """\
name = "tasks-digits"
trials = 8
seed = 20250305

[data]
name = "digits"
splits = { train = 128, valid_epoch = 100, valid_trial = 0, test = 100 }

[network]
name = "small_cnn"

[space]
conv_activation = ["relu"]
fc_activation = ["sigmoid"]
learning_rate = { low = 0.001, high = 0.001 }

[protocol]
name = "corrected"
patience = 10
max_epochs = 3

[tasks]
seeds = 2
"""

_SETTINGS = (
    ("probability", "sigmoid", "bce", "corrected", None),
    ("probability", "softmax", "ce", "corrected", None),
    ("regression", "none", "mse", "corrected", "raw"),
    ("regression", "none", "mse", "corrected", "standardised"),
)

EXECUTION = '\n[execution]\ndevice = "cpu"\nprecision = "fp32"\nworkers = 1\n'
"""One worker in single precision on the processor: what is drawn and trained can be repeated."""


def _write_plan(path: Path, text: str) -> None:
    path.write_text(text + EXECUTION)


def study(folder: Path) -> Document:
    """Compare: a study in equal budgets, from its run over its verdict to what comes after."""
    _write_plan(folder / "planned.toml", PLANNED)
    shutil.copytree(OLD_RUN, folder / "before")
    return commands(
        folder,
        [
            "study run planned.toml --out run --confirm 3 --json",
            "study show run --json",
            *(f"study show run --trial {number} --json" for number in range(4)),
            "study compare before run --json",
            "study compare run run --json",
            "study confirm run --seeds 2 --json",
            "report run/trials.csv --json",
            "report --storage sqlite:///run/study.db --study planned --json",
        ],
    ) | _files(folder / "run", ("verdict.json", "findings.json", "trials.csv", "replicates.csv"))


def study_of_tasks(folder: Path) -> Document:
    """Compare: right and wrong output layers for two epochs."""
    rows = ""
    for task, head, loss, protocol, target in _SETTINGS:
        rows += f'\n[[tasks.settings]]\ntask = "{task}"\nhead = "{head}"\nloss = "{loss}"\n'
        rows += f'protocol = "{protocol}"\nfc_activation = "sigmoid"\npublished = true\n'
        rows += f'target = "{target}"\n' if target else ""
    _write_plan(folder / "tasks.toml", TASKS + rows)
    return commands(
        folder,
        [
            "study run tasks.toml --out run --json",
            "study show run --json",
            "study show run --trial 1 --json",
            "study resume run --json",
            "report run --json",
        ],
    ) | _files(folder / "run", ("findings.json",))


def precisions(folder: Path) -> Document:
    """Compare: the same trainings in either precision, record by record.

    In this process, and where need be with bf16 that the processor only emulates, which no study
    would take by itself.
    """
    found: Document = {}
    for precision in ("fp32", "bf16"):
        _write_plan(folder / "plan.toml", PLANNED)
        given = {"trials": 4, "replicates": 0, "execution.precision": precision}
        run_folder = RunFolder.create(
            folder / precision, read_plan(str(folder / "plan.toml"), given)
        )
        with mock.patch("actlab.training.precision.cpu_has_bf16", return_value=True):
            run_search(run_folder, "actlab study run", Silent(), lambda *_sizes: Inline())
        lines = run_folder.records_path.read_text().splitlines()
        found[precision] = {"code": 0, "json": [json.loads(line) for line in lines]}
    return found


def old_run(folder: Path) -> Document:
    """Compare: a run folder of the version before opens and says the same."""
    shutil.copytree(OLD_RUN, folder / "run")
    records = (folder / "run/records.jsonl").read_bytes()
    found = commands(
        folder,
        [
            "study show run --json",
            "study show run --trial 0 --json",
            "report run --json",
            "study compare run run --json",
            "report run/trials.csv --json",
            "report --storage sqlite:///run/study.db --study searched --json",
        ],
    )
    found |= commands(folder, ["study confirm run --seeds 2 --json", "study resume run --json"])
    assert (folder / "run/records.jsonl").read_bytes() == records, "nothing was left to train"
    return found | _files(folder / "run", ("verdict.json", "trials.csv", "replicates.csv"))


def korean(folder: Path) -> Document:
    """What is said in Korean."""
    shutil.copytree(OLD_RUN, folder / "run")
    (folder / "net.py").write_text(PROGRAM)
    torch.manual_seed(SEED)
    lines = [
        "tasks list --json",
        "report --study published --json",
        "study show run --json",
        "check net.py:with_everything --json",
        "functions show prelu --json",
    ]
    return commands(folder, lines, language="ko")


def searched(folder: Path) -> Document:
    """Compare: a search with TPE, and a confirmation that stops what is clearly behind."""
    _write_plan(folder / "searched.toml", SEARCHED)
    return commands(
        folder,
        [
            "study run searched.toml --out run --json",
            "study confirm run --seeds 4 --sequential --json",
        ],
    )


def pruned(folder: Path) -> Document:
    """Compare: a search with a pruner, confirmed later."""
    _write_plan(folder / "pruned.toml", PRUNED)
    return commands(
        folder,
        ["study run pruned.toml --out run --json", "study confirm run --seeds 2 --json"],
    )


def own_network(folder: Path) -> Document:
    """Compare: a network and data of the user's own, and what a study would cost."""
    (folder / "net.py").write_text(OWN_NETWORK)
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 3
    np.savez(folder / "own.npz", x=rng.normal(size=(400, 6)) + labels[:, None], y=labels)
    run_it = (
        "study run digits --network net.py:build --data own.npz --trials 3 --seed 5 "
        "--device cpu --precision fp32 --workers 1"
    )
    return commands(
        folder,
        [
            f"{run_it} --search-only --out run --json",
            "study show run --json",
            f"{run_it} --confirm 3 --dry-run --json",
        ],
    )


def tasks_run(folder: Path) -> Document:
    """Compare: the smallest run of tasks that the command line has."""
    return commands(
        folder,
        ["tasks run probability --data digits --seeds 1 --workers 1 --out run --json"],
    ) | _files(folder / "run", ("findings.json",))


OWN_NETWORK = """\
from torch import nn

def build():
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3))
"""


def _files(folder: Path, names: tuple[str, ...]) -> Document:
    """Return files of a run folder that other programs read."""
    found: Document = {}
    for name in names:
        text = (folder / name).read_text(encoding="utf-8")
        if name.endswith(".json"):
            found[name] = json.loads(text)
        else:
            found[name] = [
                {key: _value(value) for key, value in row.items()}
                for row in csv.DictReader(text.splitlines())
            ]
    return found


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def write_old_run() -> None:
    """Search and confirm the study of `OLD_RUN`: for the version before, and for it only."""
    shutil.rmtree(OLD_RUN, ignore_errors=True)
    OLD_RUN.mkdir()
    _write_plan(OLD_RUN / "given.toml", SEARCHED)
    name = OLD_RUN.name
    printed(HERE, "study", "run", f"{name}/given.toml", "--out", name, "--confirm", 3, "--json")
    for left in ("given.toml", "report.html", ".lock"):  # the page is made again from the rest
        (OLD_RUN / left).unlink()


FAMILIES: dict[str, Callable[[Path], Document]] = {
    "functions": functions,
    "checks": checks,
    "check_command": check_command,
    "tasks": tasks,
    "published": published,
    "machine": machine,
    "old_run": old_run,
    "korean": korean,
    "study": study,
    "precisions": precisions,
    "study_of_tasks": study_of_tasks,
    "searched": searched,
    "pruned": pruned,
    "own_network": own_network,
    "tasks_run": tasks_run,
}
"""The commands, by the name of the file that keeps what they print."""

SLOW = {"checks", "precisions", "study_of_tasks", "searched", "pruned", "own_network", "tasks_run"}
"""Families that take longer than a test should."""

TRAINED = {"study", *SLOW} - {"checks"}
"""Families that train: another torch or another kind of processor ends in other weights."""


def arithmetic() -> Document:
    """Return what the last digits of a training depend on."""
    return {"torch": torch.__version__, "processor": torch.backends.cpu.get_cpu_capability()}
