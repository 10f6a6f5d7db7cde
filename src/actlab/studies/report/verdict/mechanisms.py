"""A property of the trained networks against accuracy: a dot per candidate."""

from actlab.pages.figure import PageFigure, View, accuracy_axis, axis, frame, plain
from actlab.pages.theme import LIGHT, Mark
from actlab.pages.words import slot_word
from actlab.records import Mechanism, SlotVerdict, Verdict
from actlab.studies.report.verdict.ranges import mean_ranges
from actlab.text import Formatter


def mechanism_figure(
    place: int,
    found: Mechanism,
    slot: SlotVerdict,
    verdict: Verdict,
    marks: dict[str, Mark],
    form: Formatter,
) -> PageFigure | None:
    """Draw the candidates that have both; None for fewer than two. `place` makes names differ."""
    _ = form.translations.gettext
    means = {row.activation: row.mean for row in slot.candidates if row.mean is not None}
    both = [name for name in found.values if name in means]
    if len(both) < 2:
        return None
    heading = slot_word(found.slot, form.translations)
    ranges = mean_ranges(slot, verdict, both)
    figure = frame(
        xaxis=axis(plain(found.property_name), tickformat=".3~g"),
        yaxis=accuracy_axis(_("mean accuracy"), ranges[0]),
        showlegend=True,
    )
    for name in both:
        figure.add_scatter(
            x=[found.values[name]],
            y=[means[name]],
            mode="markers",
            name=plain(name),
            marker={
                "color": marks[name].colour,
                "symbol": marks[name].shape,
                "size": 12,
                "line": {"color": LIGHT["surface"], "width": 1},
            },
            text=[plain(name)],
            hovertemplate="%{text}<br>%{x:.3g}<br><b>%{y:.2%}</b><extra></extra>",
        )
    labels = (_("Close-up"), _("Whole"))
    views = tuple(
        View(label, {"yaxis.range": list(shown)})
        for label, shown in zip(labels, ranges, strict=False)
    )
    return PageFigure(
        name=f"mechanism-{place}",
        title=f"{found.property_name}: {heading}",
        caption=found.sentence,
        description=_("Scatter plot: {property} against mean accuracy. {fact}").format(
            property=found.property_name, fact=found.sentence
        ),
        figure=figure,
        views=views if len(ranges) > 1 else (),
        height=380,
        minimum_width=320,
    )
