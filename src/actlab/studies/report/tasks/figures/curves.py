"""The learning curves of the settings of a task: one line per seed."""

import math
from collections.abc import Sequence

from actlab.pages.figure import PageFigure, accuracy_axis, axis, frame, plain
from actlab.pages.theme import marks
from actlab.records import Record
from actlab.studies.report.tasks.rows import TaskRow, setting_label
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
                text=[f"{v:.4f}" if regression else form.percent(v) for v in values],
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
