"""Normalised images, and orders that seed and epoch alone decide."""

import numpy as np
import pytest
import torch

from actlab.training.examples import epoch_order, epoch_seed, to_examples


@pytest.mark.parametrize("maximum", [16, 255])
def test_every_pixel_value_is_normalised_as_published(maximum: int) -> None:
    pixels = np.arange(maximum + 1, dtype=np.uint8).reshape(-1, 1, 1, 1)
    labels = np.zeros(maximum + 1, dtype=np.int64)
    found = to_examples(pixels, labels, maximum).images.flatten()
    assert found.dtype is torch.float32
    # The published arithmetic, step by step in float32: p / maximum, then (p - 0.5) / 0.5.
    shares = pixels.flatten().astype(np.float32) / np.float32(maximum)
    by_hand = (shares - np.float32(0.5)) / np.float32(0.5)
    assert np.array_equal(found.numpy(), by_hand)
    assert (found.min(), found.max()) == (-1, 1)


def test_labels_and_shapes_stay() -> None:
    images = np.zeros((3, 1, 4, 5), dtype=np.uint8)
    found = to_examples(images, np.array([2, 0, 1]), 255)
    assert found.images.shape == (3, 1, 4, 5)
    assert found.labels.tolist() == [2, 0, 1]
    assert len(found) == 3


def test_the_given_arrays_are_left_alone() -> None:
    images = np.full((1, 1, 2, 2), 255, dtype=np.uint8)
    labels = np.array([1])
    found = to_examples(images, labels, 255)
    found.images.zero_()
    assert images.min() == 255


def test_an_order_visits_each_example_once() -> None:
    assert sorted(epoch_order(100, order_seed=3, epoch=1).tolist()) == list(range(100))


def test_orders_differ_by_epoch_and_by_seed_and_repeat() -> None:
    orders = {
        (seed, epoch): tuple(epoch_order(50, seed, epoch)) for seed in (1, 2) for epoch in (1, 2, 3)
    }
    assert len(set(orders.values())) == 6
    assert orders[2, 3] == tuple(epoch_order(50, 2, 3))


def test_what_layers_draw_has_seeds_of_its_own() -> None:
    seeds = {epoch_seed(seed, epoch) for seed in range(10) for epoch in range(1, 11)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
