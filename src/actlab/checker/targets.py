"""The target batch: which task it poses."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from actlab.capture.trace import tensors_in
from actlab.checker.analysis import tensor_tests
from actlab.errors import unknown_name
from actlab.tasks import TASKS

CHECKER_ONLY = ("critic", "ranking")
"""Tasks that no target poses; rules read them."""


@dataclass(frozen=True, eq=False)
class Targets:
    """The tensors of the target batch, empty where the step has none that is known.

    `made_up` targets fit in shape and dtype only: nothing is to be concluded from their numbers.
    """

    tensors: tuple[Tensor, ...] = ()
    made_up: bool = False

    @classmethod
    def of(cls, batch: Any, made_up: bool = False) -> "Targets":
        """Collect the tensors of a target: a tensor, or tuples, lists and dictionaries of them."""
        return cls(tuple(tensors_in(batch)), made_up)

    @property
    def ids(self) -> frozenset[int]:
        """Return the identities of the tensors."""
        return frozenset(id(tensor) for tensor in self.tensors)

    @property
    def samples(self) -> int | None:
        """Return the length of the first dimension, None without targets."""
        sized = [tensor for tensor in self.tensors if tensor.ndim > 0]
        return sized[0].shape[0] if sized else None


def checked_task(name: str | None) -> str | None:
    """Return a task name that rules know; UnknownNameError otherwise."""
    known = [task.name for task in TASKS] + list(CHECKER_ONLY)
    if name is not None and name not in known:
        raise unknown_name("task", name, known)
    return name


def infer_task(target: Tensor) -> str | None:
    """Return the task that a target batch poses, None where it cannot be told.

    Class indices are "multiclass", or "binary" where only 0 and 1 occur; rows of zeros and ones are
    "multilabel", or "multiclass" where each has a single one; a column of zeros and ones is
    "probability"; other real numbers are "regression".

    >>> infer_task(torch.tensor([0, 3, 9]))
    'multiclass'
    """
    numbers = tensor_tests.sample(target)
    if numbers is None or (target.dtype is torch.bool and target.ndim == 0):
        return None
    zero_one = bool(((numbers == 0) | (numbers == 1)).all())
    columns = target.shape[1] if target.ndim >= 2 else 1
    if zero_one and columns >= 2 and target.ndim == 2:
        return "multilabel" if tensor_tests.is_multi_hot(target) else "multiclass"
    if target.is_floating_point():
        return "probability" if zero_one else "regression"
    return "binary" if zero_one else "multiclass"
