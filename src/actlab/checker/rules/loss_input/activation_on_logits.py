"""ACT108: an activation between the last layer and a loss on scores."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.interval import Interval, times
from actlab.checker.analysis.logits import (
    Logits,
    compares_samples,
    cross_entropy_floor,
    logits_of,
    sigmoid,
    softplus,
)
from actlab.checker.analysis.origins import HANDED_ON, made_with, makers, origins
from actlab.checker.analysis.prediction import (
    OutputActivation,
    holds_back_negatives,
    output_activations_of,
    prediction_of,
)
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.analysis.value_ranges import is_normalised
from actlab.checker.report import Finding, Severity
from actlab.checker.reporting.fixes import without
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import class_batch, image_batch, label_batch
from actlab.i18n import _
from actlab.text import decimal
from actlab.text import share as share_of

_LOWEST = -1.76
"""The lowest that any rectifier goes (SELU)."""

_PLAIN = frozenset({"clamp", "maximum", "max", "abs", "exp"})
"""Plain operations that act as rectifiers."""

_TWO_SIDED = ("hardtanh", "relu6")
_SOFT_BOUNDED = ("tanh", "softsign")
_SQUASHED = ("sigmoid", "hardsigmoid")
_OTHER_RULES = ("softmax", "log_softmax", "softmin", "gumbel_softmax", "logsigmoid")


def _relu_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10), nn.ReLU())
    return Situation(net, nn.CrossEntropyLoss(), class_batch(10))


def _rectified_map_to_bce() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1), nn.ReLU())
    x, _y = image_batch(2)
    y = (torch.arange(x.shape[0] * 64).reshape(-1, 1, 8, 8) % 3 == 0).float()
    return Situation(net, nn.BCEWithLogitsLoss(), (x, y))


def _tanh_head() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 10)

        def forward(self, x: torch.Tensor) -> Any:
            return torch.tanh(self.fc(x)).reshape(len(x), -1)

    return Situation(Net(), nn.CrossEntropyLoss(), class_batch(10))


def _pooled_as_in_squeezenet() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 5, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Situation(net, nn.CrossEntropyLoss(), image_batch(5))


def _linear_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(10))


def _scores_capped_at_thirty() -> Situation:
    class Capped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 10)

        def forward(self, x: torch.Tensor) -> Any:
            return 30.0 * torch.tanh(self.fc(x) / 30.0)

    return Situation(Capped(), nn.CrossEntropyLoss(), class_batch(10))


def _linear_head_with_bce() -> Situation:
    return Situation(nn.Linear(20, 1), nn.BCEWithLogitsLoss(), label_batch())


class ActivationOnLogits(Rule):
    """Logits go through an activation before softmax or sigmoid.

    ## What it does

    Reports an activation whose output, passed on by views, joins or dropout only, is taken for
    scores: by cross entropy, by binary cross entropy on logits, by a categorical distribution, or
    by the softmax or sigmoid in front of a loss; and sums or mixtures of such outputs whose range
    stays narrow. So it does a recurrent state, and plain cosines, whose range is narrow, and
    cosines of embeddings that end in a linear layer and a rectifier. Rectifiers and hard bounds are
    errors, tanh a warning; where several positions are pooled in between (SqueezeNet) it is
    information. An activation that is scaled up afterwards is not reported.

    ## Why is this bad?

    Logits need both signs and any size. Behind ReLU sigmoid cannot say less than 0.5, and a class
    whose score is negative for every sample gets no gradient at all: it is dead. Between -1 and 1
    the loss has a floor: 0.797 for ten classes.

    ## Example

        model = nn.Sequential(nn.Linear(512, 10), nn.ReLU())
        loss = nn.CrossEntropyLoss()(model(x), y)

    ## Use instead

        model = nn.Sequential(nn.Linear(512, 10))
        loss = nn.CrossEntropyLoss()(model(x), y)

    ## Sources

    - https://github.com/pytorch/tutorials/pull/1644 (ReLU removed from the quickstart's head).
    - Schoop et al., "UMLAUT: Debugging Deep Learning Programs using Program Structure and Model
      Behavior", CHI 2021.
    - Iandola et al., "SqueezeNet", 2016: the exception, ReLU in front of average pooling.
    """

    code = "ACT108"
    name = "activation-on-logits"
    severity = "error"
    looks_at = "scores"
    thresholds = limits(floor=0.05, share=0.3)
    faulty = (
        Case(_relu_head, "error"),
        Case(_rectified_map_to_bce, "error"),
        Case(_tanh_head, "warning"),
        Case(_pooled_as_in_squeezenet, "info"),
    )
    clean = (
        Case(_linear_head),
        Case(_scores_capped_at_thirty),
        Case(_linear_head_with_bce),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each activation on scores."""
        for scores in logits_of(step):
            prediction = prediction_of(step, scores.value, scores.dim)
            if prediction is not None and prediction.kind != "unit":
                continue  # probabilities, or their logarithms
            heads = output_activations_of(step, scores.value, pooling=True)
            if not heads:
                heads = self._mixed(step, scores)
            if heads and all(head.name not in _OTHER_RULES for head in heads):
                head = heads[0]
                severity = self._severity(head, scores)
                if severity is not None:
                    yield self._finding(step, scores, head, severity)
            elif not heads:
                yield from self._confined(step, scores)
                yield from self._rectified_embeddings(step, scores)

    def _confined(self, step: Step, scores: Logits) -> Iterator[Finding]:
        """Yield a finding where scores cannot be far apart: a state, or plain cosines."""
        reach = range_now(step, scores.value)
        if not reach.bounded or compares_samples(scores.value):
            return
        makers = [end.call for end in step.origins(scores.value) if end.call is not None]
        of_classes = scores.normaliser == "softmax"
        floor = (
            cross_entropy_floor(scores.classes, reach.width)
            if of_classes
            else 0.5 * (softplus(-reach.high) + softplus(reach.low))
        )
        is_state = bool(makers) and all(maker.op in ops.RECURRENT for maker in makers)
        guessing = math.log(max(scores.classes, 2) if of_classes else 2)
        if not is_state and not floor > self.limits["share"] * guessing:
            return
        if (of_classes and scores.classes < 2) or not makers:
            return
        yield self.found(
            severity="warning",
            message=_("the scores are confined to {range}, before {normaliser}").format(
                range=reach, normaliser=scores.normaliser
            ),
            location=makers[0].location,
            proof=_(
                "scores reach {range}: the loss cannot fall below {floor} with {classes} classes"
            ).format(range=reach, floor=decimal(floor), classes=scores.classes)
            if of_classes
            else _proof_of_sigmoid(reach),
            why=_("scores need any size: no class can get a probability near 1"),
            fix="scores = self.out(state)  # " + _("a linear layer behind the recurrent one")
            if is_state
            else "scores = scale * scores  # " + _("a temperature: scale is about 10 to 30"),
        )

    def _rectified_embeddings(self, step: Step, scores: Logits) -> Iterator[Finding]:
        """Yield a finding for cosines of embeddings that both end in a linear layer and ReLU."""
        if scores.normaliser != "softmax":
            return
        for end in origins(scores.value, HANDED_ON | {"mul", "div"}):
            product = end.call
            if product is None or product.op not in ops.PRODUCTS or len(product.inputs) != 2:
                continue
            made = [_rectifier_of_a_projection(step, part) for part in product.inputs]
            if made[0] is None or made[1] is None:
                continue
            yield self.found(
                severity="warning",
                message=_("{activation} is applied to embeddings, before their cosine").format(
                    activation=made[0].op
                ),
                location=made[0].location,
                proof=_("no two of them can be further apart than at right angles: {range}").format(
                    range=step.range_of(product.output)
                ),
                why=_("what does not belong together cannot be pushed apart"),
                fix=without(made[0]),
            )
            return

    def _mixed(self, step: Step, scores: Logits) -> tuple[OutputActivation, ...]:
        """Return the activation that confines scores through sums and gates, if one does."""
        reach = step.range_of(scores.value)
        narrow = reach.bounded and cross_entropy_floor(2, reach.width) > self.limits["floor"]
        if not narrow and reach.low < _LOWEST:
            return ()
        call = made_with(scores.value, ops.RECTIFIERS | ops.BOUNDED | _PLAIN)
        return () if call is None else (OutputActivation(call, ()),)

    def _severity(self, head: OutputActivation, scores: Logits) -> Severity | None:
        if head.name in _SQUASHED:
            # in front of cross entropy ACT103 tells more, in front of a second sigmoid ACT104
            return "error" if scores.loss.kind == "categorical_logits" else None
        if head.pooled:
            return "info"
        if head.name in _TWO_SIDED or holds_back_negatives(head):
            return "error"
        return "warning"

    def _finding(
        self, step: Step, scores: Logits, head: OutputActivation, severity: Severity
    ) -> Finding:
        reach = step.range_of(head.call.output)
        return self.found(
            severity=severity,
            message=_("{activation} is applied to scores, before {normaliser}").format(
                activation=head.name, normaliser=scores.normaliser
            ),
            location=head.call.location,
            proof=_proof(scores, head, reach),
            why=_("scores need both signs and any size; what is cut off gets no gradient"),
            fix=without(head.call),
        )


