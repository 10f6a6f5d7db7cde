"""Which parts of a picture to offer at one click."""

import statistics
from dataclasses import dataclass

from actlab.records import Plan, Record
from actlab.studies.report.search import completed_trials

Range = tuple[float, float]


@dataclass(frozen=True)
class Zoom:
    """A part of a picture: the range of accuracy, and of the learning rate where it has one."""

    accuracy: Range
    learning_rate: Range


PUBLISHED_SCATTER = (
    Zoom(accuracy=(0.6, 1.0), learning_rate=(0.0005, 0.006)),
    Zoom(accuracy=(0.9, 0.98), learning_rate=(0.0005, 0.006)),
)
"""The two close-ups that the published study shows of accuracy against learning rate."""

PUBLISHED_HISTORY: Range = (0.8, 0.983)
"""The close-up that the published study shows of its optimisation history."""


def is_published_search(plan: Plan) -> bool:
    """Return whether a plan searches what the published study searched: its data and its rates."""
    space = plan.space
    rates = (space.learning_rate_low, space.learning_rate_high)
    return plan.data.name == "mnist" and rates == (0.0005, 0.01)


def whole(plan: Plan, records: tuple[Record, ...]) -> Zoom:
    """Return the ranges that show every completed trial and all learning rates of the space."""
    scores = _scores(records) or [0.0, 1.0]
    rates = [record.setting.learning_rate for record in records]
    low = min([plan.space.learning_rate_low, *rates])
    high = max([plan.space.learning_rate_high, *rates])
    return Zoom(_padded(min(scores), max(scores)), _padded_rates(low, high))


def around_best(records: tuple[Record, ...]) -> Zoom | None:
    """Return the ranges that show the better half of the completed trials.

    None where that would be no closer than the whole: fewer than four trials, or all alike.
    """
    completed = completed_trials(records)
    scores = _scores(records)
    if len(scores) < 4 or min(scores) == max(scores):
        return None
    middle, best = statistics.median(scores), max(scores)
    if middle == best:
        middle = max(score for score in scores if score < best)
    rates = [r.setting.learning_rate for r in completed if (r.valid_accuracy or 0.0) >= middle]
    shown = _padded_rates(min(rates), max(rates))
    return Zoom(_padded(middle, best), shown)


def _scores(records: tuple[Record, ...]) -> list[float]:
    return [r.valid_accuracy for r in completed_trials(records) if r.valid_accuracy is not None]


def _padded_rates(low: float, high: float) -> Range:
    """Widen a range of learning rates by a twentieth on a logarithmic axis."""
    factor = (high / low) ** 0.05 if high > low else 1.2
    return (low / factor, high * factor)


def _padded(low: float, high: float) -> Range:
    """Widen a range of accuracies so that markers on its edges are seen whole."""
    pad = 0.06 * (high - low) or 0.02
    return (max(low - pad, -0.02), min(high + pad, 1.02))
