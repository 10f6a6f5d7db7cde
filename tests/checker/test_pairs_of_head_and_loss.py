"""A table of heads with losses: which pairs are at fault, by which rules, and which are right.

Each row makes a network of two layers that ends in a head, for one of four kinds of targets.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.api import check
from actlab.checker.report import Severity
from tests.checker.casebook import at_least, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same

OutputActivation = Callable[[Tensor], Any]
Loss = Callable[[Any, Tensor], Tensor]


def written_bce(o: Tensor, y: Tensor) -> Tensor:
    p = 1 / (1 + torch.exp(-o))
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def dice(o: Tensor, y: Tensor) -> Tensor:
    p = o.softmax(1)
    wanted = F.one_hot(y, p.shape[1])
    return 1 - (2 * (p * wanted).sum(0) / (p.sum(0) + wanted.sum(0))).mean()


def overlap(o: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(o)
    both = (p * y).sum()
    return 1 - both / (p.sum() + y.sum() - both)


def quantile(o: Tensor, y: Tensor) -> Tensor:
    error = y - o
    return torch.max(0.9 * error, -0.1 * error).mean()


CE, BCE, LOGITS, NLL, MSE = (
    nn.CrossEntropyLoss(), nn.BCELoss(), nn.BCEWithLogitsLoss(), nn.NLLLoss(), nn.MSELoss(),
)  # fmt: skip

FAULTY: list[tuple[OutputActivation, Loss, str, str, Severity]] = [
    (nn.Sequential(nn.Softmax(1), nn.Dropout(0.1)), CE, "classes", "ACT101", "error"),
    (lambda z: (z / 2).softmax(1).clone(), CE, "classes", "ACT101", "error"),
    (lambda z: z.softmax(1).log(), CE, "classes", "ACT102 ACT109", "info"),
    (F.hardsigmoid, CE, "classes", "ACT101 ACT103", "error"),
    (lambda z: 1 - z.sigmoid(), LOGITS, "labels", "ACT104", "error"),
    (lambda z: (z.tanh() + 1) / 2, LOGITS, "labels", "ACT104", "error"),
    (nn.Softmax(1), LOGITS, "labels", "ACT104", "error"),
    (lambda z: z.sigmoid().clamp(0.01, 0.99), F.soft_margin_loss, "labels", "ACT104", "warning"),
    (torch.sigmoid, written_bce, "labels", "ACT104 ACT112", "warning"),
    (torch.sigmoid, overlap, "labels", "ACT112", "warning"),
    (nn.Softmax(1), dice, "classes", "ACT112 ACT101", "warning"),
    (lambda z: 0.1 * F.softplus(z), BCE, "labels", "ACT105", "error"),
    (lambda z: 0.01 * z.mean(1, True).expand(-1, 5) + 0.5, BCE, "labels", "ACT105", "error"),
    (torch.sigmoid, NLL, "classes", "ACT106", "error"),
    (F.relu, NLL, "classes", "ACT106", "error"),
    (F.logsigmoid, NLL, "classes", "ACT106", "error"),
    (nn.ReLU6(), CE, "classes", "ACT108", "error"),
    (nn.LeakyReLU(), CE, "classes", "ACT108", "warning"),
    (F.softsign, CE, "classes", "ACT108", "warning"),
    (torch.exp, CE, "classes", "ACT108", "error"),
    (torch.square, LOGITS, "labels", "ACT108", "error"),
    (lambda z: z**2, LOGITS, "labels", "ACT108", "error"),
    (torch.abs, LOGITS, "labels", "ACT108", "error"),
    (lambda z: F.softmax(z.relu(), 1).clamp_min(1e-8).log(), NLL, "classes", "ACT108", "error"),
    (torch.abs, nn.L1Loss(), "reals", "ACT301", "error"),
    (lambda z: z**2, MSE, "reals", "ACT301", "error"),
    (lambda z: 0.5 * z.tanh(), MSE, "reals", "ACT301", "error"),
    (lambda z: z.clamp(0, 1), MSE, "reals", "ACT301", "error"),
    (F.softplus, lambda o, y: torch.cosh(o - y).log().mean(), "reals", "ACT301", "error"),
    (torch.sigmoid, quantile, "reals", "ACT301", "error"),
    (F.relu, lambda o, y: torch.sqrt(F.mse_loss(o, y) + 1e-8), "reals", "ACT301", "error"),
    (lambda z: {"y": z.sigmoid()}, lambda o, y: (o["y"] - y).abs().mean(),
     "reals", "ACT301", "error"),
    (nn.Softmax(-1), F.binary_cross_entropy, "labels", "ACT302", "error"),
    (torch.tanh, nn.L1Loss(), "shares", "ACT303 ACT301", "warning"),
    (F.silu, MSE, "reals", "ACT307", "warning"),
    (nn.PReLU(), MSE, "reals", "ACT307", "warning"),
]  # fmt: skip

RIGHT: list[tuple[OutputActivation, Loss, str]] = [
    (same, CE, "classes"), (same, LOGITS, "labels"), (same, MSE, "reals"),
    (same, quantile, "reals"),
    (same, written_bce, "labels"), (same, overlap, "labels"), (same, dice, "classes"),
    (nn.LogSoftmax(1), NLL, "classes"), (nn.Sigmoid(), BCE, "labels"),
    (lambda z: -3 + 6 * z.sigmoid(), MSE, "reals"), (lambda z: 3 * z.tanh(), MSE, "reals"),
    (torch.exp, MSE, "shares"), (torch.sigmoid, nn.L1Loss(), "shares"),
    (same, nn.L1Loss(), "shares"),
    (lambda z: 30 * torch.tanh(z / 30), CE, "classes"),
    (lambda z: z - z.mean(1, True), CE, "classes"),
    (lambda z: -torch.cdist(z, torch.eye(5)).square(), CE, "classes"),
    (lambda z: 20 * F.linear(F.normalize(z), F.normalize(torch.eye(5))), CE, "classes"),
    (lambda z: torch.logit(z.sigmoid(), eps=1e-6), LOGITS, "labels"),
    (lambda z: 1 - (1 - z.sigmoid()).prod(1, True).expand(-1, 5), BCE, "labels"),
]  # fmt: skip


def batch(kind: str) -> tuple[Tensor, Tensor]:
    targets = {
        "classes": torch.arange(16) % 5,
        "labels": zero_one(16, 5),
        "reals": torch.linspace(-2, 2, 80).reshape(16, 5),
        "shares": torch.linspace(0.01, 0.99, 80).reshape(16, 5),
    }
    return torch.randn(16, 12), targets[kind]


@pytest.mark.parametrize("row", range(len(FAULTY)))
def test_a_pair_at_fault_is_found(row: int) -> None:
    head, loss, kind, codes, severity = FAULTY[row]
    torch.manual_seed(row)
    report = check(Two(5, head), loss, batch(kind))
    found = [f for f in report.findings if f.code in codes.split()]
    assert any(at_least(f.severity, severity) for f in found), f"{codes} in {report}"


@pytest.mark.parametrize("row", range(len(RIGHT)))
def test_a_pair_that_fits_is_left_alone(row: int) -> None:
    head, loss, kind = RIGHT[row]
    torch.manual_seed(row)
    report = check(Two(5, head), loss, batch(kind))
    assert not report.of_severity("error", "warning"), str(report)
