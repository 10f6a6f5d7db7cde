"""After a check everything is as it was: modes, weights, gradients, hooks, random states."""

import random
import signal
import threading
from collections.abc import Callable
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


def interrupted() -> None:
    """Do what a user does who presses Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def raising() -> None:
    raise ZeroDivisionError("on purpose")


def leaving() -> None:
    raise SystemExit(3)


class Training:
    """A whole training step: model, optimizer with momentum, scheduler, generators, flags."""

    def __init__(self) -> None:
        self.model, self.x, self.y = prepared()
        self.optimizer = torch.optim.Adam(self.model.parameters(), 0.1)
        self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)
        for _number in range(2):
            self.step(lambda: None)
        self.entries = dict(self.optimizer.state)

    def step(self, ends: Callable[[], None]) -> Tensor:
        self.model.eval()
        self.model.fc.register_forward_hook(lambda module, args, output: None)
        torch.set_grad_enabled(False)
        torch.set_grad_enabled(True)
        random.random()
        np.random.rand()
        loss = F.cross_entropy(self.model(self.x.clone()), self.y)
        loss.backward()  # type: ignore[no-untyped-call]  # as users write it
        self.optimizer.step()
        self.scheduler.step()
        ends()
        return loss

    def snapshot(self) -> dict[str, Any]:
        from torch.overrides import _get_current_function_mode_stack

        state = self.optimizer.state_dict()
        numbers = {
            number: {name: torch.as_tensor(value).clone() for name, value in entry.items()}
            for number, entry in state["state"].items()
        }
        groups = [{k: v for k, v in group.items() if k != "params"} for group in
                  state["param_groups"]]  # fmt: skip
        return {
            **snapshot(self.model),
            "adam": (numbers, groups),
            "schedule": self.scheduler.state_dict(),
            "flags": (torch.is_grad_enabled(), torch.is_inference_mode_enabled()),
            "modes of torch": len(_get_current_function_mode_stack()),
        }


@pytest.mark.parametrize("ends", [lambda: None, raising, leaving, interrupted])
def test_all_is_as_it_was_however_a_step_ends(ends: Callable[[], None]) -> None:
    training = Training()
    before = training.snapshot()
    error: BaseException | None = None
    try:
        check_step(lambda: training.step(ends), optimizer=training.optimizer)
    except (CheckError, KeyboardInterrupt) as raised:
        error = raised
    assert isinstance(error, KeyboardInterrupt) == (ends is interrupted)
    assert_same(before, training.snapshot())
    assert all(training.optimizer.state[p] is entry for p, entry in training.entries.items())


def test_all_is_as_it_was_in_a_thread_of_ones_own() -> None:
    training = Training()
    before = training.snapshot()
    found: list[Any] = []

    def work() -> None:
        for ends in (lambda: None, raising, leaving):
            try:
                found.append(check_step(lambda ends=ends: training.step(ends)).codes)
            except CheckError as error:
                found.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert "ACT101" in found[0]
    assert "ZeroDivisionError: on purpose" in found[1]
    assert "SystemExit" in found[2]
    assert_same(before, training.snapshot())


def test_a_step_need_not_name_its_optimizer() -> None:
    training = Training()
    before = training.snapshot()
    check_step(lambda: training.step(lambda: None))
    assert_same(before, training.snapshot())


def test_an_evaluation_that_trains_has_not_trained_afterwards() -> None:
    training = Training()
    model, x, y = training.model, training.x, training.y
    before = training.snapshot()
    check_step(
        lambda: F.cross_entropy(model(x.clone()), y),
        evaluate=lambda: training.step(lambda: None),
    )
    assert_same(before, training.snapshot())


def test_an_optimizer_that_has_not_stepped_yet_has_not_stepped_afterwards() -> None:
    model, x, y = prepared()
    optimizer = torch.optim.AdamW(model.parameters())

    def train() -> Tensor:
        loss = F.cross_entropy(model(x.clone()), y)
        loss.backward()  # type: ignore[no-untyped-call]  # as users write it
        optimizer.step()
        return loss

    check_step(train)
    assert not optimizer.state


class LeavesTheSecondTime(nn.Module):
    """A model that ends the program when it is run again, as a script that is meant to run once."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.runs = nn.Linear(6, 4), []

    def forward(self, x: Tensor) -> Any:
        RUNS.append(1)
        if len(RUNS) > 1:
            raise SystemExit("only once")
        return torch.softmax(self.fc(x), dim=1)


RUNS: list[int] = []


def test_a_model_that_ends_the_program_when_it_is_run_again_ends_no_check() -> None:
    RUNS.clear()
    x, y = torch.randn(8, 6), torch.arange(8) % 4
    report = check(LeavesTheSecondTime(), nn.CrossEntropyLoss(), (x, y))
    assert "ACT101" in report.codes
    assert len(RUNS) > 1
