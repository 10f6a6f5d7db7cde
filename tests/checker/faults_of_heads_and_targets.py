"""Activations on logits, ranges against targets, each program with its corrected twin."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one


def multi_hot(samples: int, columns: int) -> Tensor:
    grid = torch.arange(samples)[:, None] + torch.arange(columns)
    return ((grid % 3 == 0) | (grid % 4 == 0)).float()


@fault("ACT108", "error")
def quickstart(fixed: bool) -> Situation:
    class NeuralNetwork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.flatten = nn.Flatten()
            self.linear_relu_stack = nn.Sequential(
                nn.Linear(28 * 28, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                nn.Linear(512, 10), *([] if fixed else [nn.ReLU()]),
            )  # fmt: skip

        def forward(self, x: Tensor) -> Any:
            return self.linear_relu_stack(self.flatten(x))

    return Situation(NeuralNetwork(), nn.CrossEntropyLoss(), classes(10, 1, 28, 28))


@fault("ACT108", "error")
def vgg_fc8(fixed: bool) -> Situation:
    class Vgg(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc7, self.fc8 = nn.Conv2d(3, 8, 3), nn.Linear(72, 32), nn.Linear(32, 10)

        def forward(self, x: Tensor) -> Any:
            x = F.max_pool2d(F.relu(self.conv(x)), 2).flatten(1)
            x = F.dropout(F.relu(self.fc7(x)), 0.5, self.training)
            return self.fc8(x) if fixed else F.relu(self.fc8(x))

    return Situation(Vgg(), nn.CrossEntropyLoss(), classes(10, 3, 8, 8))


@fault("ACT108", "error")
def segmentation_head(fixed: bool) -> Situation:
    class Panoptic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 1, 1)

        def forward(self, x: Tensor) -> Any:
            x = self.head(F.relu(self.body(x)))
            return x if fixed else torch.relu(x)

    loss = nn.BCEWithLogitsLoss()
    return Situation(Panoptic(), loss, (torch.randn(4, 1, 8, 8), zero_one(4, 1, 8, 8)))


@fault("ACT108", "error")
def dense_ten_relu(fixed: bool) -> Situation:
    class Keras(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(1, 8, 5), nn.Linear(8 * 12 * 12, 10)

        def forward(self, x: Tensor) -> Any:
            x = F.max_pool2d(F.relu(self.conv(x)), 2).reshape(len(x), -1)
            x = self.fc(x)
            return x if fixed else F.relu(x, inplace=True)

    return Situation(Keras(), nn.CrossEntropyLoss(), classes(10, 1, 28, 28))


@fault("ACT302", "error")
def tagger_evaluation(fixed: bool) -> Situation:
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 6)).eval()
    x, y = torch.randn(16, 20), multi_hot(16, 6)

    def evaluate() -> Tensor:
        with torch.no_grad():
            out = model(x)
            p = torch.sigmoid(out) if fixed else F.softmax(out, dim=1)
            return F.binary_cross_entropy(p, y)

    return Situation(step=evaluate, model=model)


@fault("ACT302", "error")
def metrics_of_softmax(fixed: bool) -> Situation:
    class Task(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Linear(20, 6)

        def forward(self, x: Tensor) -> Any:
            y_hat = self.model(x)
            return torch.sigmoid(y_hat) if fixed else torch.softmax(y_hat, dim=1)

    task = Task()
    x, y = torch.randn(16, 20), multi_hot(16, 6)

    def training_step() -> Tensor:
        y_hat = task.model(x)
        hard = task(x) > 0.5
        correct = (hard == y.bool()).float().mean()
        return F.binary_cross_entropy_with_logits(y_hat, y) + 0.0 * correct

    return Situation(step=training_step, model=task)


@fault("ACT301", "error")
def six_real_targets(fixed: bool) -> Situation:
    net = nn.Sequential(
        nn.Linear(28, 20), nn.ReLU(), nn.Linear(20, 15), nn.ReLU(), nn.Linear(15, 6), nn.ReLU(),
        nn.Linear(6, 6), *([] if fixed else [nn.Sigmoid()]),
    )  # fmt: skip
    return Situation(net, nn.L1Loss(), (torch.randn(16, 28), torch.randn(16, 6) * 40))


@fault("ACT108", "error")
def policy_behind_relu(fixed: bool) -> Situation:
    body = nn.Linear(8, 32)
    policy, value = nn.Linear(32, 4), nn.Linear(32, 1)
    states, actions, returns = torch.randn(16, 8), torch.arange(16) % 4, torch.randn(16)

    def step() -> Any:
        hidden = torch.tanh(body(states))
        scores = policy(hidden) if fixed else F.relu(policy(hidden))
        choice: Any = torch.distributions.Categorical(logits=scores)
        loss = -(choice.log_prob(actions) * returns).mean()
        return loss + F.mse_loss(value(hidden).squeeze(1), returns)

    return Situation(step=step)


@fault("ACT301", "error")
def value_behind_relu(fixed: bool) -> Situation:
    body, value = nn.Linear(8, 32), nn.Linear(32, 1)
    states, returns = torch.randn(16, 8), torch.randn(16)

    def step() -> Tensor:
        out = value(torch.tanh(body(states)))
        return F.mse_loss((out if fixed else F.relu(out))[:, 0], returns)

    return Situation(step=step)


@fault("ACT305", "warning")
def dual_potential(fixed: bool) -> Situation:
    u, v = (
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1),
                      *([] if fixed else [nn.ReLU()]))
        for _ in range(2)
    )  # fmt: skip
    x, y = torch.randn(16, 4), torch.randn(16, 4)

    def step() -> Tensor:
        gap = u(x) + v(y) - ((x - y) ** 2).sum(1, keepdim=True)
        return -(u(x).mean() + v(y).mean() - torch.exp(gap / 10).mean())

    return Situation(step=step, task="critic")


@fault("ACT304", "error")
def predicts_only_zero(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(6, 8, num_layers=2, batch_first=True)
            self.dense = nn.Linear(8, 1)
            nn.init.constant_(self.dense.bias, -1.0)

        def forward(self, x: Tensor) -> Any:
            out = self.dense(self.rnn(x)[0][:, -1])
            return out if fixed else F.relu(out)

    return Situation(Net(), nn.MSELoss(), (torch.randn(16, 5, 6), torch.rand(16, 1)))


@fault("ACT303", "warning")
def vanilla_vae(fixed: bool) -> Situation:
    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 16), nn.LeakyReLU())
            self.fc_mu, self.fc_var = nn.Linear(16, 4), nn.Linear(16, 4)
            self.decoder = nn.Sequential(nn.Linear(4, 16), nn.LeakyReLU())
            last = nn.Sigmoid() if fixed else nn.Tanh()
            self.final_layer = nn.Sequential(nn.Linear(16, 64), last)

        def forward(self, x: Tensor) -> Any:
            h = self.encoder(x.flatten(1))
            mu, log_var = self.fc_mu(h), self.fc_var(h)
            z = torch.randn_like(mu) * torch.exp(0.5 * log_var) + mu
            return self.final_layer(self.decoder(z)).view_as(x), mu, log_var

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        recons, mu, log_var = out
        kld = -0.5 * torch.sum(1 + log_var - mu**2 - log_var.exp(), dim=1)
        return F.mse_loss(recons, x) + 0.005 * kld.mean()

    images = torch.rand(8, 1, 8, 8)
    return Situation(Vae(), loss, (images, images))


@fault("ACT305", "warning")
def wgan_critic(fixed: bool) -> Situation:
    class Discriminator(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Sequential(
                nn.Linear(64, 32), nn.LeakyReLU(0.2, inplace=True), nn.Linear(32, 1),
                *([] if fixed else [nn.Sigmoid()]),
            )  # fmt: skip

        def forward(self, image: Tensor) -> Any:
            return self.model(image.view(image.size(0), -1))

    critic, generator = Discriminator(), nn.Linear(10, 64)
    real, z = torch.randn(8, 1, 8, 8), torch.randn(8, 10)

    def step() -> Tensor:
        fake = torch.tanh(generator(z)).detach()
        return -torch.mean(critic(real)) + torch.mean(critic(fake))

    return Situation(step=step, model=critic)
