"""What the margin's slider reads: the numbers that groups follow from, and where to start."""

from typing import Any

from actlab.records import Verdict
from actlab.studies.report.verdict.groups import SIGNIFICANCE, group_looks
from actlab.text import Formatter

STEP = 0.01
"""The slider's step, in percentage points."""


def slider_end(verdict: Verdict) -> float:
    """Return the largest margin of the slider in points: 2, or four of the verdict's margins.

    >>> slider_end(Verdict((), margin=0.01, seeds=10, rows_overlap=False, chance=0.1))
    4.0
    """
    return max(2.0, round(400 * verdict.margin, 2))


def margin_data(verdict: Verdict, form: Formatter) -> dict[str, Any]:
    """Return the candidates' numbers by slot, and the words and signs of the groups.

    Margins are in points, as the slider has them.
    """
    _ = form.translations.gettext
    return {
        "margin": points(verdict.margin),
        "significance": SIGNIFICANCE,
        "slots": {
            slot.slot: [
                {
                    "best": row.group == "best",
                    "p": row.p_adjusted,
                    "smallest": None if row.smallest_margin is None else 100 * row.smallest_margin,
                    "name": row.activation,
                }
                for row in slot.candidates
            ]
            for slot in verdict.slots
        },
        "groups": {
            group: {"word": look.word, "sign": look.sign}
            for group, look in group_looks(form).items()
        },
        "words": {"points": _("{number} points"), "none": _("none")},
    }


def points(margin: float) -> float:
    """Return a margin in percentage points, without the dust of the multiplication.

    >>> points(0.0055)
    0.55
    """
    return round(100 * margin, 6)
