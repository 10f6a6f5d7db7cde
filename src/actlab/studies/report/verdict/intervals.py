"""Mean accuracy of each candidate with its 95 % interval, over the dots of its replicates."""

from actlab.pages.figure import PageFigure, accuracy_axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.records import Candidate, SlotVerdict, Verdict
from actlab.studies.report.verdict.lanes import (
    add_means,
    add_replicates,
    lanes_axis,
    lanes_height,
    offer_ranges,
)
from actlab.studies.report.verdict.ranges import accuracy_ranges
from actlab.text import Formatter


def intervals_figure(slot: SlotVerdict, verdict: Verdict, form: Formatter) -> PageFigure | None:
    """Draw a lane per candidate; None where no candidate has a finished replicate."""
    _ = form.translations.gettext
    ranges = accuracy_ranges(slot, verdict)
    if not ranges:
        return None
    rows = slot.candidates
    figure = frame(
        xaxis=accuracy_axis(_("accuracy")), yaxis=lanes_axis(rows, form), showlegend=True
    )
    low, high = ranges[-1]
    if low <= verdict.chance <= high:
        figure.add_shape(
            type="line",
            layer="below",
            yref="paper",
            x0=verdict.chance,
            x1=verdict.chance,
            y0=0,
            y1=1,
            line={"color": LIGHT["trouble"], "width": 1.5, "dash": "dot"},
            name=_("chance level"),
            showlegend=True,
        )
    dots = [[_dot_text(row, seed, form) for seed in range(row.n)] for row in rows]
    add_replicates(figure, [row.scores for row in rows], dots, form)
    points = [(row.mean, row.low, row.high) for row in rows]
    add_means(figure, slot, rows, points, [_mean_text(row, form) for row in rows], form)
    heading = slot_word(slot.slot, form.translations)
    return PageFigure(
        name=f"intervals-{slot.slot}",
        title=_("Accuracy of each candidate: {slot}").format(slot=heading),
        caption=_(
            "A small dot is one training with its own seed; a seed has the same height in every "
            "lane. The large mark is the mean, the bar its 95 % interval (Student t)."
        ),
        description=_(
            "Dot plot: mean accuracy with interval and single replicates of each candidate, as in "
            "the table."
        ),
        figure=figure,
        views=offer_ranges(
            figure, ranges, [(row.mean, form.percent(row.mean)) for row in rows], form
        ),
        height=lanes_height(rows),
        minimum_width=340,
    )


def _dot_text(row: Candidate, seed: int, form: Formatter) -> str:
    _ = form.translations.gettext
    return _("{name}, seed {seed}: {accuracy}").format(
        name=plain(row.activation), seed=seed + 1, accuracy=form.percent(row.scores[seed])
    )


def _mean_text(row: Candidate, form: Formatter) -> str:
    _ = form.translations.gettext
    lines = [f"<b>{plain(row.activation)}</b>: {form.percent(row.mean)}"]
    if row.low is not None and row.high is not None:
        lines.append(
            _("95 % interval: {low} to {high}").format(
                low=form.percent(row.low), high=form.percent(row.high)
            )
        )
    lines.append(_("seeds: {count}").format(count=row.n))
    return "<br>".join(lines)
