"""Loss and accuracy of a network on examples that it does not learn from."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from actlab.training.examples import Examples
from actlab.training.precision import Arithmetic, in_fp32

_BATCH = 100
"""Images per forward pass: the time per image is flat from 50 on, memory is not."""


@dataclass(frozen=True)
class Score:
    """Mean cross entropy, and the fraction of examples whose highest output is their label's."""

    loss: float
    accuracy: float


def score(model: nn.Module, examples: Examples, arithmetic: Arithmetic = in_fp32) -> Score:
    """Return the score of `model` in evaluation mode, in which it is left.

    >>> examples = Examples(torch.eye(4).reshape(4, 1, 2, 2), torch.tensor([0, 1, 2, 0]))
    >>> score(nn.Flatten(), examples).accuracy
    0.75
    """
    model.eval()
    loss, correct = 0.0, 0
    with torch.inference_mode():
        for start in range(0, len(examples), _BATCH):
            labels = examples.labels[start : start + _BATCH]
            outputs = arithmetic(model, examples.images[start : start + _BATCH])
            loss += float(F.cross_entropy(outputs, labels, reduction="sum"))
            correct += int((outputs.argmax(dim=1) == labels).sum())
    return Score(loss=loss / len(examples), accuracy=correct / len(examples))
