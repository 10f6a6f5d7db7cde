"""Predictions of real numbers, next to the targets they are compared with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from actlab.checker.analysis import losses, tensor_tests
from actlab.checker.analysis.interval import UNIT, Interval
from actlab.checker.analysis.losses import LossCall
from actlab.checker.rule import NotCheckable
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_SLACK = 1e-4


@dataclass(frozen=True, eq=False)
class Comparison:
    """One loss on the distance to a target: what the prediction can reach, and the target."""

    loss: LossCall
    reach: Interval
    target: Tensor

    @property
    def low(self) -> float:
        """Return the smallest target."""
        return float(self.target.min())

    @property
    def high(self) -> float:
        """Return the largest target."""
        return float(self.target.max())

    @property
    def outside(self) -> float:
        """Return the share of targets that the prediction cannot reach."""
        return self._beyond(_SLACK * max(1.0, self.high - self.low))

    @property
    def far_outside(self) -> float:
        """Return the share of targets that lie more than their standard deviation out of reach."""
        if self.target.numel() < 2:
            return self.outside
        return self._beyond(float(self.target.std()))

    def _beyond(self, margin: float) -> float:
        out = (self.target < self.reach.low - margin) | (self.target > self.reach.high + margin)
        return float(out.float().mean())


def comparisons(subject: "Subject") -> Iterator[Comparison]:
    """Yield every comparison of a prediction with real targets that can be read."""
    for loss in subject.loss_calls:
        if subject.targets.made_up and (
            loss.kind in losses.REGRESSION or loss.kind == "bce_logits"
        ):
            raise NotCheckable(made_up_reason())
        target = readable_target(loss)
        if target is None:
            continue
        if loss.kind in losses.REGRESSION:
            yield Comparison(loss, subject.range_of(loss.input), target)
        elif loss.kind in ("bce", "bce_logits") and not loss.custom:
            yield Comparison(loss, UNIT, target)


def made_up_reason() -> str:
    """Return why a rule on targets cannot be checked without real ones."""
    return _("the targets were made up; give real ones with --data")


def readable_target(loss: LossCall) -> Tensor | None:
    """Return the numbers of a target, None where there are none to read."""
    if loss.target is None or not loss.target.intact:
        return None
    numbers = tensor_tests.sample(loss.target.tensor)
    return None if numbers is None or not bool(torch.isfinite(numbers).all()) else numbers
