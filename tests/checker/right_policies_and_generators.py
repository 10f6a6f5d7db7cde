"""Further healthy programs: contrast, policies, distributions and generators."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Beta, Gamma, Laplace, MultivariateNormal, Normal
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, right, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape)


@right()
def learnt_temperature() -> Situation:
    scale = nn.Parameter(torch.tensor(math.log(10.0)))
    left, right = Two(8, same), Two(8, same)
    a, b = noise(16, 12), noise(16, 12)

    def step() -> Tensor:
        x, y = F.normalize(left(a), dim=1), F.normalize(right(b), dim=1)
        scores, wanted = scale.exp() * x @ y.t(), torch.arange(16)
        return 0.5 * (F.cross_entropy(scores, wanted) + F.cross_entropy(scores.t(), wanted))

    return Situation(step=step)


@right()
def sigmoid_loss_of_pairs() -> Situation:
    left, right = Two(8, same), Two(8, same)
    a, b, bias = noise(16, 12), noise(16, 12), nn.Parameter(torch.tensor(-10.0))

    def step() -> Tensor:
        x, y = F.normalize(left(a), dim=1), F.normalize(right(b), dim=1)
        signs = 2 * torch.eye(16) - 1
        return -F.logsigmoid(signs * (10 * x @ y.t() + bias)).sum() / 16

    return Situation(step=step)


@right()
def preference_optimisation() -> Situation:
    policy, frozen = Two(20, same), Two(20, same).requires_grad_(requires_grad=False)
    x, good, bad = (
        noise(8, 6, 12),
        torch.arange(48).view(8, 6) % 20,
        torch.arange(48).view(8, 6) % 7,
    )

    def score(net: nn.Module, tokens: Tensor) -> Any:
        picked = net(x).log_softmax(-1).gather(2, tokens[..., None])
        return picked.squeeze(-1).sum(-1)

    def step() -> Tensor:
        with torch.no_grad():
            base = score(frozen, good) - score(frozen, bad)
        return -F.logsigmoid(0.1 * (score(policy, good) - score(policy, bad) - base)).mean()

    return Situation(step=step)


@right()
def clipped_policy_with_entropy() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.pi, self.v = nn.Linear(12, 32), nn.Linear(32, 4), nn.Linear(32, 1)

        def forward(self, x: Tensor) -> Any:
            h = torch.tanh(self.body(x))
            return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)

    net, x = Net(), noise(16, 12)
    action, old, gain = torch.arange(16) % 4, noise(16) - 1.4, noise(16)

    def step() -> Any:
        given, value = net(x)
        ratio = (given.log_prob(action) - old).exp()
        clipped = torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain)
        return -clipped.mean() + 0.5 * (gain - value).pow(2).mean() - 0.01 * given.entropy().mean()

    return Situation(step=step, model=net)


@right()
def gaussian_policy_squashed() -> Situation:
    net, critic = Two(4, same), Two(1, same, inputs=14)
    x = noise(16, 12)

    def step() -> Any:
        mean, log_std = net(x).chunk(2, 1)
        given: Any = Normal(mean, log_std.clamp(-5, 2).exp())
        raw = given.rsample()
        action = torch.tanh(raw)
        log_p = (given.log_prob(raw) - 2 * (math.log(2) - raw - F.softplus(-2 * raw))).sum(1)
        return (0.2 * log_p - critic(torch.cat([x, action], 1)).squeeze(1)).mean()

    return Situation(step=step)


@right()
def duelling_values() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.v, self.a = nn.Linear(12, 32), nn.Linear(32, 1), nn.Linear(32, 4)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.body(x))
            a = self.a(h)
            return self.v(h) + a - a.mean(1, keepdim=True)

    net, late, x, later = Net(), Net(), noise(16, 12), noise(16, 12)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = noise(16) + 0.99 * late(later).max(1).values
        value = net(x).gather(1, (torch.arange(16) % 4)[:, None]).squeeze(1)
        return F.smooth_l1_loss(value, wanted)

    return Situation(step=step, model=net)


@right("warning")
def distribution_over_returns() -> Situation:
    net = Two(22, lambda z: F.softmax(z.view(-1, 2, 11), dim=-1))
    x, wanted = noise(16, 12), torch.rand(16, 11).softmax(1)

    def step() -> Any:
        p = net(x)[:, 0].clamp(min=1e-5)
        return -(wanted * p.log()).sum(1).mean()

    return Situation(step=step, model=net)


@right()
def quantile_regression() -> Situation:
    tau = torch.linspace(0.1, 0.9, 9)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        error = y[:, None] - out
        return torch.max(tau * error, (tau - 1) * error).mean()

    return Situation(Two(9, same), loss, (noise(16, 12), noise(16)))


@right()
def ordinal_thresholds() -> Situation:
    bias = nn.Parameter(torch.arange(4.0))
    net = Two(1, lambda z: z - bias)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        levels = (y[:, None] > torch.arange(4)).float()
        return F.binary_cross_entropy_with_logits(out, levels)

    return Situation(net, loss, classes(5, 12))


@right()
def evidential_classifier() -> Situation:
    net = Two(5, lambda z: F.softplus(z) + 1)

    def loss(alpha: Tensor, y: Tensor) -> Tensor:
        total = alpha.sum(1, keepdim=True)
        wanted = F.one_hot(y, 5)
        return (wanted * (torch.digamma(total) - torch.digamma(alpha))).sum(1).mean()

    return Situation(net, loss, classes(5, 12))


@right()
def variance_head_with_softplus() -> Situation:
    net = Two(2, lambda z: (z[:, 0], F.softplus(z[:, 1]) + 1e-6))

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Any:
        return nn.GaussianNLLLoss()(out[0], y, out[1])

    return Situation(net, loss, (noise(16, 12), noise(16)))


@right()
def log_variance_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        mean, log_var = out.unbind(1)
        return 0.5 * (log_var + (y - mean) ** 2 / log_var.exp()).mean()

    return Situation(Two(2, same), loss, (noise(16, 12), noise(16)))


@right()
def counts_with_log_rate() -> Situation:
    y = (torch.arange(16) % 5).float()[:, None]
    return Situation(Two(1, same), nn.PoissonNLLLoss(), (noise(16, 12), y))


@right()
def counts_with_softplus_rate() -> Situation:
    y = (torch.arange(16) % 5).float()[:, None]
    return Situation(Two(1, nn.Softplus()), nn.PoissonNLLLoss(log_input=False), (noise(16, 12), y))


@right()
def parameters_of_beta_and_gamma() -> Situation:
    net, x = Two(4, lambda z: F.softplus(z) + 1e-3), noise(16, 12)
    share, size = torch.linspace(0.1, 0.9, 16), torch.linspace(0.5, 4, 16)

    def step() -> Any:
        a, b, c, d = net(x).unbind(1)
        both: Any = Beta(a, b).log_prob(share) + Gamma(c, d).log_prob(size)  # type: ignore[no-untyped-call]  # torch.distributions has no types
        return -both.mean()

    return Situation(step=step)


@right()
def laplace_and_full_covariance() -> Situation:
    net, x, y = Two(9, same), noise(16, 12), noise(16, 2)

    def step() -> Any:
        out = net(x)
        lower = torch.diag_embed(F.softplus(out[:, 2:4]) + 0.1)
        lower = lower + F.pad(out[:, 4:5, None], (0, 1, 1, 0))
        full: Any = MultivariateNormal(out[:, :2], scale_tril=lower)
        single: Any = Laplace(out[:, 5:7], out[:, 7:9].exp())
        return -full.log_prob(y).mean() - single.log_prob(y).mean()

    return Situation(step=step)


@right()
def generator_of_centred_images() -> Situation:
    maker = nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(
        nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1)
    )
    real, seed = torch.rand(8, 1, 8, 8) * 2 - 1, noise(8, 4, 1, 1)

    def step() -> Tensor:
        fake = maker(seed)
        told, other = judge(real), judge(fake)
        loss = F.binary_cross_entropy_with_logits
        return loss(told, torch.ones_like(told)) + loss(other, torch.zeros_like(other))

    return Situation(step=step, model=maker)


@right()
def least_squares_gan() -> Situation:
    judge, maker = Two(1, same), Two(12, torch.tanh, inputs=4)

    def step() -> Any:
        fake = judge(maker(noise(8, 4)))
        return 0.5 * (judge(noise(8, 12).tanh()) - 1).square().mean() + 0.5 * fake.square().mean()

    return Situation(step=step)


@right()
def clamped_probabilities() -> Situation:
    net = Two(1, lambda z: torch.sigmoid(z).clamp(1e-6, 1 - 1e-6))
    return Situation(net, nn.BCELoss(), (noise(16, 12), zero_one(16, 1)))


@right("warning")
def cross_entropy_of_probabilities_by_hand() -> Situation:
    def loss(p: Tensor, y: Tensor) -> Tensor:
        return -torch.log(p[torch.arange(16), y] + 1e-9).mean()

    return Situation(Two(5, nn.Softmax(dim=1)), loss, classes(5, 12))
