"""Further faults of structure, dynamics, initial weights and optimisers, with corrected twins."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault


def net_of(*layers: nn.Module | None) -> nn.Sequential:
    return nn.Sequential(*[layer for layer in layers if layer is not None])


@fault("ACT401", "warning")
def two_products_with_parameters(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.ParameterList([nn.Parameter(torch.randn(16, 16) / 4) for _i in range(2)])
            self.body, self.out = nn.Linear(12, 16), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.body(x)) @ self.w[0]
            h = (torch.tanh(h) if fixed else h) @ self.w[1]
            return self.out(F.relu(h))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT401", "error")
def affine_convolutions(fixed: bool) -> Situation:
    act = nn.ReLU() if fixed else None
    net = net_of(
        nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), act, nn.Conv2d(8, 8, 3), act, nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(32, 5),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 1, 8, 8))


@fault("ACT401", "warning")
def norm_and_dropout_between(fixed: bool) -> Situation:
    net = net_of(
        nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32),
        nn.ReLU() if fixed else None, nn.Dropout(0.2), nn.Linear(32, 5),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT403", "info")
def rectified_twice(fixed: bool) -> Situation:
    net = net_of(nn.Linear(12, 16), nn.ReLU(), None if fixed else nn.ReLU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT404", "warning")
def gelu_by_layer_and_by_block(fixed: bool) -> Situation:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(12, 16)

        def forward(self, x: Tensor) -> Tensor:
            return F.gelu(self.fc(x))

    net = net_of(Block(), None if fixed else nn.GELU(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT404", "warning")
def tanh_of_sigmoid(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 16), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            h = torch.sigmoid(self.a(x))
            return self.b(h if fixed else h.view(-1, 16).tanh())

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT405", "warning")
def softmax_between_convolutions(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Linear(8, 5)

        def forward(self, x: Tensor) -> Any:
            h = self.a(x)
            h = F.relu(h) if fixed else F.softmax(h, dim=1)
            return self.c(F.relu(self.b(h)).mean((2, 3)))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 3, 8, 8))


@fault("ACT406", "warning")
def seven_sigmoids(fixed: bool) -> Situation:
    layers: list[nn.Module] = [nn.Linear(12, 32)]
    for _number in range(7):
        layers += [nn.ReLU() if fixed else nn.Sigmoid(), nn.Linear(32, 32)]
    return Situation(net_of(*layers), nn.CrossEntropyLoss(), classes(5, 12, samples=64))


@fault("ACT407", "warning")
def recurrent_relu(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            kind = "tanh" if fixed else "relu"
            self.rnn, self.out = nn.RNN(12, 16, 2, nonlinearity=kind), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            return self.out(self.rnn(x.transpose(0, 1))[1][-1])

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 7, 12))


@fault("ACT408", "warning")
def gelu_where_the_configuration_says_quick(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = SimpleNamespace(hidden_act="gelu" if fixed else "quick_gelu")
            self.body, self.act, self.out = nn.Linear(12, 16), nn.GELU(), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            return self.out(self.act(self.body(x)))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT501", "error")
def units_that_never_wake(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 32), nn.Linear(32, 5)
            if not fixed:
                nn.init.constant_(self.a.bias, -15.0)
                nn.init.zeros_(self.a.bias[:4])

        def forward(self, x: Tensor) -> Any:
            return self.b(self.a(x).clamp(min=0))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12, samples=600))


@fault("ACT502", "error")
def saturated_tanh(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 32), nn.Linear(32, 5)
            if not fixed:
                nn.init.constant_(self.a.bias, 9.0)

        def forward(self, x: Tensor) -> Any:
            return self.b(torch.tanh(self.a(x)))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12, samples=64))


@fault("ACT503", "warning")
def gradient_lost_on_the_way(fixed: bool) -> Situation:
    layers: list[nn.Module] = [nn.Linear(12, 32)]
    for _number in range(8):
        layers += [nn.ReLU() if fixed else nn.Sigmoid(), nn.Linear(32, 32)]
    return Situation(net_of(*layers), nn.CrossEntropyLoss(), classes(5, 12, samples=64))


@fault("ACT506", "warning")
def output_that_never_changes(fixed: bool) -> Situation:
    last = nn.Linear(16, 3)
    if not fixed:
        nn.init.normal_(last.weight, std=1e-9)
    net = net_of(nn.Linear(12, 16), nn.ReLU(), last)
    return Situation(net, nn.MSELoss(), (torch.randn(16, 12), torch.randn(16, 3)))


@fault("ACT508", "error")
def logarithm_of_negatives(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 16), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            h = self.a(x)
            return self.b(torch.log1p(h.abs()) if fixed else torch.log(h))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT602", "warning")
def selu_and_plain_dropout(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 64), nn.Linear(64, 5)
            nn.init.kaiming_normal_(self.a.weight, nonlinearity="linear")

        def forward(self, x: Tensor) -> Any:
            h = F.selu(self.a(x))
            h = F.alpha_dropout(h, 0.1) if fixed else F.dropout(h, 0.1)
            return self.b(h)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12, samples=64))


@fault("ACT603", "error")
def rows_all_alike(fixed: bool) -> Situation:
    first = nn.Linear(12, 16)
    if not fixed:
        nn.init.constant_(first.weight, 0.1)
        nn.init.zeros_(first.bias)
    net = net_of(first, nn.Tanh(), nn.Linear(16, 5))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT604", "warning")
def slope_decays(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(12, 16), nn.Linear(16, 5)
            self.slope = nn.Parameter(torch.full((16,), 0.25))

        def forward(self, x: Tensor) -> Any:
            return self.b(F.prelu(self.a(x), self.slope))

    net = Net()
    rest = [p for p in net.parameters() if p is not net.slope]
    groups: list[dict[str, Any]] = [
        {"params": rest},
        {"params": [net.slope], "weight_decay": 0.0 if fixed else 0.01},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12), optimizer=optimiser)
