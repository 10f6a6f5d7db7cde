"""The four groups: how each is called and drawn, and the rule that puts a candidate into one."""

from dataclasses import dataclass

from actlab.pages.theme import LIGHT
from actlab.records import Candidate, Group
from actlab.text import Formatter

SIGNIFICANCE = 0.05
"""An adjusted p-value up to it makes a candidate worse."""


@dataclass(frozen=True)
class GroupLook:
    """How a group looks in text (`word`, `sign`) and in figures (`shape`, `role` of its colour)."""

    word: str
    sign: str
    shape: str
    role: str

    @property
    def colour(self) -> str:
        """Return the colour in the light theme, which figures are drawn in."""
        return LIGHT[self.role]


def group_looks(form: Formatter) -> dict[Group, GroupLook]:
    """Return the looks of the groups, in the order in which they are shown.

    Each has a word and a shape of its own, so that colour alone says nothing.
    """
    _ = form.translations.gettext
    return {
        "best": GroupLook(_("best"), "★", "star", "accent"),
        "tied": GroupLook(_("tied"), "●", "circle", "good"),
        "unclear": GroupLook(_("unclear"), "◇", "diamond-open", "caution"),
        "worse": GroupLook(_("worse"), "▼", "triangle-down", "trouble"),
    }


def group_at(candidate: Candidate, margin: float) -> Group:
    """Return the group of a candidate at another margin than the verdict's.

    worse where Holm's p over all pairs is at most 0.05, else tied where the upper end of the 90 %
    interval of best - candidate (`smallest_margin`) is below the margin, else unclear; the best
    stays the best. The page's script `margin.js` computes the same.

    >>> row = Candidate("relu", "tied", "", p_adjusted=0.2, smallest_margin=0.004)
    >>> group_at(row, 0.005), group_at(row, 0.003)
    ('tied', 'unclear')
    """
    if candidate.group == "best":
        return "best"
    if candidate.p_adjusted is not None and candidate.p_adjusted <= SIGNIFICANCE:
        return "worse"
    if candidate.smallest_margin is not None and candidate.smallest_margin < margin:
        return "tied"
    return "unclear"
