"""The epochs of a population: all its trials take each step at the same time."""

import math
import time
from collections.abc import Sequence

import torch

from actlab.records import Epoch
from actlab.training.fused.adamw import StackedAdamW
from actlab.training.fused.capture import Step, captured
from actlab.training.fused.member import Member
from actlab.training.fused.network import FusedNetwork
from actlab.training.fused.pool import Pool, cross_entropies
from actlab.training.fused.stacking import Layout


class Lockstep:
    """Trials, their stacked weights, and the best of each so far."""

    def __init__(self, members: Sequence[Member], layout: Layout | None = None) -> None:
        self.members = list(members)
        models = [member.model for member in self.members]
        recipes = [member.recipe for member in self.members]
        self._layout = layout or Layout(models)
        self._network = FusedNetwork(models, self._layout)
        self._best = self._network.weights.detach().clone()
        self._optimiser = StackedAdamW(
            self._network.weights.detach(),
            [recipe.learning_rate for recipe in recipes],
            [recipe.protocol.weight_decay for recipe in recipes],
        )
        self._train = Pool([member.data.train for member in self.members])
        self._valid = Pool([member.data.valid_epoch for member in self.members])
        self._arithmetic = recipes[0].arithmetic
        self._seeds = [recipe.order_seed for recipe in recipes]
        self._losses = torch.zeros(
            len(models), dtype=torch.float64, device=self._network.weights.device
        )
        self._steps: dict[torch.Size, tuple[torch.Tensor, Step]] = {}

    @property
    def learning(self) -> int:
        """Return how many trials still learn."""
        return sum(not member.ended for member in self.members)

    def epoch(self) -> None:
        """Train every trial that still learns for one epoch."""
        learning = [row for row, member in enumerate(self.members) if not member.ended]
        started = time.perf_counter()
        train_losses = self._learn(1 + len(self.members[learning[0]].progress.curve))
        scores = self._valid.score(self._network, self._arithmetic)
        # A trial's share: what it costs alone cannot be told in lock-step.
        seconds = (time.perf_counter() - started) / len(learning)
        improved = []
        for row in learning:
            recipe, progress = self.members[row].recipe, self.members[row].progress
            epoch = Epoch(
                train_loss=_finite(train_losses[row]),
                valid_loss=_finite(scores[row].loss),
                seconds=seconds,
                **recipe.objective.figures(scores[row].metric),
            )
            if progress.append(epoch, recipe.objective.better):
                improved.append(row)
        kept = self._rows(improved)
        self._best[kept] = self._network.weights.detach()[kept]
        self._look(learning)
        self._optimiser.freeze(self._rows([row for row in learning if self.members[row].ended]))

    def step_seconds(self, count: int) -> float:
        """Return the time of the quickest of some steps; the population is of no use after them."""
        size = self.members[0].recipe.protocol.batch_size
        rows = self._train.orders(self._seeds, epoch=1)[:, :size]
        buffer, step = self._make_step(rows.shape)
        taken = []
        for _step in range(count):
            started = time.perf_counter()
            buffer.copy_(rows)
            step()
            float(self._losses[0])  # waits until a GPU has finished
            taken.append(time.perf_counter() - started)
        return min(taken)

    def conclude(self) -> None:
        """Score the trials that have ended, and keep what came out of them."""
        ended = [row for row, member in enumerate(self.members) if member.ended]
        started = time.perf_counter()
        pool = Pool([member.data.valid_trial for member in self.members])
        with self._network.holding(self._best):
            scores = pool.score(self._network, self._arithmetic)
        seconds = (time.perf_counter() - started) / len(ended)
        best = self._best.cpu()
        for row in ended:
            self.members[row].progress.seconds += seconds
            self.members[row].conclude(self._layout, best[row], scores[row].metric)

    def smaller(self) -> "Lockstep":
        """Return a population of those that still learn, which goes on where they are."""
        self._steps.clear()  # a graph holds memory
        rows = [row for row, member in enumerate(self.members) if not member.ended]
        found = Lockstep([self.members[row] for row in rows], self._layout)
        kept = self._rows(rows)
        found._network.weights.data.copy_(self._network.weights.detach()[kept])
        found._best = self._best[kept]
        found._optimiser.take_over(self._optimiser, kept)
        return found

    def _learn(self, number: int) -> list[float]:
        """Visit every example once; return the mean losses, each batch's from before its step."""
        self._losses.zero_()
        size = self.members[0].recipe.protocol.batch_size
        for rows in torch.split(self._train.orders(self._seeds, number), size, dim=1):
            if rows.shape not in self._steps:
                self._steps[rows.shape] = self._make_step(rows.shape)
            buffer, step = self._steps[rows.shape]
            buffer.copy_(rows)
            step()
        return [loss / self._train.count for loss in self._losses.tolist()]

    def _make_step(self, shape: torch.Size) -> tuple[torch.Tensor, Step]:
        """Return where to write the rows of a batch, and the step that reads them there."""
        buffer = torch.zeros(shape, dtype=torch.int64, device=self._train.device)

        def step() -> None:
            batch = self._train.batch(buffer)
            outputs = self._arithmetic(self._network, batch.images)
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


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
