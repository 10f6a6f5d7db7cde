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
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from actlab.training.examples import Examples, epoch_order
from actlab.training.fused.population_step import LockStep, Member, Step, captured
from actlab.training.loop import Recipe, conclude, epoch_of
from actlab.training.parts import optimiser_of
from actlab.training.scoring import score

STREAMS = 8
"""Networks whose kernels may run at the same time."""

_DEPTH = 6
"""How far into what a module holds it is looked for what a pass changes."""

ROWS = 500
"""Rows that are scored at a time: few launches, and about the memory of a training step."""


def repeats(model: nn.Module, recipe: Recipe, batch: Examples) -> bool:
    """Return whether a training step of a network can be recorded once, and replayed.

    It cannot where the pass or the loss draws random numbers, waits for the device, or fails, and
    where a module keeps something in Python that a pass changes. What a network keeps outside its
    modules is not seen. The weights and statistics stay as they are.

    >>> from actlab.records import Protocol
    >>> recipe = Recipe(0.1, Protocol("corrected", "logits"), order_seed=1)
    >>> batch = Examples(torch.zeros(2, 3), torch.arange(2))
    >>> [repeats(model, recipe, batch) for model in (nn.Linear(3, 2), nn.RReLU())]
    [True, False]
    """
    tried = _copied(model).train()
    learning = [weight for weight in tried.parameters() if weight.requires_grad]
    try:
        recipe.policy(tried, batch.images)  # what is set once, in the first pass, is not a count
        before = _in_python(tried)
        with _waiting_fails(batch.images.device):
            outputs = recipe.policy(tried, batch.images)
            loss = recipe.objective.loss(outputs, batch.labels)
            torch.autograd.grad(loss, learning, allow_unused=True)
    except Exception:  # the user's network: the training by itself says what is wrong
        return False
    return _in_python(tried) == before


def _copied(model: nn.Module) -> nn.Module:
    copied = copy.deepcopy(model)
    for module in copied.modules():
        if isinstance(module, nn.RNNBase):
            module.flatten_parameters()  # the kernels of a GPU want the weights in one piece
    return copied


def _in_python(model: nn.Module) -> tuple[object, ...]:
    """Return the state of every generator of random numbers, and what modules keep in Python."""
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    states = [state.numpy().tobytes() for state in (torch.get_rng_state(), *devices)]
    kept = [_plainly(module) for module in model.modules()]
    key, position = operator.itemgetter("key", "pos")(np.random.get_state(legacy=False)["state"])
    return (states, random.getstate(), key.tobytes(), position, kept)


@dataclass(frozen=True, eq=False)
class _Same:
    """A tensor that equals itself alone: one in its place is not what a recording reads."""

    tensor: Tensor

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.tensor is other.tensor

    def __hash__(self) -> int:
        return id(self.tensor)


def _plainly(item: object, depth: int = 0) -> object:
    """Return what an object holds, in attributes and containers too, in a form to compare."""
    if isinstance(item, int | float | complex | str | bytes | None):
        return item
    if isinstance(item, Tensor):
        return _Same(item)
    if isinstance(item, np.ndarray | np.generic):
        return item.tobytes()
    if depth > _DEPTH or (depth > 0 and isinstance(item, nn.Module)):
        return None
    if isinstance(item, Mapping):
        return [(str(key), _plainly(value, depth + 1)) for key, value in item.items()]
    if isinstance(item, list | tuple | deque):
        return [_plainly(part, depth + 1) for part in item]
    if isinstance(item, set | frozenset):
        return sorted(map(str, item))
    return _plainly(getattr(item, "__dict__", None), depth + 1)


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


class SideBySide(LockStep):
    """Trainings of any networks that step together; the members' own models wait for the best."""

    def __init__(
        self,
        members: Sequence[Member],
        models: Sequence[nn.Module] | None = None,
        optimisers: Sequence[torch.optim.Optimizer] | None = None,
    ) -> None:
        super().__init__(members)
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
        on_gpu = self._device.type == "cuda"
        self._streams = [torch.cuda.Stream() for _ in range(STREAMS)] if on_gpu else []  # type: ignore[no-untyped-call]  # torch's

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
        for model in self._models:
            model.train()
        return super()._learn(number)

    def _orders(self, epoch: int) -> Tensor:
        seeds = [member.recipe.order_seed for member in self.members]
        drawn = [epoch_order(self._count, seed, epoch) for seed in seeds]
        return torch.from_numpy(np.stack(drawn)).to(self._device)

    def _make_step(self, shape: torch.Size) -> tuple[Tensor, Step]:
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
