"""The fact table of the explorer: its columns, and each cell as shown and as sorted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from gettext import NullTranslations
from typing import Any

from actlab.activations.catalogue.declared import SMOOTHNESS_ORDER
from actlab.i18n import N_
from actlab.text import NOT_KNOWN, significant

MONOTONIC_WORDS = {
    "strictly_increasing": N_("strictly increasing"),
    "non_decreasing": N_("non-decreasing"),
    "strictly_decreasing": N_("strictly decreasing"),
    "non_increasing": N_("non-increasing"),
    "non_monotonic": N_("not monotonic"),
}
SMOOTHNESS_WORDS = {
    "discontinuous": N_("jumps"),
    "C0": N_("kink (C0)"),
    "C1": N_("C1"),
    "C2": N_("C2"),
    "Cinf": N_("smooth (C∞)"),
}


@dataclass(frozen=True)
class Column:
    """A column: its heading, what it means, and whether its cells are numbers."""

    key: str
    heading: str
    meaning: str
    numeric: bool = True


COLUMNS = (
    Column(
        "range",
        N_("range"),
        N_("Values that f takes; a square bracket means that the end is attained."),
    ),
    Column("monotonic", N_("direction"), N_("Where f only rises, or only falls."), numeric=False),
    Column(
        "smoothness",
        N_("smoothness"),
        N_("How often f can be differentiated everywhere."),
        numeric=False,
    ),
    Column("min_y", N_("minimum"), N_("The smallest value, where it is attained at one point.")),
    Column("max_abs_grad", N_("steepest"), N_("The largest |f′|.")),
    Column("mean_under_N01", N_("mean"), N_("The mean of f(X) for a standard normal X.")),
    Column(
        "zero_grad_fraction_N01",
        N_("no gradient"),
        N_("The share of standard normal inputs at which f′ is exactly 0."),
    ),
    Column(
        "gain_forward",
        N_("gain"),
        N_("The factor 1/√E[f²] that keeps the size of what goes forward."),
    ),
    Column(
        "gain_backward",
        N_("gain back"),
        N_("The factor 1/√E[f′²] that keeps the size of what goes backward."),
    ),
    Column("learnable", N_("learns"), N_("Whether training changes the function."), numeric=False),
)


@dataclass(frozen=True)
class Cell:
    """A cell: the text, and the number or word that the column is sorted by."""

    text: str
    key: str | float


def number(value: float | None) -> str:
    """Return a number as the page shows it: four digits, a true minus sign.

    >>> number(-0.27846454), number(float("inf")), number(None), number(0.00012345)
    ('−0.2785', '∞', '–', '0.0001234')
    """
    if value is None or math.isnan(value):
        return NOT_KNOWN
    return significant(value) if abs(value) >= 1e-4 or value == 0 else significant(value, 2)


def interval(facts: Mapping[str, Any]) -> str:
    """Return the range of a function as an interval.

    >>> interval({"range_low": 0.0, "range_high": float("inf"), "low_attained": True,
    ...           "high_attained": False})
    '[0, ∞)'
    """
    low, high = facts.get("range_low"), facts.get("range_high")
    if low is None or high is None:
        return NOT_KNOWN
    left = "[" if facts["low_attained"] else "("
    right = "]" if facts["high_attained"] else ")"
    return f"{left}{number(low)}, {number(high)}{right}"


def cells(facts: Mapping[str, Any], translations: NullTranslations) -> tuple[Cell, ...]:
    """Return the cells of one function, in the order of COLUMNS."""
    return tuple(_cell(column.key, facts, translations) for column in COLUMNS)


def _cell(key: str, facts: Mapping[str, Any], translations: NullTranslations) -> Cell:
    _ = translations.gettext
    value = facts.get("range_low" if key == "range" else key)
    if value is None:
        return Cell(NOT_KNOWN, "")
    match key:
        case "range":
            return Cell(interval(facts), value)
        case "monotonic":
            return Cell(_(MONOTONIC_WORDS[value]), value)
        case "smoothness":
            return Cell(_(SMOOTHNESS_WORDS[value]), SMOOTHNESS_ORDER.index(value))
        case "zero_grad_fraction_N01":
            return Cell(percent(value), value)
        case "learnable":
            return Cell(_("yes") if value else NOT_KNOWN, "1" if value else "0")
        case _:
            return Cell(number(value), value)


def percent(share: float) -> str:
    """Return a share in percent; only 0 and 1 are shown as 0 % and 100 %.

    >>> percent(0.5), percent(0.9999999), percent(1e-9)
    ('50 %', '99.9 %', '< 0.1 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    shown = min(100 * share, 99.9) if share < 1 else 100.0
    return f"{shown:.3g} %"
