"""ACT105: binary cross entropy is given something that is no probability."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import Origin, unscaled
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation, limits
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _
from actlab.text import share as share_of

_LEAVES_UNIT = (
    ops.AFFINE | ops.NORMS | ops.RECTIFIERS | ops.RECURRENT | ops.ATTENTION
    | {"tanh", "softsign", "hardtanh", "log_softmax", "logsigmoid", "matmul", "einsum"}
)  # fmt: skip
"""Operations whose output leaves [0, 1] sooner or later, whatever this batch shows."""


def _no_sigmoid() -> Situation:
    net = nn.Linear(20, 1)
    return Situation(net, nn.BCELoss(), label_batch())


def _inside_at_first() -> Situation:
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(20, 1)
            nn.init.zeros_(self.fc.weight)
            nn.init.constant_(self.fc.bias, 0.5)

        def forward(self, x: torch.Tensor) -> Any:
            return self.fc(x).view(-1)

    x, y = label_batch()
    return Situation(Small(), nn.BCELoss(), (x, y[:, 0]))


def _tanh_head() -> Situation:
    net = nn.Sequential(nn.Linear(20, 1), nn.Tanh())
    return Situation(net, nn.BCELoss(), label_batch())


def _sigmoid() -> Situation:
    return Situation(
        nn.Linear(20, 1), lambda z, y: F.binary_cross_entropy(z.sigmoid(), y), label_batch()
    )


def _cosine_of_rectified_embeddings() -> Situation:
    class Match(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(20, 8), nn.Linear(20, 8)

        def forward(self, x: torch.Tensor) -> Any:
            return F.cosine_similarity(F.relu(self.a(x)), F.relu(self.b(x)))

    x, y = label_batch()
    return Situation(Match(), nn.BCELoss(), (x, y[:, 0]))


def _cut_to_the_unit_interval(low: float, high: float) -> Situation:
    x, y = label_batch()
    return Situation(
        nn.Linear(20, 1), lambda z, y: F.binary_cross_entropy(z.clamp(low, high), y), (x, y)
    )


def _cut_off_scores() -> Situation:
    return _cut_to_the_unit_interval(0.0, 1.0)


def _cut_off_inside_a_written_loss() -> Situation:
    def loss(z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        p = z.clamp(1e-6, 1 - 1e-6)
        return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()

    return Situation(nn.Linear(20, 1), loss, label_batch())


def _guarded_probabilities() -> Situation:
    x, y = label_batch()
    return Situation(
        nn.Linear(20, 1),
        lambda z, y: F.binary_cross_entropy(z.sigmoid().clamp(1e-6, 1 - 1e-6), y),
        (x, y),
    )


def _scaled_to_start_inside() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(20, 1)

        def forward(self, x: torch.Tensor) -> Any:
            return 0.05 * self.out(x) + 0.5

    return Situation(Net(), nn.BCELoss(), label_batch())


class BceOnNonProbability(Rule):
    """Binary cross entropy is given numbers that are not confined to [0, 1].

    ## What it does

    Reports `binary_cross_entropy`, or a loss written out as y log p + (1 - y) log(1 - p), whose
    input leaves [0, 1] on the batch or on noise, or comes from an operation that cannot keep it
    there (a linear layer, a rectifier, tanh), or was only cut off at 0 and 1.

    ## Why is this bad?

    The logarithm of a negative number is NaN. torch raises an error, but only when a number is out
    of range: a small network slips through at first and stops in the middle of a training. What
    `clamp` cuts off has no gradient, so the samples that are most wrong teach nothing.

    ## Example

        model = nn.Linear(20, 1)
        loss = nn.BCELoss()(model(x), y)

    ## Use instead

        model = nn.Linear(20, 1)
        loss = nn.BCEWithLogitsLoss()(model(x), y)

    ## Sources

    - PyTorch, `torch.nn.BCELoss`: "the targets y should be numbers between 0 and 1", and so should
      the inputs.
    """

    code = "ACT105"
    name = "bce-on-non-probability"
    severity = "error"
    looks_at = "binary cross entropies"
    thresholds = limits(cut_off=0.05)
    faulty = (
        Case(_no_sigmoid, "error"),
        Case(_inside_at_first, "error"),
        Case(_scaled_to_start_inside, "error"),
        Case(_tanh_head, "error"),
        Case(_cut_off_scores, "error"),
        Case(_cut_off_inside_a_written_loss, "error"),
    )
    clean = (Case(_sigmoid), Case(_cosine_of_rectified_embeddings), Case(_guarded_probabilities))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each binary cross entropy on what is no probability."""
        for loss in step.loss_calls:
            if loss.kind != "bce":
                continue
            if step.range_of(loss.input).within(0.0, 1.0):
                yield from self._cut_off(step, loss)
                continue
            proof = self._proof(step, loss)
            if proof is not None:
                yield self.found(
                    message=_("binary cross entropy is given numbers that are no probabilities"),
                    location=loss.call.location,
                    proof=proof,
                    why=_(
                        "the logarithm of a number outside [0, 1] is NaN or an error; small "
                        "networks slip through until the first such number"
                    ),
                    fix="loss = F.binary_cross_entropy_with_logits(logits, y)",
                )

    def _cut_off(self, step: Step, loss: LossCall) -> Iterator[Finding]:
        """Yield a finding where a clamp alone keeps scores within [0, 1]."""
        for origin in step.origins(loss.input):
            cut = origin.call
            if cut is None or cut.op not in ("clamp", "hardtanh") or not step.is_live(cut.output):
                continue
            ends = [unscaled(end) for end in step.origins(cut.inputs[0])]
            if not any(
                leaves_unit_interval(step, end) or _is_unbounded_product(step, end) for end in ends
            ):
                continue
            share = _share_outside(cut)
            yield self.found(
                severity="error" if share > self.limits["cut_off"] else "warning",
                message=_("binary cross entropy is given scores that were cut off at 0 and 1"),
                location=cut.location,
                proof=_("{op} has no gradient for {share} of this batch").format(
                    op=cut.op, share=share_of(share, 1.0)
                ),
                why=_("what is cut off learns nothing; a sigmoid keeps a gradient everywhere"),
                fix="loss = F.binary_cross_entropy_with_logits(logits, y)",
            )
            return

    def _proof(self, step: Step, loss: LossCall) -> str | None:
        seen = tensor_tests.extremes(loss.input.tensor) if loss.input.intact else None
        if seen is not None and (seen[0] < 0.0 or seen[1] > 1.0):
            return _("on this batch the input runs from {low:.3g} to {high:.3g}").format(
                low=seen[0], high=seen[1]
            )
        ends = [unscaled(origin) for origin in step.origins(loss.input)]
        leaving = [origin for origin in ends if leaves_unit_interval(step, origin)]
        if leaving:
            return _("the input comes from {op}, which reaches {range}").format(
                op=leaving[0].op, range=step.range_of(leaving[0].value)
            )
        return None


def leaves_unit_interval(step: Step, origin: Origin) -> bool:
    """Return whether an operation leaves [0, 1] sooner or later, whatever this batch shows."""
    if origin.op in ("matmul", "einsum"):
        return any(value.tensor.requires_grad and value.call is None
                   for value in (origin.call.inputs if origin.call else ()))  # fmt: skip
    confined = step.range_of(origin.value).within(0.0, 1.0)
    return origin.op in _LEAVES_UNIT and not confined


def _is_unbounded_product(step: Step, origin: Origin) -> bool:
    """Return whether a product of computed values reaches both ends of the line."""
    reach = step.range_of(origin.value)
    return origin.op in ops.PRODUCTS and not reach.within(-1.0, 1.0) and reach.low < 0.0


def _share_outside(cut: Call) -> float:
    """Return the share of numbers that a call changed."""
    before, after = (
        tensor_tests.sample(cut.inputs[0].tensor),
        tensor_tests.sample(cut.output.tensor),
    )
    if before is None or after is None or before.shape != after.shape:
        return 0.0
    return float((before != after).float().mean())
