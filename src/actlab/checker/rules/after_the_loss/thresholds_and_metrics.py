"""ACT701 and ACT702: logits where a metric or a threshold expects probabilities."""

from collections.abc import Callable, Iterator
from types import FunctionType

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.frames import is_library, is_torch
from actlab.capture.outside import Decision, decisions
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.losses import REGRESSION, LossCall
from actlab.checker.analysis.origins import HANDED_ON, Origin, origins
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.value_ranges import is_number
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _
from actlab.text import significant

_ON_LOGITS = ("bce_logits", "multilabel_soft_margin_loss", "soft_margin_loss", "cross_entropy")
_COMPARING = ("gt", "ge", "lt", "le")
_LOGS = frozenset({"log_softmax", "logsigmoid"})
_HALF = 0.5


def passes(step: Step) -> Iterator[Step]:
    """Yield the step, and the evaluation after it where one was given."""
    yield step
    if step.evaluation is not None:
        yield step.evaluation


def losses_of(step: Step, end: Origin) -> Iterator[tuple[LossCall, Origin]]:
    """Yield the losses of a step that read what the same layer made, and where each came from."""
    if end.call is None:
        return
    for loss in step.loss_calls:
        for other in origins(loss.input, HANDED_ON | {"log_softmax", "softmax", "sigmoid"}):
            made = other.call
            if made is not None and (made.op, made.module) == (end.op, end.call.module):
                yield loss, other


def _labelled(predict: Callable[[Tensor], object]) -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 3))
    x, y = label_batch(3)

    def evaluate() -> object:
        with torch.no_grad():
            return predict(net(x))

    return Situation(
        step=lambda: F.binary_cross_entropy_with_logits(net(x), y), model=net, evaluate=evaluate
    )


def _half_of_a_logit() -> Situation:
    return _labelled(lambda scores: (scores > 0.5).float().mean())


def _rounded_logit() -> Situation:
    return _labelled(lambda scores: torch.round(scores).mean())


def _zero_of_a_probability() -> Situation:
    return _labelled(lambda scores: (torch.sigmoid(scores) > 0).float().mean())


def _half_of_a_log_probability() -> Situation:
    return _classified(lambda log_p: (log_p.max(1).values > 0.5).float().mean())


def _half_of_the_likeliest() -> Situation:
    return _classified(lambda log_p: (log_p.exp().amax(1) > 0.5).float().mean())


def _classified(predict: Callable[[Tensor], object]) -> Situation:
    net = nn.Sequential(nn.Linear(20, 4), nn.LogSoftmax(dim=1))
    x, y = class_batch(4)
    return Situation(
        step=lambda: F.nll_loss(net(x), y), model=net, evaluate=lambda: predict(net(x))
    )


def _half_of_a_probability() -> Situation:
    return _labelled(lambda scores: (torch.sigmoid(scores) > 0.5).float().mean())


def _zero_of_a_logit() -> Situation:
    return _labelled(lambda scores: (scores > 0).float().mean())


def _accuracy(preds: Tensor) -> Tensor:
    """Decide as torchmetrics does, from the values of the batch."""
    if not ((preds >= 0) * (preds <= 1)).all():
        preds = preds.sigmoid()
    return (preds > _HALF).float().mean()


_metric_of = FunctionType(
    _accuracy.__code__.replace(co_filename="/site-packages/torchmetrics/functional.py"), globals()
)
"""The same, as if the library had it."""


def _metric_of_logits() -> Situation:
    return _labelled(_metric_of)


def _metric_of_probabilities() -> Situation:
    return _labelled(lambda scores: _metric_of(torch.sigmoid(scores)))


def _brier(squash: Callable[[Tensor], Tensor]) -> Situation:
    net, x, y = nn.Linear(20, 1), torch.randn(32, 20), (torch.arange(32) % 3 == 0).float()[:, None]

    def evaluate() -> float:
        with torch.no_grad():
            p = squash(net(x))
        return (p - y).pow(2).mean().item()

    return Situation(
        step=lambda: F.binary_cross_entropy_with_logits(net(x), y), model=net, evaluate=evaluate
    )


