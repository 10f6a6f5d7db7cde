"""How the classes are spread in each split."""

from actlab.pages.figure import PageFigure, axis, frame
from actlab.pages.theme import LIGHT, SERIES
from actlab.pages.words import split_word
from actlab.studies.report.data.classes import SplitCounts
from actlab.text import Formatter


def classes_figure(splits: tuple[SplitCounts, ...], form: Formatter) -> PageFigure:
    """Draw the share of each class in each split (at least one), so that sizes do not matter."""
    _ = form.translations.gettext
    figure = frame(
        barmode="group",
        bargap=0.25,
        xaxis=axis(_("class"), type="category"),
        yaxis=axis(_("share of the split"), tickformat=".3~p", rangemode="tozero"),
    )
    for index, split in enumerate(splits):
        classes = [str(number) for number in range(len(split.counts))]
        figure.add_bar(
            x=classes,
            y=list(split.shares),
            name=split_word(split.name, form.translations),
            marker={"color": LIGHT[SERIES[index % len(SERIES)]]},
            customdata=list(split.counts),
            hovertemplate=_("class %{x}") + ": <b>%{y:.2%}</b><br>"
            + _("images: %{customdata}") + "<extra></extra>",
        )  # fmt: skip
    return PageFigure(
        name="classes",
        title=_("Share of each class in each split"),
        caption=_(
            "In {split}, the most frequent class has {high} of the images, the least frequent "
            "{low}."
        ).format(
            split=split_word(splits[0].name, form.translations),
            high=form.percent(max(splits[0].shares)),
            low=form.percent(min(splits[0].shares)),
        ),
        description=_("Grouped bars: the share of each class in each split, as in the table."),
        figure=figure,
        height=340,
        minimum_width=70 + 42 * max(len(split.counts) for split in splits),
    )
