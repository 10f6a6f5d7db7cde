"""Whether a study learnt anything: what it reached against the best constant prediction."""

import math

from actlab.i18n import _
from actlab.pages.proportions import accuracy
from actlab.pages.words import in_metric
from actlab.records import Environment, Plan, Record, Verdict, best_record

IMBALANCED = 0.15
"""How far above 1 / classes the most frequent class must be for accuracy to hide a failure."""


def constant_sentence(
    plan: Plan, environment: Environment, records: tuple[Record, ...], verdict: Verdict | None
) -> str:
    """Return the sentence that says so where no candidate is better than a constant; "" else.

    One that is ahead, but not beyond chance, has another sentence than one that is not. Judged is
    the interval of the best mean over fresh seeds; before there are seeds, the best trial, of whose
    accuracy two standard errors may be chance.
    """
    measured, baseline = plan.training.measured, environment.baseline
    if baseline is None:
        return ""
    slots = () if verdict is None else verdict.slots
    rows = [row for slot in slots for row in slot.candidates if row.mean is not None]
    if rows:
        ends = [row.low if measured.higher_is_better else row.high for row in rows]
        beaten = any(end is not None and measured.better(end, baseline) for end in ends)
        means = [row.mean for row in rows if row.mean is not None]
        best = max(means, key=measured.oriented)
    else:
        found = best_record(records)
        if found is None or found.valid_metric is None:
            return ""
        best = found.valid_metric
        room = 0.0
        if measured.in_percent:
            room = 2 * accuracy(best, plan.data.splits.valid_trial).standard_error
        beaten = measured.oriented(best) - room > measured.oriented(baseline)
    if beaten or not math.isfinite(best):
        return ""
    message = _(
        "Nothing beats a constant: always answering {constant} has {metric} {baseline}, the best "
        "candidate {best}. No difference between candidates below says anything about learning."
    )
    if measured.better(best, baseline):
        message = _(
            "No candidate is shown to beat a constant yet: always answering {constant} has "
            "{metric} {baseline}, the best candidate {best}, which may be chance. Then no "
            "difference between candidates below says anything about learning."
        )
    return message.format(
        constant=environment.constant,
        metric=measured.name,
        baseline=in_metric(baseline, measured),
        best=in_metric(best, measured),
    )


def imbalance_sentence(plan: Plan, environment: Environment) -> str:
    """Return what accuracy hides on imbalanced classes, and what to compare by; "" if nothing."""
    measured, baseline = plan.training.measured, environment.baseline
    classes = len(environment.class_names)
    if not measured.in_percent or baseline is None or classes < 2:
        return ""
    if baseline < 1 / classes + IMBALANCED:
        return ""
    message = _(
        "The classes are imbalanced: always answering {constant} has an accuracy of {baseline}. "
        "Compare by another metric: --metric macro_f1 or auc (metric=), or weigh the classes "
        "(training.class_weights)."
    )
    return message.format(constant=environment.constant, baseline=in_metric(baseline, measured))


def scale_sentence(environment: Environment) -> str:
    """Return that scaling is advised where inputs are of unequal size; "" where they are not."""
    if environment.unequal_inputs is None:
        return ""
    low, high = environment.unequal_inputs
    message = _(
        "The inputs are of sizes from {low} to {high}, for which the usual learning rates are not "
        "made: standardise them with --scale (scale=True)."
    )
    return message.format(low=f"{low:.3g}", high=f"{high:.3g}")


def warnings_of(
    plan: Plan, environment: Environment, records: tuple[Record, ...], verdict: Verdict | None
) -> tuple[str, ...]:
    """Return what a reader must know before anything else, the gravest first."""
    found = (
        constant_sentence(plan, environment, records, verdict),
        imbalance_sentence(plan, environment),
        scale_sentence(environment),
    )
    return tuple(sentence for sentence in found if sentence)
