"""Losses and metrics of output layers, against formulas in NumPy; the loop on any of them."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from actlab.data.targets import OUTPUTS, target_of_digits
from actlab.records import Outcome, OutputLayer, OutputSetting, Protocol, ProtocolName, TargetScale
from actlab.studies import tasks
from actlab.tasks import TASKS
from actlab.training import (
    Examples,
    GradientTrace,
    Recipe,
    TrainingData,
    loop,
    objective_of,
    score,
    train,
)

from .synthetic import network, training_data

GENERATOR = np.random.default_rng(3)
SETTINGS = tasks.output_settings([task.name for task in TASKS], ["published", "corrected"])
HIDDEN_SIGMOID = [setting for setting in SETTINGS if setting.fc_activation == "sigmoid"]


def softmax(z: np.ndarray) -> np.ndarray:
    shares: np.ndarray = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return shares


def sigmoid(z: np.ndarray) -> np.ndarray:
    shares: np.ndarray = 1 / (1 + np.exp(-z))
    return shares


def rows(target: np.ndarray, outputs: int) -> np.ndarray:
    return np.eye(outputs)[target] if target.ndim == 1 else target


def expected_loss(
    layer: OutputLayer, protocol: ProtocolName, z: np.ndarray, target: np.ndarray
) -> float:
    """The loss by hand from the linear layer's outputs z: the published chain, or the right one."""
    if layer.loss == "mse":
        wanted = target.astype(float)
        if layer.target == "standardised":
            wanted = (wanted - wanted.mean()) / wanted.std()
        if layer.head == "sigmoid_transformed":
            wanted, z = sigmoid(wanted), sigmoid(z)
        elif layer.head == "relu":
            z = np.maximum(z, 0)
        return float(((z - wanted) ** 2).mean())
    wanted = rows(target, z.shape[1])
    said = softmax(z) if layer.head == "softmax" else sigmoid(z)
    if layer.loss == "bce":
        # As torch, the logarithm is cut at -100.
        logs = np.maximum(np.log(np.maximum(said, 1e-300)), -100)
        others = np.maximum(np.log(np.maximum(1 - said, 1e-300)), -100)
        return -float((wanted * logs + (1 - wanted) * others).mean())
    once = layer.head == "softmax" and protocol == "corrected"
    shares = said if once else softmax(said)
    return -float((wanted * np.log(shares)).sum(axis=1).mean())


