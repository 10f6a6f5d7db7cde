"""Small batches for the cases of the rules."""

import torch
from torch import Tensor

Batch = tuple[Tensor, Tensor]


def class_batch(classes: int, features: int = 20, samples: int = 32) -> Batch:
    """Return inputs and class indices in which every class occurs."""
    return torch.randn(samples, features), torch.arange(samples) % classes


def label_batch(columns: int = 1, features: int = 20, samples: int = 32) -> Batch:
    """Return inputs and columns of zeros and ones."""
    x = torch.randn(samples, features)
    return x, (torch.arange(samples * columns).reshape(samples, columns) % 3 == 0).float()


def real_batch(columns: int = 1, features: int = 20, samples: int = 32) -> Batch:
    """Return inputs and standardised real targets."""
    x = torch.randn(samples, features)
    return x, torch.linspace(-2, 2, samples * columns).reshape(samples, columns)


def image_batch(classes: int, channels: int = 3, side: int = 8, samples: int = 8) -> Batch:
    """Return images and class indices."""
    return torch.randn(samples, channels, side, side), torch.arange(samples) % classes
