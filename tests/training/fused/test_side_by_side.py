"""Networks that are no plain sequences, side by side, against the plain loop one by one."""

import copy
import dataclasses
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.networks import slots
from actlab.records import Outcome
from actlab.training import ActivationProbe, Examples, TrainingData, fused
from actlab.training.fused import train_side_by_side
from actlab.training.fused.side_by_side import SideBySide, repeats

from .populations import assert_equal, data, recipe, separately


class Residual(nn.Module):
    """A network with a sum, batch statistics and an average: no plain sequence."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first, self.norm = nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3)
        self.act, self.second, self.out = nn.PReLU(), nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 8)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores."""
        inner = self.act(self.norm(self.first(images)))
        scores: Tensor = self.out((inner + self.second(inner)).mean((2, 3)))
        return scores


class Counting(nn.Module):
    """A network that behaves otherwise after some passes: a recording would not know."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.passes = nn.Linear(3, 2), 0

    def forward(self, rows: Tensor) -> Tensor:
        """Return what the layer makes of rows, halved from the tenth pass on."""
        self.passes += 1
        found: Tensor = self.layer(rows) * (0.5 if self.passes > 10 else 1.0)
        return found


class Remembering(nn.Module):
    """A network that keeps something beside its numbers: what it is, is given."""

    def __init__(self, kept: object, change: Callable[[Any, Tensor], None]) -> None:
        super().__init__()
        self.layer, self.kept, self._change = nn.Linear(3, 2), kept, change

    def forward(self, rows: Tensor) -> Tensor:
        """Return what the layer makes of rows; what is kept changes."""
        self._change(self, rows)
        found: Tensor = self.layer(rows)
        return found


def replaced(network: Any, rows: Tensor) -> None:
    """Put a running mean in the place of the last one."""
    network.kept = 0.9 * network.kept + rows.mean().detach()


def counted(network: Any, _rows: Tensor) -> None:
    """Count in an object of its own."""
    network.kept.passes = getattr(network.kept, "passes", 0) + 1


class Drawing(nn.Module):
    """A network that draws from a generator outside torch."""

    def __init__(self, draw: object) -> None:
        super().__init__()
        self.layer, self._draw = nn.Linear(3, 2), draw

    def forward(self, rows: Tensor) -> Tensor:
        """Return what the layer makes of rows, now and then zero."""
        found: Tensor = self.layer(rows) * float(self._draw() > 0.1)  # type: ignore[operator]
        return found


class Raising(nn.Module):
    """A network that cannot be applied."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, _rows: Tensor) -> Tensor:
        """Raise."""
        raise KeyError("no pass")


def test_the_results_are_those_of_separate_trainings_to_the_last_digit() -> None:
    models, part = [Residual(seed) for seed in range(4)], data()
    recipes = [recipe(0.003 * (1 + trial), order_seed=trial, max_epochs=3) for trial in range(4)]
    expected = separately(copy.deepcopy(models), [part] * 4, recipes)
    found = train_side_by_side(models, [part] * 4, recipes)
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)
        assert one.state == other.state
        assert [epoch.train_loss for epoch in one.curve] == [
            epoch.train_loss for epoch in other.curve
        ]


def test_trainings_end_by_themselves_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    models, part = [Residual(seed) for seed in range(5)], data(train=24, valid=16)
    recipes = [recipe(0.03, order_seed=trial, patience=1 + trial) for trial in range(5)]
    recipes = [
        dataclasses.replace(given, protocol=dataclasses.replace(given.protocol, max_epochs=limit))
        for given, limit in zip(recipes, (2, 2, 2, 7, None), strict=True)
    ]
    sizes: list[int] = []
    smaller = SideBySide.smaller

    def noted(trainings: SideBySide) -> SideBySide:
        made = smaller(trainings)
        sizes.append(len(made.members))
        return made

    monkeypatch.setattr(SideBySide, "smaller", noted)
    expected = separately(copy.deepcopy(models), [part] * 5, recipes)
    found = train_side_by_side(models, [part] * 5, recipes)
    assert sizes[0] == 2
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


def test_one_that_diverges_does_not_reach_the_others() -> None:
    models, part = [Residual(seed) for seed in range(3)], data()
    with torch.no_grad():
        for parameter in models[1].parameters():
            parameter.mul_(1e200)
    recipes = [recipe(order_seed=trial) for trial in range(3)]
    expected = separately(copy.deepcopy(models), [part] * 3, recipes)
    found = train_side_by_side(models, [part] * 3, recipes)
    assert [each.outcome for each in found] == [
        Outcome.COMPLETED,
        Outcome.DIVERGED,
        Outcome.COMPLETED,
    ]
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


