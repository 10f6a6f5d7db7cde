"""The figures of a run of tasks, by task and protocol, in the order of the page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT, marks
from actlab.records import OutputFigures, OutputLayer, Record
from actlab.studies.report.tasks.calibration import calibration
from actlab.studies.report.tasks.reach import label_accuracies, reach
from actlab.studies.report.tasks.rows import TaskRow, TasksData, layer_label, setting_label
from actlab.text import Formatter


def learning_curves(name: str, rows: Sequence[TaskRow], title: str, form: Formatter) -> PageFigure:
    """Draw the metric on valid (epoch) after each epoch; errors on a logarithmic axis."""
    _ = form.translations.gettext
    regression = rows[0].setting.output.task == "regression"
    vertical = (
        axis(_("mean squared error"), type="log", dtick="D2")
        if regression
        else accuracy_axis(_("valid (epoch) accuracy"))
    )
    figure = frame(xaxis=axis(_("epoch"), tickformat="d"), yaxis=vertical, showlegend=True)
    labels = [setting_label(row.setting, form) for row in rows]
    looks = marks(labels)
    for row, label in zip(rows, labels, strict=True):
        look = looks[label]
        for place, record in enumerate(row.records):
            epochs, values = _points(record)
            figure.add_scatter(
                x=epochs,
                y=values,
                name=plain(label),
                legendgroup=label,
                showlegend=place == 0,
                mode="lines+markers",
                line={"color": look.colour, "width": 1.5},
                marker={"symbol": look.shape, "size": 5, "color": look.colour},
                text=[form.loss(v) if regression else form.percent(v) for v in values],
                hovertemplate=(
                    f"{plain(label)}, "
                    + _("seed")
                    + f" {record.replicate}<br>"
                    + _("epoch %{x}")
                    + ": <b>%{text}</b><extra></extra>"
                ),
            )
    description = _("Lines of the metric by epoch for {labels}.")
    return PageFigure(
        name=name,
        title=title,
        caption=_("One line per seed, on valid (epoch), until early stopping ends it."),
        description=description.format(labels="; ".join(labels)),
        figure=figure,
        height=380 + 8 * len(rows),
    )


def _points(record: Record) -> tuple[list[int], list[float]]:
    """Return epochs and figures; an infinite error has no place on the axis and is left out."""
    found = [(place, epoch.valid_metric) for place, epoch in enumerate(record.curve, start=1)]
    finite = [(place, value) for place, value in found if math.isfinite(value)]
    return [place for place, _value in finite], [value for _place, value in finite]


_DASHES = ("solid", "dot", "dash")


def gradients_by_layer(name: str, rows: Sequence[TaskRow], form: Formatter) -> PageFigure:
    """Draw the norm of each layer's gradient in the first epoch, mean over the seeds."""
    _ = form.translations.gettext
    figure = _drawn(
        rows,
        form,
        [(layers(row), [_mean_norm(row, layer, 0) for layer in layers(row)]) for row in rows],
        axis(_("layer"), type="category"),
    )
    return PageFigure(
        name=name,
        title=_("Gradients in the first epoch, layer by layer"),
        caption=_("Mean norm of the gradient of each layer's weights, from input to output."),
        description=_("Lines of gradient norms by layer for each hidden activation and head."),
        figure=figure,
        height=460,
    )


def gradients_by_epoch(name: str, rows: Sequence[TaskRow], form: Formatter) -> PageFigure:
    """Draw the norm of the first layer's gradient over the recorded epochs."""
    _ = form.translations.gettext
    found = []
    for row in rows:
        first = layers(row)[:1]
        epochs = max((len(f.gradients[0].norms) for f in row.figures if f.gradients), default=0)
        norms = [_mean_norm(row, layer, epoch) for layer in first for epoch in range(epochs)]
        found.append((list(range(1, epochs + 1)), norms))
    figure = _drawn(rows, form, found, axis(_("epoch"), tickformat="d"))
    return PageFigure(
        name=name,
        title=_("Gradient of the first layer over the first epochs"),
        caption=_("Where a line falls to nothing, the layers in front of the head stop learning."),
        description=_("Lines of the first layer's gradient norm by epoch."),
        figure=figure,
        height=460,
    )


