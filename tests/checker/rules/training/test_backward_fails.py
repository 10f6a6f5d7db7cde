"""What is written in place into what the backward pass needs, and what may be."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.report import Report

Between = Callable[[Tensor], Tensor]


def first_column_cleared(h: Tensor) -> Tensor:
    h = torch.tanh(h)
    h[:, 0] = 0.0
    return h


OVERWRITTEN: dict[str, Between] = {
    "add": lambda h: torch.sigmoid(h).add_(1.0),
    "mul": lambda h: F.softmax(h, 1).mul_(2.0),
    "sub": lambda h: torch.exp(-h).sub_(1.0),
    "setitem": first_column_cleared,
}


def report_of(between: Between) -> Report:
    torch.manual_seed(0)
    first, last = nn.Linear(8, 16), nn.Linear(16, 3)
    x, y = torch.randn(32, 8), torch.arange(32) % 3
    return actlab.check_step(lambda: F.cross_entropy(last(between(first(x))), y))


@pytest.mark.parametrize("op", OVERWRITTEN)
def test_the_call_that_wrote_in_place_is_named(op: str) -> None:
    report = report_of(OVERWRITTEN[op])
    (found,) = (f for f in report.errors if f.code == "ACT510")
    assert f"{op} wrote in place" in found.message
    assert found.location.file == __file__
    assert "ACT503" in {item.code for item in report.unchecked}


def test_a_rectifier_behind_a_layer_may_write_in_place() -> None:
    assert report_of(F.relu_).of_severity("error", "warning") == ()


def test_a_step_that_runs_its_own_backward_pass_is_no_failure() -> None:
    net, x, y = nn.Linear(8, 3), torch.randn(8, 8), torch.arange(8) % 3

    def step() -> Tensor:
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        return loss

    report = actlab.check_step(step)
    assert "ACT510" not in report.codes
    reasons = {item.code: item.reason for item in report.unchecked}
    assert "ran its backward pass itself" in reasons["ACT503"]
