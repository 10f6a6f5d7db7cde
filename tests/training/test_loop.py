"""The loop: its arithmetic by a second route, stopping, best weights, divergence, segments."""

import dataclasses
import math
import random
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from actlab.activations import get
from actlab.records import Outcome
from actlab.training import Score, Training, TrainingData, loop, score, train, weights_from_bytes
from actlab.training.examples import epoch_order

from .synthetic import network, recipe, training_data

STUDY = ("sigmoid", "relu", "leaky_relu_0.01", "leaky_relu_0.1", "prelu", "elu", "tanh", "silu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Bit for bit is promised for one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def without_times(training: Training) -> Training:
    curve = tuple(dataclasses.replace(epoch, seconds=0.0) for epoch in training.curve)
    return dataclasses.replace(training, curve=curve, seconds=0.0)


def adamw_by_hand(
    weights: list[np.ndarray], gradients: list[list[np.ndarray]], rate: float, decay: float
) -> list[np.ndarray]:
    """Apply AdamW (Loshchilov and Hutter 2019, algorithm 2) with beta 0.9 and 0.999."""
    first = [np.zeros_like(w) for w in weights]
    second = [np.zeros_like(w) for w in weights]
    for step, of_step in enumerate(gradients, start=1):
        for i, gradient in enumerate(of_step):
            weights[i] = weights[i] * (1 - rate * decay)
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            mean = first[i] / (1 - 0.9**step)
            spread = np.sqrt(second[i] / (1 - 0.999**step))
            weights[i] = weights[i] - rate * mean / (spread + 1e-8)
    return weights


def in_double(data: TrainingData) -> TrainingData:
    parts = {
        name: dataclasses.replace(part, images=part.images.double())
        for name, part in vars(data).items()
    }
    return TrainingData(**parts)


def test_one_epoch_is_adamw_on_cross_entropy_in_the_order_of_the_seed() -> None:
    double = in_double(training_data(train=70))
    model, twin = network(dtype=torch.float64), network(dtype=torch.float64)
    found = train(model, double, recipe(learning_rate=0.01, max_epochs=1))

    order = torch.from_numpy(epoch_order(70, order_seed=7, epoch=1))
    weights = [p.detach().numpy().copy() for p in twin.parameters()]
    gradients: list[list[np.ndarray]] = []
    losses = []
    for batch in (order[:32], order[32:64], order[64:]):
        # The twin is set to the weights by hand before each batch.
        by_hand = adamw_by_hand([w.copy() for w in weights], gradients, 0.01, 0.01)
        with torch.no_grad():
            for parameter, value in zip(twin.parameters(), by_hand, strict=True):
                parameter.copy_(torch.from_numpy(value))
        outputs = twin(double.train.images[batch])
        log_shares = outputs - outputs.exp().sum(dim=1, keepdim=True).log()
        loss = -log_shares[torch.arange(len(batch)), double.train.labels[batch]].mean()
        losses.append(loss.item() * len(batch))
        gradients.append([g.numpy() for g in torch.autograd.grad(loss, list(twin.parameters()))])
    by_hand = adamw_by_hand(weights, gradients, 0.01, 0.01)

    for parameter, value in zip(model.parameters(), by_hand, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), value, rtol=1e-9, atol=1e-12)
    assert found.curve[0].train_loss == pytest.approx(sum(losses) / 70, rel=1e-12)


def scripted(monkeypatch: pytest.MonkeyPatch, accuracies: Sequence[float]) -> None:
    """Let validation see these accuracies, one after the other, whatever the network does."""
    left = iter(accuracies)
    monkeypatch.setattr(loop, "score", lambda *_arguments: Score(loss=1.0, metric=next(left)))


