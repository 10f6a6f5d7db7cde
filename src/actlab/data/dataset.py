"""What a data set is: images and labels in two pools, and a hash of its whole content."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.int64]


@dataclass(frozen=True)
class Examples:
    """Images, uint8 of shape (N, C, H, W), and their labels, int64 of shape (N,).

    In a data set of the user's `images` may be float32 inputs of any shape (N, ...) or int64
    ids, and with
    targets of the user's `labels` may hold any numbers.
    """

    images: Pixels
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: NDArray[np.int64]) -> "Examples":
        """Return a copy of the examples at `indices`, in that order."""
        return Examples(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """Two pools of examples that are never mixed.

    Everything that training may see comes from `training_pool`. `test_pool` is for
    `splits.final_test_split` alone. `pixel_maximum` is None where the inputs are no
    pixels and are taken as they are. `fingerprint` is the SHA-256 of the content.
    """

    name: str
    training_pool: Examples
    test_pool: Examples
    pixel_maximum: int | None
    classes: int
    fingerprint: str
    class_names: tuple[str, ...] = ()


def fingerprint_of(*pools: Examples) -> str:
    """Return the SHA-256 over shapes, pixels and labels of `pools`, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for pool in pools:
        for array in (pool.images, pool.labels):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(_bytes_of(array))
    return digest.hexdigest()


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).data
