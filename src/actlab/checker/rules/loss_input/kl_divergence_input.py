"""ACT107: the KL divergence is given what is not as it expects."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.prediction import prediction_of
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, NotCheckable, Rule, Situation, limits
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _


def _student_without_log() -> Situation:
    student, teacher = nn.Linear(20, 5), nn.Linear(20, 5)
    x, _y = class_batch(5)

    def step() -> Any:
        with torch.no_grad():
            wanted = F.softmax(teacher(x), dim=1)
        return F.kl_div(F.softmax(student(x), dim=1), wanted, reduction="batchmean")

    return Situation(step=step)


def _target_of_logs() -> Situation:
    student, teacher = nn.Linear(20, 5), nn.Linear(20, 5)
    x, _y = class_batch(5)

    def step() -> Any:
        wanted = F.log_softmax(teacher(x), dim=1).detach()
        return F.kl_div(F.log_softmax(student(x), dim=1), wanted, reduction="batchmean")

    return Situation(step=step)


def _smoothed_labels_with_a_slip() -> Situation:
    net, (x, y) = nn.Linear(20, 20), class_batch(20)

    def step() -> Any:
        wanted = torch.full((len(y), 20), 0.1 / 18).scatter(1, y[:, None], 0.9)
        return F.kl_div(net(x).log_softmax(1), wanted, reduction="batchmean")

    return Situation(step=step)


def _distillation() -> Situation:
    student, teacher = nn.Linear(20, 5), nn.Linear(20, 5)
    x, _y = class_batch(5)

    def step() -> Any:
        wanted = F.softmax(teacher(x) / 4, dim=1).detach()
        return F.kl_div(F.log_softmax(student(x) / 4, dim=1), wanted, reduction="batchmean")

    return Situation(step=step)


class KlDivergenceInput(Rule):
    """The KL divergence is given something else than log-probabilities and probabilities.

    ## What it does

    Reports `kl_div` whose input is positive somewhere or not normalised as log-probabilities, or
    whose target is not a distribution in the form that `log_target` announces. A distribution may
    be normalised along any dimension, or over several together (heat maps). A target whose sums are
    off 1 by less than 5 %, as smoothed labels with a slip in their shares are, is an info.

    ## Why is this bad?

    `kl_div(input, target)` computes target * (log target - input): its first argument is taken for
    a logarithm as it is. On probabilities it is no divergence: it is not 0 where the two agree.

    ## Example

        loss = F.kl_div(student.softmax(1), teacher.softmax(1), reduction="batchmean")

    ## Use instead

        loss = F.kl_div(student.log_softmax(1), teacher.softmax(1), reduction="batchmean")

    ## Sources

    - PyTorch, `torch.nn.KLDivLoss`: "input is expected to be in log-space".
    - https://github.com/microsoft/ProDA/issues/43
    """

    code = "ACT107"
    name = "kl-divergence-input"
    severity = "error"
    looks_at = "divergences"
    thresholds = limits(logsumexp=1e-3, off_one=0.05)
    faulty = (
        Case(_student_without_log, "error"),
        Case(_target_of_logs, "error"),
        Case(_smoothed_labels_with_a_slip, "info"),
    )
    clean = (Case(_distillation),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each KL divergence whose arguments are not as announced."""
        for loss in step.loss_calls:
            if loss.kind != "kl_div" or loss.target is None:
                continue
            if not (loss.input.intact and loss.target.intact):
                raise NotCheckable(_("the tensors of kl_div were overwritten"))
            log_target = bool(loss.call.argument("log_target", 5, False))
            yield from self._input_findings(step, loss)
            yield from self._target_findings(loss, log_target)

    def _input_findings(self, step: Step, loss: LossCall) -> Iterator[Finding]:
        tensor = loss.input.tensor
        if _is_log_distribution(tensor, self._limit(tensor)):
            return
        extremes = tensor_tests.extremes(tensor)
        if extremes is None:
            raise NotCheckable(_("the numbers of kl_div's input cannot be read"))
        prediction = prediction_of(step, loss.input, loss.class_dim)
        maker = (
            prediction.maker if prediction is not None and prediction.kind == "simplex" else None
        )
        yield self.found(
            message=_("the KL divergence is given an input that is not log-probabilities"),
            location=maker.location if maker is not None else loss.call.location,
            proof=_("the input runs from {low:.3g} to {high:.3g} and is not normalised").format(
                low=extremes[0], high=extremes[1]
            ),
            why=_("kl_div takes its first argument for logarithms; the result is no divergence"),
            fix=replaced(maker, "nn.LogSoftmax(dim=1)", "F.log_softmax({x}, dim=-1)")
            if maker is not None
            else "F.kl_div(F.log_softmax(scores, dim=1), target, reduction='batchmean')",
        )

    def _target_findings(self, loss: LossCall, log_target: bool) -> Iterator[Finding]:
        assert loss.target is not None
        target = loss.target.tensor
        if log_target:
            right = _is_log_distribution(target, self._limit(target))
        else:
            right = _is_distribution(target)
        if right:
            return
        other = _is_log_distribution(target, self._limit(target))
        nearly = not log_target and _is_distribution(target, self.limits["off_one"])
        yield self.found(
            message=_("the KL divergence is given a target that is no distribution")
            if log_target or not other
            else _("the KL divergence is given log-probabilities as target, and takes them as is"),
            location=loss.call.location,
            proof=_(
                "log_target is {flag}, and the target does not sum to 1 along any dimension"
            ).format(flag=log_target),
            why=_("target * (log target - input) is a divergence for distributions only"),
            severity="info" if nearly else None,
            fix="F.kl_div(log_p, log_q, reduction='batchmean', log_target=True)"
            if other
            else "F.kl_div(log_p, q.softmax(1), reduction='batchmean')",
        )

    def _limit(self, tensor: Tensor) -> float:
        return max(self.limits["logsumexp"], 8 * torch.finfo(tensor.dtype).eps)


def _dimension_sets(tensor: Tensor) -> Iterator[tuple[int, ...]]:
    dims = range(tensor.ndim)
    for size in (1, 2, 3):
        yield from combinations(dims, size)


def _is_log_distribution(tensor: Tensor, limit: float) -> bool:
    numbers = tensor_tests.sample(tensor)
    if numbers is None or float(numbers.max()) > limit:
        return False
    return any(
        float(torch.logsumexp(numbers, dims).abs().max()) < limit
        for dims in _dimension_sets(numbers)
    )


def _is_distribution(tensor: Tensor, off: float = 0.0) -> bool:
    """Return whether numbers sum to 1 along some dimensions, up to rounding and `off`."""
    numbers = tensor_tests.sample(tensor)
    if numbers is None or float(numbers.min()) < 0.0:
        return False
    limit = tensor_tests.simplex_tolerance(numbers.numel(), tensor.dtype) * 10 + off
    return any(_sums_to_one(numbers.sum(dims), limit) for dims in _dimension_sets(numbers))


def _sums_to_one(sums: Tensor, limit: float) -> bool:
    """Return whether every sum is 1, or 0 where a row is left out (padding)."""
    ones = (sums - 1.0).abs() < limit
    return bool(ones.any()) and bool((ones | (sums == 0)).all())
