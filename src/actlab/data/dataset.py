"""What a data set is: images and labels in two pools, and a hash of its whole content."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

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


DivisionKind = Literal["group", "time", "split"]


@dataclass(frozen=True, eq=False)
class Division:
    """What decides which split a row of the training pool goes to: a key per row.

    Rows of one `group` go to one split; in the order of `time`, earlier rows are for training;
    `split` names the split of each row.
    """

    kind: DivisionKind
    keys: NDArray[Any]


def first_groups(keys: NDArray[Any], rows: int, generator: np.random.Generator) -> NDArray[Any]:
    """Return groups, drawn at random, that together have about `rows` rows."""
    groups, counts = np.unique(keys, return_counts=True)
    order = generator.permutation(len(groups))
    total = np.cumsum(counts[order])
    count = int(np.argmin(abs(total - rows))) + 1
    return groups[order[: min(count, len(groups) - 1) or 1]]


@dataclass(frozen=True)
class Dataset:
    """Two pools of examples that are never mixed.

    Everything that training may see comes from `training_pool`. `test_pool` is for
    `splits.final_test_split` alone. `pixel_maximum` is None where the inputs are no
    pixels and are taken as they are. `fingerprint` is the SHA-256 of the content. Of a data set of
    the user's own, `is_own`, the training pool may have a `division`, missing inputs to `fill`, and
    inputs to `scale`: with the numbers of the training rows.
    """

    name: str
    training_pool: Examples
    test_pool: Examples
    pixel_maximum: int | None
    classes: int
    fingerprint: str
    class_names: tuple[str, ...] = ()
    division: Division | None = None
    fill: str | None = None
    scale: bool = False
    is_own: bool = False


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
