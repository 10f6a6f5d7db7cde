"""A population trained in lock-step against the plain loop, trial by trial, in double precision."""

import collections
import copy
import dataclasses
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from actlab.errors import DeviceError
from actlab.networks import build, slots, winograd_first
from actlab.records import Outcome
from actlab.training import ActivationProbe, Examples, TrainingData, train, weights_from_bytes
from actlab.training.fused import train_population
from actlab.training.fused.population_step import Population
from tests.training.synthetic import training_data

from .populations import (
    assert_equal,
    data,
    every_activation,
    published_in_small,
    recipe,
    separately,
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_activation_mixed_with_rates_seeds_and_orders_of_their_own() -> None:
    models, part = every_activation(), data()
    recipes = [recipe(0.003 * (1 + trial), order_seed=trial) for trial in range(8)]
    expected = separately(models, [part] * 8, recipes)
    found = train_population(models, [part] * 8, recipes)
    for one, other, model in zip(found, expected, models, strict=True):
        assert_equal(one, other)
        for name, value in model.state_dict().items():
            assert torch.equal(value, weights_from_bytes(one.state)[name])


def test_a_search_shares_order_and_images_and_a_replicate_has_its_own_split() -> None:
    models = [published_in_small("prelu", "tanh", seed) for seed in range(3)]
    shared = data()
    recipes = [recipe(rate) for rate in (0.003, 0.01, 0.03)]
    for parts in ([shared] * 3, [data(0), data(1), data(2)]):
        given = copy.deepcopy(models)
        expected = separately(given, parts, recipes)
        for one, other in zip(train_population(given, parts, recipes), expected, strict=True):
            assert_equal(one, other)


def test_stopping_at_different_epochs_and_going_on_in_a_smaller_population(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    models, part = every_activation()[:6], data(train=24, valid=16)
    recipes = [recipe(0.03, order_seed=trial, patience=1 + trial % 3) for trial in range(6)]
    recipes = [
        dataclasses.replace(given, protocol=dataclasses.replace(given.protocol, max_epochs=limit))
        for given, limit in zip(recipes, (None, 7, None, 5, 3, 7), strict=True)
    ]
    sizes: list[int] = []
    smaller = Population.smaller

    def noted(population: Population) -> Population:
        made = smaller(population)
        sizes.append(len(made.members))
        return made

    monkeypatch.setattr(Population, "smaller", noted)
    expected = separately(models, [part] * 6, recipes)
    found = train_population(models, [part] * 6, recipes)
    assert len({len(training.curve) for training in expected}) >= 3
    assert sizes
    assert sizes[0] < 6
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


@pytest.mark.parametrize("full", [0.0, 1.0], ids=["masked", "left out at once"])
def test_a_trial_that_diverges_does_not_reach_the_others(
    monkeypatch: pytest.MonkeyPatch, full: float
) -> None:
    monkeypatch.setattr("actlab.training.fused.population.FULL", full)
    models = [published_in_small("relu", "prelu", seed) for seed in range(3)]
    with torch.no_grad():
        for parameter in models[1].parameters():
            parameter.mul_(1e80)
    recipes = [recipe(order_seed=trial, max_epochs=3) for trial in range(3)]
    parts = [data()] * 3
    expected = separately(models, parts, recipes)
    assert [training.outcome for training in expected] == [
        Outcome.COMPLETED,
        Outcome.DIVERGED,
        Outcome.COMPLETED,
    ]
    for one, other in zip(train_population(models, parts, recipes), expected, strict=True):
        assert_equal(one, other)


def test_a_trial_that_diverges_later_keeps_its_best_epoch() -> None:
    models = [published_in_small("relu", "relu", seed) for seed in range(2)]
    recipes = [recipe(0.01, max_epochs=4), recipe(1e30, max_epochs=6)]
    parts = [data(train=16)] * 2  # one step an epoch: the first is scored before it is far off
    expected = separately(models, parts, recipes)
    assert expected[1].outcome is Outcome.DIVERGED
    assert expected[1].best_epoch == 1
    for one, other in zip(train_population(models, parts, recipes), expected, strict=True):
        assert_equal(one, other)


def test_the_published_head_and_the_networks_of_a_study() -> None:
    part = training_data(train=40, valid=20)
    double = TrainingData(
        *(dataclasses.replace(each, images=each.images.double()) for each in vars(part).values())
    )
    pairs = [("prelu", "silu"), ("tanh", "prelu"), ("relu", "relu")]
    models = []
    for seed, (conv, fc) in enumerate(pairs):
        torch.manual_seed(seed)
        models.append(build("small_cnn", conv, fc, "softmax").double())
    recipes = [recipe(0.01, order_seed=seed) for seed in range(3)]
    given = zip(models, recipes, strict=True)
    expected = [train(winograd_first(copy.deepcopy(model)), double, each) for model, each in given]
    for one, other in zip(train_population(models, [double] * 3, recipes), expected, strict=True):
        assert_equal(one, other)


def test_other_layers_that_a_network_of_ones_own_may_have() -> None:
    torch.manual_seed(0)
    parts = [
        Examples(torch.randn(count, 2, 6, 6, dtype=torch.float64), torch.arange(count) % 8)
        for count in (40, 24, 24)
    ]

    def dense(slopes: int) -> nn.Sequential:
        layers = [nn.Flatten(), nn.Linear(72, 6, bias=False), nn.PReLU(slopes), nn.Linear(6, 8)]
        return nn.Sequential(*layers).double()

    def convolutional(activation: nn.Module) -> nn.Sequential:
        layers = [nn.Conv2d(2, 4, (3, 2), 2, bias=False), activation, nn.AvgPool2d(2)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4, 8)).double()

    for models in (
        [dense(6) for _trial in range(3)],
        [convolutional(nn.PReLU(4)) for _trial in range(3)],
        [convolutional(made) for made in (nn.Hardswish(), nn.PReLU(), nn.Hardswish())],
    ):
        recipes = [recipe(0.01, order_seed=seed) for seed in range(3)]
        data_of_each = [TrainingData(*parts)] * 3
        expected = separately(models, data_of_each, recipes)
        found = train_population(models, data_of_each, recipes)
        for one, other in zip(found, expected, strict=True):
            assert_equal(one, other)


def test_probes_see_the_same_networks() -> None:
    def probed(seed: int, conv: str) -> tuple[nn.Sequential, ActivationProbe]:
        torch.manual_seed(seed)
        model = build("small_cnn", conv, "prelu", "logits")
        sites = slots(model)
        return model, ActivationProbe(sites, images=20)

    made = [probed(seed, conv) for seed, conv in enumerate(("prelu", "tanh"))]
    part = training_data(train=32, valid=20)
    recipes = [dataclasses.replace(recipe(), probe=probe) for _model, probe in made]
    models = [model for model, _probe in made]
    expected = separately(models, [part] * 2, recipes)
    for one, other in zip(train_population(models, [part] * 2, recipes), expected, strict=True):
        assert one.probes is not None
        assert other.probes is not None
        assert [trace.name for trace in one.probes.learnt] == [
            trace.name for trace in other.probes.learnt
        ]
        for trace, plain in zip(one.probes.learnt, other.probes.learnt, strict=True):
            assert trace.values == pytest.approx(plain.values, rel=1e-5)
        for layer, of_plain in zip(one.probes.layers, other.probes.layers, strict=True):
            assert layer.mean == pytest.approx(of_plain.mean, rel=1e-4, abs=1e-6)


def too_small_for(monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    """Let a device run out of memory in the second epoch of more than so many trials."""
    epoch = Population.epoch

    def run(population: Population) -> None:
        if len(population.members) > trials and population.members[0].progress.curve:
            raise torch.OutOfMemoryError("CUDA out of memory")
        epoch(population)

    monkeypatch.setattr(Population, "epoch", run)


def test_a_population_that_memory_does_not_hold_is_halved(monkeypatch: pytest.MonkeyPatch) -> None:
    models, part, said = every_activation()[:5], data(), list[str]()
    recipes = [recipe(order_seed=trial) for trial in range(5)]
    expected = separately(models, [part] * 5, recipes)
    too_small_for(monkeypatch, 2)
    found = train_population(models, [part] * 5, recipes, said.append)
    assert len(said) == 2
    assert "5 trainings" in said[0]
    assert "3 trainings" in said[1]
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)


def test_memory_that_does_not_hold_one_network_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    models, part = every_activation()[:2], data()
    too_small_for(monkeypatch, 0)
    with (
        pytest.warns(RuntimeWarning, match="two halves"),
        pytest.raises(DeviceError, match="at least one network"),
    ):
        train_population(models, [part] * 2, [recipe()] * 2)


def test_what_cannot_be_fused_is_refused() -> None:
    part = data()
    small, other = published_in_small("relu", "relu", 0), published_in_small("relu", "relu", 1)
    for models, recipes, words in (
        ([nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(256, 8))], [recipe()], "plain"),
        ([small, nn.Sequential(nn.Linear(3, 4))], [recipe()] * 2, "same number of layers"),
        ([small, nn.Sequential(*list(other)[:-1], nn.Linear(6, 9))], [recipe()] * 2, "one shape"),
    ):
        with pytest.raises(ValueError, match=words):
            train_population(models, [part] * len(models), recipes)
    shorter = dataclasses.replace(
        recipe(), protocol=dataclasses.replace(recipe().protocol, batch_size=8)
    )
    with pytest.raises(ValueError, match="share batch size"):
        train_population([small, other], [part] * 2, [recipe(), shorter])
    with pytest.raises(ValueError, match="same numbers of examples"):
        train_population([small, other], [part, data(train=39)], [recipe()] * 2)


