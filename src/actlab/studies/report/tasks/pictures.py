"""The figures of each task, under each protocol, in the order of the page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from actlab.pages.figure import PageFigure
from actlab.records import OutputLayer
from actlab.studies.report.tasks.figures.calibration import calibration
from actlab.studies.report.tasks.figures.confusion import confusion, summed
from actlab.studies.report.tasks.figures.curves import learning_curves
from actlab.studies.report.tasks.figures.gradients import gradients_by_epoch, gradients_by_layer
from actlab.studies.report.tasks.figures.labels import label_accuracies
from actlab.studies.report.tasks.figures.predictions import predictions
from actlab.studies.report.tasks.figures.reach import reach
from actlab.studies.report.tasks.inputs import TasksData
from actlab.studies.report.tasks.rows import TaskRow
from actlab.text import Formatter

PUBLISHED_HIDDEN = "sigmoid"


@dataclass(frozen=True)
class Gallery:
    """The figures of a task under one protocol; those in a `row` stand side by side."""

    protocol: str
    rows: tuple[tuple[PageFigure, ...], ...]


def galleries(
    data: TasksData, rows: Mapping[str, Sequence[TaskRow]], form: Formatter
) -> dict[str, tuple[Gallery, ...]]:
    """Return the galleries of each task; nothing where no network was trained."""
    return {
        task: tuple(
            Gallery(protocol, tuple(row for row in _rows(data, task, protocol, own, form) if row))
            for protocol, own in _by_protocol(seen).items()
        )
        for task, seen in rows.items()
    }


def _by_protocol(rows: Iterable[TaskRow]) -> dict[str, list[TaskRow]]:
    found: dict[str, list[TaskRow]] = {}
    for row in rows:
        if row.records:
            found.setdefault(row.setting.protocol, []).append(row)
    return found


def _rows(
    data: TasksData, task: str, protocol: str, rows: Sequence[TaskRow], form: Formatter
) -> Iterable[tuple[PageFigure, ...]]:
    _ = form.translations.gettext
    end = f"{task}-{protocol}"
    usual = [row for row in rows if row.setting.fc_activation == PUBLISHED_HIDDEN]
    others = [row for row in rows if row.setting.fc_activation != PUBLISHED_HIDDEN]
    curves = _("Learning curves")
    yield tuple(
        learning_curves(f"curves{place}-{end}", part, title, form)
        for place, part, title in (
            ("", usual, curves),
            ("-hidden", others, _("Learning curves behind other hidden activations")),
        )
        if part
    )
    yield _of_task(data, task, end, [row for row in usual if row.figures], form)
    if task == "multiclass":
        seen = [row for row in usual if summed(row.figures)]
        yield tuple(
            confusion(f"confusion-{place}-{end}", row, form) for place, row in enumerate(seen)
        )
    varied = _varied([row for row in rows if row.figures])
    if varied:
        yield (
            gradients_by_layer(f"gradients-{end}", varied, form),
            gradients_by_epoch(f"gradients-epochs-{end}", varied, form),
        )


def _of_task(
    data: TasksData, task: str, end: str, rows: Sequence[TaskRow], form: Formatter
) -> tuple[PageFigure, ...]:
    if not rows:
        return ()
    if task == "regression":
        drawn = predictions(f"predictions-{end}", rows, form)
    else:
        drawn = calibration(f"calibration-{end}", rows, form)
    targets = next((own for name, own in data.targets.items() if name == task), None)
    if not targets:
        return (drawn,)
    if task == "multilabel":
        name = f"labels-{end}"
        return label_accuracies(name, rows, targets, data.labels, form), drawn
    return reach(f"reach-{end}", rows, targets, form), drawn


def _varied(rows: Sequence[TaskRow]) -> list[TaskRow]:
    """Return the rows of output layers that stand behind more than one hidden activation."""
    behind: dict[OutputLayer, set[str]] = {}
    for row in rows:
        behind.setdefault(row.setting.output, set()).add(row.setting.fc_activation)
    return [row for row in rows if len(behind[row.setting.output]) > 1]
