"""Which class is taken for which."""

from collections.abc import Sequence

from actlab.pages.figure import PageFigure, axis, frame
from actlab.pages.theme import LIGHT
from actlab.records import OutputFigures
from actlab.studies.report.tasks.rows import TaskRow, setting_label
from actlab.text import Formatter

_HEATS = ("surface", "heat1", "heat2", "heat3", "heat4", "series0")


def confusion(name: str, row: TaskRow, form: Formatter) -> PageFigure:
    """Draw the share of each true class that is given each answer, all seeds together."""
    _ = form.translations.gettext
    counts = summed(row.figures)
    classes = [str(number) for number in range(len(counts))]
    shares = [[count / max(sum(line), 1) for count in line] for line in counts]
    figure = frame(
        xaxis=axis(_("answer"), type="category", showgrid=False),
        yaxis=axis(_("true class"), type="category", autorange="reversed", showgrid=False),
    )
    figure.add_heatmap(
        x=classes,
        y=classes,
        z=shares,
        zmin=0,
        zmax=1,
        xgap=1,
        ygap=1,
        colorscale=[[i / (len(_HEATS) - 1), LIGHT[role]] for i, role in enumerate(_HEATS)],
        showscale=False,
        customdata=counts,
        hovertemplate="%{y} → %{x}: <b>%{z:.2%}</b> (%{customdata})<extra></extra>",
    )
    label = setting_label(row.setting, form)
    return PageFigure(
        name=name,
        title=label,
        caption=_fact(counts, form),
        description=_("Confusion matrix of {label}.").format(label=label),
        figure=figure,
        height=340,
    )


def summed(figures: Sequence[OutputFigures]) -> list[list[int]]:
    """Return the confusion matrices of several trainings added up."""
    matrices = [one.summary.confusion for one in figures if one.summary.confusion]
    return [
        [sum(cells) for cells in zip(*lines, strict=True)] for lines in zip(*matrices, strict=True)
    ]


def _fact(counts: Sequence[Sequence[int]], form: Formatter) -> str:
    """Return how many classes are ever answered, and the most frequent mistake."""
    _ = form.translations.gettext
    size = range(len(counts))
    answered = sum(any(counts[true][said] for true in size) for said in size)
    mistakes = [(counts[t][s], t, s) for t in size for s in size if t != s]
    count, true, said = max(mistakes, default=(0, 0, 0))
    fact = _("{answered} of {classes} classes are ever answered.").format(
        answered=answered, classes=len(counts)
    )
    if count == 0:
        return fact
    worst = _("Most often {true} is taken for {said}: {count} times.")
    return f"{fact} {worst.format(true=true, said=said, count=form.count(count))}"
