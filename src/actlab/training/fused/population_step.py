"""The steps and epochs of a population: all its trials take each step at the same time.

On a CUDA device a step is recorded once as a graph and then replayed, as one launch.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from actlab.sequences import sequence_layers
from actlab.training.examples import TrainingData
from actlab.training.fused.adamw import StackedAdamW
from actlab.training.fused.layers import fusable
from actlab.training.fused.network import FusedNetwork, Layout
from actlab.training.fused.pool import Pool, cross_entropies
from actlab.training.loop import Recipe, Training, conclude, epoch_of
from actlab.training.objective import CLASSIFICATION
from actlab.training.parts import USUAL, batches
from actlab.training.progress import Progress


@dataclass
class Member:
    """A trial, how far it is, and in the end what came out of it."""

    model: nn.Module
    data: TrainingData
    recipe: Recipe
    progress: Progress = field(default_factory=Progress)
    training: Training | None = None

    @property
    def ended(self) -> bool:
        """Return whether no further epoch is to be trained."""
        return self.progress.ended(self.recipe.protocol)

    def begin(self) -> None:
        """Forget what an earlier try came to."""
        self.progress = Progress()
        self.look()

    def look(self, layout: Layout | None = None, row: Tensor | None = None) -> None:
        """Note the learnable parameters of the activations, where a probe asks for them.

        Those of a row of weights, in place of the model's own, are looked at in a copy.
        """
        probe = self.recipe.probe
        if probe is None:
            return
        if layout is None or row is None:
            self.progress.learnt.append(probe.learnt(self.model))
            return
        own = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(layout.state_dict(row, self.model))
        self.progress.learnt.append(probe.learnt(self.model))
        self.model.load_state_dict(own)

    def conclude(self, layout: Layout, best: Tensor, metric: float) -> None:
        """Keep what came out, given the weights of the best epoch and their metric."""
        if self.progress.best_epoch is not None:
            self.progress.best_weights = layout.state_dict(best, self.model)
            self.model.load_state_dict(self.progress.best_weights)
        found = None if self.progress.diverged else metric
        self.training = conclude(self.model, self.data, self.recipe, self.progress, found)


def check(members: Sequence[Member]) -> None:
    """Raise ValueError where these cannot be trained in lock-step."""
    for member in members:
        if not fusable(member.model):
            raise ValueError(
                "the networks of a population must be plain sequences of layers that can be fused; "
                f"got {member.model}"
            )
        if member.recipe.objective != CLASSIFICATION or member.recipe.parts != USUAL:
            raise ValueError("a population is trained by AdamW and cross entropy on classes")
    if len({len(sequence_layers(member.model)) for member in members}) > 1:
        raise ValueError("the networks of a population must have the same number of layers")
    shared = {
        (recipe.protocol.batch_size, recipe.policy)
        for recipe in (member.recipe for member in members)
    }
    if len(shared) > 1:
        raise ValueError("the trials of a population must share batch size and arithmetic")


Step = Callable[[], None]

_EAGER = 1
"""Steps before the recording, in which libraries choose their kernels and take their memory."""


def captured(step: Step, device: torch.device) -> Step:
    """Return `step` as it is, or where `device` is CUDA as one that replays a graph of it.

    `step` must read and write the same memory in each call, and wait for nothing on the host.
    """
    return _Captured(step) if device.type == "cuda" else step


class _Captured:
    """The first calls are steps like all others, on a stream of their own, as capture asks for."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._eager = _EAGER
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        if self._eager > 0:
            self._eager -= 1
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                self._step()
            torch.cuda.current_stream().wait_stream(self._stream)
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # records, and computes nothing
                self._step()
        self._graph.replay()


class LockStep(ABC):
    """Trials that take each step at the same time: what all ways to do so share."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        trains = [member.data.train for member in self.members]
        if len({len(train) for train in trains}) > 1:
            raise ValueError("the trials of a population must have the same numbers of examples")
        self._count, self._device = len(trains[0]), trains[0].labels.device
        self._batch_size = self.members[0].recipe.protocol.batch_size
        self._losses = torch.zeros(len(self.members), dtype=torch.float64, device=self._device)
        self._steps: dict[torch.Size, tuple[Tensor, Step]] = {}

    @property
    def learning(self) -> int:
        """Return how many trials still learn."""
        return sum(not member.ended for member in self.members)

    @abstractmethod
    def epoch(self) -> None:
        """Train every trial that still learns for one epoch."""

    @abstractmethod
    def conclude(self) -> None:
        """Score the trials that have ended, and keep what came out of them."""

    @abstractmethod
    def smaller(self) -> "LockStep":
        """Return those that still learn, which go on where they are."""

    def step_seconds(self, count: int) -> float:
        """Return the time of the quickest of some steps; the trials are of no use after them."""
        rows = self._orders(1)[:, : self._batch_size]
        buffer, step = self._make_step(rows.shape)
        taken = []
        for _step in range(count):
            started = time.perf_counter()
            buffer.copy_(rows)
            step()
            float(self._losses[0])  # waits until a GPU has finished
            taken.append(time.perf_counter() - started)
        return min(taken)

    def _learn(self, number: int) -> list[float]:
        """Visit every example once; return the mean losses, each batch's from before its step."""
        self._losses.zero_()
        for rows in batches(self._orders(number), self._batch_size, dim=1):
            if rows.shape not in self._steps:
                self._steps[rows.shape] = self._make_step(rows.shape)
            buffer, step = self._steps[rows.shape]
            buffer.copy_(rows)
            step()
        return [loss / self._count for loss in self._losses.tolist()]

    @abstractmethod
    def _orders(self, epoch: int) -> Tensor:
        """Return the rows that an epoch visits, (trials, rows), or (1, rows) where all share."""

    @abstractmethod
    def _make_step(self, shape: torch.Size) -> tuple[Tensor, Step]:
        """Return where to write the rows of a batch, and the step that reads them there."""


