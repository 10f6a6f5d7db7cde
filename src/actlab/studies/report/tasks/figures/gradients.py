"""How large the gradients of the layers are behind each hidden activation."""

from collections.abc import Sequence

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import marks
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter

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
