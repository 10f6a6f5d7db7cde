"""What a regression predicts for each true value."""

from collections.abc import Sequence

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT, marks
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter


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
