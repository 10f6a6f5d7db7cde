"""Training a population to its end, in as few parts as memory allows."""

import gc
import warnings
from collections import deque
from collections.abc import Callable, Sequence

import torch
from torch import nn

from actlab.errors import DeviceError
from actlab.i18n import _
from actlab.training.examples import TrainingData
from actlab.training.fused.activation import activates, kind_of
from actlab.training.fused.lockstep import Lockstep
from actlab.training.fused.member import Member, check
from actlab.training.loop import Recipe, Training

FULL = 0.6
"""A population is made smaller when less than this share of it still learns; on a GPU a smaller
one costs the recording of a new graph."""


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def train_population(
    models: Sequence[nn.Module],
    data: Sequence[TrainingData],
    recipes: Sequence[Recipe],
    say: Callable[[str], None] = _warn,
) -> list[Training]:
    """Train every model as `train` does by its recipe on its data, all of them in lock-step.

    The results equal those of separate trainings up to rounding, in the order of the models, which
    end up with the weights of their best epochs. `seconds` are a training's share of the time. Data
    that trainings share (the same object) are read once. A population for which the device's memory
    is too small is halved, with a word to `say`; what had ended before is kept.

    The models are plain sequences that `fusable` accepts, alike but for their activations; their
    recipes may differ in learning rate, order, weight decay, patience and limit.

    Raises ValueError for a population that cannot be fused, DeviceError where the memory is too
    small for one network.

    >>> from actlab.records import Protocol
    >>> from actlab.training import Examples
    >>> part = Examples(torch.eye(4).reshape(4, 1, 2, 2), torch.arange(4))
    >>> networks = [nn.Sequential(nn.Flatten(), nn.Linear(4, 4)) for _ in range(3)]
    >>> recipes = [Recipe(0.1, Protocol("corrected", "logits"), order_seed=seed) for seed in (1, 2)]
    >>> data = [TrainingData(part, part, part)] * 2
    >>> [found.valid_accuracy for found in train_population(networks[:2], data, recipes)]
    [1.0, 1.0]
    """
    members = [Member(*given) for given in zip(models, data, recipes, strict=True)]
    check(members)
    waiting = deque([sorted(members, key=_activations)] if members else [])
    while waiting:
        part = waiting.popleft()
        if _fits(part):
            continue
        left = [member for member in part if member.training is None]
        if len(left) == 1:
            raise DeviceError(
                _(
                    "The device's memory must hold at least one network and its batch; it does "
                    "not. Free some of it, or use --device cpu."
                )
            )
        say(
            _(
                "The device's memory is too small for {count} trainings at a time; they go on "
                "as two halves, from their start."
            ).format(count=len(left))
        )
        middle = len(left) // 2
        waiting.extendleft((left[middle:], left[:middle]))
    return [member.training for member in members if member.training is not None]


def _fits(members: Sequence[Member]) -> bool:
    """Train a population to its end; return whether the memory was enough."""
    try:
        _train(members)
    except torch.OutOfMemoryError:
        enough = False
    else:
        enough = True
    if not enough and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
    return enough


def _train(members: Sequence[Member]) -> None:
    for member in members:
        member.begin()
    population = Lockstep(members)
    while population.learning:
        if population.learning < FULL * len(population.members):
            population.conclude()
            population = population.smaller()
        population.epoch()
    population.conclude()


def _activations(member: Member) -> list[str]:
    """Return by what a population is sorted, so that equal activations lie side by side."""
    return [kind_of(layer) for layer in member.model.children() if activates(layer)]
