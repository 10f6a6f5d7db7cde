"""Programs of all kinds under a watch: compiled, shared, functional, without gradients."""

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

import actlab
from actlab.activations.modules.pointwise import Pointwise
from actlab.checker.watching import MisuseWarning
from tests.checker.watching.test_watch import hooks, mlp, step, watched


def names(watch: Any) -> list[str]:
    return [row.activation for row in watch.summary.activations]


def roles(watch: Any) -> dict[str, str]:
    return {row.activation: row.role for row in watch.summary.activations}


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.gate, self.c = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.a(x))
        x = torch.tanh(self.b(x)) * torch.sigmoid(self.gate(x))
        return torch.sigmoid(self.c(x))


def test_functional_activations_gates_and_heads() -> None:
    net = Functional()
    with watched(net) as watch:
        net(torch.randn(16, 8)).sum().backward()
    assert roles(watch) == {
        "relu after a": "hidden",
        "tanh after b": "gate",
        "sigmoid after gate": "gate",
        "sigmoid after c": "head",
    }


def test_relu6_is_a_rectifier_though_torch_runs_it_as_hardtanh() -> None:
    net = nn.Sequential(
        nn.Linear(8, 8), nn.ReLU6(), nn.Linear(8, 8), nn.Hardtanh(), nn.Linear(8, 3)
    )
    with watched(net) as watch:
        step(net)
    relu6, hardtanh = watch.summary.activations
    assert (relu6.activation, relu6.saturated) == ("1 (relu6)", None)
    assert (hardtanh.activation, hardtanh.saturated) == ("3 (hardtanh)", 0)


