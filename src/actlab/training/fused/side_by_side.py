"""Networks that are no plain sequences, side by side: one step of all of them is one launch.

Each keeps its own layers, kernels and optimiser. On a CUDA device the step of all of them is
recorded once as a graph, with several streams, and replayed: what a step of a small network costs
there is its launches, not its arithmetic.
"""

import copy
import operator
import random
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab.training.examples import epoch_order
from actlab.training.fused.population_step import Member, Step, captured
from actlab.training.loop import conclude, epoch_of
from actlab.training.parts import batches, optimiser_of
from actlab.training.precision import PrecisionPolicy
from actlab.training.scoring import score

STREAMS = 8
"""Networks whose kernels may run at the same time."""

ROWS = 8192
"""Rows that are scored at a time: as many as a GPU's kernels are worth their launch for."""


def repeats(model: nn.Module, images: Tensor, policy: PrecisionPolicy) -> bool:
    """Return whether a pass through a network in training can be recorded once, and replayed.

    It cannot where it draws random numbers, keeps count in Python, waits for the device, or fails.
    The weights and statistics stay as they are.

    >>> from actlab.training.precision import in_fp32
    >>> rows = torch.zeros(2, 3)
    >>> repeats(nn.Linear(3, 2), rows, in_fp32), repeats(nn.Dropout(), rows, in_fp32)
    (True, False)
    """
    tried = _copied(model).train()
    try:
        policy(tried, images)  # what is set once, in the first pass, is not a count
        before = _in_python(tried)
        with _waiting_fails(images.device):
            outputs = policy(tried, images)
            learning = [weight for weight in tried.parameters() if weight.requires_grad]
            torch.autograd.grad(outputs.float().square().mean(), learning, allow_unused=True)
    except RuntimeError:
        return False
    return _in_python(tried) == before


def _copied(model: nn.Module) -> nn.Module:
    copied = copy.deepcopy(model)
    for module in copied.modules():
        if isinstance(module, nn.RNNBase):
            module.flatten_parameters()  # the kernels of a GPU want the weights in one piece
    return copied


def _in_python(model: nn.Module) -> tuple[object, ...]:
    """Return the state of every generator of random numbers, and what modules count."""
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    states = [state.numpy().tobytes() for state in (torch.get_rng_state(), *devices)]
    counts = [
        (name, key, value)
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if isinstance(value, int | float | str)
    ]
    key, position = operator.itemgetter("key", "pos")(np.random.get_state(legacy=False)["state"])
    return (states, random.getstate(), key.tobytes(), position, counts)


@contextmanager
def _waiting_fails(device: torch.device) -> Iterator[None]:
    """Have what waits for a CUDA device raise RuntimeError for a while."""
    if device.type != "cuda":
        yield
        return
    usual = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the mode is a prototype, and says so
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(usual)