def _rectifier_of_a_projection(step: Step, value: Value) -> Call | None:
    """Return the rectifier that an embedding of length 1 ends in, right behind a linear layer."""
    for end in origins(value):
        call = end.call
        if call is None or call.op not in ("normalize", "div") or not is_normalised(value):
            return None
        heads = output_activations_of(step, call.inputs[0])
        if not heads or not all(holds_back_negatives(head) for head in heads):
            return None
        if all(
            maker.op in ("linear", "addmm") for h in heads for maker in makers(h.call.inputs[0])
        ):
            return heads[0].call
    return None


def _proof_of_sigmoid(reach: Interval) -> str:
    return _("scores reach {range}, so probabilities lie in [{low}, {high}]").format(
        range=reach,
        low=decimal(_probability(reach.low)),
        high=decimal(_probability(reach.high)),
    )


def _proof(scores: Logits, head: OutputActivation, reach: Interval) -> str:
    if scores.normaliser == "sigmoid":
        return _proof_of_sigmoid(reach)
    if reach.bounded:
        return _(
            "scores reach {range}: the loss cannot fall below {floor} with {classes} classes"
        ).format(
            range=reach,
            floor=decimal(cross_entropy_floor(scores.classes, reach.width)),
            classes=scores.classes,
        )
    held = head.call.inputs[0]
    share = float((held.tensor.detach() < 0).float().mean()) if held.intact else None
    if share is None:
        return _("scores reach {range} only").format(range=reach)
    return _("scores reach {range}; {share} of them were negative on this batch").format(
        range=reach, share=share_of(share, 1)
    )


def range_now(step: Step, value: Value) -> Interval:
    """Return the range of a value, with learnt single factors at the size that they have now."""
    reach = step.range_of(value)
    call = value.call
    if reach.bounded or call is None or call.op not in ("mul", "div") or len(call.inputs) != 2:
        return reach
    scale, scaled = sorted(call.inputs, key=lambda v: v.tensor.numel())
    if scale.tensor.numel() != 1 or not scale.intact or not readable(scale.tensor):
        return reach
    if call.op == "div" and scale is not call.inputs[1]:
        return reach
    number = float(scale.tensor.detach())
    factor = number if call.op == "mul" else 1.0 / number if number else 0.0
    inner = step.range_of(scaled)
    ends = sorted((times(inner.low, factor), times(inner.high, factor)))
    return Interval(ends[0], ends[1])


def _probability(x: float) -> float:
    return 1.0 if x == float("inf") else 0.0 if x == float("-inf") else sigmoid(x)
