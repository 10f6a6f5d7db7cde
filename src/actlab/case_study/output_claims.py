"""The claims of the published study on output layers, judged by the records of a run of tasks.

6. A single output needs sigmoid; softmax over one output is always 1 and nothing is learnt.
7. Regression needs a standardised target; a ReLU output covers only half of a standardised target.
8. Two-class problems forgive the wrong head.
9. Multi-class with sigmoid and binary cross entropy does not learn at all (`hidden_layer_claim`).
10. Multi-label with softmax loses about 20 points.

How they are read, set before the records were looked at:

* *Learns* is an accuracy above that of the best constant answer by three standard errors.
* 6 is supported where every output of softmax is exactly 1 and it learns on no seed, while sigmoid
  learns on every one.
* 7: "needs" means that less than half of the target's variance is explained with the raw target,
  and more than half with the standardised one; the second half of the claim, that no prediction of
  the ReLU head lies below the training mean and its error is the larger one.
* 8: "forgives" means a loss of at most one point.
* 10: "about 20" means from 15 to 25.

Bounds are held against 90 % intervals over the seeds, so each is a one-sided test at 5 %; where an
interval has the bound inside, there is not enough evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from gettext import NullTranslations

from actlab.case_study.hidden_layer_claim import multiclass_claim
from actlab.case_study.output_evidence import (
    Runs,
    accuracy_gain,
    label,
    learnt,
    learnt_count,
    mean_test,
    missing_reason,
)
from actlab.case_study.regression_claim import regression_claim
from actlab.records import Claim, ClaimOutcome, OutputLayer, Plan, ProtocolName, Record
from actlab.text import Formatter
from actlab.verdicts import Interval

FORGIVEN = 0.01
ABOUT_20 = (0.15, 0.25)


def output_claims(
    plan: Plan, records: tuple[Record, ...], translations: NullTranslations
) -> dict[ProtocolName, tuple[Claim, ...]]:
    """Return the judged claims under each protocol of a run; those whose task it has.

    Sentences are in the language of `translations`.
    """
    assert plan.tasks is not None, "a run of tasks says which"
    words = Formatter(translations)
    judges = {
        "probability": single_output_claim,
        "regression": regression_claim,
        "binary": two_class_claim,
        "multiclass": multiclass_claim,
        "multilabel": multilabel_claim,
    }
    found: dict[ProtocolName, tuple[Claim, ...]] = {}
    for protocol in dict.fromkeys(setting.protocol for setting in plan.tasks.settings):
        tasks = {s.output.task for s in plan.tasks.settings if s.protocol == protocol}
        runs = Runs(records, protocol)
        found[protocol] = tuple(judges[task](runs, words) for task in judges if task in tasks)
    return found


def single_output_claim(runs: Runs, words: Formatter) -> Claim:
    """Return claim 6: a single output needs sigmoid; softmax over one output is always 1."""
    _ = words.translations.gettext
    text = _("A single output needs sigmoid: softmax over one is always 1 and learns nothing.")
    right = OutputLayer("probability", "sigmoid", "bce")
    wrong = [OutputLayer("probability", "softmax", loss) for loss in ("bce", "ce")]
    missing = runs.missing([right, *wrong])
    if missing:
        return Claim(6, text, "not enough evidence", missing_reason(missing, words))
    sigmoid = runs.of(right)
    softmax = [figures for layer in wrong for figures in runs.of(layer).values()]
    ones = sum(f.summary.low == f.summary.high == 1.0 for f in softmax)
    learning = sum(learnt(figures) for figures in softmax)
    reason = _(
        "Every output of softmax is 1 in {ones} of {all} trainings, and {learning} of them learn; "
        "test accuracy {wrong}. With sigmoid {right} of {seeds} learn: {accuracy}."
    ).format(
        ones=ones,
        all=len(softmax),
        learning=learning,
        wrong=words.percent(sum(figures.test for figures in softmax) / len(softmax)),
        right=learnt_count(sigmoid),
        seeds=len(sigmoid),
        accuracy=words.percent(mean_test(sigmoid)),
    )
    outcome: ClaimOutcome = "not enough evidence"
    if learning or ones < len(softmax) or not learnt_count(sigmoid):
        outcome = "not supported"
    elif learnt_count(sigmoid) == len(sigmoid):
        outcome = "supported"
    return Claim(6, text, outcome, reason)


def two_class_claim(runs: Runs, words: Formatter) -> Claim:
    """Return claim 8: two-class problems forgive the wrong head."""
    _ = words.translations.gettext
    claim = _LossClaim(
        number=8,
        text=_("Two-class problems forgive the wrong head."),
        right=OutputLayer("binary", "softmax", "ce"),
        wrong=tuple(OutputLayer("binary", "sigmoid", loss) for loss in ("bce", "ce")),
        least=-1.0,
        most=FORGIVEN,
        reason=_(
            "Next to softmax + ce ({accuracy}): {losses}; forgiven is a loss of up to {most}."
        ),
    )
    return claim.judged(runs, words)


def multilabel_claim(runs: Runs, words: Formatter) -> Claim:
    """Return claim 10: multi-label with softmax loses about 20 points."""
    _ = words.translations.gettext
    low, high = ABOUT_20
    claim = _LossClaim(
        number=10,
        text=_("Multi-label with softmax loses about 20 points."),
        right=OutputLayer("multilabel", "sigmoid", "bce"),
        wrong=tuple(OutputLayer("multilabel", "softmax", loss) for loss in ("bce", "ce")),
        least=low,
        most=high,
        reason=_(
            "Next to sigmoid + bce ({accuracy}): {losses}; about 20 is read as {low} to {high}."
        ),
    )
    return claim.judged(runs, words)


@dataclass(frozen=True)
class _LossClaim:
    """A claim on what wrong output layers lose next to the right one: from `least` to `most`."""

    number: int
    text: str
    right: OutputLayer
    wrong: tuple[OutputLayer, ...]
    least: float
    most: float
    reason: str

    def judged(self, runs: Runs, words: Formatter) -> Claim:
        """Return the claim with what the runs say of it."""
        missing = runs.missing([self.right, *self.wrong])
        if missing:
            reason = missing_reason(missing, words)
            return Claim(self.number, self.text, "not enough evidence", reason)
        right = runs.of(self.right)
        losses = {layer: accuracy_gain(right, runs.of(layer)) for layer in self.wrong}
        reason = self.reason.format(
            accuracy=words.percent(mean_test(right)),
            losses=_losses(losses, words),
            low=words.margin(self.least),
            high=words.margin(self.most),
            most=words.margin(self.most),
        )
        outcome = _within(list(losses.values()), self.least, self.most)
        return Claim(self.number, self.text, outcome, reason)


def _within(found: Sequence[Interval], low: float, high: float) -> ClaimOutcome:
    """Return what intervals say of the claim that all estimates lie between two bounds."""
    if all(low <= one.low and one.high <= high for one in found):
        return "supported"
    if any(one.high < low or one.low > high for one in found):
        return "not supported"
    return "not enough evidence"


def _losses(losses: dict[OutputLayer, Interval], words: Formatter) -> str:
    _ = words.translations.gettext
    each = _("{layer} loses {loss} points (90 % interval {low} to {high})")
    return words.names(
        [
            each.format(
                layer=label(layer),
                loss=words.difference(found.estimate),
                low=words.difference(found.low),
                high=words.difference(found.high),
            )
            for layer, found in losses.items()
        ]
    )
