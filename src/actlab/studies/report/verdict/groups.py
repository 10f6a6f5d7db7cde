"""How each group of a verdict is called and drawn."""

from dataclasses import dataclass

from actlab.pages.theme import LIGHT
from actlab.pages.words import group_words
from actlab.records import Group
from actlab.text import Formatter


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
    words = group_words(form.translations)
    looks = {
        "best": ("★", "star", "accent"),
        "tied": ("●", "circle", "good"),
        "unclear": ("◇", "diamond-open", "caution"),
        "worse": ("▼", "triangle-down", "trouble"),
        "unreliable": ("✕", "x", "muted"),
    }
    return {group: GroupLook(word, *looks[group]) for group, word in words.items()}
