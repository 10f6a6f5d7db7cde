"""What can be said about a search that was run without replicates."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrialRow:
    """One trial: the names and numbers that it chose, and its value (None: not completed)."""

    number: int
    choices: dict[str, str]
    numbers: dict[str, float]
    value: float | None


@dataclass(frozen=True)
class TrialTable:
    """The trials of somebody's search; `source` says where they are from, for people.

    `is_accuracy` says that values are fractions of 1, which are written in percent. `words` has
    the names for people: of parameters, and of the value under "value".
    """

    source: str
    rows: tuple[TrialRow, ...]
    maximize: bool = True
    is_accuracy: bool = False
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChoiceBudget:
    """The trials of one name of a parameter.

    `expected_best` is the mean best value over all ways to draw the equal budget from its
    completed trials: what it would show had every name had as many tries.
    """

    name: str
    trials: int
    completed: int
    best: float | None
    median: float | None
    expected_best: float | None


@dataclass(frozen=True)
class ParameterBudgets:
    """The names of one parameter, the best first.

    `equal_budget` is the smallest number of completed trials that a name has. `luck` is how much
    better the best of the largest budget is than that of the smallest when all trials come from
    the same distribution; None where the budgets are equal.
    """

    parameter: str
    choices: tuple[ChoiceBudget, ...]
    equal_budget: int
    luck: float | None


@dataclass(frozen=True)
class UnreplicatedSummary:
    """Budgets per parameter, and in sentences what the trials can say and what they cannot."""

    source: str
    maximize: bool
    trials: int
    completed: int
    repeated: int
    best: TrialRow | None
    parameters: tuple[ParameterBudgets, ...]
    can: tuple[str, ...]
    cannot: tuple[str, ...]
    is_accuracy: bool = False
