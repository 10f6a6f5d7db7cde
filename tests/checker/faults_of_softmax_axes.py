"""Softmax over one element and over the wrong axis, each program with its corrected twin."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one


def dense_one(fixed: bool, *hidden: nn.Module, width: int) -> nn.Sequential:
    last = nn.Sigmoid() if fixed else nn.Softmax(dim=1)
    return nn.Sequential(*hidden, nn.Linear(width, 1), last)


@fault("ACT201", "error")
def xor_softmax_mse(fixed: bool) -> Situation:
    net = dense_one(fixed, nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 3), nn.Sigmoid(), width=3)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Situation(net, nn.MSELoss(), (x, torch.tensor([[0.0], [1.0], [1.0], [0.0]])))


@fault("ACT201", "error")
def relu_net_softmax_bce(fixed: bool) -> Situation:
    net = dense_one(fixed, nn.Linear(128, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), width=50)
    return Situation(net, nn.BCELoss(), (torch.ones(16, 128), zero_one(16, 1)))


@fault("ACT201", "error")
def sixty_fifty_one(fixed: bool) -> Situation:
    net = dense_one(fixed, nn.Linear(60, 50), nn.ReLU(), width=50)
    return Situation(net, nn.BCELoss(), (torch.randn(16, 60), zero_one(16, 1)))


@fault("ACT201", "error")
def cnn_dense_one(fixed: bool) -> Situation:
    class Cnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 8, 3), nn.Linear(8 * 9, 1)

        def forward(self, x: Tensor) -> Any:
            x = F.max_pool2d(F.relu(self.conv(x)), 2)
            x = self.fc(x.view(x.size(0), -1))
            return torch.sigmoid(x) if fixed else F.softmax(x, dim=-1)

    return Situation(Cnn(), nn.BCELoss(), (torch.randn(8, 3, 8, 8), zero_one(8, 1)))


@fault("ACT201", "error")
def xor_of_four_rows(fixed: bool) -> Situation:
    w1, w2 = (torch.randn(size, requires_grad=True) for size in ((2, 8), (8, 1)))
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

    def step() -> Tensor:
        hidden = torch.tanh(x @ w1)
        out = hidden @ w2
        return F.binary_cross_entropy(out.sigmoid() if fixed else out.softmax(-1), y)

    return Situation(step=step)


@fault("ACT201", "error")
def one_label_classifier(fixed: bool) -> Situation:
    class Classifier(nn.Module):
        def __init__(self, num_labels: int) -> None:
            super().__init__()
            self.score = nn.Linear(16, num_labels)

        def forward(self, hidden: Tensor) -> Any:
            logits = self.score(hidden[:, 0])
            return torch.sigmoid(logits) if fixed else torch.softmax(logits, dim=-1)

    model = Classifier(1).eval()
    hidden, y = torch.randn(8, 4, 16), zero_one(8, 1)

    def score() -> Tensor:
        with torch.no_grad():
            return ((model(hidden) > 0.5).float() - y).abs().mean()

    return Situation(step=score, model=model)


@fault("ACT201", "error")
def swiftformer_attention(fixed: bool) -> Situation:
    class EfficientAdditiveAttention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.to_query, self.to_key = nn.Linear(12, 8), nn.Linear(12, 8)
            self.w_g = nn.Parameter(torch.randn(8, 1))
            self.proj, self.final = nn.Linear(8, 8), nn.Linear(8, 3)

        def forward(self, x: Tensor) -> Any:
            query = F.normalize(self.to_query(x), dim=-1)
            key = F.normalize(self.to_key(x), dim=-1)
            weights = (query @ self.w_g) * 8**-0.5
            weights = weights.softmax(dim=1 if fixed else -1)
            g = torch.sum(weights * query, dim=1, keepdim=True)
            out = self.proj(g * key) + query
            return self.final(out.mean(dim=1))

    return Situation(EfficientAdditiveAttention(), nn.CrossEntropyLoss(), classes(3, 6, 12))


@fault("ACT203", "error")
def policy_gradient(fixed: bool) -> Situation:
    policy = nn.Sequential(
        nn.Linear(4, 150), nn.LeakyReLU(), nn.Linear(150, 2), nn.Softmax(dim=-1 if fixed else 0)
    )
    states, returns = torch.randn(20, 4), torch.linspace(1, 0, 20)
    actions = torch.arange(20) % 2

    def step() -> Tensor:
        predicted = policy(states)
        probabilities = predicted.gather(dim=1, index=actions.view(-1, 1)).squeeze()
        return -torch.sum(returns * torch.log(probabilities + 1e-9))

    return Situation(step=step, model=policy)


@fault("ACT203", "error")
def vision_head(fixed: bool) -> Situation:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features, self.classifier = nn.Conv2d(3, 8, 3), nn.Linear(8, 10)

        def forward(self, x: Tensor) -> Any:
            x = F.relu(self.features(x)).mean(dim=(2, 3))
            return F.softmax(self.classifier(x), dim=1 if fixed else 0)

    def loss(p: Tensor, y: Tensor) -> Tensor:
        return F.nll_loss(torch.log(p + 1e-9), y)

    return Situation(Model(), loss, classes(10, 3, 8, 8))


@fault("ACT203", "error")
def course_head(fixed: bool) -> Situation:
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10),
        nn.LogSoftmax(dim=-1 if fixed else 0),
    )  # fmt: skip
    return Situation(net, nn.NLLLoss(), classes(10, 1, 8, 8))


@fault("ACT204", "warning")
def softmax_then_argmax(fixed: bool) -> Situation:
    model = nn.Sequential(nn.Linear(20, 2)).eval()
    x, y = classes(2, 20)

    def evaluate() -> Tensor:
        with torch.no_grad():
            output = model(x)
            p = F.softmax(output, dim=1) if fixed else F.softmax(output)
            return (p.argmax(dim=1) == y).float().mean()

    return Situation(step=evaluate, model=model)


@fault("ACT203", "error")
def softmax_over_samples_then_argmax(fixed: bool) -> Situation:
    model = nn.Linear(20, 2).eval()
    x, y = classes(2, 20)

    def evaluate() -> Tensor:
        with torch.no_grad():
            p = torch.softmax(model(x), dim=1 if fixed else 0)
            return F.nll_loss((p + 1e-9).log(), y)

    return Situation(step=evaluate, model=model)


@fault("ACT204", "warning")
def implicit_dim_of_sequences(fixed: bool) -> Situation:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(8, 5)
            self.act = nn.LogSoftmax(dim=-1) if fixed else nn.LogSoftmax()

        def forward(self, x: Tensor) -> Any:
            return self.act(self.fc(x)).transpose(1, 2)

    y = torch.arange(24).reshape(4, 6) % 5
    return Situation(Tagger(), nn.NLLLoss(), (torch.randn(4, 6, 8), y))
