"""Together or one by one: what is measured decides, and nothing but the time differs."""

import copy

import pytest
import torch
from torch import nn

from actlab.training import POLICIES
from actlab.training.fused import (
    faster_precision_together,
    fused_gain,
    population,
    train_population,
    train_together,
)
from actlab.training.fused.population_step import Population

from .populations import assert_equal, data, published_in_small, recipe, separately


def itself(model: nn.Module) -> nn.Module:
    return model


@pytest.mark.parametrize("gain", [0.5, 2.0], ids=["one by one", "together"])
def test_the_faster_way_is_taken(monkeypatch: pytest.MonkeyPatch, gain: float) -> None:
    taken: list[int] = []

    def noted(models: list[nn.Module], *given: object) -> object:
        taken.append(len(models))
        return train_population(models, *given)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(population, "train_population", noted)
    monkeypatch.setattr(population, "fused_gain", lambda *_given: gain)
    models = [published_in_small("relu", conv, 0) for conv in ("tanh", "prelu")]
    parts, recipes = [data()] * 2, [recipe(), recipe(0.003)]
    expected = separately(models, parts, recipes)
    found = train_together(models, parts, recipes, itself)
    assert taken == ([2] if gain > 1 else [])
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


def test_what_cannot_be_fused_is_trained_one_by_one() -> None:
    models = [nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 8)) for _ in range(2)]
    models = [model.double() for model in models]
    parts, recipes = [data()] * 2, [recipe(), recipe(0.003)]
    expected = separately(models, parts, recipes)
    for one, other in zip(train_together(models, parts, recipes, itself), expected, strict=True):
        assert_equal(one, other)


def test_measuring_changes_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [published_in_small("relu", "prelu", seed) for seed in range(2)]
    before = copy.deepcopy(models)
    given = (models, models, [data()] * 2, [recipe()] * 2)
    assert fused_gain(*given) > 0
    for model, old in zip(models, before, strict=True):
        for name, value in model.state_dict().items():
            assert torch.equal(value, old.state_dict()[name])

    def none_left(*_given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(population, "Population", none_left)
    assert fused_gain(*given) == float("inf")


@pytest.mark.parametrize("quick", ["fp32", "bf16"])
def test_a_populations_precision_is_the_one_whose_steps_are_quicker(
    monkeypatch: pytest.MonkeyPatch, quick: str
) -> None:
    model = published_in_small("relu", "prelu", 0).float()
    before, images = copy.deepcopy(model.state_dict()), torch.rand(16, 1, 16, 16)
    measured = Population.step_seconds

    def delayed(population: Population, count: int) -> float:
        name = next(n for n, how in POLICIES.items() if how is population._policy)
        return measured(population, count) + (0 if name == quick else 60)

    monkeypatch.setattr(Population, "step_seconds", delayed)
    assert faster_precision_together(model, images, recipe().protocol, 3) == quick
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("reason", ["one", "not fusable", "memory"])
def test_where_nothing_goes_in_lock_step_one_network_decides(
    monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def none_left(*_given: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(population, "Population", none_left)
    monkeypatch.setattr(population, "faster_precision", lambda *_given: "bf16")
    layers = [nn.Flatten(), nn.Linear(256, 8)]
    model = nn.Sequential(*layers, *([nn.Dropout()] if reason == "not fusable" else []))
    count = 1 if reason == "one" else 3
    images = torch.rand(16, 1, 16, 16)
    assert faster_precision_together(model, images, recipe().protocol, count) == "bf16"
