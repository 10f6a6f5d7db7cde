"""`actlab tasks list`: which output activation and loss for which task, with the reasons."""

from typing import TYPE_CHECKING, Any

from actlab.cli.output import print_json
from actlab.cli.study.options import Json
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.tasks import Task


def list_tasks(*, json: Json = False) -> None:
    """Print the table of the tasks."""
    from actlab.tasks import TASKS

    if json:
        print_json({"tasks": [_document(task) for task in TASKS]})
        return
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, header_style="bold")
    for heading in (_("task"), _("head"), _("loss"), _("metric"), _("target")):
        table.add_column(heading)
    for task in TASKS:
        table.add_row(task.name, task.head, task.loss, task.metric, _(task.target))
    console.print(table)
    for task in TASKS:
        console.print(f"\n[bold]{task.name}[/bold]")
        for sentence in _sentences(task):
            console.print(Padding(sentence, (0, 0, 0, 2)))
    console.print()
    console.print(
        _("PyTorch's losses on logits have the head inside: end the network in a linear layer.")
    )


def _sentences(task: "Task") -> list[str]:
    return [
        _("In PyTorch: {loss}.").format(loss=f"torch.nn.functional.{task.in_torch}"),
        _("Prediction: {prediction}.").format(prediction=_(task.prediction)),
        _(task.why),
        *(_(pitfall) for pitfall in task.pitfalls),
    ]


def _document(task: "Task") -> dict[str, Any]:
    return {
        "task": task.name,
        "target": _(task.target),
        "head": task.head,
        "loss": task.loss,
        "loss_in_torch": task.in_torch,
        "metric": task.metric,
        "larger_is_better": task.larger_is_better,
        "prediction": _(task.prediction),
        "why": _(task.why),
        "pitfalls": [_(sentence) for sentence in task.pitfalls],
    }
