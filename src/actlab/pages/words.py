"""Words for values of a record, in the page's language."""

import re
from gettext import NullTranslations

from actlab.records import Group, Outcome, Setting, StudyMetric
from actlab.text import Formatter, process_formatter, significant


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


def obstacle_words(obstacle: str, translations: NullTranslations) -> str:
    """Return in a sentence why the seeds of two studies are not pairs."""
    _ = translations.gettext
    return {
        "no replicates": _(
            "Not both studies have replicates; train them with actlab study confirm."
        ),
        "other data": _("The studies saw different data, so their replicates are no pairs."),
        "other seeds": _("The studies have different seeds, so their replicates are no pairs."),
    }[obstacle]


def slot_word(slot: str, translations: NullTranslations) -> str:
    """Return the heading for a slot: `conv`, `fc`, or one of the user's own choice."""
    _ = translations.gettext
    usual = {"conv": _("Conv activation"), "fc": _("FC activation")}
    return usual.get(slot) or _("Activation in {slot}").format(slot=slot)


def short_name(name: str) -> str:
    """Return a candidate's name; of an address, without the folder of its file, or its packages.

    >>> short_name("/home/me/nets/acts.py:Sin"), short_name("me.nets.acts:Sin"), short_name("silu")
    ('acts.py:Sin', 'acts:Sin', 'silu')
    """
    packages = re.fullmatch(r"(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*:[A-Za-z_][\w.]*)", name)
    if packages is not None and ".py:" not in name:
        return packages[1]
    _folder, slash, rest = name.rpartition("/")
    return rest if slash and ".py:" in rest else name


def in_slot(slot: str, name: str, translations: NullTranslations) -> str:
    """Return an activation with the slot that it is in.

    >>> in_slot("fc", "tanh", NullTranslations()), in_slot("encoder.*", "silu", NullTranslations())
    ('FC tanh', 'encoder.* silu')
    """
    _ = translations.gettext
    usual = {"conv": _("conv {name}"), "fc": _("FC {name}")}
    return usual.get(slot, f"{slot} {{name}}").format(name=short_name(name))


def setting_words(setting: Setting, translations: NullTranslations, without: str = "") -> str:
    """Return the activations of a setting with their slots, but for one slot.

    >>> setting_words(Setting("relu", "tanh", 0.001), NullTranslations())
    'conv relu · FC tanh'
    """
    return " · ".join(
        in_slot(slot, name, translations)
        for slot, name in setting.activations.items()
        if slot != without
    )


def partner_words(setting: Setting, slot: str, form: Formatter) -> str:
    """Return what a candidate of a slot was trained with: the other slots, and the rate."""
    _ = form.translations.gettext
    rate = f"lr {setting.learning_rate:.2g}"
    others = setting_words(setting, form.translations, without=slot)
    if not others:
        return rate
    return _("with {others}, {rate}").format(others=others, rate=rate)


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


def in_metric(value: float, measured: StudyMetric, form: Formatter | None = None) -> str:
    """Return a figure of a study: an accuracy in percent, another metric as a number.

    Without `form` it is in the language of the process.

    >>> from actlab.records import StudyMetric
    >>> in_metric(0.9731, StudyMetric()), in_metric(53.8719, StudyMetric("rmse", False, 0.0))
    ('97.31 %', '53.872')
    """
    if measured.in_percent:
        return (form or process_formatter()).percent(value)
    return significant(value, 5)
