"""Training a population to its end, in as few parts as memory allows, or its trials one by one.

Which of the two is faster is measured on a few steps of these very trainings. Plain sequences are
stacked to one network; any others step side by side.
"""

import gc
import warnings
from collections import deque
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from actlab.errors import DeviceError
from actlab.i18n import _
from actlab.records import Precision, Protocol
from actlab.sequences import sequence_layers
from actlab.training.examples import Examples, TrainingData
from actlab.training.fused.layers import activates, fusable, kind_of
from actlab.training.fused.population_step import LockStep, Member, Population, check
from actlab.training.fused.side_by_side import SideBySide, repeats
from actlab.training.loop import Recipe, Training, train
from actlab.training.objective import CLASSIFICATION
from actlab.training.parts import USUAL
from actlab.training.precision import POLICIES, clearly_faster, faster_precision, step_seconds

FULL = 0.6
"""A population is made smaller when less than this share of it still learns; on a GPU a smaller
one costs the recording of a new graph."""


Made = Callable[[Sequence[Member]], LockStep]
"""How trials become ones that step together."""


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
    return _train_members(sorted(members, key=_activations), members, Population, say)


def train_side_by_side(
    models: Sequence[nn.Module],
    data: Sequence[TrainingData],
    recipes: Sequence[Recipe],
    say: Callable[[str], None] = _warn,
) -> list[Training]:
    """Train every model as `train` does by its recipe on its data, all of them at the same time.

    As `train_population`, for networks of any kind whose passes `repeats` can be replayed; each
    keeps kernels of its own, so that the results are those of separate trainings.

    >>> from actlab.records import Protocol
    >>> from actlab.training import Examples
    >>> part = Examples(torch.eye(4), torch.arange(4))
    >>> networks = [nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4)) for _ in range(2)]
    >>> recipes = [Recipe(0.1, Protocol("corrected", "logits"), order_seed=seed) for seed in (1, 2)]
    >>> data = [TrainingData(part, part, part)] * 2
    >>> [found.valid_accuracy for found in train_side_by_side(networks, data, recipes)]
    [1.0, 1.0]
    """
    members = [Member(*given) for given in zip(models, data, recipes, strict=True)]
    return _train_members(members, members, SideBySide, say)


def _train_members(
    ordered: Sequence[Member],
    members: Sequence[Member],
    made: Made,
    say: Callable[[str], None],
) -> list[Training]:
    waiting = deque([list(ordered)] if ordered else [])
    while waiting:
        part = waiting.popleft()
        if _fits(part, made):
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


def _fits(members: Sequence[Member], made: Made) -> bool:
    """Train a population to its end; return whether the memory was enough."""
    try:
        _train(members, made)
    except torch.OutOfMemoryError:
        enough = False
    else:
        enough = True
    if not enough and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
    return enough


def _train(members: Sequence[Member], made: Made) -> None:
    for member in members:
        member.begin()
    population = made(members)
    while population.learning:
        if population.learning < FULL * len(population.members):
            population.conclude()
            population = population.smaller()
        population.epoch()
    population.conclude()


def _activations(member: Member) -> list[str]:
    """Return by what a population is sorted, so that equal activations lie side by side."""
    layers = sequence_layers(member.model)
    return [kind_of(layer) for _name, layer in layers if activates(layer)]


_STEPS = 8
"""The quickest counts; on a GPU the first few are eager, the next records the graph."""


def train_together(
    models: Sequence[nn.Module],
    data: Sequence[TrainingData],
    recipes: Sequence[Recipe],
    view: Callable[[nn.Module], nn.Module],
) -> list[Training]:
    """Train every model by its recipe: at the same time where that is measured to be faster.

    `view` returns a model as the plain sequence of its layers, which it shares, where it is one.
    """
    sequences = [view(model) for model in models]
    if len(models) > 1 and all(recipe.parts == USUAL for recipe in recipes):
        if all(r.objective == CLASSIFICATION for r in recipes) and all(map(fusable, sequences)):
            if fused_gain(models, sequences, data, recipes) > 1:
                return train_population(sequences, data, recipes)
        elif side_by_side_gain(models, data, recipes) > 1:
            return train_side_by_side(models, data, recipes)
    return [train(*given) for given in zip(models, data, recipes, strict=True)]


def side_by_side_gain(
    models: Sequence[nn.Module], data: Sequence[TrainingData], recipes: Sequence[Recipe]
) -> float:
    """Return how many times as long a step takes one by one as side by side; nothing is learnt.

    The separate step counts without its optimiser. 0 where a pass cannot be replayed.
    """
    size = recipes[0].protocol.batch_size
    batches = [Examples(part.train.images[:size], part.train.labels[:size]) for part in data]
    if not all(map(repeats, models, recipes, batches)):
        return 0.0
    members = [Member(*given) for given in zip(models, data, recipes, strict=True)]
    try:
        together = SideBySide(members).step_seconds(_STEPS)
    except torch.OutOfMemoryError:
        return float("inf")
    images = batches[0].images
    separate = [step_seconds(models[0], images, recipes[0].policy) for _step in range(_STEPS)]
    return min(separate) * len(models) / together


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
        together = Population([Member(*each) for each in given]).step_seconds(_STEPS)
    except torch.OutOfMemoryError:
        return float("inf")
    images = data[0].train.images[: recipes[0].protocol.batch_size]
    separate = [step_seconds(models[0], images, recipes[0].policy) for _step in range(_STEPS)]
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
    for precision, policy in POLICIES.items():
        member = Member(model, data, Recipe(0.0, protocol, order_seed=0, policy=policy))
        try:
            seconds[precision] = Population([member] * count).step_seconds(_STEPS)
        except torch.OutOfMemoryError:
            return faster_precision(model, images)
    return clearly_faster(seconds)