def test_what_activations_learn_is_noted_epoch_by_epoch() -> None:
    models = [Residual(seed).float() for seed in range(2)]
    part = TrainingData(
        *(Examples(each.images.float(), each.labels) for each in vars(data()).values())
    )
    probed = [
        dataclasses.replace(
            recipe(), probe=ActivationProbe(slots(model, part.train.images[:2]), images=20)
        )
        for model in models
    ]
    expected = separately(copy.deepcopy(models), [part] * 2, probed)
    found = train_side_by_side(models, [part] * 2, probed)
    assert [each.probes for each in found] == [each.probes for each in expected]
    assert all(each.probes is not None and len(each.probes.learnt) == 1 for each in found)


def test_memory_that_is_too_small_halves_them_from_their_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models, part = [Residual(seed) for seed in range(4)], data()
    recipes = [recipe(order_seed=trial) for trial in range(4)]
    expected = separately(copy.deepcopy(models), [part] * 4, recipes)
    epoch, said = SideBySide.epoch, []

    def small(trainings: SideBySide) -> None:
        epoch(trainings)
        if len(trainings.members) > 2:
            raise torch.OutOfMemoryError

    monkeypatch.setattr(SideBySide, "epoch", small)
    found = train_side_by_side(models, [part] * 4, recipes, said.append)
    assert len(said) == 1
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


@pytest.mark.parametrize(
    ("model", "can"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), True),
        (nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)), False),
        (nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.0)), True),
        (nn.Sequential(nn.Linear(3, 2), nn.RReLU()), False),
        (Counting(), False),
        (Drawing(lambda: random.random()), False),
        (Drawing(lambda: np.random.random()), False),
        (Raising(), False),
        (Remembering([], lambda network, _rows: network.kept.append(1)), False),
        (Remembering(np.zeros(1), lambda network, _rows: network.kept.__iadd__(1)), False),
        (Remembering(types.SimpleNamespace(), counted), False),
        (Remembering(torch.zeros(()), replaced), False),
        (Remembering(torch.zeros(()), lambda network, _rows: network.kept.add_(1)), True),
    ],
    ids=[
        *("batch norm", "dropout", "dropout of 0", "rrelu", "counts", "random", "numpy", "raises"),
        *(
            "a list grows",
            "an array counts",
            "an object counts",
            "a tensor is replaced",
            "in place",
        ),
    ],
)
def test_only_what_is_the_same_in_every_pass_is_recorded(model: nn.Module, can: bool) -> None:
    before = copy.deepcopy(model.state_dict())
    assert repeats(model, recipe(), Examples(torch.randn(4, 3), torch.arange(4) % 2)) is can
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_loss_that_draws_is_not_recorded() -> None:
    def noisy(outputs: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
        return F.cross_entropy(outputs + torch.randn_like(outputs), labels, reduction=reduction)

    batch = Examples(torch.randn(4, 3), torch.arange(4) % 2)
    drawn = dataclasses.replace(recipe().objective, loss=noisy)
    assert repeats(nn.Linear(3, 2), recipe(), batch)
    assert not repeats(nn.Linear(3, 2), dataclasses.replace(recipe(), objective=drawn), batch)


def test_trainings_of_different_numbers_of_examples_are_refused() -> None:
    models = [Residual(seed) for seed in range(2)]
    with pytest.raises(ValueError, match="same numbers of examples"):
        train_side_by_side(models, [data(), data(train=39)], [recipe()] * 2)


def test_what_cannot_be_replayed_trains_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_given: object) -> None:
        raise AssertionError("these must not step together")

    monkeypatch.setattr("actlab.training.fused.population.train_side_by_side", forbidden)
    part = Examples(torch.randn(8, 3), torch.arange(8) % 2)
    models = [nn.Sequential(nn.LayerNorm(3), nn.Dropout(), nn.Linear(3, 2)) for _ in range(2)]
    found = fused.train_together(
        models, [TrainingData(part, part, part)] * 2, [recipe()] * 2, lambda model: model
    )
    assert [each.outcome for each in found] == [Outcome.COMPLETED] * 2


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_recorded_steps_compute_the_same() -> None:
    models, part = [Residual(seed) for seed in range(10)], data(train=100)
    on_device = TrainingData(
        *(Examples(each.images.to("cuda"), each.labels.to("cuda")) for each in vars(part).values())
    )
    recipes = [recipe(0.003, order_seed=trial, max_epochs=3) for trial in range(10)]
    expected = separately(copy.deepcopy(models), [part] * 10, recipes)
    placed = [model.to("cuda") for model in models]
    found = train_side_by_side(placed, [on_device] * 10, recipes)
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)
