"""Scores against a direct computation with NumPy in float64."""

import numpy as np
import pytest
import torch
from torch import nn

from actlab.training import Examples, score

from .synthetic import examples, network


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_loss_and_accuracy_by_hand(count: int) -> None:
    model, data = network(), examples(count, seed=5)
    found = score(model, data)
    with torch.no_grad():
        outputs = model(data.images).double().numpy()
    labels = data.labels.numpy()
    of_label = outputs[np.arange(count), labels]
    losses = np.log(np.exp(outputs).sum(axis=1)) - of_label
    assert found.loss == pytest.approx(losses.mean(), rel=1e-5)
    assert found.metric == (outputs.argmax(axis=1) == labels).sum() / count


def test_it_scores_in_evaluation_mode() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 8))
    data = examples(50, seed=1)
    assert score(model.train(), data) == score(model.train(), data)
    assert not model.training


def test_no_gradient_is_kept() -> None:
    model = network()
    score(model, examples(10, seed=1))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_outputs_that_are_not_numbers() -> None:
    model = nn.Flatten()
    images = torch.full((3, 1, 2, 2), float("nan"))
    found = score(model, Examples(images, torch.tensor([1, 2, 3])))
    assert np.isnan(found.loss)
    assert found.metric == 0.0
