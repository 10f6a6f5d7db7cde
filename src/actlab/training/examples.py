"""Images as tensors in memory, normalised once, so that a step only picks its batch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class Examples:
    """Normalised images, float of shape (N, C, H, W), and labels.

    Labels are classes, int64 of shape (N,), or numbers, float32 of shape (N, outputs).
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class TrainingData:
    """The three parts that a training reads: to learn from, to stop by, to be scored on."""

    train: Examples
    valid_epoch: Examples
    valid_trial: Examples


def to_examples(
    images: NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.int64],
    labels: NDArray[Any],
    pixel_maximum: int | None,
    device: str = "cpu",
) -> Examples:
    """Return images of pixels p as (p / maximum - 0.5) / 0.5 in float32, which lies in [-1, 1].

    Inputs that are no pixels (`pixel_maximum` None) are taken as they are, whole numbers as int64.

    >>> import numpy as np
    >>> images = np.array([[[[0, 255]]]], dtype=np.uint8)
    >>> to_examples(images, np.array([7]), 255).images.flatten().tolist()
    [-1.0, 1.0]
    """
    kept = np.int64 if images.dtype == np.int64 else np.float32
    inputs = torch.from_numpy(np.array(images, dtype=kept, order="C"))
    if pixel_maximum is not None:
        inputs.div_(pixel_maximum).sub_(0.5).div_(0.5)
    layout = torch.channels_last if inputs.ndim == 4 else torch.contiguous_format
    return Examples(
        images=inputs.to(device, memory_format=layout),
        labels=torch.from_numpy(np.ascontiguousarray(labels)).to(device),
    )


def epoch_seed(order_seed: int, epoch: int) -> int:
    """Return the seed, 63 bits, of what layers draw at random in an epoch (from 1)."""
    return int(np.random.SeedSequence((order_seed, epoch)).generate_state(1, np.uint64)[0] >> 1)


def epoch_order(count: int, order_seed: int, epoch: int) -> NDArray[np.int64]:
    """Return the order in which an epoch (from 1) visits `count` examples.

    It depends on the two seeds alone, so a training that was cut goes on as if it had not been.
    """
    return np.random.default_rng((order_seed, epoch)).permutation(count)