@pytest.mark.parametrize(
    ("accuracies", "patience", "epochs", "best"),
    [
        ([0.5, 0.6, 0.6, 0.6], 2, 4, 2),
        ([0.5, 0.6, 0.6, 0.61, 0.6, 0.61], 2, 6, 4),
        ([0.1, 0.1], 1, 2, 1),
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 5, 6, 1),
        ([0.0, 0.0, 0.0], 2, 3, 1),
    ],
    ids=["a tie is no improvement", "starts anew", "first epoch", "falls", "nothing learnt"],
)
def test_stopping_by_patience(
    monkeypatch: pytest.MonkeyPatch,
    accuracies: list[float],
    patience: int,
    epochs: int,
    best: int,
) -> None:
    scripted(monkeypatch, [*accuracies, 0.75])
    found = train(network(), training_data(32, 8), recipe(patience=patience, max_epochs=None))
    assert (len(found.curve), found.best_epoch) == (epochs, best)
    assert found.outcome is Outcome.COMPLETED
    assert found.reason is None
    assert found.valid_accuracy == 0.75


def test_the_limit_on_epochs(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [0.1, 0.2, 0.3, 0.75])
    found = train(network(), training_data(32, 8), recipe(max_epochs=3))
    assert (len(found.curve), found.best_epoch, found.outcome) == (3, 3, Outcome.COMPLETED)


def test_the_weights_of_the_best_epoch_are_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    data, model = training_data(64, 16), network()
    scripted(monkeypatch, [0.5, 0.9, 0.8, 0.7, 0.75])
    found = train(model, data, recipe(patience=2, max_epochs=None))
    assert found.best_epoch == 2
    scripted(monkeypatch, [0.5, 0.9, 0.75])
    stopped_there = network()
    train(stopped_there, data, recipe(max_epochs=2))
    kept = weights_from_bytes(found.state)
    assert kept.keys() == stopped_there.state_dict().keys()
    for key, value in stopped_there.state_dict().items():
        assert torch.equal(kept[key], value)
        assert torch.equal(model.state_dict()[key], value)


def test_the_score_is_that_of_the_restored_network_on_valid_trial() -> None:
    data, model = training_data(), network()
    found = train(model, data, recipe(max_epochs=6))
    assert found.valid_accuracy == score(model, data.valid_trial).metric
    twin = network(seed=99)
    twin.load_state_dict(weights_from_bytes(found.state))
    assert found.valid_accuracy == score(twin, data.valid_trial).metric
    assert found.valid_accuracy > 0.3


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_loss_that_is_not_finite_ends_the_training(epoch: int) -> None:
    model, data = network(conv="relu", fc="relu"), training_data()

    def poison(module: nn.Module, inputs: object, outputs: torch.Tensor) -> torch.Tensor:
        calls.append(None)
        first_of_epoch = len(calls) > (epoch - 1) * (3 + 1)
        return outputs * math.nan if first_of_epoch else outputs

    calls: list[None] = []
    model.register_forward_hook(poison)
    found = train(model, data, recipe(max_epochs=None))
    assert found.outcome is Outcome.DIVERGED
    assert found.reason == f"The loss was not a finite number in epoch {epoch}."
    assert len(found.curve) == epoch
    assert found.curve[-1].train_loss is None
    assert found.valid_accuracy is None
    if epoch == 1:
        assert found.best_epoch is None
        assert found.state == b""
    else:
        assert found.best_epoch in {1, 2}
        assert weights_from_bytes(found.state).keys() == model.state_dict().keys()


def test_a_rate_far_too_high_diverges_by_itself() -> None:
    found = train(network("relu", "relu"), training_data(), recipe(1e30, max_epochs=None))
    assert found.outcome is Outcome.DIVERGED
    assert found.seconds > 0


@pytest.mark.parametrize("name", STUDY)
def test_a_training_cut_into_segments_is_the_same_bit_for_bit(name: str) -> None:
    data, settings = training_data(64, 32), recipe(max_epochs=4)
    uncut = train(network(name, name), data, settings)
    state: bytes | None = None
    for until in (1, 3):
        paused = train(network(name, name, seed=until - 1), data, settings, state, until)
        assert paused.outcome is Outcome.PAUSED
        assert paused.reason == f"Paused after epoch {until}."
        assert len(paused.curve) == until
        assert paused.valid_accuracy is None
        state = paused.state
    resumed = train(network(name, name, seed=5), data, settings, state, until_epoch=9)
    assert without_times(resumed) == without_times(uncut)


