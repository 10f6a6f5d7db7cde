"""The lanes of a slot's candidates on the first screen."""

from dataclasses import dataclass, field

from markupsafe import Markup

from actlab.pages.lanes import Scale, axis
from actlab.records import Group
from actlab.text import significant


@dataclass(frozen=True)
class Row:
    """A candidate: its name, with whom it was trained, its lane, its value and its group.

    `twins` names the rows of the other slot that are the same trained networks.
    """

    name: str
    partner: str
    lane: Markup
    value: str
    count: str
    rates: Markup = field(default_factory=Markup)
    group: Group | None = None
    twins: str = ""


@dataclass(frozen=True)
class Panel:
    """The candidates of a slot, the best first; `low` and `high` are the ends of the lanes.

    `unit` stands at the axis: the percent sign, or the name of the metric.
    """

    slot: str
    title: str
    headline: str
    rows: tuple[Row, ...]
    axis: Markup
    rates_axis: Markup
    low: float
    high: float
    unit: str = "%"


def percent_axis(scale: Scale) -> Markup:
    """Return the ticks below lanes of accuracies: in percent, none above a perfect one."""
    ticks = [tick for tick in scale.ticks(3) if tick <= 1.0]
    return axis(scale, [(tick, f"{100 * tick:.6g}") for tick in ticks])


def metric_axis(scale: Scale) -> Markup:
    """Return the ticks below lanes of another metric, in its own units."""
    return axis(scale, [(tick, significant(tick, 6)) for tick in scale.ticks(3)])


def first_and_last(ticks: tuple[float, ...]) -> tuple[float, ...]:
    """Return the first and the last: a narrow axis has no room for more."""
    return ticks if len(ticks) < 3 else (ticks[0], ticks[-1])
