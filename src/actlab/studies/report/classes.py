"""How many images of each class every split has, and the figure of their shares."""

from dataclasses import dataclass

from actlab.pages.figure import PageFigure, axis, frame
from actlab.pages.theme import LIGHT, SERIES
from actlab.pages.words import split_word
from actlab.text import Formatter


@dataclass(frozen=True)
class SplitCounts:
    """The class counts of one split, and each as a share of the split."""

    name: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Return the number of images in the split."""
        return sum(self.counts)

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the class counts as fractions of the split."""
        return tuple(count / self.total if self.total else 0.0 for count in self.counts)


def split_counts(class_counts: dict[str, tuple[int, ...]]) -> tuple[SplitCounts, ...]:
    """Return the splits in the order of the study, others after them.

    >>> [split.name for split in split_counts({"test": (5, 5), "train": (1, 3)})]
    ['train', 'test']
    """
    order = ("train", "valid_epoch", "valid_trial", "test")
    names = [name for name in order if name in class_counts]
    names += [name for name in class_counts if name not in order]
    return tuple(SplitCounts(name, tuple(class_counts[name])) for name in names)


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
            + _("examples: %{customdata}") + "<extra></extra>",
        )  # fmt: skip
    return PageFigure(
        name="classes",
        title=_("Share of each class in each split"),
        caption=_(
            "In {split}, the most frequent class has {high} of the examples, the least frequent "
            "{low}."
        ).format(
            split=split_word(splits[0].name, form.translations),
            high=form.percent(max(splits[0].shares)),
            low=form.percent(min(splits[0].shares)),
        ),
        description=_("Grouped bars: the share of each class in each split, as in the table."),
        figure=figure,
        height=260,
        minimum_width=70 + 42 * max(len(split.counts) for split in splits),
    )
