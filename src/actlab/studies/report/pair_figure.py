"""The figure of two slots at once: the best trial of every pair."""

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, View, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.studies.report.search import PairTable
from actlab.text import Formatter


def heat_figure(table: PairTable, form: Formatter) -> PageFigure:
    """Draw the pairs as a heat map; each cell has its best accuracy and its number of trials."""
    _ = form.translations.gettext
    rows, columns = (
        slot_word(slot, form.translations) for slot in (table.row_slot, table.column_slot)
    )
    figure = frame(
        xaxis=axis(columns, type="category", showgrid=False, side="top", tickangle=-35),
        yaxis=axis(rows, type="category", showgrid=False, autorange="reversed"),
    )
    lowest, low, high = _levels(table)
    figure.add_heatmap(
        x=[plain(name) for name in table.columns],
        y=[plain(name) for name in table.rows],
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
        hovertemplate=f"{rows} %{{y}}<br>{columns} %{{x}}<br><b>%{{z:.2%}}</b><br>"
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
            "Heat map of the best accuracy of each pair of activations; the same numbers are in "
            "the table below it."
        ),
        figure=figure,
        views=views if low > lowest else (),
        height=115 + 33 * len(table.rows),
        minimum_width=200 + 68 * len(table.columns),
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
    for row, conv in enumerate(table.rows):
        for column, fc in enumerate(table.columns):
            count = table.trials[row][column]
            if table.best[row][column] is None and count:
                figure.add_annotation(
                    x=plain(fc),
                    y=plain(conv),
                    text=f"–<br>{count}×",
                    showarrow=False,
                    font={"color": LIGHT["trouble"]},
                )
