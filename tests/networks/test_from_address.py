"""Networks of the user's own, named by an address."""

from pathlib import Path

import pytest
import torch

from actlab.errors import AddressError, NetworkError
from actlab.networks import build, check_network, offer
from actlab.networks.activation_slots import slots
from actlab.records import Space

PROGRAM = """
import torch
from torch import nn

def conv():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(144, 8), nn.ReLU(), nn.Linear(8, 10),
    )

def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 10))

def broken():
    raise RuntimeError("on purpose")

def text():
    return "no network"
"""
EIGHT = (1, 8, 8)


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "own_networks_of_a_test.py"
    path.write_text(PROGRAM)
    return str(path)


def space(conv: tuple[str, ...] = ("relu", "tanh")) -> Space:
    return Space(conv, ("relu", "tanh"), 1e-3, 1e-2)


def test_slots_are_filled_and_weights_new(program: str) -> None:
    torch.manual_seed(1)
    first = build(f"{program}:conv", "tanh", "sigmoid", "softmax")
    assert [type(slot.activation).__name__ for slot in slots(first)] == ["Tanh", "Sigmoid"]
    shares = first(torch.randn(3, *EIGHT))
    assert torch.allclose(shares.sum(dim=1), torch.ones(3))
    torch.manual_seed(1)
    again = build(f"{program}:conv", "tanh", "sigmoid", "softmax")
    torch.manual_seed(2)
    other = build(f"{program}:conv", "tanh", "sigmoid", "softmax")
    weights = [next(network.parameters()) for network in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_a_kind_without_a_slot_stays_out(program: str) -> None:
    network = build(f"{program}:dense", "relu", "tanh", "logits")
    assert [slot.kind for slot in slots(network)] == ["fc"]
    check_network(f"{program}:dense", space(conv=("relu",)), EIGHT, 10)
    with pytest.raises(NetworkError, match=r"must have a conv slot .* to compare 2 activations"):
        check_network(f"{program}:dense", space(), EIGHT, 10)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "told"),
    [
        ("conv", EIGHT, 7, r"must give 7 class scores per example; it gives \(10,\)"),
        (
            "conv",
            (1, 9, 9),
            10,
            r"RuntimeError.*\. It must take inputs of shape \(1, 9, 9\)",
        ),
        ("broken", EIGHT, 10, r"raised RuntimeError: on purpose.*without arguments"),
        ("text", EIGHT, 10, "must return a torch module; it returns str"),
    ],
)
def test_what_does_not_fit_is_named(
    program: str, name: str, shape: tuple[int, ...], classes: int, told: str
) -> None:
    with pytest.raises(NetworkError, match=told):
        check_network(f"{program}:{name}", space(), shape, classes)


def test_an_address_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(AddressError, match=r"There is no file .*none\.py"):
        build(f"{tmp_path}/none.py:build", "relu", "relu", "logits")


def test_a_callable_of_this_process_needs_no_address() -> None:
    offer("here:dense", lambda: torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10)))
    assert build("here:dense", "relu", "relu", "logits")(torch.zeros(2, *EIGHT)).shape == (2, 10)
