"""What a watch sees, counts, warns of and leaves behind."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.watching import MisuseWarning, Watch, WatchError
from actlab.checker.watching.samplers import Sparing


def silent(summary: object) -> None:
    """Show nothing."""


def watched(*models: nn.Module, every: int = 1) -> Watch:
    return actlab.watch(*models, every=every, show=silent)


def mlp(bias: float = 0.0) -> nn.Sequential:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
    nn.init.constant_(net[0].bias, bias)
    return net


def step(model: Callable[..., Any], samples: int = 64) -> Tensor:
    loss = F.cross_entropy(model(torch.randn(samples, 8)), torch.arange(samples) % 3)
    loss.backward()
    return loss


def hooks(model: nn.Module) -> int:
    registries = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    own = sum(len(getattr(m, name)) for m in model.modules() for name in registries)
    return own + sum(len(p._backward_hooks or ()) for p in model.parameters())


def codes(watch: Watch) -> list[tuple[str, str]]:
    return [(found.code, found.severity) for found in watch.findings]


def test_the_first_pass_and_every_nth_are_sampled() -> None:
    net = mlp()
    with watched(net, every=4) as watch:
        for _number in range(10):
            step(net)
    row = watch.summary.models[0]
    assert (row.training_passes, row.inference_passes, row.sampled) == (10, 0, 3)


def test_small_networks_are_sampled_more_seldom() -> None:
    clock = {"burden": 0.5}
    sampler = Sparing(every=100, limit=0.03)
    due = [sampler.is_due(number, lambda: clock["burden"]) for number in (1, 2, 101)]
    clock["burden"] = 0.01
    due += [sampler.is_due(number, lambda: clock["burden"]) for number in (150, 201)]
    assert due == [True, False, False, False, True]
    assert sampler.passed_over == 1


def test_watching_takes_its_share_of_the_time_and_no_more() -> None:
    net = mlp()
    with actlab.watch(net, show=silent) as watch:
        for _number in range(1000):
            net(torch.ones(1, 8))
    hooks = watch.model_hooks[0]
    passed = time.perf_counter() - (hooks._began or 0.0)
    sampled = watch.summary.models[0].sampled
    assert 1 <= sampled <= 10
    assert isinstance(hooks.sampler, Sparing)
    assert sampled + hooks.sampler.passed_over == 10
    assert hooks.stopwatch.seconds < 0.5 * passed


def test_passes_between_have_no_hooks_but_the_counter() -> None:
    net = mlp()
    with watched(net, every=100):
        step(net)
        step(net)
        assert hooks(net) == 2  # before and after the pass of the whole model
        assert hooks(net[0]) == 0
    assert hooks(net) == 0


def test_training_is_what_it_would_have_been() -> None:
    plain, other = mlp(), mlp()
    torch.manual_seed(1)
    losses = [step(plain) for _number in range(4)]
    torch.manual_seed(1)
    with watched(other):
        same = [step(other) for _number in range(4)]
    assert losses == same
    for a, b in zip(plain.parameters(), other.parameters(), strict=True):
        assert a.grad is not None
        assert b.grad is not None
        assert torch.equal(a.grad, b.grad)


def test_dead_units_give_one_warning_on_the_users_line() -> None:
    net = mlp(bias=-30.0)
    with pytest.warns(MisuseWarning, match="ACT501 at pass") as caught, watched(net) as watch:
        for _number in range(8):
            step(net)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    (found,) = watch.findings
    assert (found.code, found.severity) == ("ACT501", "error")
    assert "32 of the 32" in found.message
    assert "to pass 8 of 8" in found.proof
    row = watch.summary.activations[0]
    assert (row.activation, row.units, row.dead) == ("1 (relu)", 32, 32)


def test_units_that_come_back_are_forgiven_at_the_end() -> None:
    net = mlp(bias=-30.0)
    with pytest.warns(MisuseWarning), watched(net) as watch:
        for number in range(10):
            if number == 5:
                nn.init.zeros_(net[0].bias)
            step(net)
    assert watch.summary.activations[0].dead == 0
    (found,) = watch.findings
    assert "(from pass 1 to pass 5 of 10)" in found.proof


def test_saturated_units() -> None:
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 3))
    nn.init.normal_(net[0].weight, std=400.0)
    with pytest.warns(MisuseWarning, match="ACT502"), watched(net) as watch:
        step(net)
    assert ("ACT502", "error") in codes(watch)


def test_a_vanishing_gradient_takes_two_passes() -> None:
    layers = [part for _ in range(6) for part in (nn.Linear(8, 8), nn.Sigmoid())]
    net = nn.Sequential(*layers, nn.Linear(8, 3))
    with watched(net) as once:
        step(net)
    assert once.findings == ()
    with pytest.warns(MisuseWarning, match="ACT503"), watched(net) as twice:
        step(net)
        step(net)
    assert codes(twice) == [("ACT503", "warning")]


def test_an_exploding_gradient() -> None:
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    with pytest.warns(MisuseWarning, match="ACT504"), watched(net) as watch:
        F.mse_loss(net(torch.randn(16, 8)), 1e7 * torch.rand(16, 1)).backward()
    assert codes(watch) == [("ACT504", "warning")]


def test_a_nan_names_the_first_layer_that_has_it() -> None:
    net = mlp()
    with pytest.warns(MisuseWarning, match="ACT508"), watched(net) as watch:
        step(net)
        nn.init.constant_(net[2].weight, float("nan"))
        step(net)
    (found,) = watch.findings
    assert (found.code, found.severity, found.location.module) == ("ACT508", "error", "2")
    assert found.proof.endswith("(at pass 2 of 2)")


def test_activations_that_grow() -> None:
    layers = [nn.Linear(8, 8) for _ in range(5)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=5.0)
    net = nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())), nn.Linear(8, 3))
    with warnings.catch_warnings(record=True), watched(net) as watch:
        step(net)
    assert ("ACT505", "warning") in codes(watch)


def test_learnt_slopes() -> None:
    net = nn.Sequential(nn.Linear(8, 6), nn.PReLU(6), nn.Linear(6, 3))
    with watched(net) as watch:
        step(net)
        with torch.no_grad():
            net[1].weight.copy_(torch.arange(6.0))
    (row,) = watch.summary.slopes
    assert (row.name, row.count) == ("1.weight", 6)
    assert (row.first_mean, row.last_mean, row.lowest, row.highest) == (0.25, 2.5, 0.0, 5.0)


def test_healthy_networks_are_left_alone() -> None:
    torch.manual_seed(0)
    for activation in (nn.ReLU, nn.Tanh, nn.GELU, nn.SiLU, nn.ELU, nn.Sigmoid):
        net = nn.Sequential(
            nn.Conv2d(1, 8, 3), activation(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(72, 32), activation(), nn.Linear(32, 3),
        )  # fmt: skip
        optimizer = torch.optim.Adam(net.parameters())
        with watched(net) as watch:
            for _number in range(5):
                optimizer.zero_grad()
                F.cross_entropy(net(torch.randn(32, 1, 8, 8)), torch.arange(32) % 3).backward()
                optimizer.step()
        assert watch.findings == (), activation


def test_nothing_stops_the_program() -> None:
    net = mlp(bias=-30.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with watched(net) as watch:
            for _number in range(5):
                step(net)
    assert codes(watch) == [("ACT501", "error")]


def test_an_exception_passes_through_and_leaves_no_hook() -> None:
    net = mlp()
    with pytest.raises(ZeroDivisionError), watched(net) as watch:
        step(net)
        raise ZeroDivisionError
    assert hooks(net) == 0
    assert watch.summary.models[0].sampled == 1


def test_an_exception_in_a_sampled_pass_leaves_no_mode_behind() -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("broken")

    net = nn.Sequential(nn.Linear(8, 3), Broken())
    with pytest.raises(RuntimeError, match="broken"), watched(net):
        net(torch.randn(2, 8))
    assert hooks(net) == 0
    assert torch.overrides._get_current_function_mode_stack() == []


def test_a_fault_inside_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ValueError("inside")

    monkeypatch.setattr("actlab.checker.watching.history.PassHistory.add", fail)
    net = mlp()
    with watched(net) as watch:
        for _number in range(3):
            step(net)
    assert "ValueError: inside" in watch.summary.unwatched[0]
    assert hooks(net) == 0


@pytest.mark.parametrize(
    ("models", "every", "message"),
    [
        ((), 1, "watch takes at least one model: watch(model)."),
        ((3,), 1, "What is watched must be a torch.nn.Module; got int."),
        ((nn.ReLU(),), 0, "every must be a whole number of passes, at least 1; got 0."),
        ((nn.ReLU(),), True, "every must be a whole number of passes, at least 1; got True."),
    ],
)
def test_bad_input(models: Any, every: Any, message: str) -> None:
    with pytest.raises(WatchError) as raised:
        actlab.watch(*models, every=every)
    assert str(raised.value) == message


def trained(net: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], y: Tensor) -> Watch:
    """Watch sixty steps on fresh noise, whose targets have nothing to do with it."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    with watched(net, every=10) as watch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _step in range(90):
            optimizer.zero_grad()
            loss(net(torch.randn(len(y), 8)), y).backward()
            optimizer.step()
    return watch


