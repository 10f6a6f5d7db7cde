"""What goes on in the trained networks: a property against accuracy, and learnt parameters."""

from dataclasses import dataclass

from actlab.pages.figure import PageFigure, View, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT, SERIES, SHAPES, Mark
from actlab.pages.words import slot_word
from actlab.records import (
    Candidate,
    LearntParameter,
    Mechanism,
    Record,
    SlotName,
    SlotVerdict,
    Verdict,
)
from actlab.studies.confirm.layer_statistics import mechanism_sentence, property_name
from actlab.studies.report.verdict.candidates import mean_ranges
from actlab.text import Formatter


def mechanism_figure(
    place: int,
    found: Mechanism,
    slot: SlotVerdict,
    verdict: Verdict,
    marks: dict[str, Mark],
    form: Formatter,
) -> PageFigure | None:
    """Draw the candidates that have both; None for fewer than two, or where nothing correlates.

    `place` makes names differ.
    """
    _ = form.translations.gettext
    means = {row.name: row.mean for row in slot.candidates if row.mean is not None}
    both = [name for name in found.values if name in means]
    if len(both) < 2 or found.correlation is None:
        return None
    heading = slot_word(found.slot, form.translations)
    name, sentence = property_name(found.key, form), mechanism_sentence(found, form)
    ranges = mean_ranges(slot, verdict, both)
    figure = frame(
        xaxis=axis(plain(name), tickformat=".3~g"),
        yaxis=accuracy_axis(_("mean accuracy"), ranges[0]),
        showlegend=True,
    )
    for candidate in both:
        figure.add_scatter(
            x=[found.values[candidate]],
            y=[means[candidate]],
            mode="markers",
            name=plain(candidate),
            marker={
                "color": marks[candidate].colour,
                "symbol": marks[candidate].shape,
                "size": 12,
                "line": {"color": LIGHT["surface"], "width": 1},
            },
            text=[plain(candidate)],
            hovertemplate="%{text}<br>%{x:.3g}<br><b>%{y:.2%}</b><extra></extra>",
        )
    labels = (_("Close-up"), _("Whole"))
    views = tuple(
        View(label, {"yaxis.range": list(shown)})
        for label, shown in zip(labels, ranges, strict=False)
    )
    return PageFigure(
        name=f"mechanism-{place}",
        title=f"{name}: {heading}",
        caption=sentence,
        description=_("Scatter plot: {property} against mean accuracy. {fact}").format(
            property=name, fact=sentence
        ),
        figure=figure,
        views=views if len(ranges) > 1 else (),
        height=250,
        minimum_width=300,
    )


@dataclass(frozen=True)
class Learnt:
    """A learnable parameter of a candidate: for each layer its lines, one per replicate."""

    slot: SlotName
    activation: str
    parameter: str
    layers: dict[str, list[tuple[float, ...]]]


def learnt_parameters(verdict: Verdict, records: tuple[Record, ...]) -> tuple[Learnt, ...]:
    """Return what the judged replicates of each candidate learnt, where it was recorded."""
    found: list[Learnt] = []
    for judged in verdict.slots:
        for row in judged.candidates:
            lines: dict[str, dict[str, list[tuple[float, ...]]]] = {}
            for learnt in _learnt_by(judged.slot, row, records):
                layers = lines.setdefault(learnt.name, {})
                layers.setdefault(learnt.layer, []).append(learnt.values)
            found += [Learnt(judged.slot, row.name, name, layers) for name, layers in lines.items()]
    return tuple(found)


def slopes_figure(place: int, learnt: Learnt, form: Formatter) -> PageFigure:
    """Draw the lines of each layer in its own colour and dash. `place` makes names differ."""
    _ = form.translations.gettext
    longest = max(len(values) for lines in learnt.layers.values() for values in lines)
    figure = frame(
        xaxis=axis(
            _("epoch"), tickformat="d", rangemode="tozero", dtick=1 if longest <= 12 else None
        ),
        yaxis=axis(plain(learnt.parameter)),
        showlegend=True,
    )
    ends = []
    for index, (layer, lines) in enumerate(learnt.layers.items()):
        across: list[float | None] = []
        up: list[float | None] = []
        for values in lines:
            across += [*range(len(values)), None]
            up += [*values, None]
            ends.append(values[-1])
        figure.add_scatter(
            x=across,
            y=up,
            mode="lines+markers",
            name=plain(layer),
            opacity=0.75,
            line={"color": LIGHT[SERIES[index % len(SERIES)]], "width": 1.3},
            marker={"symbol": SHAPES[index % len(SHAPES)], "size": 4},
            hovertemplate=_("epoch %{x}") + ": <b>%{y:.3f}</b><extra></extra>",
        )
    heading = slot_word(learnt.slot, form.translations)
    return PageFigure(
        name=f"slopes-{place}",
        title=_("What {activation} learnt: {slot}").format(
            activation=learnt.activation, slot=heading
        ),
        caption=_(
            "{parameter} of each layer after each epoch (0 is before the first), a line per seed. "
            "At the end it lies between {low} and {high}."
        ).format(parameter=learnt.parameter, low=_signed(min(ends)), high=_signed(max(ends))),
        description=_("Lines: {parameter} of each layer by epoch, one line per seed.").format(
            parameter=learnt.parameter
        ),
        figure=figure,
        height=250,
        minimum_width=300,
    )


def _learnt_by(
    slot: SlotName, row: Candidate, records: tuple[Record, ...]
) -> list[LearntParameter]:
    return [
        learnt
        for record in records
        if record.stage == "confirm" and record.setting == row.setting and record.probes is not None
        for learnt in record.probes.learnt
        if learnt.slot == slot and learnt.values
    ]


def _signed(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")
