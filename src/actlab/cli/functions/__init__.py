"""`actlab functions`: what each function is, exactly, what it costs here, when it breaks."""

import typer

from actlab.cli.functions.conformance import compare_kernel, identify, vectors
from actlab.cli.functions.cost import cost
from actlab.cli.functions.explain import explain
from actlab.cli.functions.formula import formula
from actlab.cli.functions.list import list_functions
from actlab.cli.functions.plot import plot
from actlab.cli.functions.show import show
from actlab.cli.functions.verify import verify
from actlab.i18n import _

app = typer.Typer(
    name="functions",
    help=_("Know the activation functions: facts, pictures, cost, hazards."),
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("list", help=_("List the functions, all or those that a question selects."))(
    list_functions
)
app.command(help=_("Show every fact of one function, or code that uses it."))(show)
app.command(help=_("Draw functions and their derivatives as HTML, PNG or SVG."))(plot)
app.command(help=_("Measure every declared fact again; exit with 1 where one fails."))(verify)
app.command(help=_("Measure what each function costs on this machine."))(cost)
app.command(help=_("Explain what an activation is for, by three examples in numbers."))(explain)
app.command(help=_("Say all about a formula that you paste."))(formula)
app.command("test", help=_("Test whether a kernel computes a function; exit with 1 where not."))(
    compare_kernel
)
app.command(help=_("Write true values and gradients of a function, to test ports with."))(vectors)
app.command(help=_("Name the function that a module, a callable or a model computes."))(identify)