def test_a_network_that_says_the_best_constant_is_found_late_in_the_training() -> None:
    net = mlp()
    with torch.no_grad():
        for parameter in net[0].parameters():
            parameter.requires_grad_(False)
    y = torch.arange(64) % 3
    optimizer = torch.optim.SGD(net[2].parameters(), lr=0.5)
    with watched(net, every=10) as watch, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for number in range(90):
            if number == 40:  # something kills the hidden layer: all that is left is the bias
                nn.init.constant_(net[0].bias, -1e3)
            optimizer.zero_grad()
            F.cross_entropy(net(torch.randn(64, 8)), y).backward()
            optimizer.step()
    assert any("ACT509 at pass 51" in str(item.message) for item in warned)
    found = [finding for finding in watch.findings if finding.code == "ACT509"]
    assert [finding.severity for finding in found] == ["warning"]
    assert "from pass 51 to pass 81 of 90" in found[0].proof


def test_a_network_that_learns_nothing_but_still_answers_differently_is_left_alone() -> None:
    watch = trained(mlp(), F.cross_entropy, torch.arange(64) % 3)
    assert "ACT509" not in {finding.code for finding in watch.findings}


def test_a_constant_that_another_would_beat_is_left_alone() -> None:
    net = mlp(bias=-1e3)
    watch = trained(net, lambda z, y: (z.sum(1) * y).mean(), torch.ones(64))
    assert "ACT509" not in {finding.code for finding in watch.findings}


