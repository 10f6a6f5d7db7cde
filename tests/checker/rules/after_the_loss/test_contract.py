"""What is done with a prediction after the loss: in the step, and in an evaluation after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.checker.captured_step import CheckError
from actlab.checker.report import Report

X = torch.randn(32, 20, generator=torch.Generator().manual_seed(5))
LABELS = (torch.arange(96).reshape(32, 3) % 3 == 0).float()
CLASSES = torch.arange(32) % 5
Use = Callable[[Tensor], Any]
logits_bce, probabilities_bce = F.binary_cross_entropy_with_logits, F.binary_cross_entropy


def used(loss: Any, y: Tensor, use: Use, inside: bool, head: nn.Module | None = None) -> Report:
    torch.manual_seed(0)
    out = 3 if y is LABELS else 5
    net = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, out), head or nn.Identity())

    def step() -> Tensor:
        made = net(X)
        if inside:
            use(made)
        cost: Tensor = loss(made, y)
        return cost

    def evaluate() -> Any:
        with torch.no_grad():
            return use(net(X))

    return actlab.check_step(step, model=net, evaluate=None if inside else evaluate)


WRONG: dict[str, tuple[str, Any, Tensor, Use]] = {
    "half of a logit": ("ACT702", logits_bce, LABELS, lambda z: (z > 0.5).float().mean()),
    "rounded logits": ("ACT702", logits_bce, LABELS, lambda z: (torch.round(z) == LABELS).sum()),
    "zero of a probability": ("ACT702", logits_bce, LABELS, lambda z: (z.sigmoid() > 0).sum()),
    "over the batch": ("ACT703", F.cross_entropy, CLASSES, lambda z: z.argmax(0)),
    "of probabilities": ("ACT703", F.cross_entropy, CLASSES, lambda z: F.softmax(z, 1).max(0)[1]),
    "of everything": ("ACT703", F.cross_entropy, CLASSES, lambda z: z.argmax()),
    "temperature behind": ("ACT704", F.cross_entropy, CLASSES, lambda z: (z.softmax(1) / 2).log()),
    "temperature in a draw": (
        "ACT704",
        F.cross_entropy,
        CLASSES,
        lambda z: torch.distributions.Categorical(z.softmax(1) / 2).sample(),
    ),
}
RIGHT: dict[str, tuple[Any, Tensor, Use]] = {
    "zero of a logit": (logits_bce, LABELS, lambda z: (z > 0).float().mean()),
    "half of a probability": (logits_bce, LABELS, lambda z: (z.sigmoid() > 0.5).float().mean()),
    "rounded probabilities": (logits_bce, LABELS, lambda z: z.sigmoid().round().mean()),
    "half of a regression": (F.mse_loss, LABELS, lambda z: (z > 0.5).float().mean()),
    "best class": (F.cross_entropy, CLASSES, lambda z: (z.argmax(-1) == CLASSES).float().mean()),
    "best class of softmax": (F.cross_entropy, CLASSES, lambda z: z.softmax(1).argmax(1)),
    "best three": (F.cross_entropy, CLASSES, lambda z: z.topk(3)[1]),
    "largest score": (F.cross_entropy, CLASSES, lambda z: z.max()),
    "temperature before": (F.cross_entropy, CLASSES, lambda z: (z / 2).softmax(1)),
    "mean of two": (F.cross_entropy, CLASSES, lambda z: 0.5 * z.softmax(1) + 0.5 * z.softmax(1)),
}


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_use_is_found(name: str, inside: bool) -> None:
    code, loss, y, use = WRONG[name]
    report = used(loss, y, use, inside)
    assert code in [f.code for f in report.of_severity("error", "warning")], str(report)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_use_is_left_alone(name: str, inside: bool) -> None:
    report = used(*RIGHT[name], inside)
    assert report.of_severity("error", "warning") == (), str(report)


def test_probabilities_of_the_network_are_not_normalised_again() -> None:
    def loss(p: Tensor, y: Tensor) -> Tensor:
        return F.nll_loss(torch.log(p + 1e-8), y)

    report = used(loss, CLASSES, lambda p: F.softmax(p, 1), inside=False, head=nn.Softmax(1))
    assert [f.code for f in report.warnings] == ["ACT704"]
    report = used(probabilities_bce, LABELS, lambda p: p > 0.5, inside=False, head=nn.Sigmoid())
    assert report.warnings == ()


@pytest.mark.parametrize(("dim", "codes"), [(1, ["ACT703"]), (2, [])])
def test_the_axis_is_followed_through_a_transpose(dim: int, codes: list[str]) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Embedding(11, 8), nn.Tanh(), nn.Linear(8, 11))
    x, y = torch.randint(11, (4, 7)), torch.randint(11, (4, 7))
    report = actlab.check_step(
        lambda: F.cross_entropy(net(x).transpose(1, 2), y),
        model=net,
        evaluate=lambda: net(x).argmax(dim),
    )
    assert [f.code for f in report.errors] == codes


def test_a_contrast_decides_along_both_axes() -> None:
    torch.manual_seed(0)
    a, b, y = nn.Linear(20, 8), nn.Linear(20, 8), torch.arange(32)

    def step() -> Tensor:
        z = 10 * F.normalize(a(X)) @ F.normalize(b(X)).t()
        assert len(z.argmax(0)) == len(z.argmax(1))
        return F.cross_entropy(z, y) + F.cross_entropy(z.t(), y)

    assert actlab.check_step(step).of_severity("error", "warning") == ()


def test_an_evaluation_leaves_everything_as_it_was() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(20, 5), nn.BatchNorm1d(5), nn.Dropout(0.5))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    random_state = torch.get_rng_state()
    actlab.check_step(lambda: F.cross_entropy(net(X), CLASSES), net, evaluate=lambda: net.eval()(X))
    assert net.training
    assert torch.equal(torch.get_rng_state(), random_state)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_an_evaluation_that_raises_says_so() -> None:
    net = nn.Linear(20, 5)
    with pytest.raises(CheckError, match="The evaluation raised ZeroDivisionError"):
        actlab.check_step(lambda: F.cross_entropy(net(X), CLASSES), net, evaluate=lambda: 1 // 0)
    with pytest.raises(CheckError, match="evaluate must be callable; got int"):
        actlab.check_step(lambda: net(X).sum(), net, evaluate=3)  # type: ignore[arg-type]


def direct(net: nn.Module) -> Any:
    return net(X).detach().numpy() > 0.5


def by_name(net: nn.Module) -> Any:
    with torch.no_grad():
        scores = net(X).cpu().numpy()[:, 0]
    return (scores.copy() >= 0.5).astype(int)


def rounded(net: nn.Module) -> Any:
    scores = net(X).detach().numpy()
    return np.round(scores)


def probabilities(net: nn.Module) -> Any:
    scores = torch.sigmoid(net(X)).detach().numpy()
    return scores > 0.5


def turned_into_probabilities(net: nn.Module) -> Any:
    scores = net(X).detach().numpy()
    scores = 1 / (1 + np.exp(-scores))
    return scores > 0.5


def at_zero(net: nn.Module) -> Any:
    return net(X).detach().numpy() > 0


def another_number(net: nn.Module) -> Any:
    scores = net(X).detach().numpy()
    return len(scores) > 0.5, scores.mean() > 1.5


@pytest.mark.parametrize("decide", [direct, by_name, rounded])
def test_logits_that_are_decided_by_in_numpy(decide: Callable[[nn.Module], Any]) -> None:
    report = numpy_report(decide)
    (found,) = [f for f in report.findings if f.code == "ACT702"]
    assert Path(str(found.location.file)).name == "test_contract.py"
    assert found.location.line is not None


@pytest.mark.parametrize(
    "decide", [probabilities, turned_into_probabilities, at_zero, another_number]
)
def test_what_is_right_in_numpy(decide: Callable[[nn.Module], Any]) -> None:
    assert "ACT702" not in numpy_report(decide).codes


def numpy_report(decide: Callable[[nn.Module], Any]) -> Any:
    net = nn.Sequential(nn.Linear(X.shape[1], 8), nn.ReLU(), nn.Linear(8, 1))
    y = (X[:, :1] > 0).float()
    return actlab.check_step(
        lambda: F.binary_cross_entropy_with_logits(net(X), y), net, evaluate=lambda: decide(net)
    )
