"""Small data and networks for tests of training: seconds, not minutes."""

import torch
from torch import nn

from actlab.networks import build, pooling_first
from actlab.records import Protocol
from actlab.training import Examples, Recipe, TrainingData


def examples(count: int, seed: int, size: int = 8) -> Examples:
    """Return images whose label is the quarter row that is bright: easy, with some noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, size, (count,), generator=generator)
    images = torch.randn(count, 1, size, size, generator=generator)
    images[torch.arange(count), 0, labels] += 1.0
    return Examples(images, labels)


def training_data(train: int = 96, valid: int = 64) -> TrainingData:
    return TrainingData(examples(train, 1), examples(valid, 2), examples(valid, 3))


def network(
    conv: str = "prelu", fc: str = "tanh", seed: int = 0, dtype: torch.dtype = torch.float32
) -> nn.Module:
    torch.manual_seed(seed)
    return pooling_first(build("small_cnn", conv, fc, "logits")).to(dtype)


def recipe(
    learning_rate: float = 0.003,
    patience: int = 5,
    max_epochs: int | None = 4,
    order_seed: int = 7,
) -> Recipe:
    protocol = Protocol("corrected", "logits", patience=patience, max_epochs=max_epochs)
    return Recipe(learning_rate, protocol, order_seed)