class ActorAndCritic(nn.Module):
    """Two networks in one module: the critic's loss is a thousand times the actor's."""

    def __init__(self) -> None:
        super().__init__()
        self.actor = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _n in range(3)))
        self.critic = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.actor(x), self.critic(x)


def test_gradients_are_compared_along_a_way_and_not_between_networks() -> None:
    torch.manual_seed(0)
    net = ActorAndCritic()
    with watched(net) as watch:
        for _number in range(3):
            actions, values = net(torch.randn(64, 8))
            (1e-3 * actions.square().mean() + 1e3 * (values - 1.0).square().mean()).backward()
    assert not {finding.code for finding in watch.findings} & {"ACT503", "ACT504"}


def test_each_network_of_a_model_is_compared_for_itself() -> None:
    torch.manual_seed(0)
    net = ActorAndCritic()
    net.actor = nn.Sequential(
        *(nn.Sequential(nn.Linear(8, 8), nn.Sigmoid()) for _number in range(8))
    )
    with watched(net) as watch, warnings.catch_warnings():
        warnings.simplefilter("ignore", MisuseWarning)
        for _number in range(3):
            actions, values = net(torch.randn(64, 8))
            ((actions - 0.2).square().mean() + (values - 1.0).square().mean()).backward()
    found = [finding for finding in watch.findings if finding.code == "ACT503"]
    assert len(found) == 1
    assert "actor.7" in found[0].proof
