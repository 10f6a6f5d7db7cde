"""`actlab tasks suggest`: from a target array to task, head and loss."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.errors import DataError
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.studies.tasks import Suggestion

_KEY = "y"

Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="FILE.npz", help=_("The targets: the array y, or the only array.")
    ),
]


def suggest(*, data: Data, json: Json = False) -> None:
    """Print which task the targets in a file pose; exit with 1 where they fit none yet."""
    from actlab.studies import tasks

    name, target = read_target(data)
    found = tasks.suggest(target)
    if json:
        print_json(
            {
                "file": str(data),
                "array": name,
                "shape": list(target.shape),
                "dtype": str(target.dtype),
                **_document(found),
            }
        )
    else:
        print(f"{name}: {target.dtype}, {target.shape}")
        for line in _lines(found):
            print(line)
    if found.faults:
        raise typer.Exit(1)


def read_target(path: Path) -> tuple[str, Any]:
    """Return the name and the content of the target array in an .npz or .npy file.

    Raises DataError for a file that is missing, is not such a file, or does not say which of its
    arrays holds the targets. Nothing in it is unpickled.
    """
    from actlab.data.arrays import read_arrays

    arrays = read_arrays(path)
    name = _chosen(list(arrays), path)
    return name, arrays[name]


def _chosen(names: list[str], path: Path) -> str:
    if _KEY in names:
        return _KEY
    if len(names) == 1:
        return names[0]
    message = _("{path} must have an array y, or one array only; it has {names}.")
    raise DataError(message.format(path=path, names=", ".join(names) or _("none")))


def _document(found: "Suggestion") -> dict[str, Any]:
    return {
        **_output_layer(found.task),
        "outputs": found.outputs,
        "because": [*found.reasons, _why(found.task)],
        "prepare": list(found.prepare),
        "alternatives": [
            {**_output_layer(other.task), "when": other.when} for other in found.alternatives
        ],
        "faults": list(found.faults),
    }


def _output_layer(name: str) -> dict[str, Any]:
    from actlab.tasks import task

    known = task(name)
    return {
        "task": known.name,
        "head": known.head,
        "loss": known.loss,
        "loss_in_torch": known.in_torch,
        "metric": known.metric,
    }


def _lines(found: "Suggestion") -> list[str]:
    layer = _output_layer(found.task)
    lines = [
        _("task: {task}").format(task=found.task),
        _("head: {head}, loss: {loss}, outputs: {outputs}").format(
            head=layer["head"], loss=layer["loss"], outputs=found.outputs
        ),
        _("in PyTorch: end in nn.Linear(..., {outputs}), loss F.{loss}").format(
            outputs=found.outputs, loss=layer["loss_in_torch"]
        ),
        _("because:"),
        *(f"  {reason}" for reason in (*found.reasons, _why(found.task))),
    ]
    if found.prepare:
        lines += [_("first:"), *(f"  {step}" for step in found.prepare)]
    for other in found.alternatives:
        layer = _output_layer(other.task)
        lines.append(
            _("or {task} (head {head}, loss {loss}), {when}").format(
                task=other.task, head=layer["head"], loss=layer["loss"], when=other.when
            )
        )
    if found.faults:
        lines += [_("not ready to train on:"), *(f"  {fault}" for fault in found.faults)]
    return lines


def _why(name: str) -> str:
    from actlab.tasks import task

    return _(task(name).why)
