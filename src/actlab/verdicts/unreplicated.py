"""Judging a search that has no replicates: the published 120 trials, anybody's Optuna study.

Such a search ran each setting once and gave the names unequal budgets. What a best value says then
depends on how many tries it is the best of; `expected_best` puts all names on the same number.

Source of the expected best at a budget: Dodge et al. (2019), Show Your Work: Improved Reporting of
Experimental Results, EMNLP, section 3; here over draws without replacement, which is exact:
E = sum over i of C(i - 1, b - 1) / C(n, b) x(i), with x sorted from worst to best and b draws of n.
It assumes trials that were drawn at random; a sampler that follows its results puts its later
trials where earlier ones were good, which flatters the names with most trials even more.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from gettext import NullTranslations
from statistics import median

from actlab.errors import VerdictError
from actlab.i18n import _
from actlab.records.unreplicated import (
    ChoiceBudget,
    ParameterBudgets,
    TrialRow,
    TrialTable,
    UnreplicatedSummary,
)
from actlab.text import Formatter, significant


def summarise_trials(
    table: TrialTable, translations: NullTranslations | None = None
) -> UnreplicatedSummary:
    """Return budgets, what can be said and what cannot, in the language of `translations`.

    Raises VerdictError where there are no trials, or no parameter that has names to compare.
    """
    names = _parameters(table)
    completed = [row for row in table.rows if row.value is not None]
    parameters = tuple(_budgets(name, table) for name in names)
    words = Formatter(translations or NullTranslations())
    best = min(completed, key=lambda row: (_loss(row, table), row.number), default=None)
    repeated = len(completed) - len({_key(row) for row in completed})
    summary = UnreplicatedSummary(
        source=words.translations.gettext(table.source),
        maximize=table.maximize,
        trials=len(table.rows),
        completed=len(completed),
        repeated=repeated,
        best=best,
        parameters=parameters,
        can=(),
        cannot=(),
        is_accuracy=table.is_accuracy,
    )
    return replace(summary, can=tuple(_can(summary, words)), cannot=tuple(_cannot(summary, words)))


def expected_best(values: Sequence[float], draws: int, *, maximize: bool = True) -> float:
    """Return the mean of the best of `draws` values over all ways to draw them.

    >>> expected_best([0.1, 0.2, 0.9], 1), expected_best([0.1, 0.2, 0.9], 3)
    (0.4, 0.9)
    >>> round(expected_best([0.1, 0.2, 0.9], 2), 4)
    0.6667
    """
    ranked = sorted(values, reverse=not maximize)
    ways = math.comb(len(ranked), draws)
    return sum(math.comb(place, draws - 1) / ways * value for place, value in enumerate(ranked))


def _parameters(table: TrialTable) -> list[str]:
    if not table.rows:
        raise VerdictError(_("{source} has no trials to judge.").format(source=table.source))
    names = dict.fromkeys(name for row in table.rows for name in row.choices)
    compared = [n for n in names if len({row.choices.get(n) for row in table.rows} - {None}) > 1]
    if not compared:
        message = _(
            "To compare, a study needs a parameter with two names or more; {source} has none."
        )
        raise VerdictError(message.format(source=table.source))
    return compared


def _budgets(parameter: str, table: TrialTable) -> ParameterBudgets:
    by_name: dict[str, list[TrialRow]] = {}
    for row in table.rows:
        if parameter in row.choices:
            by_name.setdefault(row.choices[parameter], []).append(row)
    values = {
        name: [row.value for row in rows if row.value is not None] for name, rows in by_name.items()
    }
    sizes = [len(found) for found in values.values() if found]
    equal = min(sizes, default=0)
    choices = [_choice(n, len(by_name[n]), values[n], equal, table) for n in by_name]
    choices.sort(key=lambda choice: _place(choice, table))
    return ParameterBudgets(parameter, tuple(choices), equal, _luck(values, sizes, table))


def _choice(
    name: str, trials: int, values: Sequence[float], equal: int, table: TrialTable
) -> ChoiceBudget:
    best = max if table.maximize else min
    return ChoiceBudget(
        name=name,
        trials=trials,
        completed=len(values),
        best=best(values) if values else None,
        median=median(values) if values else None,
        expected_best=expected_best(values, equal, maximize=table.maximize) if values else None,
    )


def _luck(values: dict[str, list[float]], sizes: Sequence[int], table: TrialTable) -> float | None:
    if not sizes or min(sizes) == max(sizes):
        return None
    together = [value for found in values.values() for value in found]
    many, few = (
        expected_best(together, size, maximize=table.maximize) for size in (max(sizes), min(sizes))
    )
    return abs(many - few)


def _place(choice: ChoiceBudget, table: TrialTable) -> tuple[bool, float]:
    value = choice.best
    return value is None, (0.0 if value is None else -value if table.maximize else value)


def _loss(row: TrialRow, table: TrialTable) -> float:
    value = row.value if row.value is not None else math.nan
    return -value if table.maximize else value


def _key(row: TrialRow) -> tuple[object, ...]:
    return (*sorted(row.choices.items()), *sorted(row.numbers.items()))


def _can(summary: UnreplicatedSummary, words: Formatter) -> Iterator[str]:
    _ = words.translations.gettext
    best = summary.best
    if best is None or best.value is None:
        yield _("Nothing but the budgets: no trial completed.")
        return
    chosen = {**best.choices, **{key: significant(value) for key, value in best.numbers.items()}}
    yield _("Trial {number} reached {value}, the best of {count}, with {setting}.").format(
        number=best.number,
        value=_written(best.value, summary, words),
        count=summary.completed,
        setting=", ".join(f"{key} {value}" for key, value in chosen.items()),
    )
    yield _(
        "Every candidate can reach its own best value, on the rows and with the seed of that "
        "trial: these are lower bounds of what each can do, not a ranking."
    )
    for found in summary.parameters:
        yield _equal_budgets(found, summary, words)


def _equal_budgets(found: ParameterBudgets, summary: UnreplicatedSummary, words: Formatter) -> str:
    _ = words.translations.gettext
    known = [c for c in found.choices if c.expected_best is not None]
    order = sorted(known, key=lambda c: c.expected_best or 0.0, reverse=summary.maximize)
    text = _(
        "At equal numbers of tries ({budget}), the best of {parameter} would be expected in "
        "this order: {order}."
    )
    return text.format(
        budget=found.equal_budget,
        parameter=found.parameter,
        order=", ".join(
            f"{c.name} {_written(c.expected_best or 0.0, summary, words)}" for c in order
        ),
    )


def _cannot(summary: UnreplicatedSummary, words: Formatter) -> Iterator[str]:
    yield _one_seed(summary, words)
    for found in summary.parameters:
        if found.luck is not None:
            yield _unequal(found, summary, words)
    _ = words.translations.gettext
    if summary.completed > 1:
        yield _(
            "How well the best setting does on new data: the best of {count} is partly luck, and "
            "its value is too good by an unknown amount."
        ).format(count=summary.completed)
    yield _(
        "Whether a name is better than another: that takes replicates, the same seeds for both. "
        "A run folder of actlab gets them with: actlab study confirm DIR --seeds 10"
    )


def _one_seed(summary: UnreplicatedSummary, words: Formatter) -> str:
    _ = words.translations.gettext
    if not summary.repeated:
        return _(
            "What chance does: every setting ran once, so the spread between seeds is unknown and "
            "no difference between two settings can be told from it."
        )
    return _(
        "What chance does, but for {repeated} repeated runs: all other settings ran once, and "
        "no difference between them can be told from the spread between seeds."
    ).format(repeated=summary.repeated)


def _unequal(found: ParameterBudgets, summary: UnreplicatedSummary, words: Formatter) -> str:
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
        luck=words.points(found.luck or 0.0)
        if summary.is_accuracy
        else significant(found.luck or 0.0),
    )


def _written(value: float, summary: UnreplicatedSummary, words: Formatter) -> str:
    return words.percent(value) if summary.is_accuracy else significant(value)
