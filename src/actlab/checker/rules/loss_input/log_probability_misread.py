"""ACT113: a log-probability read as a probability, and the wrong complement of a sigmoid."""

from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import origins
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _

_LOGS = frozenset({"log_softmax", "logsigmoid"})


def _focal_loss_on_logs() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(scores, 1).gather(1, y[:, None]).squeeze(1)
        return (-((1 - log_p) ** 2) * log_p).mean()

    return Situation(nn.Linear(20, 5), loss, class_batch(5))


def _complement_inside_the_sigmoid() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return -(y * F.logsigmoid(scores) + (1 - y) * F.logsigmoid(1 - scores)).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


def _focal_loss_on_probabilities() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(scores, 1).gather(1, y[:, None]).squeeze(1)
        return (-((1 - log_p.exp()) ** 2) * log_p).mean()

    return Situation(nn.Linear(20, 5), loss, class_batch(5))


def _mirrored_score() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return -(y * F.logsigmoid(scores) + (1 - y) * F.logsigmoid(-scores)).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


class LogProbabilityMisread(Rule):
    """A log-probability is subtracted from 1, or the complement is taken inside a log-sigmoid.

    ## What it does
    Reports 1 - log p, where p comes from log_softmax or logsigmoid, and logsigmoid(1 - x) beside
    logsigmoid(x) for the same score x.

    ## Why is this bad?
    1 - log p is at least 1 and has no upper bound: a focal weight that should fall to 0 for easy
    samples does not. log(1 - sigmoid(x)) is logsigmoid(-x), since 1 - sigmoid(x) = sigmoid(-x);
    logsigmoid(1 - x) pulls the decision to x = 1/2 and costs too little for negatives.

    ## Example
    ```python
    loss = -((1 - log_p) ** gamma) * log_p
    ```

    ## Use instead
    ```python
    loss = -((1 - log_p.exp()) ** gamma) * log_p
    ```

    ## Sources
    - Lin et al. 2017, Focal loss for dense object detection, equation 4.
    """

    code = "ACT113"
    name = "log-probability-misread"
    severity = "warning"
    looks_at = "calls"
    faulty = (
        Case(_focal_loss_on_logs, "warning"),
        Case(_complement_inside_the_sigmoid, "warning"),
    )
    clean = (Case(_focal_loss_on_probabilities), Case(_mirrored_score))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each logarithm that is read as what it is the logarithm of."""
        sigmoids = [c for c in step.trace.calls if c.op == "logsigmoid" and c.inputs]
        plain = {id(end.value) for call in sigmoids for end in origins(call.inputs[0])}
        for call in step.trace.calls:
            given = _one_minus(call)
            if given is None:
                continue
            ends = origins(given, ops.VIEWS)
            if ends and all(end.op in _LOGS for end in ends):
                yield self._of_log(call, ends[0].op)
            elif any(id(end.value) in plain for end in ends):
                for user in step.trace.users_of(call.output):
                    if user.op == "logsigmoid":
                        yield self._of_complement(user)

    def _of_log(self, call: Call, op: str) -> Finding:
        return self.found(
            message=_("1 - log p: a log-probability is read as a probability"),
            location=call.location,
            proof=_("{op} is at most 0, so the difference is at least 1").format(op=op),
            why=_("a weight that should fall to 0 for easy samples never does"),
            fix="weight = 1 - log_p.exp()",
        )

    def _of_complement(self, call: Call) -> Finding:
        return self.found(
            message=_("logsigmoid(1 - x) is not the logarithm of 1 - sigmoid(x)"),
            location=call.location,
            proof=_("at x = 0 it is {wrong}, and log(1 - sigmoid(0)) is {right}").format(
                wrong="−0.313", right="−0.693"
            ),
            why=_("negatives cost too little, and the decision moves to x = 1/2"),
            fix=replaced(call, "nn.LogSigmoid()", "F.logsigmoid(-x)"),
        )


def _one_minus(call: Call) -> Value | None:
    """Return x where a call is 1 - x, None for anything else."""
    if call.op == "rsub" and len(call.inputs) == 1:
        others = [item for item in (*call.args, *call.kwargs.values()) if item in (1, 1.0)]
        return call.inputs[0] if others else None
    if call.op == "sub" and len(call.inputs) == 1 and call.args and call.args[0] in (1, 1.0):
        return call.inputs[0]
    return None