def _brier_score_of_logits() -> Situation:
    return _brier(nn.Identity())


def _brier_score() -> Situation:
    return _brier(torch.sigmoid)


class MetricOnLogits(Rule):
    """A metric of torchmetrics is given logits, and decides by the batch what they are.

    ## What it does
    Reports a metric for yes or no whose predictions can leave [0, 1], and a squared or absolute
    error (a Brier score) of logits against labels of 0 and 1 in an evaluation.

    ## Why is this bad?
    torchmetrics applies a sigmoid if any value of the batch lies outside [0, 1], and none if all
    lie within. Early in a training, or in a small batch, logits happen to lie within; then they are
    taken for probabilities, and the metric jumps from batch to batch.

    ## Example
    ```python
    accuracy(net(x), y)
    ```

    ## Use instead
    ```python
    accuracy(torch.sigmoid(net(x)), y)
    ```

    ## Sources
    - Lightning-AI/torchmetrics#1604, #2329, #3179, #3269:
      https://github.com/Lightning-AI/torchmetrics/issues/1604
    """

    code = "ACT701"
    name = "metric-on-logits"
    severity = "warning"
    looks_at = "metrics"
    faulty = (Case(_metric_of_logits, "warning"), Case(_brier_score_of_logits, "warning"))
    clean = (Case(_metric_of_probabilities), Case(_brier_score))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each metric that looks at the values to know what they are."""
        for one in passes(step):
            for call in one.trace.calls:
                asks = call.op in ("ge", "le") and call.inputs and is_metric(call)
                if not asks or not one.is_live(call.inputs[0]):
                    continue
                reach = one.range_of(call.inputs[0])
                if call.inputs[0].tensor.is_floating_point() and not reach.within(0.0, 1.0):
                    yield self.found(
                        message=_("a metric of probabilities is given logits"),
                        location=call.location,
                        proof=_(
                            "predictions reach {range}; whether a sigmoid is applied depends on "
                            "the values of each batch"
                        ).format(range=reach),
                        why=_("a batch whose logits lie in [0, 1] is scored as probabilities"),
                        fix="metric(torch.sigmoid(scores), y)",
                    )
        if step.evaluation is not None:
            yield from self._errors_of_logits(step, step.evaluation)

    def _errors_of_logits(self, step: Step, one: Step) -> Iterator[Finding]:
        """Yield a finding for each distance of logits from labels of 0 and 1."""
        for loss in one.loss_calls:
            labels = loss.target
            if loss.kind not in REGRESSION or labels is None or not labels.intact:
                continue
            zero_one = bool(((labels.tensor == 0) | (labels.tensor == 1)).all())
            ends = origins(loss.input)
            read = [other.kind for end in ends for other, __ in losses_of(step, end)]
            raw = all(end.op in ops.AFFINE | ops.NORMS for end in ends)
            if zero_one and raw and read and all(kind in _ON_LOGITS for kind in read):
                yield self.found(
                    message=_("a metric of probabilities is given logits"),
                    location=loss.call.location,
                    proof=_("predictions reach {range}, and the labels are 0 and 1").format(
                        range=one.range_of(loss.input)
                    ),
                    why=_("the loss reads the same numbers as logits, whose middle is 0"),
                    fix="metric(torch.sigmoid(scores), y)",
                )


def is_metric(call: Call) -> bool:
    """Return whether torchmetrics made a call."""
    return "/torchmetrics/" in call.origin.replace("\\", "/")


class ThresholdOnWrongScale(Rule):
    """Logits are compared with 0.5 or rounded, probabilities with 0, or their logarithms with 0.5.

    ## What it does
    Follows what is compared with 0.5, or rounded, to the layer that made it, and reports it where
    the loss reads the same layer as logits. Reports a probability that is compared with 0, too,
    which is always above, and a log-probability that is compared with a positive number, which is
    always below. Of what goes on into NumPy it reads the lines of the same function.

    ## Why is this bad?
    A logit of 0.5 is a probability of 0.62. The metric is another one than was meant, and the
    model looks more careful than it is. The loss does not show it.

    ## Example
    ```python
    predicted = net(x) > 0.5
    ```

    ## Use instead
    ```python
    predicted = net(x) > 0
    ```

    ## Sources
    - PyTorch, `torch.nn.BCEWithLogitsLoss`: the sigmoid is part of the loss.
    """

    code = "ACT702"
    name = "threshold-on-wrong-scale"
    severity = "warning"
    looks_at = "decisions"
    faulty = (
        Case(_half_of_a_logit, "warning"),
        Case(_rounded_logit, "warning"),
        Case(_zero_of_a_probability, "warning"),
        Case(_half_of_a_log_probability, "warning"),
    )
    clean = (
        Case(_half_of_a_probability),
        Case(_zero_of_a_logit),
        Case(_half_of_the_likeliest),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each decision on the wrong scale."""
        for one in passes(step):
            for call in one.trace.calls:
                limit = _limit(call)
                if limit is not None and one.is_live(call.inputs[0]):
                    made = Decision(call.op, limit, call.location)
                    yield from self._judge(step, one, made, call.inputs[0])
            for call in one.trace.left:
                if call.inputs and one.is_live(call.inputs[0]):
                    for made in decisions(call):
                        yield from self._judge(step, one, made, call.inputs[0])

    def _judge(self, step: Step, one: Step, made: Decision, given: Value) -> Iterator[Finding]:
        logs = origins(given, HANDED_ON | {"max", "amax"})
        if made.limit > 0.0 and all(end.op in _LOGS for end in logs):
            yield self._of_logs(made, logs[0].op)
        elif made.limit == 0.0:
            yield from self._of_probability(one, made, given)
        elif made.limit == _HALF:
            yield from self._of_logits(step, one, made, given)

    def _of_logits(self, step: Step, one: Step, made: Decision, given: Value) -> Iterator[Finding]:
        ends = origins(given)
        raw = all(end.op in ops.AFFINE | ops.NORMS for end in ends)
        read = [loss for end in ends for loss, __ in losses_of(step, end)]
        if raw and read and all(loss.kind in _ON_LOGITS for loss in read):
            yield self.found(
                message=_("logits are compared with 0.5")
                if made.op in _COMPARING
                else _("logits are rounded"),
                location=made.location,
                proof=_("they reach {range}; a logit of 0.5 is a probability of 0.622").format(
                    range=one.range_of(given)
                ),
                why=_("the loss reads the same numbers as logits, whose middle is 0"),
                fix="predicted = scores > 0",
            )

    def _of_logs(self, made: Decision, op: str) -> Finding:
        return self.found(
            message=_("log-probabilities are compared with {limit}").format(
                limit=significant(made.limit, 3)
            ),
            location=made.location,
            proof=_("{op} is at most 0").format(op=op),
            why=_("every sample is decided alike"),
            fix="confident = log_p.exp() > 0.5",
        )

    def _of_probability(self, one: Step, made: Decision, given: Value) -> Iterator[Finding]:
        ends = one.origins(given)
        makers = [end.call for end in ends if end.op in ("sigmoid", "softmax")]
        if (
            made.op in ("gt", "ge")
            and len(makers) == len(ends)
            and makers
            and makers[0] is not None
        ):
            yield self.found(
                message=_("probabilities are compared with 0"),
                location=made.location,
                proof=_("{op} is always above 0").format(op=makers[0].op),
                why=_("every sample is predicted positive"),
                fix="predicted = p > 0.5",
            )


def _limit(call: Call) -> float | None:
    """Return the number of at least 0 that a call decides by, None for other calls."""
    if not call.inputs or not call.inputs[0].tensor.is_floating_point():
        return None
    if is_torch(call.origin) or is_library(call.origin):
        return None  # a distribution looks whether its parameters are in range
    if call.op == "round":
        return _HALF if not call.kwargs and len(call.args) == 1 else None
    if call.op not in _COMPARING or len(call.inputs) != 1:
        return None
    other = call.argument("other", 1)
    return float(other) if is_number(other) and other >= 0 else None
