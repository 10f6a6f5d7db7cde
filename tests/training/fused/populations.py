"""Populations small enough for tests: every activation of the study, in double precision."""

import copy
import itertools
from collections.abc import Sequence

import pytest
import torch
from torch import nn

from actlab.activations import get
from actlab.records import Head, Protocol
from actlab.training import Examples, Recipe, Training, TrainingData, train, weights_from_bytes
from tests.training.synthetic import examples

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


def published_in_small(conv: str, fc: str, seed: int, head: Head = "logits") -> nn.Sequential:
    """Return the published network's layers, narrow, for 16 x 16 images, in float64."""
    torch.manual_seed(seed)
    convolutions = [nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)]
    layers: list[nn.Module] = []
    for layer, pooled in zip(convolutions, (True, True, False), strict=True):
        layers += [layer, get(conv).module(), *([nn.MaxPool2d(2)] if pooled else [])]
    layers += [nn.Flatten(), nn.Linear(4, 6), get(fc).module(), nn.Linear(6, 8)]
    layers += [nn.Softmax(dim=1)] if head == "softmax" else []
    return nn.Sequential(*layers).double()


def data(seed: int = 0, train: int = 40, valid: int = 24) -> TrainingData:
    """Return images of 16 x 16, in float64."""
    return TrainingData(
        *(
            _in_double(examples(count, 3 * seed + part, size=16))
            for part, count in enumerate((train, valid, valid))
        )
    )


def _in_double(part: Examples) -> Examples:
    return Examples(part.images.double(), part.labels % 8)


def recipe(
    learning_rate: float = 0.01, order_seed: int = 7, patience: int = 5, max_epochs: int | None = 2
) -> Recipe:
    """Return a recipe whose last batch is a small one."""
    protocol = Protocol(
        "corrected", "logits", batch_size=16, patience=patience, max_epochs=max_epochs
    )
    return Recipe(learning_rate, protocol, order_seed)


def every_activation() -> list[nn.Sequential]:
    """Return a network per activation in each slot, the slots shifted against each other."""
    pairs = zip(STUDY, itertools.islice(itertools.cycle(STUDY), 3, None), strict=False)
    return [published_in_small(conv, fc, seed) for seed, (conv, fc) in enumerate(pairs)]


def separately(
    models: Sequence[nn.Module], parts: Sequence[TrainingData], recipes: Sequence[Recipe]
) -> list[Training]:
    """Return what the plain loop makes of copies of the models."""
    given = zip(models, parts, recipes, strict=True)
    return [train(copy.deepcopy(model), part, each) for model, part, each in given]


def assert_equal(found: Training, expected: Training) -> None:
    """Hold that two trainings are the same up to rounding, times aside."""
    assert (found.outcome, found.reason) == (expected.outcome, expected.reason)
    assert found.best_epoch == expected.best_epoch
    assert found.valid_accuracy == expected.valid_accuracy
    assert len(found.curve) == len(expected.curve)
    for one, other in zip(found.curve, expected.curve, strict=True):
        assert one.valid_accuracy == other.valid_accuracy
        for name in ("train_loss", "valid_loss"):
            a, b = getattr(one, name), getattr(other, name)
            assert (a is None) == (b is None)
            assert a is None or a == pytest.approx(b, rel=1e-9)
    assert bool(found.state) == bool(expected.state)
    if expected.state:
        weights, plain = weights_from_bytes(found.state), weights_from_bytes(expected.state)
        assert list(weights) == list(plain)
        for name, value in plain.items():
            torch.testing.assert_close(weights[name], value, rtol=1e-8, atol=1e-10)