def layers(row: TaskRow) -> list[str]:
    """Return the names of the layers, from the input to the output."""
    for figures in row.figures:
        if figures.gradients:
            return [one.layer for one in figures.gradients]
    return []


def _drawn(
    rows: Sequence[TaskRow],
    form: Formatter,
    lines: Sequence[tuple[Sequence[object], Sequence[float | None]]],
    horizontal: dict[str, object],
) -> go.Figure:
    _ = form.translations.gettext
    figure = frame(
        xaxis=horizontal,
        yaxis=axis(_("gradient norm"), type="log", dtick=1, exponentformat="power"),
        showlegend=True,
    )
    looks = marks(row.setting.fc_activation for row in rows)
    heads = list(dict.fromkeys(row.setting.output for row in rows))
    for row, (places, norms) in zip(rows, lines, strict=True):
        look = looks[row.setting.fc_activation]
        label = _("{layer}, behind {hidden}").format(
            layer=layer_label(row.setting.output, form), hidden=row.setting.fc_activation
        )
        figure.add_scatter(
            x=list(places),
            y=list(norms),
            mode="lines+markers",
            name=plain(label),
            line={
                "color": look.colour,
                "width": 2,
                "dash": _DASHES[heads.index(row.setting.output) % len(_DASHES)],
            },
            marker={"symbol": look.shape, "size": 8, "color": look.colour},
            hovertemplate=f"{plain(label)}<br>%{{x}}: <b>%{{y:.2g}}</b><extra></extra>",
        )
    return figure


def _mean_norm(row: TaskRow, layer: str, epoch: int) -> float | None:
    """Return the mean over the seeds; None where nothing positive was recorded."""
    norms = [
        one.norms[epoch]
        for figures in row.figures
        for one in figures.gradients
        if one.layer == layer and epoch < len(one.norms)
    ]
    known = [norm for norm in norms if norm is not None]
    mean = sum(known) / len(known) if known else 0.0
    return mean if mean > 0 else None


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


def predictions(name: str, rows: Sequence[TaskRow], form: Formatter) -> PageFigure:
    """Draw the mean prediction of each seed against the true value, and the line of equality."""
    _ = form.translations.gettext
    labels = [layer_label(row.setting.output, form) for row in rows]
    looks = marks(labels)
    figure = frame(xaxis=axis(_("true value")), yaxis=axis(_("mean prediction")), showlegend=True)
    values = sorted({g.value for row in rows for f in row.figures for g in f.summary.groups})
    figure.add_scatter(
        x=values,
        y=values,
        mode="lines",
        name=_("prediction = true value"),
        line={"color": LIGHT["muted"], "width": 1.5, "dash": "dot"},
        hoverinfo="skip",
    )
    for row, label in zip(rows, labels, strict=True):
        look = looks[label]
        for place, figures in enumerate(row.figures):
            groups = figures.summary.groups
            figure.add_scatter(
                x=[group.value for group in groups],
                y=[group.mean for group in groups],
                name=plain(label),
                legendgroup=label,
                showlegend=place == 0,
                mode="lines+markers",
                line={"color": look.colour, "width": 1.5},
                marker={"symbol": look.shape, "size": 8, "color": look.colour},
                hovertemplate=f"{plain(label)}<br>%{{x}}: <b>%{{y:.3f}}</b><extra></extra>",
            )
    return PageFigure(
        name=name,
        title=_("Predictions by true value"),
        caption=_("A level line says the same of every image: nothing was learnt."),
        description=_("Lines of the mean prediction by true value for {labels}.").format(
            labels="; ".join(labels)
        ),
        figure=figure,
        height=420,
    )


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
