"""From what a study trains for to its objective: loss, metric and direction, by task or by address.

A part of the user's own is called in the way of its kind: a loss with outputs and targets, a metric
with all outputs and all targets. A class is made an object first, without arguments.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.addresses import UserCodeError, find, user_code
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _
from actlab.records import METRICS, Protocol, TrainingPlan
from actlab.training.metrics import MEASURES, Measure
from actlab.training.objective import CLASSIFICATION, Objective, right_classes
from actlab.training.parts import Parts, optimiser_by_name, schedule_by_name

LOSSES: dict[str, Callable[..., Tensor]] = {
    "cross_entropy": F.cross_entropy,
    "bce": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "l1": F.l1_loss,
    "huber": F.huber_loss,
    "smooth_l1": F.smooth_l1_loss,
}
"""The losses that are known by name."""


class TrainingPartError(UserCodeError):
    """A part of a training of the user's own that raises, or gives what it must not."""


@dataclass(frozen=True)
class ColumnScale:
    """Mean and deviation of each column of a regression's target over the training rows."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, targets: Tensor) -> "ColumnScale":
        """Return the scale of targets (N, K); a column without a spread is left as wide as it is.

        >>> ColumnScale.of(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).mean
        (2.0, 5.0)
        """
        numbers = targets.double()
        spread = numbers.std(dim=0, correction=0)
        return cls(
            tuple(numbers.mean(dim=0).tolist()),
            tuple(torch.where(spread > 0, spread, torch.ones_like(spread)).tolist()),
        )

    def scaled(self, targets: Tensor) -> Tensor:
        """Return targets as they are trained on, of mean 0 and deviation 1 by column."""
        return (targets - targets.new_tensor(self.mean)) / targets.new_tensor(self.deviation)

    def original(self, outputs: Tensor) -> Tensor:
        """Return what outputs say in the original units, in float64, a column per number."""
        values = as_columns(outputs).double()
        return values * values.new_tensor(self.deviation) + values.new_tensor(self.mean)


def objective_of_study(
    plan: TrainingPlan,
    scale: ColumnScale | None = None,
    weights: Sequence[float] | None = None,
) -> Objective:
    """Return loss and metric of a study.

    `scale` is that of a regression's target over the training rows, `weights` are those of the
    classes. Without anything of the user's own it is cross entropy and accuracy of classes.

    >>> objective_of_study(TrainingPlan()) is CLASSIFICATION
    True
    """
    measured = plan.measured
    if plan.task == "multiclass" and plan.loss is None and not weights and measured.in_percent:
        return CLASSIFICATION
    found = scale or ColumnScale((0.0,), (1.0,))
    measure = None if measured.in_percent and plan.task == "multiclass" else measure_of(plan)
    return Objective(
        loss=_StudyLoss(plan, found, tuple(weights or ())),
        total=right_classes,
        metric="accuracy" if measured.in_percent else "score",
        head=found.original if plan.task == "regression" else _as_they_are,
        measure=measure,
        measured=measured,
    )


def _as_they_are(outputs: Tensor) -> Tensor:
    return outputs.float()


class _StudyLoss:
    """The mean loss over the rows; "sum" is that times their number."""

    def __init__(self, plan: TrainingPlan, scale: ColumnScale, weights: tuple[float, ...]) -> None:
        name = plan.loss or _USUAL_LOSS[plan.task]
        self._plan, self._scale, self._weights = plan, scale, weights
        if ":" in name:
            self._function = _object_of(find(name))
        elif name in LOSSES:
            self._function = LOSSES[name]
        else:
            raise unknown_name(_("loss"), name, LOSSES)
        self._own = ":" in name
        self._name = name

    def __call__(self, outputs: Tensor, targets: Tensor, *, reduction: str = "mean") -> Tensor:
        rows = len(targets)
        if self._own:
            if self._plan.task == "regression":
                outputs, targets = as_columns(outputs), self._scale.scaled(targets)
            called = self._called(outputs, targets)
            return called * rows if reduction == "sum" else called
        if self._plan.task == "regression":
            outputs = as_columns(outputs)
            targets = self._scale.scaled(targets)
        elif self._name == "bce" or (outputs.ndim == 2 and outputs.shape[1] == 1):
            return self._binary(outputs, targets, reduction)
        options: dict[str, Any] = {}
        if self._weights and self._name == "cross_entropy":
            options["weight"] = outputs.new_tensor(self._weights)
        loss: Tensor = self._function(outputs, targets, **options)
        return loss * rows if reduction == "sum" else loss

    def _binary(self, outputs: Tensor, targets: Tensor, reduction: str) -> Tensor:
        wanted = targets.to(outputs.dtype).reshape(outputs.shape)
        weight = None
        if len(self._weights) == 2:
            weight = outputs.new_tensor([self._weights[1] / self._weights[0]])
        loss = F.binary_cross_entropy_with_logits(outputs, wanted, pos_weight=weight)
        return loss * len(targets) if reduction == "sum" else loss

    def _called(self, outputs: Tensor, targets: Tensor) -> Tensor:
        advice = _("A loss is called with outputs and targets, and returns their mean.")
        with user_code(self._name, TrainingPartError, advice=advice):
            loss = self._function(outputs, targets)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            message = _("{address} must return one number as a tensor; it returns {kind}.")
            kind = tuple(loss.shape) if isinstance(loss, Tensor) else type(loss).__name__
            raise TrainingPartError(message.format(address=self._name, kind=kind))
        return loss.reshape(())


_USUAL_LOSS = {
    "multiclass": "cross_entropy",
    "binary": "cross_entropy",
    "multilabel": "bce",
    "regression": "mse",
}


def as_columns(outputs: Tensor) -> Tensor:
    """Return outputs with a column per number: (N,) becomes (N, 1)."""
    return outputs.unsqueeze(1) if outputs.ndim == 1 else outputs


def measure_of(plan: TrainingPlan) -> Measure:
    """Return what measures all outputs against all targets.

    Raises UnknownNameError for a name that is none, TrainingPartError, when called, where a metric
    of the user's own raises.
    """
    name = plan.metric or plan.measured.name
    if ":" not in name:
        if name not in MEASURES:
            raise unknown_name(_("metric"), name, METRICS)
        return MEASURES[name]
    function = _object_of(find(name))

    def measure(outputs: Tensor, targets: Tensor) -> float:
        advice = _("A metric is called with all outputs and all targets, and returns a number.")
        with user_code(name, TrainingPartError, advice=advice):
            found = function(outputs, targets)
            if hasattr(function, "reset"):  # a metric of torchmetrics adds up what it was given
                function.reset()
            return float(found)

    return measure


def parts_of(plan: TrainingPlan, protocol: Protocol) -> Parts:
    """Return optimiser, schedule and augmentation of a plan.

    Raises AddressError or UnknownNameError for what is not there.
    """
    optimiser = None
    if ":" in plan.optimiser:
        optimiser = find(plan.optimiser)
    elif plan.optimiser != "adamw":
        optimiser = optimiser_by_name(plan.optimiser, protocol.weight_decay)
    schedule = None
    if plan.schedule is not None:
        schedule = (
            find(plan.schedule)
            if ":" in plan.schedule
            else schedule_by_name(plan.schedule, protocol.max_epochs)
        )
    augmentation = None if plan.augmentation is None else _object_of(find(plan.augmentation))
    return Parts(optimiser, schedule, augmentation, plan.clip)


def class_weights(plan: TrainingPlan, labels: Tensor) -> tuple[float, ...] | None:
    """Return a weight per class, None for none: given, or `balanced` over the training rows.

    Balanced weights are rows / (classes x rows of the class): each class counts alike.
    """
    if plan.class_weights == "none":
        return None
    if plan.class_weights != "balanced":
        return tuple(plan.class_weights)
    if labels.dtype is not torch.int64:
        raise ActlabError(_("class_weights are for classes; the target holds numbers."))
    counts = torch.bincount(labels).double().clamp(min=1)
    return tuple((len(labels) / (len(counts) * counts)).tolist())


def _object_of(thing: Any) -> Any:
    """Return something to call: of a class an object, of a module or metric a copy."""
    if inspect.isclass(thing):
        return thing()
    if isinstance(thing, nn.Module) or hasattr(thing, "reset"):
        return copy.deepcopy(thing)
    return thing
