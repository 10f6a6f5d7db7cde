"""How many labels hold at once, and what softmax can say of so many."""

from collections.abc import Mapping, Sequence

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT, marks
from actlab.records import OutputFigures
from actlab.studies.report.tasks.rows import TaskRow, layer_label
from actlab.text import Formatter


def softmax_ceiling(targets: Mapping[float, int], labels: int) -> float:
    """Return the largest share of right answers that shares which sum to 1 can give.

    Only one of them can lie above a half. Of k true labels it finds one and misses k - 1.

    >>> softmax_ceiling({1.0: 50, 3.0: 50}, labels=4)
    0.75
    """
    missed = sum(count * max(true - 1.0, 0.0) for true, count in targets.items())
    return 1.0 - missed / (labels * sum(targets.values()))


def label_accuracies(
    name: str,
    rows: Sequence[TaskRow],
    targets: Mapping[float, int],
    label_names: Sequence[str],
    form: Formatter,
) -> PageFigure:
    """Draw the share of right answers of each label, mean over the seeds."""
    _ = form.translations.gettext
    labels = [layer_label(row.setting.output, form) for row in rows]
    looks = marks(labels)
    figure = frame(
        xaxis=axis(""),
        yaxis=axis(_("right answers on test"), tickformat=".0%", range=[0, 1.02]),
        barmode="group",
        showlegend=True,
    )
    for row, label in zip(rows, labels, strict=True):
        means = _means([f for f in row.figures if f.summary.labels])
        figure.add_bar(
            x=list(label_names)[: len(means)],
            y=means,
            name=plain(label),
            marker={"color": looks[label].colour},
            text=[form.percent(mean) for mean in means],
            textposition="none",
            hovertemplate=f"{plain(label)}, %{{x}}: <b>%{{text}}</b><extra></extra>",
        )
    ceiling = softmax_ceiling(targets, len(label_names))
    figure.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=ceiling,
        y1=ceiling,
        line={"color": LIGHT["muted"], "width": 1.5, "dash": "dot"},
        name=_("most that softmax can reach, over all labels"),
        showlegend=True,
    )
    return PageFigure(
        name=name,
        title=_("What the head can express, label by label"),
        caption=_caption(targets, ceiling, form),
        description=_("Bars of right answers by label for {labels}.").format(
            labels="; ".join(labels)
        ),
        figure=figure,
        height=400,
    )


def _caption(targets: Mapping[float, int], ceiling: float, form: Formatter) -> str:
    _ = form.translations.gettext
    total = sum(targets.values())
    several = sum(count for true, count in targets.items() if true > 1) / total
    return _(
        "{several} of the test images have more than one true label. The shares of a softmax sum "
        "to 1, so at most one lies above a half: at best {ceiling} of its answers are right."
    ).format(several=form.percent(several), ceiling=form.percent(ceiling))


def _means(figures: Sequence[OutputFigures]) -> list[float]:
    if not figures:
        return []
    columns = zip(*(one.summary.labels for one in figures), strict=True)
    return [sum(column) / len(figures) for column in columns]
