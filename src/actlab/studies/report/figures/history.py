"""The optimisation history: each trial, the best so far, and what chance alone could move."""

import plotly.graph_objects as go

from actlab.pages.figure import (
    MAIN_ABOVE_LANE,
    PageFigure,
    View,
    accuracy_axis,
    axis,
    frame,
    lane_axis,
    plain,
)
from actlab.pages.theme import LIGHT
from actlab.pages.words import outcome_word
from actlab.records import Record
from actlab.studies.report.data.answer import Answer
from actlab.studies.report.data.history import History
from actlab.studies.report.data.zooms import Range
from actlab.text import Formatter


def history_figure(
    past: History, found: Answer, zooms: tuple[Range, ...], form: Formatter
) -> PageFigure:
    """Draw the accuracy of each trial by its number; the first of `zooms` is the whole."""
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    edge = max(0.6, 0.015 * past.last_number)
    numbers = [-edge, past.last_number + edge]
    figure = frame(
        xaxis=axis(_("trial"), range=numbers, dtick=1 if past.last_number < 10 else None),
        yaxis=accuracy_axis(_("valid (trial) accuracy"), zooms[0]),
    )
    _add_band(figure, found, _("within two standard errors of the best"))
    _add_trials(figure, past, found, form)
    if past.unfinished:
        _add_lane(figure, past.unfinished, form)
    views = [View(_("Whole"), {"yaxis.range": list(zooms[0])})]
    views += [View(_range_label(zoom, form), {"yaxis.range": list(zoom)}) for zoom in zooms[1:]]
    best = form.percent(found.valid.value)
    stagnation = ngettext(
        "{count} completed trial after it did no better.",
        "{count} completed trials after it did no better.",
        past.since_best,
    ).format(count=past.since_best)
    reached = _("Trial {number} reached {best}.").format(number=found.best.number, best=best)
    return PageFigure(
        name="history",
        title=_("Optimisation history"),
        caption=f"{reached} {stagnation}" if past.since_best else reached,
        description=_("Scatter plot of valid (trial) accuracy by trial number. {fact}").format(
            fact=reached
        ),
        figure=figure,
        views=tuple(views),
    )


def _range_label(shown: Range, form: Formatter) -> str:
    _ = form.translations.gettext
    low, high = (f"{100 * bound:.4g}" for bound in shown)
    return _("{low} to {high} %").format(low=low, high=high)


def _add_band(figure: go.Figure, found: Answer, label: str) -> None:
    figure.add_shape(
        type="rect",
        layer="below",
        xref="paper",
        x0=0,
        x1=1,
        y0=found.valid.value - found.margin,
        y1=found.valid.value,
        fillcolor=LIGHT["band"],
        line_width=0,
        name=label,
        showlegend=True,
    )


def _add_trials(figure: go.Figure, past: History, found: Answer, form: Formatter) -> None:
    _ = form.translations.gettext
    numbers = [record.number for record in past.completed]
    figure.add_scatter(
        x=numbers,
        y=[record.valid_accuracy for record in past.completed],
        mode="markers",
        name=_("trial"),
        marker={"color": LIGHT["series0"], "size": 7, "opacity": 0.75},
        text=[setting_text(record, form) for record in past.completed],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.add_scatter(
        x=numbers,
        y=list(past.best_so_far),
        mode="lines",
        name=_("best so far"),
        line={"color": LIGHT["series1"], "width": 2, "shape": "hv"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[found.best.number],
        y=[found.valid.value],
        mode="markers",
        name=_("best trial"),
        marker={
            "color": LIGHT["series1"],
            "size": 15,
            "symbol": "star",
            "line": {"color": LIGHT["surface"], "width": 1.5},
        },
        text=[setting_text(found.best, form)],
        hovertemplate="%{text}<extra></extra>",
    )


def _add_lane(figure: go.Figure, unfinished: tuple[Record, ...], form: Formatter) -> None:
    _ = form.translations.gettext
    figure.update_layout(yaxis_domain=MAIN_ABOVE_LANE, yaxis2=lane_axis(_("no result")))
    figure.update_xaxes(anchor="y2")
    figure.add_scatter(
        x=[record.number for record in unfinished],
        y=[0] * len(unfinished),
        yaxis="y2",
        mode="markers",
        name=_("no result"),
        marker={"color": LIGHT["trouble"], "size": 9, "symbol": "x-thin", "line_width": 2},
        text=[setting_text(record, form) for record in unfinished],
        hovertemplate="%{text}<extra></extra>",
    )
    figure.data[-1].marker.line.color = LIGHT["trouble"]


def setting_text(record: Record, form: Formatter) -> str:
    """Return what a trial's mark says when it is pointed at."""
    _ = form.translations.gettext
    setting = record.setting
    if record.valid_accuracy is None:
        result = outcome_word(record.outcome, form.translations)
    else:
        result = form.percent(record.valid_accuracy)
    return "<br>".join(
        (
            "<b>" + _("Trial {number}").format(number=record.number) + f"</b>: {result}",
            _("conv {name}").format(name=plain(setting.conv_activation)),
            _("FC {name}").format(name=plain(setting.fc_activation)),
            _("learning rate {rate}").format(rate=form.rate(setting.learning_rate)),
        )
    )