class Population(LockStep):
    """Trials, their stacked weights, and the best of each so far."""

    def __init__(self, members: Sequence[Member], layout: Layout | None = None) -> None:
        super().__init__(members)
        models = [member.model for member in self.members]
        recipes = [member.recipe for member in self.members]
        self._layout = layout or Layout(models)
        self._network = FusedNetwork(models, self._layout)
        self._best = self._network.weights.detach().clone()
        self._optimiser = StackedAdamW(
            self._network.weights.detach(),
            [recipe.learning_rate for recipe in recipes],
            [recipe.protocol.weight_decay for recipe in recipes],
            self._layout.spared([recipe.undecayed for recipe in recipes], self._network.weights),
        )
        self._train = Pool([member.data.train for member in self.members])
        self._valid = Pool([member.data.valid_epoch for member in self.members])
        self._policy = recipes[0].policy
        self._seeds = [recipe.order_seed for recipe in recipes]

    def epoch(self) -> None:
        """Train every trial that still learns for one epoch."""
        learning = [row for row, member in enumerate(self.members) if not member.ended]
        started = time.perf_counter()
        train_losses = self._learn(1 + len(self.members[learning[0]].progress.curve))
        scores = self._valid.score(self._network, self._policy)
        # A trial's share: what it costs alone cannot be measured in lock-step.
        seconds = (time.perf_counter() - started) / len(learning)
        improved = []
        for row in learning:
            recipe, progress = self.members[row].recipe, self.members[row].progress
            epoch = epoch_of(recipe, train_losses[row], scores[row], seconds)
            if progress.append(epoch, recipe.objective.better):
                improved.append(row)
            if recipe.on_epoch is not None:
                recipe.on_epoch(len(progress.curve), epoch)
        kept = self._rows(improved)
        self._best[kept] = self._network.weights.detach()[kept]
        self._look(learning)
        self._optimiser.freeze(self._rows([row for row in learning if self.members[row].ended]))

    def conclude(self) -> None:
        """Score the trials that have ended, and keep what came out of them."""
        ended = [row for row, member in enumerate(self.members) if member.ended]
        started = time.perf_counter()
        pool = Pool([member.data.valid_trial for member in self.members])
        with self._network.holding(self._best):
            scores = pool.score(self._network, self._policy)
        seconds = (time.perf_counter() - started) / len(ended)
        best = self._best.cpu()
        for row in ended:
            self.members[row].progress.seconds += seconds
            self.members[row].conclude(self._layout, best[row], scores[row].metric)

    def smaller(self) -> "Population":
        """Return a population of those that still learn, which goes on where they are."""
        self._steps.clear()  # a graph holds memory
        rows = [row for row, member in enumerate(self.members) if not member.ended]
        found = Population([self.members[row] for row in rows], self._layout)
        kept = self._rows(rows)
        found._network.weights.data.copy_(self._network.weights.detach()[kept])
        found._best = self._best[kept]
        found._optimiser.take_over(self._optimiser, kept)
        return found

    def _orders(self, epoch: int) -> Tensor:
        return self._train.orders(self._seeds, epoch)

    def _make_step(self, shape: torch.Size) -> tuple[Tensor, Step]:
        buffer = torch.zeros(shape, dtype=torch.int64, device=self._device)

        def step() -> None:
            batch = self._train.batch(buffer)
            outputs = self._policy(self._network, batch.images)
            losses = cross_entropies(outputs, batch.labels).mean(dim=1)
            (gradient,) = torch.autograd.grad(losses.sum(), (self._network.weights,))
            self._optimiser.step(gradient)
            self._losses.add_(losses.detach() * buffer.shape[1])

        return buffer, captured(step, buffer.device)

    def _look(self, rows: list[int]) -> None:
        if any(self.members[row].recipe.probe is not None for row in rows):
            weights = self._network.weights.detach().cpu()
            for row in rows:
                self.members[row].look(self._layout, weights[row])

    def _rows(self, rows: list[int]) -> torch.Tensor:
        return torch.tensor(rows, dtype=torch.int64, device=self._best.device)
