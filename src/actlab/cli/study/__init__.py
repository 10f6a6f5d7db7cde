"""`actlab study`: run, resume, confirm, show, compare, export and verify studies."""

import typer

from actlab.cli.study.compare import compare
from actlab.cli.study.confirm import confirm
from actlab.cli.study.export import export
from actlab.cli.study.resume import resume
from actlab.cli.study.run import run
from actlab.cli.study.show import show
from actlab.cli.study.verify import verify
from actlab.i18n import _

app = typer.Typer(
    name="study",
    help=_("Compare activation functions on a network and data."),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command(help=_("Run a study to its report, from a preset or a plan file."))(run)
app.command(help=_("Go on with a study that was interrupted, to its planned end."))(resume)
app.command(help=_("Train the best settings again on new seeds, and judge them."))(confirm)
app.command(help=_("Show what a run folder says so far."))(show)
app.command(help=_("Show two or more studies side by side, per activation."))(compare)
app.command(help=_("Write the best network: weights, ONNX, lines to edit, a model card."))(export)
app.command(help=_("Run a sample of a study again: does it come out the same?"))(verify)
