"""The same fault in other words: functional, as a method, written out, behind views and joins.

Every way to write an activation, times every way to hand its result on, times every loss that it
does not fit. A slow test goes through all of them, the default run through every ninth.
"""

import itertools
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.api import check, check_step

CLASSES = 5
Change = Callable[[Tensor], Tensor]

SPELLINGS: dict[str, dict[str, Change]] = {
    "softmax": {
        "F": lambda z: F.softmax(z, dim=1), "torch": lambda z: torch.softmax(z, -1),
        "method": lambda z: z.softmax(1), "module": lambda z: nn.Softmax(dim=-1)(z),
        "exp / sum": lambda z: z.exp() / z.exp().sum(1, keepdim=True),
        "exp of log": lambda z: F.log_softmax(z, 1).exp(),
        "by logsumexp": lambda z: torch.exp(z - z.logsumexp(1, keepdim=True)),
    },
    "sigmoid": {
        "torch": torch.sigmoid, "method": lambda z: z.sigmoid(), "F": F.sigmoid,
        "in place": lambda z: z.sigmoid_(), "expit": torch.special.expit,
        "written": lambda z: 1 / (1 + torch.exp(-z)),
        "by tanh": lambda z: 0.5 * (torch.tanh(z / 2) + 1),
    },
    "relu": {
        "F": F.relu, "torch": torch.relu, "method": lambda z: z.relu(), "in place": F.relu_,
        "clamp": lambda z: z.clamp(min=0), "clip": lambda z: z.clip(0),
        "maximum": lambda z: torch.maximum(z, torch.zeros_like(z)),
        "threshold": lambda z: F.threshold(z, 0.0, 0.0), "product": lambda z: z * (z > 0),
        "where": lambda z: torch.where(z > 0, z, torch.zeros_like(z)),
    },
    "tanh": {"torch": torch.tanh, "method": lambda z: z.tanh(), "F": F.tanh},
    "nothing": {"as it is": lambda z: z},
}  # fmt: skip

HANDED_ON: dict[str, Change] = {
    "as it is": lambda p: p, "view": lambda p: p.view(-1, CLASSES),
    "reshape": lambda p: p.reshape(2, -1, CLASSES).flatten(0, 1), "transpose": lambda p: p.t().t(),
    "index": lambda p: p[torch.arange(len(p))], "mask": lambda p: p[torch.ones(8).bool()],
    "cat": lambda p: torch.cat([p[:3], p[3:]]),
    "columns": lambda p: torch.cat([p[:, :2], p[:, 2:]], 1),
    "stack": lambda p: torch.stack(list(p)), "clone": lambda p: p.clone(),
    "into zeros": lambda p: torch.zeros(8, CLASSES).index_put((torch.arange(8),), p),
    "chunk": lambda p: torch.cat(p.chunk(2)), "half and half": lambda p: 0.5 * p + 0.5 * p,
    "narrow": lambda p: torch.cat([p, p], 1).narrow(1, 0, CLASSES),
    "split": lambda p: torch.cat([torch.ones(8, 2), p], 1).split([2, CLASSES], 1)[1],
    "gather": lambda p: p.gather(1, torch.arange(CLASSES).expand(8, CLASSES)),
    "expand": lambda p: p.unsqueeze(0).expand(1, -1, -1)[0], "epsilon": lambda p: p + 1e-9,
}  # fmt: skip


def one_hot(z: Tensor, y: Tensor) -> Tensor:
    return -(F.one_hot(y, CLASSES) * F.log_softmax(z, 1)).sum(1).mean()


def picked(z: Tensor, y: Tensor) -> Tensor:
    return (torch.logsumexp(z, 1) - z[torch.arange(len(y)), y]).mean()


def focal(z: Tensor, y: Tensor) -> Tensor:
    cost = F.cross_entropy(z, y, reduction="none")
    return ((1 - torch.exp(-cost)) ** 2 * cost).mean()


def written_bce(z: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(z)
    return -(y * torch.log(p + 1e-8) + (1 - y) * torch.log(1 - p + 1e-8)).mean()


OF_CLASSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "module": nn.CrossEntropyLoss(), "F": F.cross_entropy, "one hot": one_hot, "picked": picked,
    "smoothed": nn.CrossEntropyLoss(label_smoothing=0.1), "focal": focal,
    "nll": lambda z, y: F.nll_loss(F.log_softmax(z, 1), y),
}  # fmt: skip
OF_LABELS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "module": nn.BCEWithLogitsLoss(), "F": F.binary_cross_entropy_with_logits,
    "written": written_bce,
}  # fmt: skip
WANTED = {
    ("softmax", "classes"): {"ACT101"}, ("softmax", "labels"): {"ACT104"},
    ("sigmoid", "classes"): {"ACT103"}, ("sigmoid", "labels"): {"ACT104"},
    ("relu", "classes"): {"ACT108"}, ("relu", "labels"): {"ACT108"},
    ("tanh", "classes"): {"ACT108"}, ("tanh", "labels"): {"ACT108"},
}  # fmt: skip

NOT_FOLLOWED = {("product", "half and half"), ("where", "half and half")}
"""Rectifiers written out with a comparison and then mixed: the range is not derived so far."""

Twin = tuple[str, str, str, str, str]
TWINS: list[Twin] = [
    (activation, spelling, way, kind, loss)
    for activation, spellings in SPELLINGS.items()
    for spelling, way in itertools.product(spellings, HANDED_ON)
    if (spelling, way) not in NOT_FOLLOWED
    for kind, losses in (("classes", OF_CLASSES), ("labels", OF_LABELS))
    for loss in losses
]


class Net(nn.Module):
    def __init__(self, activation: Change, way: Change) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, CLASSES)
        self.activation, self.way = activation, way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self.activation(self.b(F.relu(self.a(x)))))


def judge(twin: Twin, as_step: bool) -> None:
    activation, spelling, way, kind, name = twin
    torch.manual_seed(1)
    net = Net(SPELLINGS[activation][spelling], HANDED_ON[way])
    x, y = torch.randn(8, 8), torch.arange(8) % CLASSES
    if kind == "labels":
        y = (torch.arange(8 * CLASSES).reshape(8, CLASSES) % 3 == 0).float()
    loss = (OF_CLASSES if kind == "classes" else OF_LABELS)[name]
    report = check_step(lambda: loss(net(x), y)) if as_step else check(net, loss, (x, y))
    assert not [item for item in report.unchecked if "fault of actlab" in item.reason]
    codes = {found.code for found in report.of_severity("error", "warning")}
    wanted = WANTED.get((activation, kind), set())
    if wanted:
        assert codes & wanted, f"{twin}: {report}"
    else:
        assert codes == set(), f"{twin}: {report}"


@pytest.mark.parametrize(
    "part", [0, *(pytest.param(part, marks=pytest.mark.slow) for part in range(1, 4))]
)
def test_a_sample_of_the_twins(part: int) -> None:
    for number, twin in enumerate(TWINS[part * 9 :: 36]):
        judge(twin, as_step=number % 2 == 0)


@pytest.mark.slow
@pytest.mark.parametrize("activation", SPELLINGS)
def test_all_twins(activation: str) -> None:
    for twin in TWINS:
        if twin[0] == activation:
            judge(twin, as_step=False)
            judge(twin, as_step=True)
