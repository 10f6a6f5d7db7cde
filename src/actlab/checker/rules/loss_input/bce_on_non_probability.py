"""ACT105: binary cross entropy is given something that is no probability."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.origins import Origin, unscaled
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import label_batch
from actlab.i18n import _

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
    there (a linear layer, a rectifier, tanh).

    ## Why is this bad?

    The logarithm of a negative number is NaN. torch raises an error, but only when a number is out
    of range: a small network slips through at first and stops in the middle of a training.

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
    faulty = (
        Case(_no_sigmoid, "error"),
        Case(_inside_at_first, "error"),
        Case(_scaled_to_start_inside, "error"),
        Case(_tanh_head, "error"),
    )
    clean = (Case(_sigmoid), Case(_cosine_of_rectified_embeddings))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each binary cross entropy on what is no probability."""
        for loss in step.loss_calls:
            if loss.kind != "bce" or step.range_of(loss.input).within(0.0, 1.0):
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

    def _proof(self, step: Step, loss: LossCall) -> str | None:
        seen = tensor_tests.extremes(loss.input.tensor) if loss.input.intact else None
        if seen is not None and (seen[0] < 0.0 or seen[1] > 1.0):
            return _("on this batch the input runs from {low:.3g} to {high:.3g}").format(
                low=seen[0], high=seen[1]
            )
        ends = [unscaled(origin) for origin in step.origins(loss.input)]
        leaving = [origin for origin in ends if _leaves(step, origin)]
        if leaving:
            return _("the input comes from {op}, which reaches {range}").format(
                op=leaving[0].op, range=step.range_of(leaving[0].value)
            )
        return None


def _leaves(step: Step, origin: Origin) -> bool:
    if origin.op in ("matmul", "einsum"):
        return any(value.tensor.requires_grad and value.call is None
                   for value in (origin.call.inputs if origin.call else ()))  # fmt: skip
    confined = step.range_of(origin.value).within(0.0, 1.0)
    return origin.op in _LEAVES_UNIT and not confined