def test_what_layers_draw_is_the_same_in_segments() -> None:
    def random_network(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Flatten(), nn.Linear(64, 16), nn.RReLU(), nn.Dropout(0.2), nn.Linear(16, 8)
        )

    data = training_data(64, 32)
    uncut = train(random_network(1), data, recipe())
    paused = train(random_network(1), data, recipe(), until_epoch=2)
    torch.rand(17)
    resumed = train(random_network(2), data, recipe(), paused.state)
    assert without_times(resumed) == without_times(uncut)


class DrawsAnywhere(nn.Module):
    """Draws from the global generators of Python and NumPy."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(64, 8)

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores of the images, some of them upside down and some of them darker."""
        turned = images.flip(2) if random.random() < 0.5 else images
        darker = 0.5 + np.random.random()
        return cast(Tensor, self.last(turned.flatten(1) * darker))


def test_what_a_network_draws_from_pythons_and_numpys_generators_depends_on_the_seed() -> None:
    def model() -> nn.Module:
        torch.manual_seed(1)
        return DrawsAnywhere()

    random.seed(2)
    np.random.seed(2)
    states = random.getstate(), np.random.random()
    np.random.seed(2)
    data = training_data(64, 32)
    uncut = train(model(), data, recipe())
    assert (random.getstate(), np.random.random()) == states
    paused = train(model(), data, recipe(), until_epoch=2)
    assert without_times(train(model(), data, recipe(), paused.state)) == without_times(uncut)


def test_the_same_seed_gives_the_same_training_and_another_order_another() -> None:
    data = training_data()
    first, again = (without_times(train(network(), data, recipe())) for _ in range(2))
    other = without_times(train(network(), data, recipe(order_seed=8)))
    assert first == again
    assert first.state != other.state


def test_the_random_state_of_the_process_is_left_alone() -> None:
    torch.manual_seed(4)
    model, data = network(), training_data(32, 8)
    expected = torch.get_rng_state()
    train(model, data, recipe(max_epochs=1))
    assert torch.equal(torch.get_rng_state(), expected)


def test_a_segment_that_ends_where_the_training_does_is_completed() -> None:
    found = train(network(), training_data(32, 8), recipe(max_epochs=2), until_epoch=2)
    assert found.outcome is Outcome.COMPLETED


def test_time_is_counted_over_all_segments() -> None:
    data = training_data(32, 8)
    paused = train(network(), data, recipe(), until_epoch=2)
    ended = train(network(), data, recipe(), paused.state)
    assert ended.seconds >= sum(epoch.seconds for epoch in ended.curve) > paused.seconds
    assert paused.seconds == pytest.approx(sum(epoch.seconds for epoch in paused.curve))


def test_a_state_of_another_format_is_refused() -> None:
    weights = train(network(), training_data(32, 8), recipe(max_epochs=1)).state
    with pytest.raises(ValueError, match="must have format 1, not None"):
        train(network(), training_data(32, 8), recipe(), weights)


def test_learning_learns() -> None:
    for name in ("relu", "tanh"):
        found = train(network(name, name), training_data(400, 100), recipe(0.005, max_epochs=10))
        assert found.curve[-1].train_loss is not None
        assert found.curve[0].train_loss is not None
        assert found.curve[-1].train_loss < found.curve[0].train_loss / 2


def test_fused_steps_are_those_of_the_plain_optimiser_with_channels_last() -> None:
    """The fused kernel walks over memory; weights laid out in another order must not be mixed."""
    results = []
    for fused in (True, False):
        model = network(dtype=torch.float64).to(memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, fused=fused)
        data = training_data(96, 8).train
        for _ in range(5):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(data.images.double()), data.labels).backward()
            optimiser.step()
        results.append([parameter.detach().clone() for parameter in model.parameters()])
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)


def test_every_activation_of_the_study_is_in_the_catalogue() -> None:
    assert all(get(name) for name in STUDY)
