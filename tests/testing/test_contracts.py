"""Each contract for third parties fails where something is wrong, and says what."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actlab.checker.rule import Case, NotCheckable, Rule, Situation
from actlab.checker.rules import RULES
from actlab.data import Dataset, open_dataset
from actlab.data.dataset import fingerprint_of
from actlab.testing.data import assert_dataset
from actlab.testing.functions import assert_activation
from actlab.testing.rules import assert_rule


class Swish(nn.Module):
    """A right one of somebody's own, with a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(self.beta * x)


class Wrong(Swish):
    """A wrong one: `how` says in what."""

    def __init__(self, how: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        return self.how(x)


class Forgetful(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = torch.rand(())

    def forward(self, x: Tensor) -> Tensor:
        return self.slope * x


def test_a_right_activation_passes() -> None:
    assert_activation(Swish)
    assert_activation(lambda: nn.GLU(1), elementwise=False)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Wrong(lambda x: x.float().relu()), "torch.float64 goes in and torch.float32"),
        (lambda: Wrong(lambda x: x.mul_(0.5)), "leaf Variable|changes its input"),
        (lambda: Wrong(lambda x: x * torch.rand(())), "two evaluations differ"),
        (Forgetful, "a checkpoint does not hold all of it"),
        (lambda: Wrong(lambda x: x.relu().detach() + 0 * x), "gradients are not those"),
        (lambda: Wrong(lambda x: x.relu().flatten()), "the shape is not kept"),
        (lambda: Wrong(lambda x: x.contiguous().relu()), "the memory format is not kept"),
        (lambda: Wrong(lambda x: x - x.mean()), "shape \\(0, 3\\)|other values than its samples"),
    ],
)
def test_a_wrong_activation_is_told(make: Callable[[], nn.Module], told: str) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=told):
        assert_activation(make)


def test_a_right_data_set_passes(tmp_path: Path) -> None:
    assert_dataset(lambda: open_dataset("digits"))
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "own.npz", x=rng.normal(size=(60, 4)), y=np.arange(60) % 3)
    assert_dataset(lambda: open_dataset(str(tmp_path / "own.npz")))


def changed(**parts: object) -> Dataset:
    digits = open_dataset("digits")
    pool = replace(digits.training_pool, **parts)  # type: ignore[arg-type]  # parts of a pool
    return replace(digits, training_pool=pool, fingerprint=fingerprint_of(pool, digits.test_pool))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: replace(open_dataset("digits"), fingerprint="0" * 64), "its fingerprint"),
        (lambda: replace(open_dataset("digits"), classes=9), "labels are 0 to 8; got 0 to 9"),
        (lambda: replace(open_dataset("digits"), pixel_maximum=15), "pixels are 0 to 15"),
        (
            lambda: changed(labels=open_dataset("digits").training_pool.labels.astype(np.int32)),
            "labels are int64; got int32",
        ),
        (
            lambda: changed(labels=open_dataset("digits").training_pool.labels[:-1]),
            "go in pairs",
        ),
        (
            lambda: changed(images=open_dataset("digits").training_pool.images.astype(float)),
            "inputs of different kinds",
        ),
    ],
)
def test_a_wrong_data_set_is_told(make: Callable[[], Dataset], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        assert_dataset(make)


def test_a_data_set_that_is_shuffled_at_each_opening_is_told() -> None:
    rng = np.random.default_rng(0)

    def shuffled() -> Dataset:
        labels = rng.permutation(open_dataset("digits").training_pool.labels)
        return changed(labels=labels)

    with pytest.raises(AssertionError, match="opened twice"):
        assert_dataset(shuffled)


def _wide() -> Situation:
    batch = (torch.randn(8, 4), torch.randint(3, (8,)))
    return Situation(nn.Linear(4, 3), nn.CrossEntropyLoss(), batch)


class _Third(RULES[0]):  # type: ignore[valid-type, misc]  # a rule with other cases
    __doc__ = RULES[0].__doc__


def test_a_rule_of_a_third_party_runs_by_itself() -> None:
    import actlab

    net, loss, batch = _wide().model, _wide().loss, _wide().batch
    report = actlab.check(net, loss, batch, rules=[RULES[0]])
    assert [item.code for item in (*report.fine, *report.unchecked)] == [RULES[0].code]


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"faulty": (Case(_wide, "error"),)}, "no error"),
        ({"clean": (Case(RULES[0].faulty[0].build),)}, "a false alarm"),
        ({"faulty": ()}, "has no faulty case"),
        ({"check": lambda _self, _step: 1 / 0}, "ZeroDivisionError"),
    ],
)
def test_a_wrong_rule_is_told(parts: dict[str, object], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        assert_rule(type("Wrong", (_Third,), {"__doc__": RULES[0].__doc__, **parts}))


def test_a_rule_without_a_page_is_told() -> None:
    with pytest.raises(ValueError, match="has no section"):
        assert_rule(type("Wrong", (_Third,), {"__doc__": "No sections."}))


def test_a_rule_may_say_that_it_cannot_tell() -> None:
    def cannot(_self: Rule, _step: object) -> list[object]:
        raise NotCheckable("nobody can")

    parts = {"__doc__": RULES[0].__doc__, "check": cannot, "faulty": RULES[0].clean}
    assert_rule(type("Silent", (_Third,), parts))
