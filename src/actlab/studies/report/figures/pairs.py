"""The best accuracy of each conv x FC pair: grouped bars, and a heat map with trial counts."""

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, View, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT, Mark
from actlab.studies.report.data.budgets import PairTable
from actlab.text import Formatter


def bars_figure(table: PairTable, marks: dict[str, Mark], form: Formatter) -> PageFigure:
    """Draw one group of bars per conv activation, one bar per FC activation that was tried."""
    _ = form.translations.gettext
    figure = frame(
        barmode="group",
        bargap=0.22,
        xaxis=axis(_("conv activation"), type="category"),
        yaxis=accuracy_axis(_("best valid (trial) accuracy"), (0.0, 1.02)),
    )
    figure.update_layout(
        legend_title={"text": _("FC activation") + "  ", "side": "left", "font": {"size": 13}}
    )
    for column, name in enumerate(table.fc):
        trials = [row[column] for row in table.trials]
        figure.add_bar(
            x=[plain(conv) for conv in table.conv],
            y=[row[column] for row in table.best],
            name=plain(name),
            marker={"color": marks[name].colour},
            text=[form.percent(row[column]) for row in table.best],
            textposition="none",
            customdata=trials,
            hovertemplate=_("conv %{x}")
            + "<br>"
            + _("FC {name}").format(name=plain(name))
            + "<br><b>%{text}</b><br>"
            + _("trials: %{customdata}")
            + "<extra></extra>",
        )
    lowest, low, high = _levels(table)
    closer = low > lowest
    shown = [low, high + 0.04 * (high - low)]
    views = (
        View(_("Whole"), {"yaxis.range": [0.0, 1.02]}),
        View(_("Close-up"), {"yaxis.range": shown}),
    )
    fact = _("{tried} of the {possible} pairs were tried.").format(
        tried=table.tried, possible=table.possible
    )
    cut = _("In the close-up the bars do not start at zero.")
    return PageFigure(
        name="pairs-bars",
        title=_("Best accuracy of each pair, as bars"),
        caption=fact + " " + cut if closer else fact,
        description=_("Grouped bars: best accuracy by conv and FC activation. {fact}").format(
            fact=fact
        ),
        figure=figure,
        views=views if closer else (),
        minimum_width=90 + max(5 * len(table.conv) * len(table.fc), 60 * len(table.conv)),
    )


def heat_figure(table: PairTable, form: Formatter) -> PageFigure:
    """Draw the pairs as a heat map; each cell has its best accuracy and its number of trials."""
    _ = form.translations.gettext
    figure = frame(
        xaxis=axis(_("FC activation"), type="category", showgrid=False, side="top", tickangle=-35),
        yaxis=axis(_("conv activation"), type="category", showgrid=False, autorange="reversed"),
    )
    lowest, low, high = _levels(table)
    figure.add_heatmap(
        x=[plain(name) for name in table.fc],
        y=[plain(name) for name in table.conv],
        z=[list(row) for row in table.best],
        zmin=low,
        zmax=high,
        showscale=lowest < high,
        xgap=2,
        ygap=2,
        colorscale=[[step / 4, LIGHT[f"heat{step}"]] for step in range(5)],
        colorbar={
            "tickformat": ".4~p",
            "outlinewidth": 0,
            "thickness": 12,
            "tickfont": {"color": LIGHT["muted"]},
        },
        text=_cell_texts(table, form),
        customdata=[list(row) for row in table.trials],
        texttemplate="%{text}",
        textfont={"color": LIGHT["ink"], "size": 12},
        hovertemplate=_("conv %{y}") + "<br>" + _("FC %{x}") + "<br><b>%{z:.2%}</b><br>"
        + _("trials: %{customdata}") + "<extra></extra>",
    )  # fmt: skip
    _add_empty_cells(figure, table)
    views = (
        View(_("Close-up"), trace={"zmin": low, "zmax": high}),
        View(_("Whole"), trace={"zmin": lowest, "zmax": high}),
    )
    return PageFigure(
        name="pairs-heat",
        title=_("Best accuracy of each pair, with its number of trials"),
        caption=_heat_caption(low, form) if low > lowest else _cell_key(form),
        description=_(
            "Heat map of the best accuracy by conv and FC activation; the same numbers are in the "
            "table below it."
        ),
        figure=figure,
        views=views if low > lowest else (),
        height=130 + 46 * len(table.conv),
        minimum_width=200 + 68 * len(table.fc),
    )


def _cell_key(form: Formatter) -> str:
    _ = form.translations.gettext
    return _(
        "In each cell the best valid (trial) accuracy in percent, and how many trials it is the "
        "best of; an empty cell was never tried."
    )


def _heat_caption(low: float, form: Formatter) -> str:
    _ = form.translations.gettext
    key = _cell_key(form)
    weakest = _("In the close-up all accuracies below {low} have the weakest colour.")
    return key + " " + weakest.format(low=form.percent(low))


def _levels(table: PairTable) -> tuple[float, float, float]:
    """Return the lowest accuracy of the pairs, their lower quartile, and the highest."""
    scores = sorted(score for row in table.best for score in row if score is not None)
    return scores[0], scores[len(scores) // 4], scores[-1]


def _cell_texts(table: PairTable, form: Formatter) -> list[list[str]]:
    return [
        [
            "" if best is None else f"<b>{form.percent_number(best)}</b><br>{count}×"
            for best, count in zip(scores, counts, strict=True)
        ]
        for scores, counts in zip(table.best, table.trials, strict=True)
    ]


def _add_empty_cells(figure: go.Figure, table: PairTable) -> None:
    """Write the number of trials into cells that have no accuracy to show."""
    for row, conv in enumerate(table.conv):
        for column, fc in enumerate(table.fc):
            count = table.trials[row][column]
            if table.best[row][column] is None and count:
                figure.add_annotation(
                    x=plain(fc),
                    y=plain(conv),
                    text=f"–<br>{count}×",
                    showarrow=False,
                    font={"color": LIGHT["trouble"]},
                )
