"""What a reader must know before believing the verdict."""

from actlab.pages.words import slot_word
from actlab.records import Verdict
from actlab.studies.report.data.budgets import Budget
from actlab.studies.report.notices import Notice
from actlab.text import Formatter


def verdict_notices(
    verdict: Verdict, budgets: tuple[Budget, ...], form: Formatter
) -> tuple[Notice, ...]:
    """Return the notices that apply: what the verdict had to say, then the search's budgets."""
    _ = form.translations.gettext
    boxes = []
    own = tuple(dict.fromkeys((*verdict.notices, *_of_slots(verdict, form))))
    if own:
        boxes.append(Notice("caution", _("To know about these numbers"), (), own))
    if any(budget.unequal for budget in budgets):
        boxes.append(_unequal(budgets, form))
    return tuple(boxes)


def _of_slots(verdict: Verdict, form: Formatter) -> list[str]:
    """Return the notices of the slots, with the slot's name where not all slots have it."""
    _ = form.translations.gettext
    found = []
    for slot in verdict.slots:
        for notice in slot.notices:
            if len(verdict.slots) > 1 and all(notice in other.notices for other in verdict.slots):
                found.append(notice)
            else:
                heading = slot_word(slot.slot, form.translations)
                found.append(_("{slot}: {notice}").format(slot=heading, notice=notice))
    return found


def _unequal(budgets: tuple[Budget, ...], form: Formatter) -> Notice:
    _ = form.translations.gettext
    lines = tuple(
        _("{slot}: most trials {most} ({most_count}), fewest {least} ({least_count})").format(
            slot=slot_word(budget.slot, form.translations),
            most=budget.most.name,
            most_count=budget.most.trials,
            least=budget.least.name,
            least_count=budget.least.trials,
        )
        for budget in budgets
        if budget.unequal
    )
    return Notice(
        "caution",
        _("Unequal budgets in the search"),
        (
            _(
                "A candidate with few trials may be judged at a setting that is not its best. "
                "The preset “balanced” gives every candidate the same."
            ),
        ),
        lines,
    )
