"""The ways in which a program can run: whatever it does, the fault is found and nothing changes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from actlab.checker.api import check, check_step
from actlab.checker.report import Report

CLASSES = 5
CONTEXTS: dict[str, Callable[[nn.Module], Report]] = {}


def context(run: Callable[[nn.Module], Report]) -> Callable[[nn.Module], Report]:
    CONTEXTS[run.__name__] = run
    return run


def network(head: nn.Module) -> nn.Sequential:
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, CLASSES), head)


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(8, 8), torch.arange(8) % CLASSES


def step_of(model: Callable[[Tensor], Any]) -> Callable[[], Tensor]:
    x, y = batch()
    return lambda: F.cross_entropy(model(x), y)


@context
def plain(model: nn.Module) -> Report:
    return check(model, F.cross_entropy, batch())


@context
def no_grad_inside(model: nn.Module) -> Report:
    step = step_of(model)

    def evaluate() -> Tensor:
        with torch.no_grad():
            return step()

    return check_step(evaluate)


@context
def no_grad_outside(model: nn.Module) -> Report:
    with torch.no_grad():
        return check(model, F.cross_entropy, batch())


@context
def inference_mode_inside(model: nn.Module) -> Report:
    step = step_of(model)

    def evaluate() -> Tensor:
        with torch.inference_mode():
            return step()

    return check_step(evaluate)


@context
def inference_mode_outside(model: nn.Module) -> Report:
    with torch.inference_mode():
        return check(model, F.cross_entropy, batch())


@context
def without_a_length(model: nn.Module) -> Report:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def __len__(self) -> int:
            raise TypeError("no len(), as a compiled module without one")

        def forward(self, x: Tensor) -> Any:
            return self.inner(x)

    return check(Wrapped(), F.cross_entropy, batch())


@context
def functional(model: nn.Module) -> Report:
    weights = {n: p.detach().clone().requires_grad_() for n, p in model.named_parameters()}
    return check_step(step_of(lambda x: functional_call(model, weights, (x,))))


@context
def over_several_models(model: nn.Module) -> Report:
    weights = {n: torch.stack([p.detach()] * 2) for n, p in model.named_parameters()}
    x, y = batch()

    def one(w: dict[str, Tensor]) -> Tensor:
        return F.cross_entropy(functional_call(model, w, (x,)), y)

    return check_step(lambda: vmap(one)(weights).mean())


@context
def compiled(model: nn.Module) -> Report:
    return check(torch.compile(model, backend="eager"), F.cross_entropy, batch())


@context
def compiled_step(model: nn.Module) -> Report:
    return check_step(torch.compile(step_of(model), backend="eager"))


@context
def symbolically_traced(model: nn.Module) -> Report:
    return check(torch.fx.symbolic_trace(model), F.cross_entropy, batch())


@context
def bfloat16(model: nn.Module) -> Report:
    x, y = batch()
    return check(model.bfloat16(), F.cross_entropy, (x.bfloat16(), y))


@context
def half(model: nn.Module) -> Report:
    x, y = batch()
    return check(model.half(), F.cross_entropy, (x.half(), y))


@context
def double(model: nn.Module) -> Report:
    x, y = batch()
    return check(model.double(), F.cross_entropy, (x.double(), y))


@context
def autocast(model: nn.Module) -> Report:
    step = step_of(model)

    def cast() -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return step()

    return check_step(cast)


@context
def checkpointed(model: nn.Module) -> Report:
    return check_step(step_of(lambda x: checkpoint(model, x, use_reentrant=False)))


@context
def reentrant_checkpoint(model: nn.Module) -> Report:
    return check_step(
        step_of(lambda x: checkpoint(model, x.clone().requires_grad_(), use_reentrant=True))
    )


@context
def one_sample(model: nn.Module) -> Report:
    x, y = batch()
    return check(model, F.cross_entropy, (x[:1], y[:1]))


@context
def dictionary_output(model: nn.Module) -> Report:
    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Any:
            out = self.model(x)
            return {"out": out, "twice": [out, out]}

    return check(Wrapped(), lambda out, y: F.cross_entropy(out["out"], y), batch())


@context
def keyword_input(model: nn.Module) -> Report:
    x, y = batch()
    return check(model, F.cross_entropy, ({"input": x}, y))


@context
def loss_for_each_sample(model: nn.Module) -> Report:
    return check(model, nn.CrossEntropyLoss(reduction="none"), batch())


@context
def frozen(model: nn.Module) -> Report:
    return check(model.requires_grad_(False), F.cross_entropy, batch())


@context
def evaluation_mode(model: nn.Module) -> Report:
    return check(model.eval(), F.cross_entropy, batch())


@context
def loss_as_a_number(model: nn.Module) -> Report:
    step = step_of(model)
    return check_step(lambda: step().item())


@context
def plain_function(model: nn.Module) -> Report:
    return check(lambda x: model(x), F.cross_entropy, batch())


@context
def another_thread(model: nn.Module) -> Report:
    step = step_of(model)

    def apart() -> Tensor:
        results: list[Tensor] = []
        thread = threading.Thread(target=lambda: results.append(step()))
        thread.start()
        thread.join()
        return results[0]

    return check_step(apart)


@context
def backward_inside(model: nn.Module) -> Report:
    step = step_of(model)

    def train() -> Tensor:
        loss = step()
        loss.backward()
        return loss.detach()

    return check_step(train)


@context
def optimiser_inside(model: nn.Module) -> Report:
    step, optimizer = step_of(model), torch.optim.SGD(model.parameters(), 0.1)

    def train() -> Tensor:
        optimizer.zero_grad()
        loss = step()
        loss.backward()
        optimizer.step()
        return loss

    return check_step(train)


@context
def no_numbers(model: nn.Module) -> Report:
    x, y = batch()
    return check(model.to("meta"), F.cross_entropy, (x.to("meta"), y.to("meta")))


@context
def loss_inside_the_model(model: nn.Module) -> Report:
    class Trained(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor, y: Tensor) -> Any:
            return F.cross_entropy(self.model(x), y)

    trained, (x, y) = Trained(), batch()
    return check_step(lambda: trained(x, y))


@pytest.mark.parametrize("name", CONTEXTS)
@pytest.mark.parametrize("wrong", [True, False], ids=["double softmax", "logits"])
def test_the_fault_is_found_and_only_the_fault(name: str, wrong: bool) -> None:
    torch.manual_seed(0)
    report = CONTEXTS[name](network(nn.Softmax(dim=1) if wrong else nn.Identity()))
    codes = {found.code for found in report.of_severity("error", "warning")}
    assert not [item for item in report.unchecked if "fault of actlab" in item.reason], str(report)
    if wrong:
        assert "ACT101" in codes
    else:
        assert codes == set()


def test_what_could_not_be_seen_is_not_called_fine() -> None:
    report = another_thread(network(nn.Identity()))
    assert report.fine == ()
    assert {item.code for item in report.unchecked} >= {"ACT101", "ACT301", "ACT401"}


def test_a_step_without_any_torch_call_is_not_called_fine() -> None:
    report = check_step(lambda: 1.0)
    assert report.fine == ()


def test_a_loss_of_several_numbers_is_noted() -> None:
    report = loss_for_each_sample(network(nn.Identity()))
    assert any("shape (8,)" in note for note in report.notes)
