"""`actlab functions explain`: what an activation is for, by three examples in numbers."""

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.functions.arguments import Json
from actlab.cli.output import print_json
from actlab.errors import unknown_name
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.activations.lessons import Perceptron, Softmax, Stack

LESSONS = ("perceptron", "linear", "softmax")

Lesson = Annotated[
    str | None,
    typer.Argument(metavar="[" + "|".join(LESSONS) + "]", help=_("One example; all without.")),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "-o", "--output", metavar="FILE.html|png|svg", help=_("Draw the stacked layers there.")
    ),
]


def explain(lesson: Lesson = None, *, output: Output = None, json: Json = False) -> None:
    """Tell the examples, or print their numbers."""
    from actlab.activations import lessons

    if lesson is not None and lesson not in LESSONS:
        raise unknown_name(_("example"), lesson, LESSONS)
    wanted = LESSONS if lesson is None else (lesson,)
    unit, stack, softmax = lessons.perceptron(), lessons.stack(), lessons.softmax()
    if output is not None:
        draw_stack(lessons.stack(points=1601), output)
    if json:
        computed: dict[str, Any] = {
            "perceptron": asdict(unit),
            "linear": asdict(stack),
            "softmax": asdict(softmax),
        }
        document = {name: computed[name] for name in wanted}
        print_json({**document, "plot": None if output is None else str(output)})
        return
    texts = {
        "perceptron": _perceptron(unit),
        "linear": _linear(stack),
        "softmax": _softmax(softmax),
    }
    print("\n\n".join("\n".join(texts[name]) for name in wanted))
    if output is not None:
        print(output)


def _perceptron(lesson: "Perceptron") -> list[str]:
    products = " + ".join(
        f"{x:g} × {_signed(w)}" for x, w in zip(lesson.inputs, lesson.weights, strict=True)
    )
    return [
        _("1. One unit"),
        _("A unit weighs its inputs, adds a bias and passes the sum on:"),
        f"   {products} + {lesson.bias:g} = {lesson.total:.6g}",
        _("What leaves it is the activation of that sum:"),
        *(f"   {name}({lesson.total:.6g}) = {y:.6f}" for name, y in lesson.outputs.items()),
    ]


def _linear(lesson: "Stack") -> list[str]:
    slopes = ", ".join(f"{slope:.4g}" for slope in lesson.slopes_bent)
    return [
        _("2. Layers without an activation"),
        _("Three linear layers of widths 1, 4, 4, 1 with random weights, multiplied out, are"),
        f"   y = {lesson.slope:.6g} x {_added(lesson.intercept)}",
        _("and at {count} inputs the layers differ from that line by at most {difference}.").format(
            count=len(lesson.x), difference=f"{lesson.difference:.1e}"
        ),
        _("With relu between the same layers the slope changes from piece to piece:"),
        f"   {slopes}",
        *_chart(lesson),
        _("· the linear layers: one straight line   ● with relu between: a bent one"),
    ]


def _softmax(lesson: "Softmax") -> list[str]:
    rows = zip(lesson.scores, lesson.exponentials, lesson.shares, lesson.sigmoids, strict=True)
    totals = (lesson.total, sum(lesson.shares), sum(lesson.sigmoids))
    heading = [_("score"), "exp", _("share"), "sigmoid"]
    gradient = ", ".join(f"{value:.4f}" for value in lesson.gradient)
    return [
        _("3. Softmax"),
        _("Scores become shares: each exponential divided by the sum of all."),
        "   " + "".join(f"{word:>12}" for word in heading),
        *("   " + "".join(f"{value:12.4f}" for value in row) for row in rows),
        "   " + _("sum").rjust(12) + "".join(f"{value:12.4f}" for value in totals),
        _("The shares sum to 1, so raising one lowers the others; sigmoids do not compete."),
        _("With the first class as the target, (1, 0, 0), the categorical cross entropy is"),
        f"   -ln({lesson.shares[0]:.4f}) = {lesson.loss:.4f}",
        _("and its gradient with respect to the scores is the shares minus the target:"),
        f"   {gradient}",
    ]


def _added(value: float) -> str:
    return f"- {-value:.6g}" if value < 0 else f"+ {value:.6g}"


def _signed(value: float) -> str:
    return f"({value:g})" if value < 0 else f"{value:g}"


def _chart(lesson: "Stack", width: int = 57, height: int = 13) -> list[str]:
    """Return both curves in letters, as wide as a narrow terminal."""
    low = min(*lesson.linear, *lesson.bent)
    high = max(*lesson.linear, *lesson.bent)
    grid = [[" "] * width for _row in range(height)]
    for values, sign in ((lesson.linear, "·"), (lesson.bent, "●")):
        for column in range(width):
            value = values[round(column * (len(values) - 1) / (width - 1))]
            row = round((high - value) / (high - low) * (height - 1))
            grid[row][column] = sign
    return ["   │" + "".join(row).rstrip() for row in grid] + ["   └" + "─" * width]


def draw_stack(lesson: "Stack", path: Path) -> None:
    """Draw the layers without and with relu between them, as the suffix of the file says."""
    from actlab.activations.drawing import DrawnFunction, Line
    from actlab.activations.drawing.picture import write_plot
    from actlab.i18n import process_language, translation

    def drawn(name: str, values: tuple[float, ...]) -> DrawnFunction:
        steps = [
            (after - before) / (lesson.x[1] - lesson.x[0]) for before, after in pairwise(values)
        ]
        return DrawnFunction(name, (Line(lesson.x, values, [*steps, steps[-1]]),))

    functions = (
        drawn(_("three linear layers"), lesson.linear),
        drawn(_("with relu between them"), lesson.bent),
    )
    write_plot(path, functions, translation(process_language()))
