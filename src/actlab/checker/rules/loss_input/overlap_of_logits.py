"""ACT114: an overlap loss (Dice, Tversky, Jaccard) of numbers that are no probabilities."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.origins import unscaled
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules.loss_input.bce_on_non_probability import leaves_unit_interval
from actlab.i18n import _


def _dice(p: Tensor, y: Tensor) -> Tensor:
    covered = (p * y).sum()
    return 1 - (2 * covered + 1) / (p.sum() + y.sum() + 1)


def _jaccard_of_classes(p: Tensor, y: Tensor) -> Tensor:
    mask = nn.functional.one_hot(y, 3).permute(0, 3, 1, 2).float()
    covered = (p * mask).sum((2, 3))
    both = (p + mask - p * mask).sum((2, 3))
    return 1 - ((covered + 1) / (both + 1)).mean()


def _tversky(p: Tensor, y: Tensor) -> Tensor:
    p, y = p.flatten(), y.flatten()
    right, extra, missed = (p * y).sum(), (p * (1 - y)).sum(), ((1 - p) * y).sum()
    return 1 - (right + 1) / (right + 0.3 * extra + 0.7 * missed + 1)


def _mask() -> Tensor:
    return (torch.arange(2 * 64).reshape(2, 1, 8, 8) % 3 == 0).float()


def _dice_of_logits() -> Situation:
    return Situation(nn.Conv2d(1, 1, 3, padding=1), _dice, (torch.randn(2, 1, 8, 8), _mask()))


def _jaccard_of_logits() -> Situation:
    y = torch.arange(2 * 64).reshape(2, 8, 8) % 3
    return Situation(nn.Conv2d(1, 3, 1), _jaccard_of_classes, (torch.randn(2, 1, 8, 8), y))


def _dice_at_evaluation(squash: Callable[[Tensor], Tensor]) -> Situation:
    net, x, y = nn.Conv2d(1, 1, 3, padding=1), torch.randn(2, 1, 8, 8), _mask()

    def evaluate() -> float:
        with torch.no_grad():
            p = squash(net(x))
        return ((2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)).item()

    def step() -> Tensor:
        return nn.functional.binary_cross_entropy_with_logits(net(x), y)

    return Situation(step=step, model=net, evaluate=evaluate)


def _dice_of_logits_at_evaluation() -> Situation:
    return _dice_at_evaluation(nn.Identity())


def _dice_of_decisions_at_evaluation() -> Situation:
    return _dice_at_evaluation(lambda scores: (scores > 0).float())


def _dice_of_probabilities() -> Situation:
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())
    return Situation(net, _dice, (torch.randn(2, 1, 8, 8), _mask()))


def _tversky_of_probabilities() -> Situation:
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Sigmoid())
    return Situation(net, _tversky, (torch.randn(2, 1, 8, 8), _mask()))


def _tversky_of_logits() -> Situation:
    return Situation(nn.Conv2d(1, 1, 3, padding=1), _tversky, (torch.randn(2, 1, 8, 8), _mask()))


class OverlapOfLogits(Rule):
    """A Dice, Tversky or Jaccard loss is given numbers that are not confined to [0, 1].

    ## What it does

    Recognises a quotient whose upper half sums predictions where a mask of zeros and ones is 1, and
    whose lower half sums the predictions, too. Reports it where they come from a layer, a norm or a
    rectifier, which leave [0, 1].

    ## Why is this bad?

    The share of a mask that is covered lies in [0, 1] if each prediction does. Of logits it is no
    share: the quotient has a pole where the sums cancel, and the loss can be lowered by large
    numbers of either sign.

    ## Example

        loss = 1 - 2 * (logits * y).sum() / (logits.sum() + y.sum())

    ## Use instead

        p = torch.sigmoid(logits)
        loss = 1 - 2 * (p * y).sum() / (p.sum() + y.sum())

    ## Sources

    - Milletari, Navab and Ahmadi, "V-Net", 3DV 2016, equation 4: the predictions are probabilities.
    - https://github.com/luca-medeiros/lightning-sam/issues/13
    """

    code = "ACT114"
    name = "overlap-of-logits"
    severity = "error"
    looks_at = "overlaps"
    faulty = (
        Case(_dice_of_logits, "error"),
        Case(_jaccard_of_logits, "error"),
        Case(_tversky_of_logits, "error"),
        Case(_dice_of_logits_at_evaluation, "error"),
    )
    clean = (
        Case(_dice_of_probabilities),
        Case(_tversky_of_probabilities),
        Case(_dice_of_decisions_at_evaluation),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each overlap of numbers that leave [0, 1]."""
        for loss in step.loss_calls:
            if loss.kind != "overlap" or step.range_of(loss.input).within(0.0, 1.0):
                continue
            ends = [unscaled(origin) for origin in step.origins(loss.input)]
            leaving = [end for end in ends if leaves_unit_interval(step, end)]
            seen = tensor_tests.extremes(loss.input.tensor)
            if leaving and seen is not None:
                yield self.found(
                    message=_("an overlap loss is given numbers that are no probabilities"),
                    location=loss.call.location,
                    proof=_(
                        "the input comes from {op}, which reaches {range}; on this batch it runs "
                        "from {low:.3g} to {high:.3g}"
                    ).format(
                        op=leaving[0].op,
                        range=step.range_of(leaving[0].value),
                        low=seen[0],
                        high=seen[1],
                    ),
                    why=_("of logits, the covered share of a mask is no share, and has a pole"),
                    fix="p = torch.sigmoid(logits)",
                )