def test_a_shared_module_is_told_apart_by_its_runs() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.act, self.a, self.b, self.c = nn.ReLU(), *(nn.Linear(8, 8) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            return self.c(self.act(self.b(self.act(self.a(x)))))

    net = Shared()
    nn.init.constant_(net.b.bias, -50.0)
    with pytest.warns(MisuseWarning), watched(net) as watch:
        for _number in range(4):
            net(torch.randn(33, 8)).sum().backward()
    assert [(row.activation, row.dead) for row in watch.summary.activations] == [
        ("act (relu) (run 1)", 0),
        ("act (relu) (run 2)", 8),
    ]


def test_in_place_activations_are_measured_before_they_overwrite() -> None:
    plain, in_place = mlp(-0.2), mlp(-0.2)
    in_place[1].inplace = True
    torch.manual_seed(3)
    with watched(plain) as first:
        step(plain)
    torch.manual_seed(3)
    with watched(in_place) as second:
        step(in_place)
    assert first.summary.activations == second.summary.activations


def test_compiled_models() -> None:
    compiles = []

    def backend(graph: Any, inputs: Any) -> Any:
        compiles.append(graph)
        return graph.forward

    torch._dynamo.reset()
    net = mlp()
    compiled = torch.compile(net, backend=backend)
    step(compiled)
    with watched(compiled, every=2) as watch:
        for _number in range(4):
            step(compiled)
    step(compiled)
    assert names(watch) == ["1 (relu)"]
    assert (watch.summary.models[0].model, watch.summary.models[0].sampled) == ("Sequential", 2)
    assert len(compiles) == 1  # neither the model_hooks nor their going made torch compile again

    in_place = Functional()
    in_place.compile(backend=backend, fullgraph=True)
    before = in_place._compiled_call_impl
    with watched(in_place, every=2) as watch:
        for _number in range(4):
            in_place(torch.randn(16, 8)).sum().backward()
    assert names(watch)[0] == "relu after a"
    assert in_place._compiled_call_impl is before
    assert len(compiles) == 2

    with watched(net) as watch:  # the original, while its compiled version is what runs
        step(compiled)
    assert "compiled" in watch.summary.unwatched[0]
    torch._dynamo.reset()


def test_several_models() -> None:
    generator, critic = mlp(), mlp(-30.0)
    with pytest.warns(MisuseWarning, match="ACT501"), watched(generator, critic) as watch:
        for _number in range(4):
            fake = generator(torch.randn(40, 8))
            critic(F.pad(fake, (0, 5))).mean().backward()
            critic(torch.randn(40, 8)).mean().backward()
    first, second = watch.summary.models
    assert (first.model, first.training_passes) == ("Sequential 1", 4)
    assert (second.model, second.training_passes) == ("Sequential 2", 8)
    assert [row.dead for row in watch.summary.activations] == [0, 32]


def test_two_watches_at_once() -> None:
    net = mlp()
    with watched(net) as outer:
        step(net)
        with watched(net) as inner:
            step(net)
        step(net)
    assert (outer.summary.models[0].sampled, inner.summary.models[0].sampled) == (3, 1)
    assert hooks(net) == 0


def test_gradients_are_those_of_the_pass_with_accumulation() -> None:
    net = mlp()
    sizes = []
    with watched(net) as watch:
        for _number in range(3):
            before = net[0].weight.grad.clone() if net[0].weight.grad is not None else 0.0
            step(net)
            assert net[0].weight.grad is not None
            sizes.append(float((net[0].weight.grad - before).square().mean().sqrt()))
    assert watch.summary.layers[0].gradient == pytest.approx(sizes[-1], rel=1e-4)


def test_two_passes_before_one_backward() -> None:
    net = mlp()
    with watched(net) as watch:
        for _number in range(3):
            (net(torch.randn(9, 8)) - net(torch.randn(9, 8))).square().mean().backward()
    assert watch.summary.layers[0].gradient > 0.0
    assert watch.summary.models[0].training_passes == 6


def test_inference_only() -> None:
    net = mlp(-30.0)
    with pytest.warns(MisuseWarning, match="ACT501"), watched(net) as watch, torch.inference_mode():
        for _number in range(4):
            net(torch.randn(64, 8))
    assert watch.summary.models[0].inference_passes == 4
    assert any("without" in text for text in watch.summary.unwatched)


def test_validation_between_is_not_mixed_in() -> None:
    net = mlp()
    with watched(net) as watch:
        for _number in range(2):
            step(net)
            with torch.no_grad():
                net(torch.full((64, 8), -100.0))
    row = watch.summary.models[0]
    assert (row.training_passes, row.inference_passes, row.sampled) == (2, 2, 2)


def test_what_cannot_be_heard_is_named() -> None:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * x

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> Tensor:
            return gradient

    class Squared(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return Square.apply(x)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.square = nn.LSTM(8, 8, batch_first=True), Squared()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                self.scripted = torch.jit.trace(nn.Tanh(), torch.ones(1))

        def forward(self, x: Tensor) -> Tensor:
            return self.scripted(self.square(self.rnn(x)[0]))

    net = Net()
    with watched(net) as watch:
        net(torch.randn(4, 5, 8)).sum().backward()
        net(torch.randn(4, 5, 8)).sum().backward()
    text = "\n".join(watch.summary.unwatched)
    assert "inside rnn (lstm)" in text
    assert "scripted, which runs no torch function" in text


def test_models_can_be_copied_and_pickled_while_they_are_watched() -> None:
    net = mlp()
    with watched(net) as watch:
        step(net)
        copied, loaded = copy.deepcopy(net), pickle.loads(pickle.dumps(net))
        for other in (copied, loaded):
            assert torch.equal(other(torch.ones(2, 8)), net(torch.ones(2, 8)))
        assert b"actlab" not in pickle.dumps(net)
    assert watch.summary.models[0].training_passes == 3


def test_double_precision_and_lazy_layers() -> None:
    net = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.Linear(8, 3)).double()
    with watched(net) as watch:
        for _number in range(3):
            net(torch.randn(16, 8, dtype=torch.float64)).sum().backward()
    assert len(watch.summary.layers) == 2
    assert watch.summary.unwatched == ()


def test_values_inside_vmap_are_named_as_unreadable() -> None:
    layer = nn.Linear(8, 8)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return torch.vmap(lambda row: torch.relu(self.layer(row)))(x)

    net = Net()
    with watched(net) as watch:
        net(torch.randn(4, 8)).sum().backward()
    assert watch.summary.unwatched == (
        "Net: the units of relu, whose numbers cannot be read where it runs",
    )


def test_a_fault_in_listening_does_not_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise ValueError("inside")

    monkeypatch.setattr("actlab.checker.watching.forward_sample.measure", fail)
    net = mlp()
    with watched(net) as watch:
        step(net)
    assert "ValueError: inside" in watch.summary.unwatched[0]


def test_never_called() -> None:
    with watched(mlp()) as watch:
        pass
    assert "no pass was seen" in watch.summary.unwatched[0]


class NegativeSlope(Pointwise):
    """A function of the catalogue's kind: max(x, slope x), its slope learnt."""

    PARAMETERS = ("slope",)
    LEARNABLE = frozenset({"slope"})
    _value = staticmethod(lambda x, slope: torch.where(x > 0, x, slope * x))
    _slope = staticmethod(lambda x, slope: torch.where(x > 0, torch.ones_like(x), slope))
    _parameter_slopes = staticmethod(lambda x, slope: (torch.where(x > 0, 0.0, x),))


def test_the_catalogues_own_functions() -> None:
    net = nn.Sequential(nn.Linear(8, 8), NegativeSlope(slope=0.5), nn.Linear(8, 3))
    with watched(net) as watch:
        step(net)
    assert roles(watch) == {"1 (negativeslope)": "hidden"}
    assert watch.summary.slopes[0].first_mean == 0.5
    assert watch.summary.unwatched == ()


def test_checkpoints_and_weight_norm() -> None:
    net = mlp()
    torch.nn.utils.parametrizations.weight_norm(net[0])

    class Checkpointed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            return checkpoint(self.net, x, use_reentrant=False)

    whole = Checkpointed()
    with watched(whole) as watch:
        for _number in range(2):
            step(whole)
    assert [row.layer for row in watch.summary.layers] == ["net.0 (linear)", "net.2 (linear)"]
    assert names(watch) == ["net.1 (relu)"]


def test_half_precision_judges_proportions_only() -> None:
    net = mlp()
    with watched(net) as watch:
        for _number in range(2):
            with torch.autocast("cpu", dtype=torch.float16):
                output = net(torch.randn(16, 8))
            (65536.0 * 1e6 * output.float().square().mean()).backward()
    assert watch.findings == ()
    assert any("float16" in text for text in watch.summary.unwatched)


def test_show_is_given_the_summary_once() -> None:
    shown: list[Any] = []
    net = mlp()
    with actlab.watch(net, show=shown.append) as watch:
        step(net)
    assert shown == [watch.summary]
