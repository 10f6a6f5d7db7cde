"""Costs by a clock that planted work moves on, and bytes that planted operations keep."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from actlab.activations import facts
from actlab.activations.facts import pasted, timing
from actlab.activations.facts.measurable import PastedFormula
from actlab.activations.facts.results import Cost
from actlab.activations.facts.timing import saved_bytes, timed

NAMES = ("copy", "forward", "backward")


@dataclass
class Clock:
    """Seconds that go by only where work is done, and how often it was."""

    costs: dict[str, float]
    now: float = 0.0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(NAMES, 0))
    slow: set[tuple[str, int]] = field(default_factory=set)

    def work(self, name: str) -> None:
        self.counts[name] += 1
        factor = 1000 if (name, self.counts[name]) in self.slow else 1
        self.now += self.costs[name] * factor


class Worked(torch.autograd.Function):
    """The double of x, which takes the time of a clock."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, clock: Clock) -> Tensor:
        ctx.clock = clock
        clock.work("forward")
        return 2 * x

    @staticmethod
    def backward(ctx: Any, incoming: Tensor) -> tuple[Tensor, None]:
        ctx.clock.work("backward")
        return 2 * incoming, None


@dataclass(frozen=True)
class Watched(PastedFormula):
    """A formula whose module moves a clock, and notes in which state it is run."""

    clock: Clock = field(default_factory=lambda: Clock({}))
    states: list[tuple[bool, torch.dtype, int]] = field(default_factory=list)

    def module(self) -> nn.Module:
        watched = self

        class Module(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                watched.states.append((self.training, x.dtype, x.numel()))
                result: Tensor = Worked.apply(x, watched.clock)
                return result

        return Module()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Cost, Watched]]:
    def cost(slow: set[tuple[str, int]] | None = None, **seconds: float) -> tuple[Cost, Watched]:
        clock = Clock(seconds, slow=slow or set())
        function = Watched(pasted("2*x").expression, name="worked", clock=clock)
        target = SimpleNamespace(copy_=lambda _source: clock.work("copy"))
        monkeypatch.setattr(torch, "empty_like", lambda _x: target)
        monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.now))
        return timed(function, "float16", "cpu", compiled=False, elements=500), function

    return cost


def test_times_are_per_element_and_ratios_are_to_a_copy(
    measured: Callable[..., tuple[Cost, Watched]],
) -> None:
    found, function = measured(copy=1e-3, forward=3e-3, backward=5e-3)
    assert (found.copy_ns, found.forward_ns, found.backward_ns) == pytest.approx((2e3, 6e3, 1e4))
    assert (found.forward_ratio, found.backward_ratio) == pytest.approx((3, 5))
    assert (found.function, found.dtype, found.device) == ("worked", "float16", "cpu")
    assert (found.compiled, found.elements, found.saved_bytes) == (False, 500, 0)
    assert set(function.states) == {(True, torch.float16, 500)}


def test_short_work_is_repeated_until_it_takes_two_milliseconds(
    measured: Callable[..., tuple[Cost, Watched]],
) -> None:
    found, function = measured(copy=1e-4, forward=7e-4, backward=1.0)
    counts = function.clock.counts
    assert counts["copy"] == 2 + 9 * 20
    assert counts["forward"] == 1 + 2 + 9 * 3 + 1
    assert counts["backward"] == 2 + 9
    assert (found.copy_ns, found.forward_ns) == pytest.approx((200, 1400))
    assert found.forward_ratio == pytest.approx(7)


def test_work_of_no_time_is_repeated_a_thousand_times(
    measured: Callable[..., tuple[Cost, Watched]],
) -> None:
    _found, function = measured(copy=1e-12, forward=1.0, backward=1.0)
    assert function.clock.counts["copy"] == 2 + 9 * 1000


def test_slow_moments_of_the_machine_do_not_count(
    measured: Callable[..., tuple[Cost, Watched]],
) -> None:
    slow = {("copy", k) for k in (4, 5)} | {("forward", k) for k in (8, 9, 10)}
    found, _function = measured(slow, copy=2e-3, forward=4e-3, backward=6e-3)
    assert (found.copy_ns, found.forward_ns) == pytest.approx((4e3, 8e3))
    assert (found.forward_ratio, found.backward_ratio) == pytest.approx((2, 3))


def test_what_is_compiled_is_timed_and_only_if_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []

    def compiled(module: nn.Module) -> Callable[[Tensor], Tensor]:
        def apply(x: Tensor) -> Tensor:
            calls.append(x.numel())
            result: Tensor = module(x)
            return result

        return apply

    monkeypatch.setattr(torch, "compile", compiled)
    assert timed(pasted("x"), "float32", "cpu", compiled=True, elements=7).compiled
    assert set(calls) == {7}
    calls.clear()
    assert not timed(pasted("x"), "float32", "cpu", compiled=False, elements=7).compiled
    assert calls == []


def test_a_cost_is_that_of_the_module_as_it_is_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "timed", lambda *given, **named: (given[1:], named))
    expected = (("float32", "cpu"), {"compiled": False, "elements": 1 << 20})
    assert facts.cost("relu") == expected


def test_what_is_learnt_gets_its_gradient_too() -> None:
    found = timed(pasted("x"), "float32", "cpu", compiled=False, elements=8)
    assert found.backward_ns > 0


SAVED: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "nothing": (lambda x: x + 1, 0),
    "the output": (torch.sigmoid, 80),
    "the input": (lambda x: x**2, 80),
    "input and output": (lambda x: x * torch.sigmoid(x), 160),
    "the input twice": (lambda x: torch.sin(x) + torch.cos(x), 80),
    "a half": (lambda x: torch.sin(x[:5]), 40),
    "two halves": (lambda x: torch.sin(x[:5]) * 1 + torch.sin(x[5:]), 80),
    "the whole and a half": (lambda x: torch.sin(x).sum() + torch.sin(x[5:]), 80),
    "a mask": (lambda x: x * (x.detach() > 0), 10),
}


@pytest.mark.parametrize("kind", SAVED)
def test_each_storage_that_backward_needs_counts_once(kind: str) -> None:
    function, expected = SAVED[kind]
    x = torch.linspace(-2, 2, 10, dtype=torch.float64).requires_grad_()
    assert saved_bytes(function, x) == expected
