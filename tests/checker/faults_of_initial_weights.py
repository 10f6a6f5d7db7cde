"""Programs with faults of initial weights and dynamics, each with its corrected twin."""

import torch
from torch import Tensor, nn

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault


@fault("ACT602", "warning")
def selu_with_glorot(fixed: bool) -> Situation:
    """deepchem/deepchem#601: the initial weights of SELU are 1 / sqrt(fan-in), not Glorot's."""
    layers: list[nn.Module] = []
    for inputs, outputs in ((64, 256), (256, 128)):
        linear = nn.Linear(inputs, outputs)
        if fixed:
            nn.init.normal_(linear.weight, std=inputs**-0.5)
        else:
            nn.init.xavier_normal_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SELU()]
    return Situation(
        nn.Sequential(*layers, nn.Linear(128, 4)), nn.CrossEntropyLoss(), classes(4, 64, samples=64)
    )


class Embedding(nn.Module):
    """The network of siamese-triplet with its PReLUs replaced by ReLUs, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.convnet = nn.Sequential(
            nn.Conv2d(1, 32, 5), nn.ReLU(), nn.MaxPool2d(2, stride=2),
            nn.Conv2d(32, 64, 5), nn.ReLU(), nn.MaxPool2d(2, stride=2),
        )  # fmt: skip
        self.fc = nn.Sequential(
            nn.Linear(64 * 4 * 4, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2)
        )
        self.classifier = nn.Linear(2, 10)

    def forward(self, x: Tensor) -> Tensor:
        embedding = self.fc(self.convnet(x).flatten(1))
        return torch.log_softmax(self.classifier(torch.relu(embedding)), dim=-1)


@fault("ACT601", "info")
def relu_with_default_weights(fixed: bool) -> Situation:
    """adambielski/siamese-triplet#17: the loss stayed at 2.3 for one user, not for the author."""
    net = Embedding()
    if fixed:
        for part in net.modules():
            if isinstance(part, (nn.Linear, nn.Conv2d)):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.bias)
    return Situation(net, nn.NLLLoss(), classes(10, 1, 28, 28, samples=32))
