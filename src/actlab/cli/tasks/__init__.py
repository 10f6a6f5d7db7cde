"""`actlab tasks`: which output layer for which task, and what a wrong one costs."""

import typer

from actlab.cli.tasks.list import list_tasks
from actlab.cli.tasks.run import run
from actlab.cli.tasks.suggest import suggest
from actlab.i18n import _

app = typer.Typer(
    name="tasks",
    help=_("Choose the output layer: head, loss and metric for each task."),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list", help=_("List the five tasks with the head and the loss that fit, and why."))(
    list_tasks
)
app.command(help=_("Train right and wrong output layers on the same seeds, to a report."))(run)
app.command(help=_("Look at a target array and say which task it poses, and why."))(suggest)
