"""The plain training loop: one network, one setting, from its first epoch to its score."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from actlab.i18n import _
from actlab.records import Epoch, Outcome, Probes, Protocol
from actlab.training.examples import Examples, TrainingData, epoch_order, epoch_seed
from actlab.training.objective import CLASSIFICATION, Objective
from actlab.training.parts import USUAL, Parts, batches, optimiser_of
from actlab.training.precision import PrecisionPolicy, in_fp32
from actlab.training.probes import ActivationProbe
from actlab.training.progress import Progress, restore, save, weights_to_bytes
from actlab.training.random_state import kept_generators, seed_generators
from actlab.training.scoring import Score, score


@dataclass(frozen=True)
class Recipe:
    """How to train: AdamW's learning rate, the protocol, the seed of the order, the arithmetic.

    The `objective` is what is minimised, and what decides which epoch is the best. With a `probe`
    the trained network is looked into, which changes nothing else that comes out. `parts` are what
    a study trains with beside AdamW; `undecayed` names parameters that weight decay leaves alone.
    `on_epoch` is called with the number of each epoch that was trained, and the epoch.
    """

    learning_rate: float
    protocol: Protocol
    order_seed: int
    policy: PrecisionPolicy = in_fp32
    probe: ActivationProbe | None = None
    objective: Objective = CLASSIFICATION
    on_epoch: Callable[[int, Epoch], None] | None = None
    parts: Parts = USUAL
    undecayed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Training:
    """What came out of a training, or of the segment that ended it or paused it.

    `state` holds the weights file of the best epoch (empty where there is none) or, when the
    outcome is `paused`, what the next segment needs. The figure on valid_trial is an accuracy, or
    for a regression the mean squared error in the original units.
    """

    outcome: Outcome
    reason: str | None
    curve: tuple[Epoch, ...]
    best_epoch: int | None
    valid_accuracy: float | None
    seconds: float
    state: bytes
    probes: Probes | None = None
    valid_mse: float | None = None
    valid_score: float | None = None


def train(
    model: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    state: bytes | None = None,
    until_epoch: int | None = None,
) -> Training:
    """Train `model` by AdamW on the objective's loss, with early stopping.

    An epoch visits all training examples once, in an order of its own, in batches. The training
    ends when `patience` epochs have brought no strictly better metric on valid_epoch, after
    `max_epochs`, or when a loss is not finite; the weights of the best epoch are the result and
    are scored on valid_trial. With `until_epoch` it pauses after that epoch; given the returned
    `state` it goes on, to the same end, bit for bit, as a training that was never paused.

    AdamW: Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2, with torch's defaults other
    than learning rate and weight decay.

    >>> part = Examples(torch.eye(4).reshape(4, 1, 2, 2), torch.arange(4))
    >>> network = nn.Sequential(nn.Flatten(), nn.Linear(4, 4))
    >>> recipe = Recipe(0.1, Protocol("corrected", "logits"), order_seed=1)
    >>> train(network, TrainingData(part, part, part), recipe).valid_accuracy
    1.0
    """
    decay = recipe.protocol.weight_decay
    optimiser = optimiser_of(model, recipe.parts, recipe.learning_rate, decay, recipe.undecayed)
    schedule = None if recipe.parts.schedule is None else recipe.parts.schedule(optimiser)
    progress = Progress() if state is None else restore(state, model, optimiser, schedule)
    if recipe.probe is not None and state is None:
        progress.learnt.append(recipe.probe.learnt(model))
    with kept_generators():
        while not progress.ended(recipe.protocol):
            if until_epoch is not None and len(progress.curve) >= until_epoch:
                return _paused(progress, save(progress, model, optimiser, schedule))
            number = len(progress.curve) + 1
            epoch = _train_epoch(model, data, recipe, optimiser, number)
            if schedule is not None:
                schedule.step()
            progress.add(epoch, model, recipe.objective.better)
            if recipe.on_epoch is not None:
                recipe.on_epoch(len(progress.curve), epoch)
            if recipe.probe is not None:
                progress.learnt.append(recipe.probe.learnt(model))
        seed_generators(epoch_seed(recipe.order_seed, 0))
        return _finished(model, data, recipe, progress)


def _train_epoch(
    model: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    number: int,
) -> Epoch:
    started = time.perf_counter()
    train_loss = _learn(model, data.train, recipe, optimiser, number)
    valid = score(model, data.valid_epoch, recipe.policy, recipe.objective)
    return epoch_of(recipe, train_loss, valid, time.perf_counter() - started)


def epoch_of(recipe: Recipe, train_loss: float, valid: Score, seconds: float) -> Epoch:
    """Return what an epoch came to; a loss that is not a finite number is none."""
    train, held = (loss if math.isfinite(loss) else None for loss in (train_loss, valid.loss))
    figures = recipe.objective.figures(valid.metric)
    return Epoch(train_loss=train, valid_loss=held, seconds=seconds, **figures)


def _learn(
    model: nn.Module,
    examples: Examples,
    recipe: Recipe,
    optimiser: torch.optim.Optimizer,
    number: int,
) -> float:
    """Visit every example once and return the mean loss, each batch's from before its step."""
    model.train()
    # What a layer draws at random depends on seed and epoch alone, as the order does.
    seed_generators(epoch_seed(recipe.order_seed, number))
    device = examples.labels.device
    order = torch.from_numpy(epoch_order(len(examples), recipe.order_seed, number)).to(device)
    total = torch.zeros((), dtype=torch.float64, device=device)
    parts = recipe.parts
    for batch in batches(order, recipe.protocol.batch_size):
        optimiser.zero_grad()
        images = examples.images.index_select(0, batch)
        if parts.augmentation is not None:
            images = parts.augmentation(images)
        outputs = recipe.policy(model, images)
        loss = recipe.objective.loss(outputs, examples.labels.index_select(0, batch))
        torch.autograd.backward(loss)
        if parts.clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), parts.clip)
        optimiser.step()
        total += loss.detach() * len(batch)
    return float(total) / len(examples)