def batch(layer: OutputLayer, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    digits = GENERATOR.integers(0, 10, count)
    outputs = OUTPUTS[layer.task]
    return GENERATOR.normal(0, 2, (count, outputs)), target_of_digits(layer.task, digits)


class Ending(nn.Module):
    """What the network ends in, on the outputs of its linear layer as they are given."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        z = z.flatten(1)
        apply = {"softmax": lambda: z.softmax(1), "sigmoid": z.sigmoid, "relu": z.relu}
        return apply.get(self.name, lambda: z)()


@pytest.mark.parametrize("setting", HIDDEN_SIGMOID, ids=str)
def test_loss_and_metric_by_hand(setting: OutputSetting) -> None:
    layer, protocol = setting.output, setting.protocol
    z, target = batch(layer)
    ending = layer.ending(protocol)
    scale = tasks.fit_scale(layer, target)
    objective = objective_of(layer, ending, scale)
    outputs = Ending(ending)(torch.from_numpy(z))
    wanted = torch.from_numpy(target)
    targets = wanted if layer.task in {"binary", "multiclass"} else wanted.double()
    loss = expected_loss(layer, protocol, z, target)
    assert float(objective.loss(outputs, targets)) == pytest.approx(loss, rel=1e-6, abs=1e-9)
    total = float(objective.loss(outputs, targets, reduction="sum"))
    assert total / len(z) == pytest.approx(loss, rel=1e-6, abs=1e-9)

    said = objective.head(outputs).numpy()
    metric = objective.total(outputs, targets) / len(z)
    if layer.task == "regression":
        np.testing.assert_allclose(said, tasks.to_original(scale, outputs.numpy()), rtol=1e-6)
        assert metric == pytest.approx(((said - target) ** 2).mean(), rel=1e-9)
        return
    by_hand = softmax(z) if layer.head == "softmax" else sigmoid(z)
    np.testing.assert_allclose(said, by_hand, rtol=1e-6)
    if target.ndim == 1:
        assert metric == pytest.approx((by_hand.argmax(axis=1) == target).mean())
    else:
        assert metric == pytest.approx(((by_hand > 0.5) == (target > 0.5)).mean())


def test_softmax_over_one_output_says_yes_and_learns_nothing() -> None:
    for loss in ("bce", "ce"):
        layer = OutputLayer("probability", "softmax", loss)
        for protocol in ("published", "corrected"):
            objective = objective_of(layer, layer.ending(protocol), TargetScale())
            z = torch.randn(20, 1, requires_grad=True)
            wanted = torch.randint(0, 2, (20, 1)).float()
            outputs = Ending(layer.ending(protocol))(z)
            (gradient,) = torch.autograd.grad(objective.loss(outputs, wanted), z)
            assert gradient.abs().max() == 0
            assert objective.total(outputs, wanted) / 20 == pytest.approx(float(wanted.mean()))


def test_a_saturated_sigmoid_is_an_infinite_error_and_not_a_finite_one() -> None:
    layer = OutputLayer("regression", "sigmoid_transformed", "mse", "raw")
    objective = objective_of(layer, "sigmoid", TargetScale(sigmoid=True))
    outputs = torch.tensor([[15.0], [17.0], [-80.0]]).sigmoid()
    targets = torch.tensor([[15.0], [15.0], [-80.0]])
    assert objective.head(outputs)[:, 0].tolist() == pytest.approx([15.0, math.inf, -80.0], abs=0.2)
    assert objective.total(outputs, targets) == math.inf
    assert objective.better(3.0, math.inf)
    assert not objective.better(math.inf, math.inf)


def regression(layer: OutputLayer, order_seed: int = 7, **limits: int | None) -> Recipe:
    protocol = Protocol("corrected", "logits", **limits)  # type: ignore[arg-type]  # by name
    objective = objective_of(layer, "logits", TargetScale(3.5, 2.0))
    return Recipe(0.003, protocol, order_seed, objective=objective)


LAYER = OutputLayer("regression", "none", "mse", "standardised")


def numbers() -> TrainingData:
    """Images whose bright row, a number from 0 to 7, is to be told."""
    parts = {
        name: Examples(part.images, part.labels[:, None].float())
        for name, part in vars(training_data()).items()
    }
    return TrainingData(**parts)


def with_one_output(seed: int = 0) -> nn.Module:
    model = network(seed=seed)
    assert isinstance(model, nn.Sequential)
    model.fc2 = nn.Linear(32, 1)
    return model


def test_a_regression_is_trained_stopped_and_scored_by_its_error() -> None:
    data, model = numbers(), with_one_output()
    found = train(model, data, regression(LAYER, max_epochs=8))
    errors = [epoch.valid_mse for epoch in found.curve]
    assert found.outcome is Outcome.COMPLETED
    assert found.best_epoch == int(np.argmin(np.array(errors, dtype=float))) + 1
    assert found.valid_accuracy is None
    assert all(epoch.valid_accuracy is None for epoch in found.curve)
    recipe = regression(LAYER)
    assert found.valid_mse == score(model, data.valid_trial, objective=recipe.objective).metric
    with torch.no_grad():
        predicted = model(data.valid_trial.images).double() * 2.0 + 3.5
    by_hand = float((predicted - data.valid_trial.labels).square().mean())
    assert found.valid_mse == pytest.approx(by_hand, rel=1e-5)


def test_patience_counts_epochs_without_a_lower_error(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([4.0, 3.0, 3.0, 5.0, 2.5, 2.5])
    original = score

    def scripted(*arguments: object) -> object:
        found = original(*arguments)  # type: ignore[arg-type]  # passed through
        return type(found)(loss=found.loss, metric=next(left))

    monkeypatch.setattr(loop, "score", scripted)
    found = train(with_one_output(), numbers(), regression(LAYER, patience=2, max_epochs=None))
    assert (len(found.curve), found.best_epoch, found.valid_mse) == (4, 2, 2.5)


def test_a_regression_cut_into_segments_is_the_same() -> None:
    data, recipe = numbers(), regression(LAYER, max_epochs=3)
    uncut = train(with_one_output(), data, recipe)
    paused = train(with_one_output(), data, recipe, until_epoch=1)
    resumed = train(with_one_output(seed=9), data, recipe, paused.state)
    assert [e.valid_mse for e in resumed.curve] == [e.valid_mse for e in uncut.curve]
    assert resumed.state == uncut.state


def test_the_gradients_of_the_first_epochs_are_traced_and_change_nothing() -> None:
    data, recipe = numbers(), regression(LAYER, max_epochs=3)
    plain = train(with_one_output(), data, recipe)
    model = with_one_output()
    with GradientTrace(model, steps=3, epochs=2) as trace:
        traced = train(model, data, recipe)
    assert traced.state == plain.state
    layers = trace.layers()
    assert [layer.layer for layer in layers] == ["conv1", "conv2", "fc1", "fc2"]
    assert all(len(layer.norms) == 2 for layer in layers)
    assert all(norm is not None and norm > 0 for layer in layers for norm in layer.norms)
