"""The trials of the search, and what became of them."""

from collections import Counter
from dataclasses import dataclass

from actlab.records import Outcome, Plan, Record


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
    """Return the activations of a slot ("conv" or "fc"): the space's, then others on record."""
    space = plan.space.conv_activation if slot == "conv" else plan.space.fc_activation
    used = (activation(record, slot) for record in search_trials(records))
    return tuple(dict.fromkeys((*space, *used)))


def activation(record: Record, slot: str) -> str:
    """Return the activation that a record's setting has in a slot ("conv" or "fc")."""
    setting = record.setting
    return setting.conv_activation if slot == "conv" else setting.fc_activation
