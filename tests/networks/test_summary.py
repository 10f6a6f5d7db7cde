"""The layer table, against torchinfo's own totals and against arithmetic by hand."""

import pytest
import torch
import torchinfo

from actlab.networks import build, summarise
from actlab.records import NetworkSummary


@pytest.fixture(scope="module")
def published() -> NetworkSummary:
    return summarise("published_cnn", "relu", "sigmoid", "softmax", (32, 1, 28, 28))


def test_the_published_totals(published: NetworkSummary) -> None:
    model = build("published_cnn", "relu", "sigmoid", "softmax")
    whole = torchinfo.summary(model, input_size=(32, 1, 28, 28), verbose=0, device="cpu")
    assert published.parameters == whole.total_params == 121_994
    assert published.multiply_adds == whole.total_mult_adds
    assert round(published.multiply_adds / 1e6, 2) == 114.28
    assert "Total mult-adds (Units.MEGABYTES): 114.28" in str(whole)


def test_multiply_adds_by_hand(published: NetworkSummary) -> None:
    # torchinfo counts one multiply-add per weight or bias and position.
    by_hand = {
        "conv1": 32 * 28 * 28 * (9 + 1) * 32,
        "conv2": 32 * 12 * 12 * (32 * 9 + 1) * 64,
        "conv3": 32 * 4 * 4 * (64 * 9 + 1) * 64,
        "fc1": 32 * 1025 * 64,
        "fc2": 32 * 65 * 10,
    }
    found = {row.name: row.multiply_adds for row in published.layers if row.multiply_adds}
    assert found == by_hand
    assert sum(by_hand.values()) == published.multiply_adds


def test_rows_show_the_slots_in_the_published_order(published: NetworkSummary) -> None:
    assert [row.name for row in published.layers] == [
        *("conv1", "conv1_activation", "pool1"),
        *("conv2", "conv2_activation", "pool2"),
        *("conv3", "conv3_activation", "flatten"),
        *("fc1", "fc1_activation", "fc2", "softmax"),
    ]
    shapes = {row.name: row.output_shape for row in published.layers}
    assert shapes["conv1_activation"] == (32, 32, 28, 28)
    assert shapes["pool1"] == (32, 32, 14, 14)
    assert shapes["softmax"] == (32, 10)


def test_the_small_network_is_small() -> None:
    summary = summarise("small_cnn", "prelu", "sigmoid", "logits", (8, 1, 8, 8))
    by_hand = (9 + 1) * 16 + (16 * 9 + 1) * 32 + 513 * 32 + 33 * 10 + 2
    assert summary.parameters == by_hand == 21_548
    assert summary.batch_size == 8
    assert [row.name for row in summary.layers if row.parameters == 1] == [
        "conv1_activation",
        "conv2_activation",
    ]


def test_it_leaves_the_random_state_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    summarise("small_cnn", "relu", "relu", "logits", (1, 1, 8, 8))
    assert torch.equal(torch.rand(3), expected)
