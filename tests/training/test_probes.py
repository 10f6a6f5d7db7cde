"""Probes: every number by a second route, and nothing changed by looking."""

import dataclasses
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.networks import as_written, slots
from actlab.records import LayerProbe, Outcome, Slot
from actlab.training import ActivationProbe, Examples, Recipe, Training, train

from .synthetic import examples, network, recipe, training_data

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Bit for bit is promised for one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def probe_of(model: nn.Module, images: int = 500) -> ActivationProbe:
    sites = slots(model)
    return ActivationProbe(sites, images, view=as_written)


def probed(conv: str = "prelu", fc: str = "tanh", **changes: int) -> tuple[Recipe, nn.Module]:
    model = network(conv, fc)
    return dataclasses.replace(recipe(**changes), probe=probe_of(model)), model


def without(training: Training) -> Training:
    """Return what must not depend on probes."""
    curve = tuple(dataclasses.replace(epoch, seconds=0.0) for epoch in training.curve)
    return dataclasses.replace(training, curve=curve, seconds=0.0, probes=None)


def by_hand(model: nn.Sequential, data: Examples) -> dict[str, tuple[Tensor, Tensor]]:
    """Return input and output of every layer, walking over the layers as they are listed."""
    values, found = data.images, {}
    with torch.no_grad():
        for name, layer in model.named_children():
            before, values = values, layer(values)
            found[name] = (before, values)
    return found


def only(probes: tuple[LayerProbe, ...], layer: str) -> LayerProbe:
    (found,) = [probe for probe in probes if probe.layer == layer]
    return found


def trained(conv: str, fc: str) -> nn.Sequential:
    model = network(conv, fc)
    train(model, training_data(), recipe(learning_rate=0.01, max_epochs=2))
    assert isinstance(model, nn.Sequential)
    return model


@pytest.mark.parametrize("name", STUDY)
def test_shares_mean_and_spread_are_those_of_the_outputs(name: str) -> None:
    model, data = trained(name, name), examples(230, 9)
    found = probe_of(model).layers(model, data)
    assert [probe.layer for probe in found] == [
        "conv1_activation",
        "conv2_activation",
        "fc1_activation",
    ]
    assert [probe.slot for probe in found] == ["conv", "conv", "fc"]
    for layer, (_before, outputs) in by_hand(model, data).items():
        if not layer.endswith("activation"):
            continue
        probe = only(found, layer)
        assert probe.zeros == (outputs == 0).double().mean().item()
        assert probe.mean == pytest.approx(outputs.double().mean().item(), rel=1e-5, abs=1e-7)
        spread = outputs.double().std(unbiased=False).item()
        assert probe.spread == pytest.approx(spread, rel=1e-5)
        ones = outputs.double().abs() / outputs.double().abs().max()
        assert probe.sparseness == pytest.approx(
            1 - (ones.mean() ** 2 / ones.square().mean()).item(), abs=1e-6
        )


DERIVATIVES = {
    "relu": lambda z: (z > 0).float(),
    "leaky_relu_0.1": lambda z: torch.where(z > 0, 1.0, 0.1),
    "tanh": lambda z: 1 - torch.tanh(z) ** 2,
    "sigmoid": lambda z: torch.sigmoid(z) * (1 - torch.sigmoid(z)),
    "elu": lambda z: torch.where(z > 0, 1.0, z.exp()),
}


@pytest.mark.parametrize("name", DERIVATIVES)
def test_saturation_and_death_follow_the_derivative_known_in_closed_form(name: str) -> None:
    model, data = trained(name, name), examples(120, 9)
    with torch.no_grad():
        # Wide inputs saturate; one unit far below zero is dead for relu alone.
        model.conv2.weight.mul_(20)
        model.conv2.bias[3] = -1e4
    found = only(probe_of(model).layers(model, data), "conv2_activation")
    inputs, outputs = by_hand(model, data)["conv2_activation"]
    slope = DERIVATIVES[name](inputs)
    limit = 0.0025 if name == "sigmoid" else 0.01
    flat = ((slope < limit) & (outputs != 0)).double().mean().item()
    assert found.saturated == pytest.approx(flat, abs=2e-5)
    assert (found.saturated > 0.1) == (name in {"tanh", "sigmoid", "elu"})
    silent = ((slope == 0) & (outputs <= 0)).transpose(0, 1).flatten(1)
    dead = silent.all(dim=1).double().mean().item()
    assert found.dead == pytest.approx(dead, abs=0)
    assert (found.dead >= 1 / 32) == (name != "leaky_relu_0.1")


