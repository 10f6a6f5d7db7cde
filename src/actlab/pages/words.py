"""Words for values of a record, in the page's language."""

from gettext import NullTranslations

from actlab.records import Group, Outcome


def outcome_word(outcome: Outcome, translations: NullTranslations) -> str:
    """Return the word for an outcome."""
    _ = translations.gettext
    return {
        Outcome.COMPLETED: _("completed"),
        Outcome.DIVERGED: _("diverged"),
        Outcome.PRUNED: _("pruned"),
        Outcome.FAILED: _("failed"),
        Outcome.PAUSED: _("paused"),
    }[outcome]


def slot_word(slot: str, translations: NullTranslations) -> str:
    """Return the heading for a slot ("conv" or "fc")."""
    _ = translations.gettext
    return {"conv": _("Conv activation"), "fc": _("FC activation")}[slot]


def split_word(name: str, translations: NullTranslations) -> str:
    """Return the name of a split for people; a split of another name keeps it."""
    _ = translations.gettext
    return {
        "train": _("train"),
        "valid_epoch": _("valid (epoch)"),
        "valid_trial": _("valid (trial)"),
        "test": _("test"),
    }.get(name, name)


def group_words(translations: NullTranslations) -> dict[Group, str]:
    """Return the words for the groups of a verdict, in the order in which they are shown."""
    _ = translations.gettext
    return {
        "best": _("best"),
        "tied": _("equivalent"),
        "unclear": _("inconclusive"),
        "worse": _("worse"),
        "unreliable": _("unreliable"),
    }
