"""What a picture of trials says in words: one trial, a close-up, what lies outside it."""

from collections.abc import Sequence

from actlab.pages.figure import plain
from actlab.pages.words import in_slot, outcome_word
from actlab.records import Record
from actlab.studies.report.zooms import Range
from actlab.text import Formatter

MOST_POINTS = 2_000
"""A picture draws so many trials; of more it draws the best and an even share of the others."""


def setting_text(record: Record, form: Formatter) -> str:
    """Return what a trial's mark says when it is pointed at."""
    _ = form.translations.gettext
    setting = record.setting
    if record.valid_accuracy is None:
        result = outcome_word(record.outcome, form.translations)
    else:
        result = form.percent(record.valid_accuracy)
    return "<br>".join(
        (
            "<b>" + _("Trial {number}").format(number=record.number) + f"</b>: {result}",
            *(
                in_slot(slot, plain(name), form.translations)
                for slot, name in setting.activations.items()
            ),
            _("learning rate {rate}").format(rate=form.rate(setting.learning_rate)),
        )
    )


def range_label(shown: Range, form: Formatter) -> str:
    """Return the label of a close-up: between which percentages it lies."""
    _ = form.translations.gettext
    low, high = (f"{100 * bound:.4g}" for bound in shown)
    return _("{low} to {high} %").format(low=low, high=high)


def zoom_labels(ranges: Sequence[Range], form: Formatter) -> list[str]:
    """Return the labels of close-ups: the last is the whole, the first before it a close-up."""
    _ = form.translations.gettext
    labels = [range_label(shown, form) for shown in ranges[:-1]]
    return [_("Close-up"), *labels[1:], _("Whole")] if labels else [_("Whole")]


def outside_text(records: Sequence[Record], shown: Range, form: Formatter) -> str:
    """Return a sentence on the trials below what a close-up shows, nothing where none is."""
    ngettext = form.translations.ngettext
    below = [r for r in records if r.valid_accuracy is not None and r.valid_accuracy < shown[0]]
    if not below:
        return ""
    lowest = min(below, key=lambda record: record.valid_accuracy or 0.0)
    return ngettext(
        "{count} trial lies below the close-up: trial {number} at {accuracy}.",
        "{count} trials lie below the close-up, the lowest trial {number} at {accuracy}.",
        len(below),
    ).format(count=len(below), number=lowest.number, accuracy=form.percent(lowest.valid_accuracy))
