"""The fingerprint answers to every part of the content, and to nothing else."""

import hashlib

import numpy as np
import pytest

from actlab.data.dataset import Examples, fingerprint_of

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 1, 3, 4)
LABELS = np.array([3, 1], dtype=np.int64)


def test_it_is_the_hash_of_shapes_and_bytes() -> None:
    by_hand = hashlib.sha256(b"|u1(2, 1, 3, 4)" + bytes(range(24)) + b"<i8(2,)")
    by_hand.update((3).to_bytes(8, "little") + (1).to_bytes(8, "little"))
    assert fingerprint_of(Examples(IMAGES, LABELS)) == by_hand.hexdigest()


def test_it_does_not_depend_on_the_layout_in_memory() -> None:
    strided = np.asfortranarray(IMAGES)
    assert fingerprint_of(Examples(strided, LABELS)) == fingerprint_of(Examples(IMAGES, LABELS))


@pytest.mark.parametrize(
    "changed",
    [
        Examples(IMAGES + np.uint8(1), LABELS),
        Examples(IMAGES, LABELS[::-1]),
        Examples(IMAGES.reshape(2, 1, 4, 3), LABELS),
        Examples(IMAGES[:1], LABELS[:1]),
    ],
    ids=["a pixel", "a label", "the shape", "the number"],
)
def test_it_changes_with(changed: Examples) -> None:
    assert fingerprint_of(changed) != fingerprint_of(Examples(IMAGES, LABELS))


def test_taking_copies() -> None:
    pool = Examples(IMAGES.copy(), LABELS.copy())
    taken = pool.take(np.array([1, 0]))
    taken.images[:] = 0
    assert pool.images.any()
    assert taken.labels.tolist() == [1, 3]
