"""The trials of a search as finished numbers: outcomes, history, budgets and pairs."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from actlab.records import Outcome, Plan, Record, best_record


@dataclass(frozen=True)
class Progress:
    """How far the search has come: trials planned, recorded, and how many ended in which way."""

    planned: int
    recorded: int
    outcomes: dict[Outcome, int]
    unfinished: tuple[Record, ...]
    seconds: float

    @property
    def complete(self) -> bool:
        """Return whether every planned trial has its record."""
        return self.recorded >= self.planned


def search_trials(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Return the records of the search (no replicates), by trial number."""
    found = (record for record in records if record.replicate is None)
    return tuple(sorted(found, key=lambda record: record.number))


def completed_trials(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """Return the records of the search that have an accuracy, by trial number."""
    return tuple(r for r in search_trials(records) if r.valid_accuracy is not None)


def best_trials(trials: tuple[Record, ...], most: int) -> tuple[Record, ...]:
    """Return at most so many of the trials, the best ones, by trial number."""
    if len(trials) <= most:
        return trials
    ranked = sorted(trials, key=lambda r: -math.inf if r.score is None else r.score, reverse=True)
    return tuple(sorted(ranked[:most], key=lambda record: record.number))


def thinned(trials: tuple[Record, ...], most: int) -> tuple[Record, ...]:
    """Return at most so many of the trials for a picture: the best half of them, the rest evenly.

    A picture of more points than it has room for shows their outline; the best are never left out.
    """
    if len(trials) <= most:
        return trials
    best = {record.number for record in best_trials(trials, most // 2)}
    others = [record for record in trials if record.number not in best]
    every = math.ceil(len(others) / (most - len(best)))
    kept = best | {record.number for record in others[::every]}
    return tuple(record for record in trials if record.number in kept)


def progress(plan: Plan, records: tuple[Record, ...]) -> Progress:
    """Count the outcomes of the search; `seconds` adds up the time of all its trials."""
    trials = search_trials(records)
    counts = Counter(record.outcome for record in trials)
    return Progress(
        planned=plan.trials,
        recorded=len(trials),
        outcomes={outcome: counts[outcome] for outcome in Outcome if counts[outcome]},
        unfinished=tuple(r for r in trials if r.outcome is not Outcome.COMPLETED),
        seconds=sum(record.seconds for record in trials),
    )


def candidates(plan: Plan, records: tuple[Record, ...], slot: str) -> tuple[str, ...]:
    """Return the activations of a slot: the space's, then others on record."""
    used = (activation(record, slot) for record in search_trials(records))
    names = (*plan.space.by_slot.get(slot, ()), *used)
    return tuple(dict.fromkeys(name for name in names if name))


def by_activation(records: Iterable[Record], slot: str) -> Mapping[str, list[Record]]:
    """Return the records by the activation that they have in a slot; no records for any other."""
    found: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[activation(record, slot)].append(record)
    return found


def activation(record: Record, slot: str) -> str:
    """Return the activation that a record's setting has in a slot, "" where there is no such."""
    return record.setting.activation_in(slot) or ""


@dataclass(frozen=True)
class History:
    """Completed trials by number, `best_so_far` for each, and the trials without an accuracy."""

    completed: tuple[Record, ...]
    best_so_far: tuple[float, ...]
    unfinished: tuple[Record, ...]
    last_number: int

    @property
    def since_best(self) -> int:
        """Return how many completed trials followed the first one that reached the best."""
        best = self.best_so_far[-1]
        return len(self.best_so_far) - 1 - self.best_so_far.index(best)


def history(records: tuple[Record, ...]) -> History:
    """Return the history of a search, ordered by trial number."""
    completed = completed_trials(records)
    best: list[float] = []
    for record in completed:
        score = record.valid_accuracy or 0.0
        best.append(max(best[-1], score) if best else score)
    trials = search_trials(records)
    return History(
        completed=completed,
        best_so_far=tuple(best),
        unfinished=tuple(r for r in trials if r.valid_accuracy is None),
        last_number=trials[-1].number if trials else 0,
    )


@dataclass(frozen=True)
class Candidate:
    """One activation in one slot: trials of any outcome, completed ones, best accuracy or None."""

    name: str
    trials: int
    completed: int
    best: float | None


@dataclass(frozen=True)
class Budget:
    """The candidates of one slot, in the plan's order."""

    slot: str
    candidates: tuple[Candidate, ...]

    @property
    def most(self) -> Candidate:
        """Return the candidate with most trials."""
        return max(self.candidates, key=lambda candidate: candidate.trials)

    @property
    def least(self) -> Candidate:
        """Return the candidate with fewest trials, which may be none."""
        return min(self.candidates, key=lambda candidate: candidate.trials)

    @property
    def unequal(self) -> bool:
        """Return whether some candidate had more trials than another."""
        return self.most.trials != self.least.trials


@dataclass(frozen=True)
class PairTable:
    """Best accuracy (None: no completed trial) and number of trials of each pair of candidates.

    `best` and `trials` are indexed [row][column], by the candidates of two slots.
    """

    row_slot: str
    column_slot: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    best: tuple[tuple[float | None, ...], ...]
    trials: tuple[tuple[int, ...], ...]

    @property
    def tried(self) -> int:
        """Return how many pairs had at least one trial."""
        return sum(count > 0 for row in self.trials for count in row)

    @property
    def possible(self) -> int:
        """Return how many pairs there are."""
        return len(self.rows) * len(self.columns)


def budget(plan: Plan, records: tuple[Record, ...], slot: str) -> Budget:
    """Return the trials per candidate of a slot."""
    by_name = by_activation(search_trials(records), slot)
    rows = []
    for name in candidates(plan, records, slot):
        own = by_name[name]
        best = best_record(tuple(own))
        completed = sum(record.score is not None for record in own)
        reached = None if best is None else best.valid_metric
        rows.append(Candidate(name, len(own), completed, reached))
    return Budget(slot, tuple(rows))


def pair_table(plan: Plan, records: tuple[Record, ...]) -> PairTable | None:
    """Return best accuracy and number of trials for each pair of candidates of two slots.

    None where a study has another number of slots.
    """
    slots = tuple(plan.space.by_slot)
    if len(slots) != 2:  # a table has two sides
        return None
    first, second = slots
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in search_trials(records):
        cells.setdefault((activation(record, first), activation(record, second)), []).append(record)
    rows, columns = (candidates(plan, records, slot) for slot in slots)
    return PairTable(
        row_slot=first,
        column_slot=second,
        rows=rows,
        columns=columns,
        best=tuple(tuple(_best(cells.get((row, one), [])) for one in columns) for row in rows),
        trials=tuple(tuple(len(cells.get((row, one), [])) for one in columns) for row in rows),
    )


def _best(records: list[Record]) -> float | None:
    scores = [r.valid_accuracy for r in records if r.valid_accuracy is not None]
    return max(scores, default=None)
