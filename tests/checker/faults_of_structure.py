"""Structure, distributions and initial weights at fault, each program with its corrected twin."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault


@fault("ACT401", "warning")
def last_two_linear_layers(fixed: bool) -> Situation:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(10, 12, batch_first=True, bidirectional=True)
            self.hid, self.clf = nn.Linear(24, 16), nn.Linear(16, 7)
            self.drop = nn.Dropout(0.5)

        def forward(self, x: Tensor) -> Any:
            h = self.hid(self.drop(self.lstm(x)[0]))
            h = F.relu(h) if fixed else h
            return self.clf(self.drop(h)).reshape(-1, 7)

    return Situation(Tagger(), nn.CrossEntropyLoss(), (torch.randn(4, 7, 10), torch.arange(28) % 7))


@fault("ACT401", "warning")
def char_rnn(fixed: bool) -> Situation:
    class Rnn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.i2h, self.i2o = nn.Linear(8 + 12, 12), nn.Linear(8 + 12, 6)
            self.o2o = nn.Linear(12 + 6, 6)
            self.dropout, self.softmax = nn.Dropout(0.1), nn.LogSoftmax(dim=1)

        def forward(self, x: Tensor) -> Any:
            hidden = torch.zeros(x.shape[0], 12)
            for t in range(x.shape[1]):
                combined = torch.cat((x[:, t], hidden), 1)
                hidden, output = self.i2h(combined), self.i2o(combined)
                if fixed:
                    hidden, output = torch.tanh(hidden), torch.relu(output)
                output = self.o2o(torch.cat((hidden, output), 1))
            return self.softmax(self.dropout(output))

    return Situation(Rnn(), nn.NLLLoss(), classes(6, 3, 8))


@fault("ACT401", "warning")
def value_head(fixed: bool) -> Situation:
    class OutputActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 1)
            self.fc1, self.fcout = nn.Linear(8 * 16, 32), nn.Linear(32, 3)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.conv(x)).flatten(1)
            h = F.relu(self.fc1(h)) if fixed else self.fc1(h)
            return self.fcout(h)

    return Situation(OutputActivation(), nn.CrossEntropyLoss(), classes(3, 4, 4, 4))


@fault("ACT401", "warning")
def transformer_layer_of_yolo(fixed: bool) -> Situation:
    class TransformerLayer(nn.Module):
        def __init__(self, c: int) -> None:
            super().__init__()
            self.q, self.k, self.v = (nn.Linear(c, c, bias=False) for _ in range(3))
            self.ma = nn.MultiheadAttention(embed_dim=c, num_heads=2)
            self.fc1, self.fc2 = nn.Linear(c, c, bias=False), nn.Linear(c, c, bias=False)
            self.head, self.norm = nn.Linear(c, 3), nn.LayerNorm(c)

        def forward(self, x: Tensor) -> Any:
            x = self.ma(self.q(x), self.k(x), self.v(x))[0] + x
            h = self.norm(x) if fixed else x
            x = self.fc2(F.relu(self.fc1(h)) if fixed else self.fc1(h)) + x
            return self.head(F.silu(x).mean(0))

    x = torch.randn(5, 9, 8)
    return Situation(TransformerLayer(8), nn.CrossEntropyLoss(), (x, torch.arange(9) % 3))


@fault("ACT407", "warning")
def lstm_with_relu(fixed: bool) -> Situation:
    class Cell(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.u, self.out = (
                nn.Linear(5, 32),
                nn.Linear(8, 32, bias=False),
                nn.Linear(8, 1),
            )
            self.activation = torch.tanh if fixed else F.relu

        def forward(self, x: Tensor) -> Any:
            h = c = torch.zeros(x.shape[0], 8)
            for t in range(x.shape[1]):
                i, f, g, o = (self.w(x[:, t]) + self.u(h)).split(8, dim=1)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * self.activation(g)
                h = torch.sigmoid(o) * self.activation(c)
            return self.out(h)

    return Situation(Cell(), nn.MSELoss(), (torch.randn(16, 6, 5), torch.randn(16, 1)))


@fault("ACT404", "warning")
def activation_by_layer_and_wrapper(fixed: bool) -> Situation:
    class ConvBlock(nn.Module):
        def __init__(self, activation: Any) -> None:
            super().__init__()
            self.conv, self.activation = nn.Conv2d(3, 8, 3), activation

        def forward(self, x: Tensor) -> Any:
            return self.activation(self.conv(x))

    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block, self.fc = ConvBlock(torch.tanh), nn.Linear(8, 4)

        def forward(self, x: Tensor) -> Any:
            x = self.block(x)
            x = x if fixed else torch.tanh(x)
            return self.fc(x.mean(dim=(2, 3)))

    return Situation(Wrapper(), nn.CrossEntropyLoss(), classes(4, 3, 8, 8))


@fault("ACT111", "error")
def gumbel_of_frequencies(fixed: bool) -> Situation:
    frequencies = torch.tensor([0.1, 0.2, 0.3, 0.4])

    def step() -> Tensor:
        given = frequencies.log() if fixed else frequencies
        return F.gumbel_softmax(given, tau=1, hard=True).argmax().float()

    return Situation(step=step)


@fault("ACT408", "warning")
def quick_gelu_weights(fixed: bool) -> Situation:
    class QuickGelu(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return x * torch.sigmoid(1.702 * x)

    class Vision(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = SimpleNamespace(hidden_act="quick_gelu")
            self.c_fc, self.c_proj, self.norm = (
                nn.Linear(16, 32),
                nn.Linear(32, 16),
                nn.LayerNorm(16),
            )
            self.gelu, self.proj = (QuickGelu() if fixed else nn.GELU()), nn.Linear(16, 4)

        def forward(self, x: Tensor) -> Any:
            x = x + self.c_proj(self.gelu(self.c_fc(self.norm(x))))
            return self.proj(self.norm(x))

    return Situation(Vision(), nn.CrossEntropyLoss(), classes(4, 16))