def test_layers_of_sequences_within_keep_their_names() -> None:
    """A user's network is one child of the network that a study builds."""
    models = [
        nn.Sequential(collections.OrderedDict(network=published_in_small("prelu", "tanh", seed)))
        for seed in range(3)
    ]
    part, recipes = data(), [recipe(0.003 * (1 + trial)) for trial in range(3)]
    expected = separately(models, [part] * 3, recipes)
    found = train_population(models, [part] * 3, recipes)
    for one, other in zip(found, expected, strict=True):
        assert_equal(one, other)
        assert all(name.startswith("network.") for name in weights_from_bytes(one.state))


def test_no_trials_make_an_empty_population() -> None:
    assert train_population([], [], []) == []


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_a_captured_step_computes_the_same() -> None:
    models, part = every_activation(), data(train=100)  # seven steps: some are replayed
    on_device = TrainingData(
        *(Examples(each.images.to("cuda"), each.labels.to("cuda")) for each in vars(part).values())
    )
    recipes = [recipe(order_seed=trial) for trial in range(8)]
    expected = separately(models, [part] * 8, recipes)
    placed = [model.to("cuda") for model in models]
    for one, other in zip(
        train_population(placed, [on_device] * 8, recipes), expected, strict=True
    ):
        assert_equal(one, other)
