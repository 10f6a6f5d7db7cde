"""The answer: the best setting, its accuracies, and how many trials came as close as chance."""

from collections import Counter
from dataclasses import dataclass

from actlab.pages.proportions import Accuracy, accuracy
from actlab.records import Record, best_record
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.search import activation, completed_trials


@dataclass(frozen=True)
class Answer:
    """The best trial with its accuracies.

    `test` is None where the test split has not been read for this very trial. Of the `others`
    completed trials, `near` lie within `margin` = two standard errors below the best, `equal`
    reached exactly the same accuracy; `near_rates` are the lowest and the highest learning rate of
    the best and the near ones.
    """

    best: Record
    valid: Accuracy
    test: Accuracy | None
    others: int
    near: int
    equal: int
    margin: float
    near_rates: tuple[float, float]


def answer(data: ReportData) -> Answer | None:
    """Return the answer of a search, None where no trial was completed."""
    completed = completed_trials(data.records)
    best = best_record(completed)
    if best is None or best.valid_accuracy is None:
        return None
    valid = accuracy(best.valid_accuracy, data.plan.data.splits.valid_trial)
    margin = 2.0 * valid.standard_error
    near = [r for r in completed if (r.valid_accuracy or 0.0) >= valid.value - margin]
    rates = [record.setting.learning_rate for record in near]
    return Answer(
        best=best,
        valid=valid,
        test=_test_accuracy(data, best),
        others=len(completed) - 1,
        near=len(near) - 1,
        equal=sum(r.valid_accuracy == best.valid_accuracy for r in completed) - 1,
        margin=margin,
        near_rates=(min(rates), max(rates)),
    )


def near_by_candidate(
    found: Answer, trials: tuple[Record, ...], slot: str
) -> tuple[tuple[str, int, int], ...]:
    """Return (activation, near, trials) for the activations of a slot, the most near ones first.

    `near` counts trials within the answer's margin of the best, which is one of them; activations
    without one are left out.
    """
    lowest = found.valid.value - found.margin
    everything = Counter(activation(record, slot) for record in trials)
    near = Counter(
        activation(record, slot)
        for record in trials
        if record.valid_accuracy is not None and record.valid_accuracy >= lowest
    )
    return tuple((name, count, everything[name]) for name, count in near.most_common())


def _test_accuracy(data: ReportData, best: Record) -> Accuracy | None:
    """Return the final figure if it belongs to the best trial, which a resumed study can change."""
    final = data.final
    if final is None or final.identity != best.identity or final.test_accuracy is None:
        return None
    return accuracy(final.test_accuracy, final.test_images)
