"""The optimisation history: accuracy by trial number, and the best so far."""

from dataclasses import dataclass

from actlab.records import Record
from actlab.studies.report.data.search import completed_trials, search_trials


@dataclass(frozen=True)
class History:
    """Completed trials by number, `best_so_far` beside them, and the trials without an accuracy."""

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
