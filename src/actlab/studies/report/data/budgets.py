"""How many trials each candidate had, and the best accuracy for each pair of candidates."""

from dataclasses import dataclass

from actlab.records import Plan, Record
from actlab.studies.report.data.search import activation, candidates, search_trials


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
    """Best accuracy (None: no completed trial) and number of trials, one row per conv activation.

    `best` and `trials` are indexed [conv][fc].
    """

    conv: tuple[str, ...]
    fc: tuple[str, ...]
    best: tuple[tuple[float | None, ...], ...]
    trials: tuple[tuple[int, ...], ...]

    @property
    def tried(self) -> int:
        """Return how many pairs had at least one trial."""
        return sum(count > 0 for row in self.trials for count in row)

    @property
    def possible(self) -> int:
        """Return how many pairs there are."""
        return len(self.conv) * len(self.fc)


def budget(plan: Plan, records: tuple[Record, ...], slot: str) -> Budget:
    """Return the trials per candidate of a slot ("conv" or "fc")."""
    trials = search_trials(records)
    rows = []
    for name in candidates(plan, records, slot):
        own = [record for record in trials if activation(record, slot) == name]
        scores = [r.valid_accuracy for r in own if r.valid_accuracy is not None]
        rows.append(Candidate(name, len(own), len(scores), max(scores, default=None)))
    return Budget(slot, tuple(rows))


def pair_table(plan: Plan, records: tuple[Record, ...]) -> PairTable:
    """Return best accuracy and number of trials for each pair of a conv and an FC activation."""
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in search_trials(records):
        pair = (record.setting.conv_activation, record.setting.fc_activation)
        cells.setdefault(pair, []).append(record)
    conv, fc = candidates(plan, records, "conv"), candidates(plan, records, "fc")
    return PairTable(
        conv=conv,
        fc=fc,
        best=tuple(tuple(_best(cells.get((row, column), [])) for column in fc) for row in conv),
        trials=tuple(tuple(len(cells.get((row, column), [])) for column in fc) for row in conv),
    )


def _best(records: list[Record]) -> float | None:
    scores = [r.valid_accuracy for r in records if r.valid_accuracy is not None]
    return max(scores, default=None)
