"""The critical-difference diagram: mean ranks over the seeds, with what Nemenyi's test joins.

The layout is that of J. Demšar, "Statistical comparisons of classifiers over multiple data sets",
JMLR 7 (2006), figure 1; its blocks are data sets, ours are seeds, so here it is a picture only.
Where it and the paired tests say different things, the tests decide."""

import plotly.graph_objects as go

from actlab.pages.figure import PageFigure, axis, frame, plain
from actlab.pages.theme import LIGHT
from actlab.pages.words import slot_word
from actlab.records import Pair, Ranks, SlotVerdict
from actlab.text import Formatter
from actlab.verdicts import ALPHA

BAR_STEP, LABEL_STEP = 0.5, 1.0
"""Heights, in units of the vertical axis, of a joining bar and of a label."""


def ranks_figure(slot: SlotVerdict, form: Formatter) -> PageFigure | None:
    """Draw the mean ranks of a slot; None where there are none."""
    _ = form.translations.gettext
    ranks = slot.ranks
    if ranks is None or len(ranks.mean_ranks) < 2:
        return None
    count = len(ranks.mean_ranks)
    below = BAR_STEP * (len(ranks.cliques) + 1)
    depth = below + LABEL_STEP * ((count + 1) // 2)
    figure = frame(
        margin={"l": 12, "r": 12, "t": 96, "b": 12},
        xaxis=axis(
            _("mean rank over the seeds (1 is best)"),
            side="top",
            range=[0.8, count + 0.2],
            domain=[0.25, 0.75],
            tickvals=list(range(1, count + 1)),
            showgrid=False,
            fixedrange=True,
        ),
        yaxis=axis("", range=[-depth, 0.0], visible=False, fixedrange=True),
        showlegend=False,
    )
    _add_labels(figure, ranks, below)
    for index, clique in enumerate(ranks.cliques):
        _add_bar(figure, ranks, clique, -BAR_STEP * (index + 1))
    _add_critical_difference(figure, ranks, form)
    heading = slot_word(slot.slot, form.translations)
    order = ", ".join(f"{name} {rank:.1f}" for name, rank in _sorted(ranks))
    return PageFigure(
        name=f"ranks-{slot.slot}",
        title=_("Critical-difference diagram: {slot}").format(slot=heading),
        caption=_(
            "Left is better. A thick bar joins candidates whose mean ranks differ by less than the "
            "critical difference (CD, Nemenyi, 5 %); Friedman's p is {p}."
        ).format(p=form.probability(ranks.p_value)),
        description=_("Mean ranks over the seeds, the best first: {order}.").format(order=order),
        figure=figure,
        height=round(130 + 26 * depth),
        minimum_width=580,
    )


def _sorted(ranks: Ranks) -> list[tuple[str, float]]:
    return sorted(ranks.mean_ranks.items(), key=lambda item: item[1])


def _add_labels(figure: go.Figure, ranks: Ranks, below: float) -> None:
    """Lead from each rank down to its name: the better half to the left, the others right."""
    order = _sorted(ranks)
    left = (len(order) + 1) // 2
    low, high = figure.layout.xaxis.range
    across: list[float | None] = []
    up: list[float | None] = []
    for place, (name, rank) in enumerate(order):
        on_left = place < left
        level = place if on_left else len(order) - 1 - place
        height = -below - LABEL_STEP * (level + 0.3)
        edge = low if on_left else high
        across += [rank, rank, edge, None]
        up += [0.0, height, height, None]
        figure.add_annotation(
            x=edge,
            y=height,
            text=f"{plain(name)} <b>{rank:.1f}</b>",
            showarrow=False,
            xanchor="right" if on_left else "left",
            xshift=-5 if on_left else 5,
            font={"size": 13, "color": LIGHT["ink"]},
        )
    figure.add_scatter(
        x=across,
        y=up,
        mode="lines",
        line={"color": LIGHT["muted"], "width": 1.2},
        hoverinfo="skip",
    )


def _add_bar(figure: go.Figure, ranks: Ranks, clique: tuple[str, ...], height: float) -> None:
    inside = [ranks.mean_ranks[name] for name in clique]
    figure.add_scatter(
        x=[min(inside) - 0.06, max(inside) + 0.06],
        y=[height, height],
        mode="lines",
        line={"color": LIGHT["series0"], "width": 5},
        text=[", ".join(plain(name) for name in clique)] * 2,
        hovertemplate="%{text}<extra></extra>",
    )


def _add_critical_difference(figure: go.Figure, ranks: Ranks, form: Formatter) -> None:
    """Draw the critical difference above the axis, as far as the axis goes."""
    _ = form.translations.gettext
    end = min(1.0 + ranks.critical_difference, figure.layout.xaxis.range[1])
    line = {"color": LIGHT["ink"], "width": 2}
    lift = {"yref": "paper", "ysizemode": "pixel", "yanchor": 1.0}
    figure.add_shape(type="line", x0=1, x1=end, y0=62, y1=62, line=line, **lift)
    for edge in (1, end):
        figure.add_shape(type="line", x0=edge, x1=edge, y0=57, y1=67, line=line, **lift)
    figure.add_annotation(
        x=(1 + end) / 2,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        yshift=66,
        text=_("CD {size}").format(size=f"{ranks.critical_difference:.2f}"),
        showarrow=False,
        font={"size": 13, "color": LIGHT["ink"]},
    )


SHOWN = 4
"""How many pairs are named; the table of all pairs has the others."""


def disagreements(slot: SlotVerdict) -> tuple[Pair, ...]:
    """Return the pairs of which only one of the two (Holm's p, Nemenyi's bars) sees a difference.

    The pairs with the smallest p come first.
    """
    if slot.ranks is None:
        return ()
    found = [
        pair
        for pair in slot.pairs
        if {pair.first, pair.second} <= slot.ranks.mean_ranks.keys()
        and _joined(slot, pair) == (pair.p_adjusted <= ALPHA)
    ]
    return tuple(sorted(found, key=lambda pair: pair.p_adjusted))


def decision_sentences(slot: SlotVerdict, form: Formatter) -> tuple[str, ...]:
    """Return what the diagram is worth, and each disagreement with who decides it."""
    _ = form.translations.gettext
    ngettext = form.translations.ngettext
    if slot.ranks is None:
        return ()
    sentences = [
        _(
            "The diagram is a picture, not the verdict: it forgets how large the differences are, "
            "and its blocks are seeds, not data sets. The paired t tests with Holm's correction "
            "decide."
        )
    ]
    found = disagreements(slot)
    if not found:
        return (*sentences, _("Here the two agree on every pair."))
    sentences.append(
        ngettext(
            "They disagree on {count} pair:", "They disagree on {count} pairs:", len(found)
        ).format(count=len(found))
    )
    for pair in found[:SHOWN]:
        joined = _("{first} and {second}: the diagram joins them, the test separates them ({p}).")
        apart = _("{first} and {second}: the diagram separates them, the test does not ({p}).")
        template = joined if _joined(slot, pair) else apart
        sentences.append(
            template.format(first=pair.first, second=pair.second, p=p_equals(pair.p_adjusted, form))
        )
    if len(found) > SHOWN:
        sentences.append(
            ngettext(
                "And {count} more; the table of all pairs has them.",
                "And {count} more; the table of all pairs has them.",
                len(found) - SHOWN,
            ).format(count=len(found) - SHOWN)
        )
    return tuple(sentences)


def p_equals(p: float, form: Formatter) -> str:
    """Write "p = 0.031" or "p < 0.001"."""
    shown = form.probability(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def _joined(slot: SlotVerdict, pair: Pair) -> bool:
    ranks = slot.ranks
    if ranks is None:
        return False
    distance = abs(ranks.mean_ranks[pair.first] - ranks.mean_ranks[pair.second])
    return distance <= ranks.critical_difference