def _paused(progress: Progress, state: bytes) -> Training:
    return Training(
        outcome=Outcome.PAUSED,
        reason=_("Paused after epoch {epoch}.").format(epoch=len(progress.curve)),
        curve=tuple(progress.curve),
        best_epoch=progress.best_epoch,
        valid_accuracy=None,
        seconds=progress.seconds,
        state=state,
    )


def _finished(model: nn.Module, data: TrainingData, recipe: Recipe, progress: Progress) -> Training:
    started = time.perf_counter()
    found = None
    if not progress.diverged:
        model.load_state_dict(progress.best_weights)
        found = score(model, data.valid_trial, recipe.policy, recipe.objective).metric
    progress.seconds += time.perf_counter() - started
    return conclude(model, data, recipe, progress, found)


def conclude(
    model: nn.Module,
    data: TrainingData,
    recipe: Recipe,
    progress: Progress,
    metric: float | None,
) -> Training:
    """Return what came out of a training that has ended, with its metric on valid_trial.

    `model` has the weights of the best epoch, and `metric` is a number, unless it diverged.
    """
    figures: dict[str, float | None] = {"valid_accuracy": None}
    reason = None
    if metric is not None:
        figures = recipe.objective.figures(metric)
    else:
        reason = _("The loss was not a finite number in epoch {epoch}.").format(
            epoch=len(progress.curve)
        )
    return Training(
        outcome=Outcome.DIVERGED if progress.diverged else Outcome.COMPLETED,
        reason=reason,
        curve=tuple(progress.curve),
        best_epoch=progress.best_epoch,
        seconds=progress.seconds,
        state=weights_to_bytes(progress.best_weights) if progress.best_weights else b"",
        probes=None if progress.diverged else _probes(model, data, recipe, progress),
        **figures,
    )


def _probes(
    model: nn.Module, data: TrainingData, recipe: Recipe, progress: Progress
) -> Probes | None:
    """Return what is seen in the network of the best epoch; it takes no part in `seconds`."""
    probe = recipe.probe
    if probe is None:
        return None
    return Probes(
        images=min(probe.images, len(data.valid_epoch)),
        layers=probe.layers(model, data.valid_epoch, recipe.objective.loss),
        learnt=probe.traces(model, progress.learnt),
    )
