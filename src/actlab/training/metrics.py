"""Metrics of all outputs at once, by name; what a network puts out stands against its targets.

Outputs are the scores of classes (N, C), one logit (N, 1) for two classes, logits (N, L) of several
yes or no, or predictions (N, K) in the original units. Classes are int64 (N,), else float (N, K).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Measure = Callable[[Tensor, Tensor], float]


def answers(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return what the outputs say, in the form of the targets: classes, or 0 and 1.

    >>> answers(torch.tensor([[0.1, 0.9], [2.0, 1.0]]), torch.tensor([1, 1])).tolist()
    [1, 0]
    """
    if targets.dtype is not torch.int64:
        return (outputs > 0).to(targets.dtype)
    if outputs.ndim == 1 or outputs.shape[1] == 1:
        return (outputs.reshape(-1) > 0).long()
    return outputs.argmax(dim=1)


def accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Return the share of right answers; of several yes or no, over all of them."""
    return float((answers(outputs, targets) == targets).double().mean())


def _sides(outputs: Tensor, targets: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Return for each class, or each yes or no, (said, is) as truths."""
    said = answers(outputs, targets)
    if targets.dtype is torch.int64:
        count = max(int(targets.max()), int(said.max())) + 1
        return [(said == one, targets == one) for one in range(count)]
    return [(said[:, k] > 0.5, targets[:, k] > 0.5) for k in range(targets.shape[1])]


def macro_f1(outputs: Tensor, targets: Tensor) -> float:
    """Return the mean over the classes of F1 = 2 TP / (2 TP + FP + FN), 0 where nothing is right.

    A class that is neither there nor said is left out.

    >>> round(macro_f1(torch.eye(3), torch.tensor([0, 1, 1])), 4)
    0.5556
    """
    found = []
    for said, there in _sides(outputs, targets):
        right, wrong = int((said & there).sum()), int((said ^ there).sum())
        if right + wrong:
            found.append(2 * right / (2 * right + wrong))
    return sum(found) / len(found)


def balanced_accuracy(outputs: Tensor, targets: Tensor) -> float:
    """Return the mean over the classes of the share of their rows that is found.

    Of several yes or no it is the mean over both answers of each.
    """
    found = []
    for said, there in _sides(outputs, targets):
        truths = (True,) if targets.dtype is torch.int64 else (True, False)
        for truth in truths:
            rows = there == truth
            if bool(rows.any()):
                found.append(float((said[rows] == truth).double().mean()))
    return sum(found) / len(found)


def auc(outputs: Tensor, targets: Tensor) -> float:
    """Return the area under the ROC curve: how often a row of a class outranks one of another.

    Of several classes the mean over one class against the rest, of several yes or no over them.
    NaN where no class has both.

    >>> auc(torch.tensor([[0.1], [0.4], [0.35], [0.8]]), torch.tensor([0, 0, 1, 1]))
    0.75
    """
    if targets.dtype is torch.int64:
        if outputs.ndim == 1 or outputs.shape[1] == 1:
            columns = [(outputs.reshape(-1), targets == 1)]
        elif outputs.shape[1] == 2:  # its two classes mirror each other
            columns = [(outputs[:, 1] - outputs[:, 0], targets == 1)]
        else:
            shares = outputs.softmax(dim=1)
            columns = [(shares[:, k], targets == k) for k in range(outputs.shape[1])]
    else:
        columns = [(outputs[:, k], targets[:, k] > 0.5) for k in range(targets.shape[1])]
    found = [_outranks(scores, there) for scores, there in columns]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else float("nan")


def _outranks(scores: Tensor, there: Tensor) -> float | None:
    """Return Mann and Whitney's U as a share, ties counted half."""
    positive, negative = int(there.sum()), int((~there).sum())
    if not positive or not negative:
        return None
    places, counts = np.unique(scores.numpy(force=True), return_inverse=True, return_counts=True)[
        1:
    ]
    ranks = (counts.cumsum() - (counts - 1) / 2)[places]
    total = float(ranks[there.numpy(force=True)].sum())
    return (total - positive * (positive + 1) / 2) / (positive * negative)


def rmse(outputs: Tensor, targets: Tensor) -> float:
    """Return the root of the mean squared error."""
    return float((outputs.double() - targets.double()).square().mean().sqrt())


def mae(outputs: Tensor, targets: Tensor) -> float:
    """Return the mean absolute error."""
    return float((outputs.double() - targets.double()).abs().mean())


def r2(outputs: Tensor, targets: Tensor) -> float:
    """Return 1 - (squared errors) / (squared deviations from the mean), over all columns.

    >>> r2(torch.tensor([[1.0], [2.0]]), torch.tensor([[1.0], [3.0]]))
    0.5
    """
    wanted = targets.double()
    deviations = (wanted - wanted.mean(dim=0)).square().sum()
    return float(1 - (outputs.double() - wanted).square().sum() / deviations)


MEASURES: dict[str, Measure] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "balanced_accuracy": balanced_accuracy,
    "auc": auc,
    "rmse": rmse,
    "mae": mae,
    "r2": r2,
}
"""The metrics that `actlab.records.METRICS` names."""
