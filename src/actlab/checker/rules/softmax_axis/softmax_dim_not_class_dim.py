"""ACT205: softmax over a dimension that is not the one the loss counts classes along."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.trace import Call
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.logits import softmax_dim
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_SOFTMAXES = ("softmax", "log_softmax")
_OFF = 1e-2
"""The least distance from 0 of the log of a sum of probabilities that are not normalised."""


def _over_the_width() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 5, 1), nn.LogSoftmax(dim=-1))
    return Situation(net, nn.NLLLoss(), (torch.randn(4, 3, 6, 7), _pixels()))


def _over_the_width_into_cross_entropy() -> Situation:
    net = nn.Conv2d(3, 5, 1)
    x, y = torch.randn(4, 3, 6, 7), _pixels()
    return Situation(step=lambda: F.cross_entropy(torch.softmax(net(x), -1), y))


def _over_the_positions_then_flattened() -> Situation:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(12, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.log_softmax(self.out(x), dim=1).flatten(0, 1)

    x, y = torch.randn(4, 6, 12), torch.arange(24) % 5
    return Situation(Tagger(), nn.NLLLoss(), (x, y))


def _over_the_classes() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 5, 1), nn.LogSoftmax(dim=1))
    return Situation(net, nn.NLLLoss(), (torch.randn(4, 3, 6, 7), _pixels()))


def _classes_last_then_moved() -> Situation:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 5)

        def forward(self, x: torch.Tensor) -> Any:
            return F.log_softmax(self.fc(x), dim=-1).transpose(1, 2)

    y = torch.arange(24).reshape(4, 6) % 5
    return Situation(Tagger(), nn.NLLLoss(), (torch.randn(4, 6, 8), y))


def _pixels() -> torch.Tensor:
    return torch.arange(4 * 6 * 7).reshape(4, 6, 7) % 5


class SoftmaxDimNotClassDim(Rule):
    """Softmax normalises another dimension than the loss counts classes along.

    ## What it does

    Reports a softmax or log-softmax whose output reaches `cross_entropy` or `nll_loss` normalised
    along another dimension than 1, the one that these losses take for the classes; also where a
    reshape lies between the two.

    ## Why is this bad?

    For a map of shape (N, C, H, W), `dim=-1` makes the pixels of a row compete; the classes of a
    pixel do not sum to 1, and the loss is no likelihood.

    ## Example

        loss = F.nll_loss(F.log_softmax(maps, dim=-1), y)  # maps: (N, C, H, W)

    ## Use instead

        loss = F.nll_loss(F.log_softmax(maps, dim=1), y)

    ## Sources

    - PyTorch, `torch.nn.CrossEntropyLoss`: the shape of the input is (N, C, d1, ..., dK).
    """

    code = "ACT205"
    name = "softmax-dim-not-class-dim"
    severity = "warning"
    looks_at = "class losses"
    faulty = (
        Case(_over_the_width, "warning"),
        Case(_over_the_width_into_cross_entropy, "warning"),
        Case(_over_the_positions_then_flattened, "warning"),
    )
    clean = (Case(_over_the_classes), Case(_classes_last_then_moved))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each loss whose input is normalised along another dimension."""
        for loss in step.loss_calls:
            if loss.kind not in ("cross_entropy", "nll_loss") or loss.custom:
                continue
            makers = [o.call for o in step.origins(loss.input) if o.op in _SOFTMAXES]
            maker = makers[0] if makers else None
            if maker is None or not loss.input.intact:
                continue
            wrong = _wrong_dim(loss)
            if wrong is not None:
                yield self._finding(loss, maker, wrong)
            elif softmax_dim(maker) and _is_reshaped(step, loss) and _is_off(loss):
                yield self._reshaped(loss, maker)

    def _finding(self, loss: LossCall, maker: Call, wrong: int) -> Finding:
        right = loss.class_dim
        module = "LogSoftmax" if maker.op == "log_softmax" else "Softmax"
        return self.found(
            message=_(
                "{function} normalises dimension {wrong}, the loss has its classes in {right}"
            ).format(function=maker.op, wrong=wrong, right=right),
            location=maker.location,
            proof=_(
                "of shape {shape}, sums over dimension {wrong} are 1, over {right} they are not"
            ).format(shape=tuple(loss.input.shape), wrong=wrong, right=right),
            why=_("positions compete instead of classes, and the loss is no likelihood"),
            fix=replaced(maker, f"nn.{module}(dim={right})", f"F.{maker.op}({{x}}, dim={right})"),
        )

    def _reshaped(self, loss: LossCall, maker: Call) -> Finding:
        wrong, shape = softmax_dim(maker), tuple(maker.output.shape)
        module = "LogSoftmax" if maker.op == "log_softmax" else "Softmax"
        return self.found(
            message=_("{function} normalises dimension {wrong}, which are not the classes").format(
                function=maker.op, wrong=wrong
            ),
            location=maker.location,
            proof=_(
                "shape {before} is normalised over dimension {wrong}; of shape {after}, as the "
                "loss reads it, the classes sum to 1 in no dimension"
            ).format(before=shape, wrong=wrong, after=tuple(loss.input.shape)),
            why=_("positions compete instead of classes, and the loss is no likelihood"),
            fix=replaced(maker, f"nn.{module}(dim=-1)", f"F.{maker.op}({{x}}, dim=-1)"),
        )


def _is_reshaped(step: Step, loss: LossCall) -> bool:
    """Return whether a loss reads all that one softmax made, in another shape."""
    ends = step.origins(loss.input)
    if len(ends) != 1 or ends[0].value.tensor.numel() != loss.input.tensor.numel():
        return False
    return bool(ends[0].passed) and all(call.op in ops.VIEWS for call in ends[0].passed)


def _is_off(loss: LossCall) -> bool:
    """Return whether the classes that the loss reads are normalised in no row or column."""
    tensor = loss.input.tensor
    errors = [tensor_tests.log_simplex_error(tensor, dim) for dim in range(tensor.ndim)]
    simplex = any(tensor_tests.is_simplex(tensor, dim) for dim in range(tensor.ndim))
    return not simplex and all(error > _OFF for error in errors)


def _wrong_dim(loss: LossCall) -> int | None:
    """Return the dimension other than class and batch that is normalised, None if there is none."""
    tensor, right = loss.input.tensor, loss.class_dim

    def normalised(dim: int) -> bool:
        error = tensor_tests.log_simplex_error(tensor, dim)
        return tensor_tests.is_simplex(tensor, dim) or (not math.isnan(error) and error < 1e-3)

    if tensor.ndim < 3 or normalised(right):
        return None
    return next((dim for dim in range(2, tensor.ndim) if normalised(dim)), None)
