"""What each task asks of the output layer, after the document's table of output activations."""

from dataclasses import dataclass
from typing import Literal

from actlab.errors import unknown_name
from actlab.i18n import N_

HeadName = Literal["none", "sigmoid", "softmax"]
LossName = Literal["mse", "bce", "ce"]


@dataclass(frozen=True)
class Task:
    """One task.

    `target` says what the target batch holds, `head` is the output activation that fits, `loss`
    the loss behind it. With PyTorch's losses on logits (`cross_entropy`,
    `binary_cross_entropy_with_logits`) the head is part of the loss and the model ends in a plain
    linear layer. `larger_is_better` is the direction of `metric`.
    """

    name: str
    target: str
    head: HeadName
    loss: LossName
    metric: Literal["mse", "accuracy"]
    larger_is_better: bool


TASKS: tuple[Task, ...] = (
    Task("regression", N_("real numbers"), "none", "mse", "mse", False),
    Task("probability", N_("one number, 0 or 1"), "sigmoid", "bce", "accuracy", True),
    Task("binary", N_("one of two classes, two outputs"), "softmax", "ce", "accuracy", True),
    Task("multiclass", N_("one of several classes"), "softmax", "ce", "accuracy", True),
    Task("multilabel", N_("any number of classes at once"), "sigmoid", "bce", "accuracy", True),
)


def task(name: str) -> Task:
    """Return the task of that name; UnknownNameError where there is none.

    >>> task("multiclass").head
    'softmax'
    """
    for known in TASKS:
        if known.name == name:
            return known
    raise unknown_name("task", name, [known.name for known in TASKS])
