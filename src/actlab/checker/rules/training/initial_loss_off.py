"""ACT507: a loss far above that of guessing."""

import math
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from actlab.checker.analysis.logits import is_similarity
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import log_simplex_error, sample
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _
from actlab.text import decimal

_NORMALISED = 1e-3


def _pixels_of_hundreds() -> Situation:
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    x = 255 * torch.rand(64, 64)
    return Situation(net, nn.CrossEntropyLoss(), (x, torch.arange(64) % 10))


def _large_head_with_nll() -> Situation:
    head = nn.Linear(32, 10)
    nn.init.normal_(head.weight, std=5.0)
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), head, nn.LogSoftmax(dim=1))
    return Situation(net, nn.NLLLoss(), (torch.randn(64, 20), torch.arange(64) % 10))


def _default_start() -> Situation:
    net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 10))
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(64, 20), torch.arange(64) % 10))


def _trained_network() -> Situation:
    net = nn.Linear(10, 10)
    nn.init.eye_(net.weight)
    with torch.no_grad():
        net.weight.mul_(20.0)
    y = torch.arange(64) % 10
    return Situation(net, nn.CrossEntropyLoss(), (F.one_hot(y, 10).float(), y))


class InitialLossOff(Rule):
    """The cross entropy is far above that of guessing.

    ## What it does

    Compares the mean cross entropy of the batch with ln C, that of C equally likely classes, and
    reports more than twice as much, by more than two standard errors of the mean. Smoothing, class
    weights and the reduction of the loss do not matter: it is computed again without them.

    ## Why is this bad?

    A fresh network knows nothing, so it should say so. One that starts confident and wrong spends
    its first epochs unlearning that. Inputs that were not scaled and a head whose weights are too
    large are the usual causes. (A trained network with such a loss is worse than guessing.)

    ## Example

        scores = model(pixels)  # 0 to 255
        loss = F.cross_entropy(scores, y)  # 20 instead of 2.3

    ## Use instead

        scores = model(pixels / 255)
        loss = F.cross_entropy(scores, y)

    ## Sources

    - Karpathy, "A Recipe for Training Neural Networks", 2019: verify loss @ init.
    - Ben Braiek and Khomh (TheDeepChecker), TOSEM 2023: a deviation of 100 %.
    """

    code = "ACT507"
    name = "initial-loss-off"
    severity = "warning"
    looks_at = "class losses"
    thresholds = {"deviation": 1.0, "errors": 2.0}  # noqa: RUF012  read only
    faulty = (Case(_pixels_of_hundreds, "warning"), Case(_large_head_with_nll, "warning"))
    clean = (Case(_default_start), Case(_trained_network))

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each cross entropy that is far above ln C."""
        for loss in step.loss_calls:
            found_with_error = _cross_entropy(loss)
            if found_with_error is None or is_similarity(loss.input):
                continue
            found, error = found_with_error
            guessing = math.log(loss.classes)
            certain = found - self.limits["errors"] * error
            if certain - guessing > self.limits["deviation"] * guessing:
                yield self.found(
                    message=_("the cross entropy is far above that of guessing"),
                    location=loss.call.location,
                    proof=_(
                        "it is {found}; guessing among {classes} classes costs ln {classes} = "
                        "{guessing}"
                    ).format(
                        found=decimal(found), classes=loss.classes, guessing=decimal(guessing)
                    ),
                    why=_("a network that starts confident and wrong has to unlearn that first"),
                    fix="x = (x - mean) / std  # " + _("scale what comes in, or shrink the head"),
                )


def _cross_entropy(loss: LossCall) -> tuple[float, float] | None:
    """Return the mean cross entropy over the targets that count, and its standard error."""
    target = loss.target.tensor if loss.target is not None else None
    if target is None or loss.kind not in ("cross_entropy", "nll_loss") or loss.custom:
        return None
    if target.is_floating_point() or loss.input.tensor.ndim < 2 or loss.classes < 2:
        return None
    scores = sample(loss.input.tensor)
    if scores is None or not loss.input.intact:
        return None
    if loss.kind == "nll_loss" and not log_simplex_error(scores, 1) < _NORMALISED:
        return None
    ignored = loss.call.argument("ignore_index", 3, -100)
    rows = target[: scores.shape[0]]
    counting = (rows != ignored) & (rows >= 0) & (rows < loss.classes)
    if rows.shape != scores.select(1, 0).shape or not bool(counting.any()):
        return None
    losses = F.cross_entropy(scores, torch.where(counting, rows, 0).long(), reduction="none")
    each = losses[counting]
    error = float(each.std()) / math.sqrt(each.numel()) if each.numel() > 1 else 0.0
    return float(each.mean()), error
