"""Together or one by one: whichever a few steps of these very trainings show to be faster."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from actlab.records import Precision, Protocol
from actlab.training.examples import Examples, TrainingData
from actlab.training.fused.layers import fusable
from actlab.training.fused.lockstep import Lockstep
from actlab.training.fused.member import Member
from actlab.training.fused.population import train_population
from actlab.training.loop import Recipe, Training, train
from actlab.training.precision import ARITHMETIC, faster_precision, step_seconds

_STEPS = 8
"""The quickest counts; on a GPU the first few are eager, the next records the graph."""


def train_together(
    models: Sequence[nn.Module],
    data: Sequence[TrainingData],
    recipes: Sequence[Recipe],
    view: Callable[[nn.Module], nn.Module],
) -> list[Training]:
    """Train every model by its recipe: in lock-step where that is measured to be faster.

    `view` returns a model as the plain sequence of its layers, which it shares, where it is one.
    """
    sequences = [view(model) for model in models]
    if (
        len(models) > 1
        and all(fusable(sequence) for sequence in sequences)
        and fused_gain(models, sequences, data, recipes) > 1
    ):
        return train_population(sequences, data, recipes)
    return [train(*given) for given in zip(models, data, recipes, strict=True)]


def fused_gain(
    models: Sequence[nn.Module],
    sequences: Sequence[nn.Module],
    data: Sequence[TrainingData],
    recipes: Sequence[Recipe],
) -> float:
    """Return how many times as long a step takes one by one as in lock-step; nothing is learnt.

    The separate step counts without its optimiser. Infinity where memory does not hold the
    population: `train_population` then finds out in how many parts it does.
    """
    given = zip(sequences, data, recipes, strict=True)
    try:
        together = Lockstep([Member(*each) for each in given]).step_seconds(_STEPS)
    except torch.OutOfMemoryError:
        return float("inf")
    images = data[0].train.images[: recipes[0].protocol.batch_size]
    separate = [step_seconds(models[0], images, recipes[0].arithmetic) for _step in range(_STEPS)]
    return min(separate) * len(models) / together


def faster_precision_together(
    model: nn.Module, images: Tensor, protocol: Protocol, count: int
) -> Precision:
    """Return the precision in which `count` networks like `model` take a step in less time.

    `images` are a batch. In lock-step where they can be, else as one network alone; the weights
    stay as they are.
    """
    if count == 1 or not fusable(model):
        return faster_precision(model, images)
    labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    part = Examples(images, labels)
    data = TrainingData(part, part, part)
    seconds: dict[Precision, float] = {}
    for precision, arithmetic in ARITHMETIC.items():
        member = Member(model, data, Recipe(0.0, protocol, order_seed=0, arithmetic=arithmetic))
        try:
            seconds[precision] = Lockstep([member] * count).step_seconds(_STEPS)
        except torch.OutOfMemoryError:
            return faster_precision(model, images)
    return min(seconds, key=lambda precision: seconds[precision])
