"""ACT113: a log-probability read as a probability, and the wrong complement of a sigmoid."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.layers import feeds_a_layer
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.origins import Origin, origins
from actlab.checker.analysis.step import Step, is_parameter
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch, label_batch
from actlab.i18n import _

_LOGS = frozenset({"log_softmax", "logsigmoid"})
_DISTRIBUTIONS = "torch/distributions/"


def _focal_loss_on_logs() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(scores, 1).gather(1, y[:, None]).squeeze(1)
        return (-((1 - log_p) ** 2) * log_p).mean()

    return Situation(nn.Linear(20, 5), loss, class_batch(5))


def _complement_inside_the_sigmoid() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return -(y * F.logsigmoid(scores) + (1 - y) * F.logsigmoid(1 - scores)).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


def _policy(ratio_of: Callable[[Tensor, Tensor], Tensor]) -> Situation:
    net, x, actions = nn.Linear(20, 4), torch.randn(32, 20), torch.arange(32) % 4
    advantage, old = torch.randn(32), torch.full((32,), -1.4)

    def step() -> Tensor:
        policy: Any = torch.distributions.Categorical(logits=net(x))
        ratio = ratio_of(policy.log_prob(actions), old)
        return -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()

    return Situation(step=step, model=net)


def _ratio_of_logs() -> Situation:
    return _policy(lambda log_p, old: log_p / old)


def _ratio_of_probabilities() -> Situation:
    return _policy(lambda log_p, old: (log_p - old).exp())


def _pooled(weigh: Callable[[Tensor, int], Tensor]) -> Situation:
    score, value, out = nn.Linear(20, 1), nn.Linear(20, 8), nn.Linear(8, 5)
    x, y = torch.randn(32, 6, 20), torch.arange(32) % 5

    def step() -> Tensor:
        return F.cross_entropy(out((weigh(score(x), 1) * value(x)).sum(1)), y)

    return Situation(step=step, model=nn.ModuleList([score, value, out]))


def _weights_of_logs() -> Situation:
    return _pooled(F.log_softmax)


def _weights_of_probabilities() -> Situation:
    return _pooled(F.softmax)


def _focal_loss_on_probabilities() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(scores, 1).gather(1, y[:, None]).squeeze(1)
        return (-((1 - log_p.exp()) ** 2) * log_p).mean()

    return Situation(nn.Linear(20, 5), loss, class_batch(5))


def _pairs_of_words(complement: Callable[[Tensor], Tensor]) -> Situation:
    words, contexts = nn.Embedding(40, 8), nn.Embedding(40, 8)
    word, near, far = torch.randint(40, (3, 64))

    def step() -> Tensor:
        right = (words(word) * contexts(near)).sum(1)
        wrong = (words(word) * contexts(far)).sum(1)
        return -(F.logsigmoid(right) + F.logsigmoid(complement(wrong))).mean()

    return Situation(step=step, model=nn.ModuleList([words, contexts]))


def _complement_of_a_product() -> Situation:
    return _pairs_of_words(lambda score: 1 - score)


def _mirrored_product() -> Situation:
    return _pairs_of_words(lambda score: -score)


def _mirrored_score() -> Situation:
    def loss(scores: Tensor, y: Tensor) -> Tensor:
        return -(y * F.logsigmoid(scores) + (1 - y) * F.logsigmoid(-scores)).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


class LogProbabilityMisread(Rule):
    """A log-probability is read as a probability, or the complement is taken inside a log-sigmoid.

    ## What it does
    Reports 1 - log p, where p comes from log_softmax or logsigmoid; a log-probability that is
    divided by another, where a ratio of probabilities was meant; values that are weighed by a
    log_softmax on their way into a layer; and logsigmoid(1 - x), for the score x of a layer or
    beside logsigmoid(x).

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
    looks_at = "log-probabilities"
    faulty = (
        Case(_focal_loss_on_logs, "warning"),
        Case(_complement_inside_the_sigmoid, "warning"),
        Case(_ratio_of_logs, "warning"),
        Case(_weights_of_logs, "warning"),
        Case(_complement_of_a_product, "warning"),
    )
    clean = (
        Case(_focal_loss_on_probabilities),
        Case(_mirrored_score),
        Case(_ratio_of_probabilities),
        Case(_weights_of_probabilities),
        Case(_mirrored_product),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each logarithm that is read as what it is the logarithm of."""
        sigmoids = [c for c in step.trace.calls if c.op == "logsigmoid" and c.inputs]
        ends_of = [end for call in sigmoids for end in origins(call.inputs[0])]
        plain = {id(end.value) for end in ends_of}
        products = any(_is_product(end) for end in ends_of)
        for call in step.trace.calls:
            if call.op == "div" and _divides_logs(step, call):
                yield self._of_ratio(call)
            weights = _weighs_by_logs(step, call)
            if weights is not None:
                yield self._of_weights(weights)
            given = _one_minus(call)
            if given is None:
                continue
            ends = origins(given, ops.VIEWS)
            if ends and all(end.op in _LOGS for end in ends):
                yield self._of_log(call, ends[0].op)
            elif ends and all(
                id(end.value) in plain
                or end.op in ops.AFFINE
                or (products and _is_product(end))  # a word and a word that is not its neighbour
                for end in ends
            ):
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

    def _of_ratio(self, call: Call) -> Finding:
        return self.found(
            message=_("a log-probability is divided by another"),
            location=call.location,
            proof=_("log p / log q is not p / q: with p = 1/4 and q = 1/16 it is 1/2 instead of 4"),
            why=_("the ratio p / q is exp(log p - log q); this one falls where it should rise"),
            fix="ratio = (log_p - old_log_p).exp()",
        )

    def _of_weights(self, call: Call) -> Finding:
        dim = softmax_dim(call)
        return self.found(
            message=_("log-probabilities weigh values, where probabilities were meant"),
            location=call.location,
            proof=_("{op} is at most 0, and the weights do not sum to 1").format(op=call.op),
            why=_("what is least likely weighs most, with the wrong sign"),
            fix=replaced(call, f"nn.Softmax(dim={dim})", f"F.softmax({{x}}, dim={dim})"),
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


def _is_product(end: Origin) -> bool:
    """Return whether a walk ended at a product of two vectors, written out or torch's own."""
    call = end.call
    if call is None:
        return False
    if call.op == "sum":
        made = call.inputs[0].call
        return made is not None and made.op == "mul" and len(made.inputs) == 2
    return call.op in ops.PRODUCTS


def _divides_logs(step: Step, call: Call) -> bool:
    """Return whether a log-probability is divided by numbers that are all negative, as logs are."""
    if len(call.inputs) != 2:
        return False
    given, by = call.inputs
    if by.tensor.requires_grad or by.tensor.numel() < 2 or by.shape != given.shape:
        return False
    if not step.is_live(given) or not (given.intact and by.intact):
        return False
    ends = origins(given, ops.VIEWS | {"sum"})
    logs = bool(ends) and all(
        end.call is not None and (end.op in _LOGS or _DISTRIBUTIONS in end.call.origin)
        for end in ends
    )
    return logs and all(bool((value.tensor.detach() < 0).all()) for value in call.inputs)


def _weighs_by_logs(step: Step, call: Call) -> Call | None:
    """Return the log-softmax whose outputs weigh values that were computed, on into a layer."""
    if call.op not in (*ops.PRODUCTS, "mul") or len(call.inputs) != 2:
        return None
    for given, other in (call.inputs, call.inputs[::-1]):
        ends = origins(given, ops.VIEWS | ops.DROPOUTS)
        if not ends or any(end.op != "log_softmax" for end in ends):
            continue
        if step.is_live(other) and not is_parameter(other) and other is not given:
            return ends[0].call if feeds_a_layer(step.trace, call.output) else None
    return None


def _one_minus(call: Call) -> Value | None:
    """Return x where a call is 1 - x, None for anything else."""
    if call.op == "rsub" and len(call.inputs) == 1:
        others = [item for item in (*call.args, *call.kwargs.values()) if item in (1, 1.0)]
        return call.inputs[0] if others else None
    if call.op == "sub" and len(call.inputs) == 1 and call.args and call.args[0] in (1, 1.0):
        return call.inputs[0]
    return None