class SideBySide:
    """Trainings of any networks that step together; the members' own models wait for the best."""

    def __init__(
        self,
        members: Sequence[Member],
        models: Sequence[nn.Module] | None = None,
        optimisers: Sequence[torch.optim.Optimizer] | None = None,
    ) -> None:
        self.members = list(members)
        self._models = list(models or [_copied(member.model) for member in self.members])
        self._optimisers = list(
            optimisers
            or [
                optimiser_of(
                    model,
                    member.recipe.parts,
                    member.recipe.learning_rate,
                    member.recipe.protocol.weight_decay,
                    member.recipe.undecayed,
                )
                for model, member in zip(self._models, self.members, strict=True)
            ]
        )
        self._device = self.members[0].data.train.labels.device
        self._losses = torch.zeros(len(self.members), dtype=torch.float64, device=self._device)
        self._steps: dict[torch.Size, tuple[Tensor, Step]] = {}
        on_gpu = self._device.type == "cuda"
        self._streams = [torch.cuda.Stream() for _ in range(STREAMS)] if on_gpu else []  # type: ignore[no-untyped-call]  # torch's

    @property
    def learning(self) -> int:
        """Return how many trainings still learn."""
        return sum(not member.ended for member in self.members)

    def epoch(self) -> None:
        """Train every network for one epoch; what one that has ended comes to is not kept."""
        learning = [row for row, member in enumerate(self.members) if not member.ended]
        started = time.perf_counter()
        train_losses = self._learn(1 + len(self.members[learning[0]].progress.curve))
        scores = {row: self._score(row) for row in learning}
        seconds = (time.perf_counter() - started) / len(learning)
        for row in learning:
            member = self.members[row]
            recipe = member.recipe
            epoch = epoch_of(recipe, train_losses[row], scores[row], seconds)
            member.progress.add(epoch, self._models[row], recipe.objective.better)
            if recipe.on_epoch is not None:
                recipe.on_epoch(len(member.progress.curve), epoch)
            if recipe.probe is not None:
                member.progress.learnt.append(recipe.probe.learnt(self._models[row]))

    def step_seconds(self, count: int) -> float:
        """Return the time of the quickest of some steps; they are of no use after them."""
        rows = self._orders(1)[:, : self.members[0].recipe.protocol.batch_size]
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
        """Score the trainings that have ended, and keep what came out of them."""
        for member in self.members:
            if not member.ended:
                continue
            started = time.perf_counter()
            metric = None
            if member.progress.best_epoch is not None:
                member.model.load_state_dict(member.progress.best_weights)
            if not member.progress.diverged:
                recipe = member.recipe
                part = member.data.valid_trial
                metric = score(member.model, part, recipe.policy, recipe.objective, ROWS).metric
            member.progress.seconds += time.perf_counter() - started
            member.training = conclude(
                member.model, member.data, member.recipe, member.progress, metric
            )

    def smaller(self) -> "SideBySide":
        """Return those that still learn, which go on where they are."""
        self._steps.clear()  # a graph holds memory
        rows = [row for row, member in enumerate(self.members) if not member.ended]
        parts: list[list[Any]] = [
            [part[row] for row in rows] for part in (self.members, self._models, self._optimisers)
        ]
        return SideBySide(*parts)

    def _learn(self, number: int) -> list[float]:
        """Visit every example once; return the mean losses, each batch's from before its step."""
        for model in self._models:
            model.train()
        self._losses.zero_()
        size = self.members[0].recipe.protocol.batch_size
        for rows in batches(self._orders(number), size, dim=1):
            if rows.shape not in self._steps:
                self._steps[rows.shape] = self._make_step(rows.shape)
            buffer, step = self._steps[rows.shape]
            buffer.copy_(rows)
            step()
        count = len(self.members[0].data.train)
        return [loss / count for loss in self._losses.tolist()]

    def _orders(self, epoch: int) -> Tensor:
        """Return the rows that an epoch visits, (trainings, rows)."""
        count = len(self.members[0].data.train)
        drawn = [epoch_order(count, member.recipe.order_seed, epoch) for member in self.members]
        return torch.from_numpy(np.stack(drawn)).to(self._device)

    def _make_step(self, shape: torch.Size) -> tuple[Tensor, Step]:
        """Return where to write the rows of a batch, and the step that reads them there."""
        buffer = torch.zeros(shape, dtype=torch.int64, device=self._device)

        def step() -> None:
            for row in range(len(self.members)):
                with self._on_its_stream(row):
                    self._step_of(row, buffer[row])
            for stream in self._streams:
                torch.cuda.current_stream().wait_stream(stream)

        return buffer, captured(step, self._device)

    @contextmanager
    def _on_its_stream(self, row: int) -> Iterator[None]:
        stream = self._streams[row % len(self._streams)] if self._streams else None
        if stream is not None:
            stream.wait_stream(torch.cuda.current_stream())
        with nullcontext() if stream is None else torch.cuda.stream(stream):
            yield

    def _step_of(self, row: int, rows: Tensor) -> None:
        member, optimiser = self.members[row], self._optimisers[row]
        recipe, examples = member.recipe, member.data.train
        optimiser.zero_grad()
        outputs = recipe.policy(self._models[row], examples.images.index_select(0, rows))
        loss = recipe.objective.loss(outputs, examples.labels.index_select(0, rows))
        torch.autograd.backward(loss)
        optimiser.step()
        self._losses[row].add_(loss.detach() * len(rows))

    def _score(self, row: int) -> Any:
        member = self.members[row]
        recipe, part = member.recipe, member.data.valid_epoch
        return score(self._models[row], part, recipe.policy, recipe.objective, ROWS)
