"""What a module holds is put back after a step that changed it, and torch's switches with it."""

import copy
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture import restore
from actlab.checker import check


class Holder(nn.Module):
    """Changes in its forward pass whatever a module can hold besides parameters and buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 8), nn.Linear(8, 3)
        self.memory = torch.zeros(8)
        self.log: dict[str, Any] = {"losses": [1.0], "deep": {"k": [torch.ones(2)]}, "seen": {3}}
        self.pair = (torch.zeros(2), [0])
        self.torch_generator = torch.Generator().manual_seed(1)
        self.numpy_generator = np.random.default_rng(1)
        self.numpy_state = np.random.RandomState(1)
        self.plain_generator = random.Random(1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        self.memory += hidden.mean(0)  # its graph becomes that of the memory
        self.log["losses"].append(2.0)
        self.log["deep"]["k"][0].add_(1.0)
        self.log["deep"]["new"] = 1
        self.log["seen"].add(4)
        self.pair[0].add_(1.0)
        self.pair[1].append(1)
        drawn = torch.rand(1, generator=self.torch_generator).item() + self.numpy_generator.random()
        drawn += self.numpy_state.rand() + self.plain_generator.random()
        self.first.weight.requires_grad_(True)
        torch.set_default_dtype(torch.float64)
        torch.use_deterministic_algorithms(True)
        torch.autograd.set_detect_anomaly(True)
        found: Tensor = self.last(torch.relu(hidden)) + 0.0 * drawn
        return found.float()

    def held(self) -> list[Any]:
        return [
            self.memory.tolist(),
            self.memory.requires_grad,
            repr(self.log),
            repr(self.pair),
            self.torch_generator.get_state().tolist(),
            self.numpy_generator.bit_generator.state,
            [part.tolist() if hasattr(part, "tolist") else part
             for part in self.numpy_state.get_state()],
            self.plain_generator.getstate(),
            self.first.weight.requires_grad,
            None if self.first.weight.grad is None else self.first.weight.grad.tolist(),
            torch.get_default_dtype(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_anomaly_enabled(),
        ]  # fmt: skip


def test_what_a_module_holds_is_as_it_was() -> None:
    torch.manual_seed(0)
    model = Holder()
    model.first.weight.grad = torch.ones(8, 4)
    model.first.weight.requires_grad_(False)  # frozen, with a gradient from before
    before, items = model.held(), (model.memory, model.log["deep"], model.pair[1])
    check(model, F.cross_entropy, (torch.randn(6, 4), torch.arange(6) % 3))
    assert model.held() == before
    now = (model.memory, model.log["deep"], model.pair[1])
    assert all(one is other for one, other in zip(items, now, strict=True))


def interrupted_at(place: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is interrupted once, before its call of that number."""
    calls = 0

    def called(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == place:
            raise KeyboardInterrupt
        return function(*given)

    return called


@pytest.mark.parametrize("name", ["_refill", "_put_back"])
@pytest.mark.parametrize("place", [1, 2, 5])
def test_an_interrupt_while_everything_is_put_back_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, name: str, place: int
) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.Adam(model.parameters())
    F.cross_entropy(model(torch.randn(8, 6)), torch.arange(8) % 3).backward()
    optimizer.step()
    before = copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict())
    gradients = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    monkeypatch.setattr(restore, name, interrupted_at(place, getattr(restore, name)))
    with pytest.raises(KeyboardInterrupt):
        check(model, F.cross_entropy, (torch.randn(8, 6), torch.arange(8) % 3))
    for name_of, value in before[0].items():
        assert torch.equal(model.state_dict()[name_of], value)
    assert str(optimizer.state_dict()) == str(before[1])
    for weight, gradient in zip(model.parameters(), gradients, strict=True):
        assert weight.grad is not None
        assert torch.equal(weight.grad, gradient)
    assert torch.is_grad_enabled()
    assert all(part.training for part in model.modules())
