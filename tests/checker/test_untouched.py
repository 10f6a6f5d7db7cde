"""After a check everything is as it was: modes, weights, gradients, hooks, random states."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.restore import Keeper
from actlab.checker.api import check, check_step
from actlab.checker.captured_step import CheckError


class Fussy(nn.Module):
    """A model with everything that a forward pass may change."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.fc = nn.BatchNorm1d(6), nn.Linear(6, 4)
        self.drop, self.off = nn.Dropout(0.5), nn.Dropout(0.5).eval()
        self.steps, self.seen = 0, [1]
        self.register_buffer("total", torch.zeros(6))

    def forward(self, x: Tensor) -> Any:
        self.steps += 1
        self.seen.append(self.steps)
        self.state = x.mean()
        self.get_buffer("total").add_(x.detach().sum(0))
        x.add_(1.0)
        noise = np.random.rand() + random.random()
        return torch.softmax(self.fc(self.off(self.drop(self.norm(x)))), dim=1) * (1 + 0 * noise)


def snapshot(model: nn.Module) -> dict[str, Any]:
    return {
        "state": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "grads": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "modes": [part.training for part in model.modules()],
        "hooks": [len(part._forward_hooks) for part in model.modules()],
        "attributes": sorted(model.__dict__),
        "random": (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()),
    }


def assert_same(before: Any, after: Any) -> None:
    if isinstance(before, Tensor):
        assert torch.equal(before, after)
    elif isinstance(before, np.ndarray):
        assert np.array_equal(before, after)
    elif isinstance(before, dict):
        assert before.keys() == after.keys()
        for key in before:
            assert_same(before[key], after[key])
    elif isinstance(before, (list, tuple)):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert_same(one, other)
    else:
        assert before == after


def prepared() -> tuple[Fussy, Tensor, Tensor]:
    torch.manual_seed(3)
    model, x, y = Fussy(), torch.randn(8, 6), torch.arange(8) % 4
    model.register_forward_hook(lambda module, args, output: None)
    model.fc.weight.grad = torch.full((4, 6), 0.5)
    return model, x, y


@pytest.mark.parametrize("training", [True, False])
def test_check_leaves_model_batch_and_random_states(training: bool) -> None:
    model, x, y = prepared()
    model.train(training)
    gradient, given_x, seen = model.fc.weight.grad, x.clone(), model.seen
    before = snapshot(model)
    report = check(model, nn.CrossEntropyLoss(), (x, y))
    assert "ACT101" in report.codes
    assert_same(before, snapshot(model))
    assert torch.equal(x, given_x)
    assert model.fc.weight.grad is gradient
    assert (model.steps, model.seen, model.seen is seen) == (0, [1], True)


def test_check_step_leaves_a_model_that_trains_itself() -> None:
    model, x, y = prepared()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    before = snapshot(model)

    def train() -> Tensor:
        loss = F.cross_entropy(model(x.clone()), y)
        loss.backward()
        optimizer.step()
        for weight in model.parameters():
            weight.data.clamp_(-0.01, 0.01)
        return loss

    assert "ACT101" in check_step(train).codes
    assert_same(before, snapshot(model))


def test_a_model_that_raises_is_left_as_it_was() -> None:
    model, x, y = prepared()
    before = snapshot(model)

    def fails(out: Tensor, target: Tensor) -> Tensor:
        raise ZeroDivisionError("on purpose")

    with pytest.raises(CheckError, match="The loss raised ZeroDivisionError: on purpose"):
        check(model, fails, (x, y))
    assert_same(before, snapshot(model))


def test_no_global_hook_and_no_mode_is_left() -> None:
    from torch.nn.modules import module as hooks
    from torch.overrides import _get_current_function_mode_stack

    model, x, y = prepared()
    check(model, nn.CrossEntropyLoss(), (x, y))
    assert not hooks._global_forward_hooks
    assert not hooks._global_forward_pre_hooks
    assert not _get_current_function_mode_stack()


def test_weights_keep_their_memory() -> None:
    model = nn.Linear(4, 3)
    view, graph = model.weight.view(-1), (model.weight * 2).sum()

    def clamps() -> Tensor:
        model.weight.data.clamp_(-0.1, 0.1)
        return F.cross_entropy(model(torch.ones(2, 4)), torch.tensor([0, 1]))

    before = model.weight.detach().clone()
    check_step(clamps)
    assert torch.equal(model.weight, before)
    assert view.data_ptr() == model.weight.data_ptr()
    graph.backward()  # a graph that the user still holds is valid


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["scale", "reshape", "grad", "mode", "attribute"]), max_size=6))
def test_the_keeper_undoes_whatever_was_done(deeds: list[str]) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    module[0].weight.grad = torch.ones(2, 3)
    before = snapshot(module)
    keeper = Keeper()
    keeper.remember(module)
    for deed in deeds:
        if deed == "scale":
            module[0].weight.data.mul_(3.0)
        elif deed == "reshape":
            module[1].weight.data = torch.zeros(5)
        elif deed == "grad":
            module[0].weight.grad = None
        elif deed == "mode":
            module.eval()
        else:
            module[0].extra = object()
    keeper.restore()
    assert_same(before, snapshot(module))