@pytest.mark.parametrize(("conv", "fc"), [("relu", "sigmoid"), ("silu", "prelu")])
def test_gradient_norms_are_those_of_one_whole_batch(conv: str, fc: str) -> None:
    model, data = trained(conv, fc), examples(230, 9)
    found = probe_of(model).layers(model, data)
    loss = F.cross_entropy(as_written(model)(data.images), data.labels)
    weights = {name: model.get_parameter(f"{name}.weight") for name in ("conv1", "conv2", "fc1")}
    gradients = torch.autograd.grad(loss, list(weights.values()))
    for name, gradient in zip(weights, gradients, strict=True):
        norm = only(found, f"{name}_activation").gradient_norm
        assert norm == pytest.approx(gradient.double().square().sum().sqrt().item(), rel=1e-4)


def test_an_activation_is_seen_before_pooling_also_where_pooling_comes_first() -> None:
    model, data = trained("relu", "relu"), examples(100, 9)
    written = only(probe_of(model).layers(model, data), "conv1_activation")
    probe = dataclasses.replace(probe_of(model), view=lambda network: network)
    as_run = only(probe.layers(model, data), "conv1_activation")
    assert written.zeros > as_run.zeros + 0.05


def test_only_the_asked_number_of_images_is_looked_at() -> None:
    model, data = network(), examples(300, 9)
    first = Examples(data.images[:130], data.labels[:130])
    assert probe_of(model, 130).layers(model, data) == probe_of(model).layers(model, first)


@pytest.mark.parametrize("name", STUDY)
def test_a_training_is_the_same_bit_for_bit_with_probes(name: str) -> None:
    data = training_data(64, 32)
    settings, model = probed(name, name, max_epochs=2)
    seen = train(model, data, settings)
    unseen = train(network(name, name), data, dataclasses.replace(settings, probe=None))
    assert seen.probes is not None
    assert unseen.probes is None
    assert without(seen) == without(unseen)


def test_looking_changes_nothing() -> None:
    torch.manual_seed(3)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.RReLU(inplace=True),
        nn.Dropout(0.5), nn.Linear(16, 8),
    )  # fmt: skip
    model[2].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    random = torch.get_rng_state()
    probe_of(model).layers(model, examples(40, 9))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), random)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_slopes_are_traced_from_the_start_over_every_epoch() -> None:
    settings, model = probed("prelu", "prelu", max_epochs=3)
    found = train(model, training_data(), settings)
    assert found.probes is not None
    learnt = found.probes.learnt
    assert [(trace.layer, trace.name) for trace in learnt] == [
        ("conv1_activation", "weight"),
        ("conv2_activation", "weight"),
        ("fc1_activation", "weight"),
    ]
    for trace in learnt:
        assert len(trace.values) == 1 + len(found.curve)
        assert trace.values[0] == 0.25
        assert len(set(trace.values)) == len(trace.values)
    slope = model.get_parameter("conv2_activation.weight").item()
    assert found.best_epoch is not None
    assert learnt[1].values[found.best_epoch] == slope


def test_probes_of_segments_are_those_of_the_uncut_training() -> None:
    data = training_data(64, 32)
    settings, model = probed()
    uncut = train(model, data, settings)
    paused = train(network(), data, settings, until_epoch=1)
    assert paused.probes is None
    resumed = train(network(seed=5), data, settings, paused.state)
    assert resumed.probes == uncut.probes
    assert resumed.state == uncut.state


class Odd(nn.Module):
    """A network with an activation that it does not call, and one that halves what it takes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(64, 16)
        self.unused = nn.ReLU()
        self.halving = Halving()
        self.last = nn.Linear(8, 8)
        self.end = nn.Tanh()

    def forward(self, images: Tensor) -> Tensor:
        inner = self.last(self.halving(self.first(images.flatten(1))))
        assert isinstance(inner, Tensor)
        return torch.tanh(inner)


class Halving(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return torch.maximum(*values.chunk(2, dim=1))


def test_what_is_not_called_or_not_elementwise_is_left_out() -> None:
    sites = (Slot("unused", "fc", "first"), Slot("halving", "fc", "first"))
    assert ActivationProbe(sites).layers(Odd(), examples(20, 9)) == ()


def test_a_training_that_diverges_has_no_probes() -> None:
    settings, model = probed("relu", "relu", learning_rate=1e30)
    found = train(model, training_data(), settings)
    assert found.outcome is Outcome.DIVERGED
    assert found.probes is None


def test_frozen_weights_have_no_gradient_and_infinite_outputs_no_mean() -> None:
    model, data = network("relu", "relu"), examples(20, 9)
    assert isinstance(model, nn.Sequential)
    model.conv1.requires_grad_(False)
    with torch.no_grad():
        model.conv2.bias[0] = math.inf
    found = probe_of(model).layers(model, data)
    assert found[0].gradient_norm is None
    assert found[1].mean is None
    assert found[1].spread is None
    assert found[1].sparseness is None
    assert found[2].gradient_norm is None
    model.requires_grad_(False)
    assert all(layer.gradient_norm is None for layer in probe_of(model).layers(model, data))
