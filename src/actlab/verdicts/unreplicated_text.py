"""What a search without replicates can say and what it cannot, in sentences with their numbers."""

from collections.abc import Iterator
from dataclasses import replace

from actlab.records.judgement import Judgement, ParameterBudgets
from actlab.text import Formatter


def with_sentences(judged: Judgement, words: Formatter) -> Judgement:
    """Return the judgement with its sentences."""
    return replace(judged, can=tuple(_can(judged, words)), cannot=tuple(_cannot(judged, words)))


def number(value: float) -> str:
    """Write a value with four digits.

    >>> number(0.97941), number(1234567.0)
    ('0.9794', '1.235e+06')
    """
    return f"{value:#.4g}"


def _can(judged: Judgement, words: Formatter) -> Iterator[str]:
    _ = words.translations.gettext
    best = judged.best
    if best is None or best.value is None:
        yield _("Nothing but the budgets: no trial completed.")
        return
    chosen = {**best.choices, **{key: number(value) for key, value in best.numbers.items()}}
    yield _("Trial {number} reached {value}, the best of {count}, with {setting}.").format(
        number=best.number,
        value=number(best.value),
        count=judged.completed,
        setting=", ".join(f"{key} {value}" for key, value in chosen.items()),
    )
    yield _(
        "Every name can reach its own best value, on the rows and with the seed of that trial: "
        "these are lower bounds of what each can do, not a ranking."
    )
    for found in judged.parameters:
        yield _equal_budgets(found, judged, words)


def _equal_budgets(found: ParameterBudgets, judged: Judgement, words: Formatter) -> str:
    _ = words.translations.gettext
    known = [c for c in found.choices if c.expected_best is not None]
    order = sorted(known, key=lambda c: c.expected_best or 0.0, reverse=judged.maximize)
    text = _(
        "With {budget} tries each, the best of {parameter} would be expected in this order: "
        "{order}."
    )
    return text.format(
        budget=found.equal_budget,
        parameter=found.parameter,
        order=", ".join(f"{c.name} {number(c.expected_best or 0.0)}" for c in order),
    )


def _cannot(judged: Judgement, words: Formatter) -> Iterator[str]:
    yield _one_seed(judged, words)
    for found in judged.parameters:
        if found.luck is not None:
            yield _unequal(found, words)
    _ = words.translations.gettext
    if judged.completed > 1:
        yield _(
            "How well the best setting does on new data: the best of {count} is partly luck, and "
            "its value is too good by an unknown amount."
        ).format(count=judged.completed)
    yield _(
        "Whether a name is better than another: that takes replicates, the same seeds for both. "
        "A run folder of actlab gets them with: actlab study confirm DIR --seeds 10"
    )


def _one_seed(judged: Judgement, words: Formatter) -> str:
    _ = words.translations.gettext
    if not judged.repeated:
        return _(
            "What chance does: every setting ran once, so the spread between seeds is unknown and "
            "no difference between two settings can be told from it."
        )
    return _(
        "What chance does, but for {repeated} repeated runs: all other settings ran once, and "
        "no difference between them can be told from the spread between seeds."
    ).format(repeated=judged.repeated)


def _unequal(found: ParameterBudgets, words: Formatter) -> str:
    _ = words.translations.gettext
    tried = [choice for choice in found.choices if choice.completed]
    most = max(tried, key=lambda choice: choice.completed)
    fewest = min(tried, key=lambda choice: choice.completed)
    return _(
        "Which {parameter} is best, from the best values: {most} is the best of {most_count} "
        "tries, {fewest} of {fewest_count}. Were all names alike, the best of {most_count} would "
        "still be expected {luck} better than the best of {fewest_count}."
    ).format(
        parameter=found.parameter,
        most=most.name,
        most_count=most.completed,
        fewest=fewest.name,
        fewest_count=fewest.completed,
        luck=number(found.luck or 0.0),
    )
