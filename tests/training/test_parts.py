"""Optimiser, schedule, clipping, augmentation and the last batch; decay spares activations."""

from typing import Any

import pytest
import torch
from torch import nn

from actlab.errors import ActlabError, UnknownNameError
from actlab.networks import activation_parameters, swap
from actlab.records import Protocol
from actlab.training import Examples, Parts, Recipe, TrainingData, train
from actlab.training.parts import batches, optimiser_by_name, optimiser_of, schedule_by_name


def network(activation: Any = None) -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), activation or nn.PReLU(), nn.Linear(6, 2))


def data(rows: int = 60) -> TrainingData:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(rows, 4, generator=generator)
    part = Examples(x, (x[:, 0] > 0).long())
    return TrainingData(part, part, part)


def recipe(**changed: Any) -> Recipe:
    protocol = Protocol("corrected", "logits", weight_decay=5.0, max_epochs=3)
    return Recipe(0.01, protocol, order_seed=1, **changed)


def test_the_parameters_of_activations_are_told_from_those_of_layers() -> None:
    class Bent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.tensor(0.3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.where(x > 0, x, self.slope * x)

    plain = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    assert activation_parameters(plain) == frozenset()
    assert activation_parameters(network()) == {"1.weight"}
    assert activation_parameters(network(Bent())) == {"1.slope"}
    swapped = swap(plain, fc="swish", example=torch.randn(2, 4))
    assert activation_parameters(swapped) == {"2.beta"}


def test_decay_leaves_activation_parameters_alone_in_groups_and_in_values() -> None:
    model = network()
    spared = activation_parameters(model)
    groups = optimiser_of(model, Parts(), 0.1, 5.0, spared).param_groups
    assert [group["weight_decay"] for group in groups] == [5.0, 0.0]
    assert groups[1]["params"][0] is model[1].weight
    # With a gradient of 0 a decayed parameter shrinks and a spared one stays what it is.
    for names, moved in ((spared, False), (frozenset[str](), True)):
        still = network()
        optimiser = optimiser_of(still, Parts(), 0.01, 5.0, names)
        for parameter in still.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimiser.step()
        assert (float(still[1].weight.detach()) != 0.25) is moved
        assert not torch.equal(still[0].weight, network()[0].weight)
    kept, decayed = (network(), network())
    train(kept, data(), recipe(undecayed=spared))
    train(decayed, data(), recipe())
    assert float(kept[1].weight.detach()) > float(decayed[1].weight.detach())


def test_a_last_row_joins_the_batch_before_it() -> None:
    assert [len(part) for part in batches(torch.arange(65), 32)] == [32, 33]
    assert [len(part) for part in batches(torch.arange(66), 32)] == [32, 32, 2]
    assert [len(part) for part in batches(torch.arange(1), 32)] == [1]
    assert [len(part) for part in batches(torch.arange(3), 1)] == [1, 1, 1]
    assert [p.shape[1] for p in batches(torch.zeros(2, 33, dtype=torch.int64), 32, dim=1)] == [33]
    normed = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))
    assert train(normed, data(33), recipe()).valid_accuracy is not None


def test_the_parts_of_a_training_are_used() -> None:
    rates, seen = [], []

    class Watched(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    def augmented(rows: torch.Tensor) -> torch.Tensor:
        seen.append(len(rows))
        return rows + 100.0

    parts = Parts(
        optimiser=lambda groups, rate: Watched(groups, lr=rate),
        schedule=lambda optimiser: torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.5),
        augmentation=augmented,
        clip=1e-6,
    )
    model = network()
    before = model[0].weight.detach().clone()
    train(model, data(), recipe(parts=parts))
    assert sorted(set(rates), reverse=True) == pytest.approx([0.01, 0.005, 0.0025])
    assert seen == [32, 28] * 3
    assert (model[0].weight - before).abs().max() < 1e-6, "gradients were clipped"


def test_a_paused_training_goes_on_with_its_schedule() -> None:
    parts = Parts(schedule=schedule_by_name("cosine", 3), optimiser=optimiser_by_name("sgd", 0.0))
    whole, cut = network(), network()
    expected = train(whole, data(), recipe(parts=parts))
    paused = train(cut, data(), recipe(parts=parts), until_epoch=1)
    again = train(network(), data(), recipe(parts=parts), state=paused.state)
    assert again.state == expected.state


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(UnknownNameError, match='Did you mean "adam"'):
        optimiser_by_name("adm", 0.01)
    with pytest.raises(UnknownNameError, match="schedule"):
        schedule_by_name("cosin", 3)
    with pytest.raises(ActlabError, match=r"protocol\.max_epochs"):
        schedule_by_name("cosine", None)
