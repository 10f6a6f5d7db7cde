"""ACT509: a trained network that is no better than a constant."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.location import Location
from actlab.checker.analysis.losses import REGRESSION, LossCall
from actlab.checker.analysis.prediction import readable_target
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import sample
from actlab.checker.report import Finding
from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules._batches import class_batch, real_batch
from actlab.checker.rules.after_the_loss.thresholds_and_metrics import passes
from actlab.i18n import _
from actlab.text import decimal

_ROWS = 16
"""Fewer samples than that say nothing about a mean."""


def _trained(net: nn.Module, loss: nn.Module, batch: tuple[Tensor, Tensor]) -> Situation:
    """Return a step after sixty of Adam's, which moved nothing: the learning rate is 0."""
    x, y = batch
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    for _step in range(60):
        optimizer.zero_grad()
        loss(net(x), y).backward()
        optimizer.step()
    return Situation(step=lambda: loss(net(x), y), model=net, optimizer=optimizer)


def _stuck() -> nn.Sequential:
    hidden, out = nn.Linear(20, 8), nn.Linear(8, 5)
    nn.init.constant_(hidden.bias, -100.0)  # nothing gets through
    nn.init.zeros_(out.bias)
    return nn.Sequential(hidden, nn.ReLU(), out)


def _no_better_than_guessing() -> Situation:
    return _trained(_stuck(), nn.CrossEntropyLoss(), class_batch(5))


def _no_better_than_the_mean() -> Situation:
    return _trained(_stuck(), nn.MSELoss(), real_batch(5))


def _answers_that_differ() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(), nn.Linear(8, 5))
    return _trained(net, nn.CrossEntropyLoss(), class_batch(5))


@dataclass(frozen=True)
class AnswerMeasure:
    """The outputs of one pass of a training for `rows` samples, without their loss.

    `spread` is how much they differ, relative to the first pass; `cancelled` the size of the mean
    of their gradients, relative to that of the gradients, which is 0 for the best constant.
    """

    rows: int
    spread: float
    cancelled: float


class NoBetterThanConstant(Rule):
    """A network that has been trained some way says the same to everything, and no better.

    ## What it does
    Where the optimizer has stepped at least 50 times, compares the loss with that of the best
    constant on the same targets: their mean for a squared error, the shares of the classes for a
    cross entropy. Reports a loss that is no better, if the answers to different samples are nearly
    identical, too. An untrained network is left alone. `actlab.watch`, which sees no loss, reports
    two sampled passes in a row, from the 50th on, in which the outputs differ by less than 2 % of
    what they did at first while the gradients on them cancel each other, as they do at the best
    constant.

    ## Why is this bad?
    0.6931 is ln 2, the binary cross entropy of saying one half to everything; 0.25 is the squared
    error of saying one half to zeros and ones. A loss that stays there has learnt nothing from the
    inputs, and only looks as if it had converged.

    ## Example
    ```python
    # epoch 50: loss 0.6931
    ```

    ## Use instead
    ```python
    # look at dead units, a second activation, the learning rate, and the inputs' scale
    ```

    ## Sources
    - Goodfellow, Bengio and Courville 2016, Deep learning, section 11.5: compare with a constant.
    """

    code = "ACT509"
    name = "no-better-than-constant"
    severity = "warning"
    looks_at = "losses"
    thresholds = {"steps": 50, "gain": 0.01, "spread": 0.02, "sigmas": 3.0}  # noqa: RUF012  read only
    faulty = (Case(_no_better_than_guessing, "warning"), Case(_no_better_than_the_mean, "warning"))
    clean = (Case(_answers_that_differ),)

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each loss that a constant would reach."""
        if step.trained_steps < self.limits["steps"]:
            raise NotCheckable(
                _("the network has been trained for {given} steps; {least} say something").format(
                    given=step.trained_steps, least=int(self.limits["steps"])
                )
            )
        for one in passes(step):
            for loss in one.loss_calls:
                found = _of_constant(loss)
                if found is None or not one.is_live(loss.input):
                    continue
                cost, constant, spread = found
                if cost < (1.0 - self.limits["gain"]) * constant or spread > self.limits["spread"]:
                    continue
                yield self.found(
                    message=_("the loss is no better than that of a constant"),
                    location=loss.call.location,
                    proof=_(
                        "it is {cost} after {steps} steps; the best constant costs {constant}, and "
                        "answers to different samples differ by {spread} of what they should"
                    ).format(
                        cost=decimal(cost),
                        steps=step.trained_steps,
                        constant=decimal(constant),
                        spread=decimal(spread),
                    ),
                    why=_("nothing of the inputs has been learnt"),
                    fix=_("# look at dead units, a second activation, the scale of the inputs"),
                )

    def judge(self, measure: AnswerMeasure, passes: int, place: Location) -> Iterator[Finding]:
        """Yield a finding for outputs that are one constant, the best one, in the pass `passes`."""
        chance = self.limits["sigmas"] / math.sqrt(measure.rows)
        if passes < self.limits["steps"] or measure.spread > self.limits["spread"]:
            return
        if measure.cancelled <= chance:
            yield self.found(
                message=_("the answers are one constant, and no other would be better"),
                location=place,
                proof=_(
                    "answers to {rows} samples differ by {spread} of what they did at first, and "
                    "the mean of their gradients is {cancelled} of their size"
                ).format(
                    rows=measure.rows,
                    spread=decimal(measure.spread),
                    cancelled=decimal(measure.cancelled),
                ),
                why=_("nothing of the inputs has been learnt"),
                fix=_("# look at dead units, a second activation, the scale of the inputs"),
            )


def _of_constant(loss: LossCall) -> tuple[float, float, float] | None:
    """Return the loss, the best constant's, and how far the answers differ, of what they should."""
    target, given = readable_target(loss), sample(loss.input.tensor)
    if target is None or given is None or not loss.input.intact or given.shape[0] < _ROWS:
        return None
    if loss.kind in REGRESSION and target.shape == given.shape:
        wanted = float(target.std(dim=0).mean())
        if wanted == 0.0:
            return None
        cost = float((given - target).square().mean())
        spread = float(given.std(dim=0).mean()) / wanted
        return cost, float(target.var(dim=0, correction=0).mean()), spread
    if loss.kind in ("bce", "bce_logits") and target.shape == given.shape and not loss.custom:
        p = torch.sigmoid(given) if loss.kind == "bce_logits" else given
        return _of_shares(p, target, float(F.binary_cross_entropy(p.clamp(0, 1), target)))
    if loss.kind == "cross_entropy" and not loss.custom and given.ndim == 2:
        assert loss.target is not None
        index = loss.target.tensor
        if index.is_floating_point() or index.shape != given.shape[:1] or int(index.min()) < 0:
            return None
        shares = torch.bincount(index.long(), minlength=given.shape[1]).float() / len(index)
        constant = -float(torch.special.xlogy(shares, shares).sum())
        spread = float(given.softmax(1).std(dim=0).max())
        cost = float(F.cross_entropy(given, index.long()))
        return (cost, constant, spread) if constant > 0.0 else None
    return None


def _of_shares(p: Tensor, target: Tensor, cost: float) -> tuple[float, float, float] | None:
    share = float(target.mean())
    if not 0.0 < share < 1.0:
        return None
    constant = -(share * math.log(share) + (1.0 - share) * math.log(1.0 - share))
    return cost, constant, float(p.std(dim=0).max())
