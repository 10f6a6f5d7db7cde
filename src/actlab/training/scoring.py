"""Loss and metric of a network on examples that it does not learn from."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from actlab.training.examples import Examples
from actlab.training.objective import CLASSIFICATION, Objective
from actlab.training.precision import PrecisionPolicy, in_fp32

BATCH = 100
"""Images per forward pass: the time per image is flat from 50 on, memory is not."""


@dataclass(frozen=True)
class Score:
    """The means over the examples of the loss and of the objective's metric.

    The metric of a classification is its accuracy: the fraction of examples whose highest output
    is their label's.
    """

    loss: float
    metric: float


def score(
    model: nn.Module,
    examples: Examples,
    policy: PrecisionPolicy = in_fp32,
    objective: Objective = CLASSIFICATION,
    batch: int = BATCH,
) -> Score:
    """Return the score of `model` in evaluation mode, in which it is left; `batch` rows at a time.

    >>> examples = Examples(torch.eye(4).reshape(4, 1, 2, 2), torch.tensor([0, 1, 2, 0]))
    >>> score(nn.Flatten(), examples).metric
    0.75
    """
    model.eval()
    loss, metric = 0.0, 0.0
    said: list[Tensor] = []
    with torch.inference_mode():
        for start in range(0, len(examples), batch):
            labels = examples.labels[start : start + batch]
            outputs = policy(model, examples.images[start : start + batch])
            loss += float(objective.loss(outputs, labels, reduction="sum"))
            if objective.measure is None:
                metric += objective.total(outputs, labels)
            else:
                said.append(objective.head(outputs))
        if objective.measure is not None:
            found = objective.measure(torch.cat(said), examples.labels)
            return Score(loss=loss / len(examples), metric=found)
    return Score(loss=loss / len(examples), metric=metric / len(examples))


def predict(
    model: nn.Module,
    examples: Examples,
    policy: PrecisionPolicy = in_fp32,
    objective: Objective = CLASSIFICATION,
) -> Tensor:
    """Return what the output layer says of each example, in evaluation mode, on the CPU.

    >>> examples = Examples(torch.eye(4).reshape(4, 1, 2, 2), torch.arange(4))
    >>> predict(nn.Flatten(), examples).shape
    torch.Size([4, 4])
    """
    model.eval()
    with torch.inference_mode():
        outputs = [
            objective.head(policy(model, images)).cpu()
            for images in torch.split(examples.images, BATCH)
        ]
    return torch.cat(outputs)
