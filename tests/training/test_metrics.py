"""The metrics by name, against scikit-learn's."""

import math

import numpy as np
import pytest
import torch
from sklearn import metrics as reference

from actlab.training import metrics

GENERATOR = torch.Generator().manual_seed(5)
SCORES = torch.randn(80, 4, generator=GENERATOR)
CLASSES = torch.randint(0, 4, (80,), generator=GENERATOR)
ANSWERS = (torch.rand(80, 4, generator=GENERATOR) < 0.4).float()
NUMBERS = torch.randn(80, 2, generator=GENERATOR)


def test_several_classes() -> None:
    said = SCORES.argmax(dim=1)
    assert metrics.accuracy(SCORES, CLASSES) == reference.accuracy_score(CLASSES, said)
    assert metrics.macro_f1(SCORES, CLASSES) == pytest.approx(
        reference.f1_score(CLASSES, said, average="macro")
    )
    assert metrics.balanced_accuracy(SCORES, CLASSES) == pytest.approx(
        reference.balanced_accuracy_score(CLASSES, said)
    )
    shares = SCORES.double().softmax(dim=1)
    assert metrics.auc(SCORES.double(), CLASSES) == pytest.approx(
        reference.roc_auc_score(CLASSES, shares, multi_class="ovr", average="macro")
    )


@pytest.mark.parametrize("logits", [SCORES[:, :1], SCORES[:, :2]])
def test_two_classes_by_one_logit_or_two(logits: torch.Tensor) -> None:
    there = (CLASSES > 1).long()
    high = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    assert metrics.auc(logits, there) == pytest.approx(reference.roc_auc_score(there, high))
    assert metrics.accuracy(logits, there) == reference.accuracy_score(there, high > 0)


def test_several_answers() -> None:
    said = (SCORES > 0).float()
    assert metrics.accuracy(SCORES, ANSWERS) == pytest.approx(
        float((said == ANSWERS).double().mean())
    )
    assert metrics.macro_f1(SCORES, ANSWERS) == pytest.approx(
        reference.f1_score(ANSWERS, said, average="macro")
    )
    assert metrics.auc(SCORES, ANSWERS) == pytest.approx(
        reference.roc_auc_score(ANSWERS, SCORES, average="macro")
    )


def test_numbers() -> None:
    said = NUMBERS + 0.5
    assert metrics.rmse(said, NUMBERS) == pytest.approx(0.5)
    assert metrics.mae(said, NUMBERS) == pytest.approx(0.5)
    expected = reference.r2_score(NUMBERS, said, multioutput="variance_weighted")
    assert metrics.r2(said, NUMBERS) == pytest.approx(expected, rel=1e-5)


def test_ties_count_half_and_one_class_alone_has_no_area() -> None:
    there = torch.tensor([0, 0, 1, 1])
    assert metrics.auc(torch.zeros(4, 1), there) == 0.5
    assert math.isnan(metrics.auc(torch.zeros(4, 1), torch.zeros(4, dtype=torch.int64)))
    assert np.isclose(metrics.macro_f1(torch.eye(2), torch.tensor([0, 1])), 1.0)
