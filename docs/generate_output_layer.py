"""Write the tables of docs/output-layer.md; `--check` only says whether they are current.

    python docs/generate_output_layer.py [--check]
    python docs/generate_output_layer.py --take RUN_FOLDER

The table of tasks comes from `actlab.tasks`, the figures from the documents in
`docs/output-layer`, one per protocol. `--take` makes such a document from a finished run
folder of `actlab tasks run`.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tables import heading, machine_in_words, plain_command, row, with_tables, write_page

from actlab.case_study.published_results import PUBLISHED_RESULTS
from actlab.data.targets import target_of_digits
from actlab.records import OutputLayer, Record
from actlab.tasks import TASKS

PAGE = Path(__file__).parent / "output-layer.md"
FOLDER = Path(__file__).parent / "output-layer"
PROTOCOLS = ("published", "corrected")
Documents = dict[str, dict[str, Any]]


def documents() -> Documents:
    """Return the committed documents by protocol, those that there are."""
    paths = {name: FOLDER / f"{name}.json" for name in PROTOCOLS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.is_file()}


def page(text: str, found: Documents) -> str:
    """Return the page with every table between its two marks written anew."""
    tables: dict[str, Callable[[], list[str]]] = {
        "tasks": task_table,
        "runs": lambda: run_table(found),
        "claims": lambda: claim_table(found),
        "limits": lambda: limit_table(found),
        "hidden": lambda: hidden_table(found),
    }
    for task in TASKS:
        tables[task.name] = lambda name=task.name: figure_table(name, found)
    return with_tables(text, tables)


def task_table() -> list[str]:
    """Return which output activation is for which task, with the reasons."""
    lines = heading("task", "target", "output activation", "loss, on the last linear layer",
                    "prediction", "why", "what goes wrong otherwise")  # fmt: skip
    for task in TASKS:
        pitfalls = " ".join(task.pitfalls)
        lines.append(row(task.name, task.target, task.head, f"`F.{task.in_torch}`",
                         task.prediction, task.why, pitfalls))  # fmt: skip
    return lines


def run_table(found: Documents) -> list[str]:
    """Return what was run where and when."""
    lines = heading(
        "protocol",
        "command",
        "started",
        "trainings",
        "training time, all together",
        "machine",
        "torch",
    )
    for name, document in found.items():
        run = document["run"]
        lines.append(row(name, f"`{run['command']}`", run["started"][:10],
                         f"{document['trained']}", f"{run['minutes']:.0f} min",
                         run["machine"], run["versions"]["torch"]))  # fmt: skip
    missing = [name for name in PROTOCOLS if name not in found]
    return [*lines, *(row(name, "not run yet", *["–"] * 5) for name in missing)]


def figure_table(task: str, found: Documents) -> list[str]:
    """Return a task's settings behind the published hidden layer: the author's figures and ours.

    A protocol under which the task was not run has no columns.
    """
    found = {name: document for name, document in found.items() if _trained(task, document)}
    cells = ["head + loss", "author: valid", "author: test"]
    cells += [f"{name}: {part}" for name in found for part in ("valid", "test", "epochs")]
    lines = heading(*cells)
    for layer in _layers(task, found):
        author = PUBLISHED_RESULTS.get(layer)
        shown = [_number(task, author.valid), _number(task, author.test)] if author else ["–", "–"]
        for document in found.values():
            setting = _setting(document, layer, "sigmoid")
            shown += [_spread(task, setting["valid"]), _spread(task, setting["test"]),
                      ", ".join(map(str, setting["epochs"]))]  # fmt: skip
        lines.append(row(_label(layer), *shown))
    return lines


def hidden_table(found: Documents) -> list[str]:
    """Return the test accuracy of two heads behind each hidden activation."""
    heads = (
        OutputLayer("multiclass", "sigmoid", "bce"),
        OutputLayer("multiclass", "softmax", "ce"),
    )
    lines = heading("hidden", *(f"{name}: {_label(head)}" for name in found for head in heads))
    for hidden in ("sigmoid", "tanh", "relu", "silu"):
        shown = [
            _spread("multiclass", _setting(document, head, hidden)["test"])
            for document in found.values()
            for head in heads
        ]
        lines.append(row(hidden, *shown))
    return lines


def claim_table(found: Documents) -> list[str]:
    """Return each judged claim under each protocol."""
    lines = heading("claim", "protocol", "outcome", "because")
    claims = [(claim["number"], name, claim) for name, d in found.items() for claim in d["claims"]]
    for number, name, claim in sorted(claims, key=lambda entry: entry[0]):
        lines.append(row(f"{number}. {claim['text']}", name, f"**{claim['outcome']}**",
                         claim["reason"]))  # fmt: skip
    return lines


def _layers(task: str, found: Documents) -> list[OutputLayer]:
    rows = [one for document in found.values() for one in document["settings"]]
    layers = [OutputLayer(one["task"], one["head"], one["loss"], one.get("target")) for one in rows]
    return [layer for layer in dict.fromkeys(layers) if layer.task == task]


def _trained(task: str, document: dict[str, Any]) -> bool:
    return any(setting["task"] == task for setting in document["settings"])


def _setting(document: dict[str, Any], layer: OutputLayer, hidden: str) -> dict[str, Any]:
    wanted = (layer.task, layer.head, layer.loss, layer.target, hidden)
    found = [
        one
        for one in document["settings"]
        if (one["task"], one["head"], one["loss"], one.get("target"), one["hidden"]) == wanted
    ]
    setting: dict[str, Any] = found[0]
    return setting


def _label(layer: OutputLayer) -> str:
    return f"{layer.head} + {layer.loss}" + (f", {layer.target}" if layer.target else "")


def _number(task: str, value: float) -> str:
    return f"{value:.4f}" if task == "regression" else f"{100 * value:.2f} %"


def _spread(task: str, values: list[Any]) -> str:
    """Return the mean with the lowest and the highest of the seeds; "∞" where one is infinite."""
    known = [float(value) for value in values if value is not None]
    if not known:
        return "–"
    shown = [_number(task, v) for v in (sum(known) / len(known), min(known), max(known))]
    text = f"{shown[0]} ({shown[1]} to {shown[2]})".replace(" %", "\u00a0%").replace("inf", "∞")
    return text if len(known) == len(values) else f"{text}, {len(known)} of {len(values)} seeds"


def take(path: Path) -> Path:
    """Write the document of a run folder, whose run has one protocol, and return its path."""
    from actlab.case_study.claim_rows import claim_rows
    from actlab.records.json_form import jsonable
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.tasks.run import task_summary

    folder = RunFolder.open(path)
    environment = folder.environment()
    assert environment is not None, "the run has trained something"
    records = folder.task_records()
    document = {
        **task_summary(folder),
        "claims": claim_rows(folder),
        "run": {
            "command": plain_command(environment.command),
            "started": environment.started,
            "machine": machine_in_words(environment.machine),
            "versions": environment.versions,
            "minutes": sum(record.seconds for record in records) / 60,
        },
    }
    document["limits"] = _limits(records)
    (protocol,) = {setting["protocol"] for setting in document["settings"]}
    written = FOLDER / f"{protocol}.json"
    plain = jsonable(document)
    written.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return written


def _limits(records: tuple[Record, ...]) -> dict[str, list[float]]:
    """Return the least error of a rectified standardised output, and what softmax can get right.

    A rectified output starts at the training mean. Of k true labels softmax finds one.
    """
    relu = OutputLayer("regression", "relu", "mse", "standardised")
    digits = next(
        r.figures.summary.confusion
        for r in records
        if r.figures and r.output == OutputLayer("multiclass", "softmax", "ce")
    )
    counts = [sum(line) for line in digits]
    labels = target_of_digits("multilabel", np.arange(10))
    several = np.average(np.maximum(labels.sum(axis=1) - 1, 0), weights=counts)
    strokes = target_of_digits("regression", np.arange(10))[:, 0]
    return {
        "relu_standardised_least_mse": [
            float(np.average(np.maximum(r.figures.scale.mean - strokes, 0) ** 2, weights=counts))
            for r in records
            if r.figures and r.output == relu
        ],
        "softmax_multilabel_best_accuracy": [float(1 - several / labels.shape[1])],
    }


def limit_table(found: Documents) -> list[str]:
    """Return what two wrong heads could reach at best, on these test images."""
    lines = heading("head", "at best", "from")
    for name, document in found.items():
        least = document["limits"]["relu_standardised_least_mse"]
        if least:
            error = _spread("regression", least)
            lines.append(row("ReLU, standardised target", f"MSE {error}", name))
    name, document = next(iter(found.items()))
    most = _spread("multilabel", document["limits"]["softmax_multilabel_best_accuracy"])
    lines.append(row("softmax, multi-label", f"accuracy {most.split(' (')[0]}", name))
    return lines


def main() -> int:
    """Write the tables, or say whether they are current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--take", type=Path, metavar="RUN_FOLDER")
    options = parser.parse_args()
    if options.take:
        print(take(options.take))
    found = documents()
    return write_page(PAGE, lambda text: page(text, found), check=options.check)


if __name__ == "__main__":
    sys.exit(main())
