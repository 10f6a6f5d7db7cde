"""Further healthy programs: losses by hand, heads of many kinds, whole training recipes."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Beta, Gamma, Laplace, MultivariateNormal, Normal
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.cases_further_losses import Two, same
from tests.checker.casebook import classes, negative, zero_one


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape)


@negative("further")
def learnt_temperature() -> Situation:
    scale = nn.Parameter(torch.tensor(math.log(10.0)))
    left, right = Two(8, same), Two(8, same)
    a, b = noise(16, 12), noise(16, 12)

    def step() -> Tensor:
        x, y = F.normalize(left(a), dim=1), F.normalize(right(b), dim=1)
        scores, wanted = scale.exp() * x @ y.t(), torch.arange(16)
        return 0.5 * (F.cross_entropy(scores, wanted) + F.cross_entropy(scores.t(), wanted))

    return Situation(step=step)


@negative("further")
def sigmoid_loss_of_pairs() -> Situation:
    left, right = Two(8, same), Two(8, same)
    a, b, bias = noise(16, 12), noise(16, 12), nn.Parameter(torch.tensor(-10.0))

    def step() -> Tensor:
        x, y = F.normalize(left(a), dim=1), F.normalize(right(b), dim=1)
        signs = 2 * torch.eye(16) - 1
        return -F.logsigmoid(signs * (10 * x @ y.t() + bias)).sum() / 16

    return Situation(step=step)


@negative("further")
def preference_optimisation() -> Situation:
    policy, frozen = Two(20, same), Two(20, same).requires_grad_(requires_grad=False)
    x, good, bad = noise(8, 6, 12), torch.arange(48).view(8, 6) % 20, torch.arange(48).view(8, 6) % 7

    def score(net: nn.Module, tokens: Tensor) -> Tensor:
        picked = net(x).log_softmax(-1).gather(2, tokens[..., None])
        return picked.squeeze(-1).sum(-1)

    def step() -> Tensor:
        with torch.no_grad():
            base = score(frozen, good) - score(frozen, bad)
        return -F.logsigmoid(0.1 * (score(policy, good) - score(policy, bad) - base)).mean()

    return Situation(step=step)


@negative("further")
def clipped_policy_with_entropy() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.pi, self.v = nn.Linear(12, 32), nn.Linear(32, 4), nn.Linear(32, 1)

        def forward(self, x: Tensor) -> Any:
            h = torch.tanh(self.body(x))
            return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)  # type: ignore[no-untyped-call]

    net, x = Net(), noise(16, 12)
    action, old, gain = torch.arange(16) % 4, noise(16) - 1.4, noise(16)

    def step() -> Any:
        given, value = net(x)
        ratio = (given.log_prob(action) - old).exp()
        clipped = torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain)
        return -clipped.mean() + 0.5 * (gain - value).pow(2).mean() - 0.01 * given.entropy().mean()

    return Situation(step=step, model=net)


@negative("further")
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


@negative("further")
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


@negative("further", "warning")
def distribution_over_returns() -> Situation:
    net = Two(22, lambda z: F.softmax(z.view(-1, 2, 11), dim=-1))
    x, wanted = noise(16, 12), torch.rand(16, 11).softmax(1)

    def step() -> Any:
        p = net(x)[:, 0].clamp(min=1e-5)
        return -(wanted * p.log()).sum(1).mean()

    return Situation(step=step, model=net)


@negative("further")
def quantile_regression() -> Situation:
    tau = torch.linspace(0.1, 0.9, 9)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        error = y[:, None] - out
        return torch.max(tau * error, (tau - 1) * error).mean()

    return Situation(Two(9, same), loss, (noise(16, 12), noise(16)))


@negative("further")
def ordinal_thresholds() -> Situation:
    bias = nn.Parameter(torch.arange(4.0))
    net = Two(1, lambda z: z - bias)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        levels = (y[:, None] > torch.arange(4)).float()
        return F.binary_cross_entropy_with_logits(out, levels)

    return Situation(net, loss, classes(5, 12))


@negative("further")
def evidential_classifier() -> Situation:
    net = Two(5, lambda z: F.softplus(z) + 1)

    def loss(alpha: Tensor, y: Tensor) -> Tensor:
        total = alpha.sum(1, keepdim=True)
        wanted = F.one_hot(y, 5)
        return (wanted * (torch.digamma(total) - torch.digamma(alpha))).sum(1).mean()

    return Situation(net, loss, classes(5, 12))


@negative("further")
def variance_head_with_softplus() -> Situation:
    net = Two(2, lambda z: (z[:, 0], F.softplus(z[:, 1]) + 1e-6))

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return nn.GaussianNLLLoss()(out[0], y, out[1])

    return Situation(net, loss, (noise(16, 12), noise(16)))


@negative("further")
def log_variance_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        mean, log_var = out.unbind(1)
        return 0.5 * (log_var + (y - mean) ** 2 / log_var.exp()).mean()

    return Situation(Two(2, same), loss, (noise(16, 12), noise(16)))


@negative("further")
def counts_with_log_rate() -> Situation:
    y = (torch.arange(16) % 5).float()[:, None]
    return Situation(Two(1, same), nn.PoissonNLLLoss(), (noise(16, 12), y))


@negative("further")
def counts_with_softplus_rate() -> Situation:
    y = (torch.arange(16) % 5).float()[:, None]
    return Situation(Two(1, nn.Softplus()), nn.PoissonNLLLoss(log_input=False), (noise(16, 12), y))


@negative("further")
def parameters_of_beta_and_gamma() -> Situation:
    net, x = Two(4, lambda z: F.softplus(z) + 1e-3), noise(16, 12)
    share, size = torch.linspace(0.1, 0.9, 16), torch.linspace(0.5, 4, 16)

    def step() -> Any:
        a, b, c, d = net(x).unbind(1)
        both: Any = Beta(a, b).log_prob(share) + Gamma(c, d).log_prob(size)  # type: ignore[no-untyped-call]
        return -both.mean()

    return Situation(step=step)


@negative("further")
def laplace_and_full_covariance() -> Situation:
    net, x, y = Two(9, same), noise(16, 12), noise(16, 2)

    def step() -> Any:
        out = net(x)
        lower = torch.diag_embed(F.softplus(out[:, 2:4]) + 0.1)
        lower = lower + F.pad(out[:, 4:5, None], (0, 1, 1, 0))
        full: Any = MultivariateNormal(out[:, :2], scale_tril=lower)  # type: ignore[no-untyped-call]
        single: Any = Laplace(out[:, 5:7], out[:, 7:9].exp())  # type: ignore[no-untyped-call]
        return -full.log_prob(y).mean() - single.log_prob(y).mean()

    return Situation(step=step)


@negative("further")
def generator_of_centred_images() -> Situation:
    maker = nn.Sequential(
        nn.ConvTranspose2d(4, 8, 4), nn.BatchNorm2d(8), nn.ReLU(),
        nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip
    judge = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(128, 1))
    real, seed = torch.rand(8, 1, 8, 8) * 2 - 1, noise(8, 4, 1, 1)

    def step() -> Tensor:
        fake = maker(seed)
        told, other = judge(real), judge(fake)
        loss = F.binary_cross_entropy_with_logits
        return loss(told, torch.ones_like(told)) + loss(other, torch.zeros_like(other))

    return Situation(step=step, model=maker)


@negative("further")
def least_squares_gan() -> Situation:
    judge, maker = Two(1, same), Two(12, torch.tanh, inputs=4)

    def step() -> Tensor:
        fake = judge(maker(noise(8, 4)))
        return 0.5 * (judge(noise(8, 12).tanh()) - 1).square().mean() + 0.5 * fake.square().mean()

    return Situation(step=step)


@negative("further")
def clamped_probabilities() -> Situation:
    net = Two(1, lambda z: torch.sigmoid(z).clamp(1e-6, 1 - 1e-6))
    return Situation(net, nn.BCELoss(), (noise(16, 12), zero_one(16, 1)))


@negative("further", "warning")
def cross_entropy_of_probabilities_by_hand() -> Situation:
    def loss(p: Tensor, y: Tensor) -> Tensor:
        return -torch.log(p[torch.arange(16), y] + 1e-9).mean()

    return Situation(Two(5, nn.Softmax(dim=1)), loss, classes(5, 12))


@negative("further")
def label_smoothing_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(out, dim=-1)
        return (0.9 * -log_p.gather(1, y[:, None]).squeeze(1) - 0.1 * log_p.mean(1)).mean()

    return Situation(Two(5, same), loss, classes(5, 12))


@negative("further")
def focal_loss_with_sigmoid_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        p = out.sigmoid()
        cost = F.binary_cross_entropy_with_logits(out, y, reduction="none")
        right = p * y + (1 - p) * (1 - y)
        return (cost * (1 - right) ** 2 * (0.25 * y + 0.75 * (1 - y))).sum()

    return Situation(Two(6, same), loss, (noise(16, 12), zero_one(16, 6)))


@negative("further")
def asymmetric_loss_for_labels() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        p = torch.sigmoid(out)
        no = (1 - p + 0.05).clamp(max=1)
        cost = y * torch.log(p.clamp(min=1e-8)) + (1 - y) * torch.log(no.clamp(min=1e-8))
        return -(cost * (1 - (p * y + no * (1 - y))) ** 4).mean()

    return Situation(Two(6, same), loss, (noise(16, 12), zero_one(16, 6)))


@negative("further")
def tversky_of_softmax() -> Situation:
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        p, t = out.softmax(1), F.one_hot(y, 3).movedim(-1, 1)
        hit, extra, missed = (p * t).sum((2, 3)), (p * (1 - t)).sum((2, 3)), ((1 - p) * t).sum((2, 3))
        tversky = ((hit + 1) / (hit + 0.3 * extra + 0.7 * missed + 1)).mean()
        return 1 - tversky + F.cross_entropy(out, y)

    return Situation(net, loss, (noise(4, 1, 8, 8), torch.arange(256).view(4, 8, 8) % 3))


@negative("further")
def chain_of_tags() -> Situation:
    net, moves = Two(4, same), nn.Parameter(noise(4, 4))
    x, tags = noise(6, 5, 12), torch.arange(30).view(6, 5) % 4

    def step() -> Tensor:
        scores = net(x)
        alpha = scores[:, 0]
        for t in range(1, 5):
            alpha = torch.logsumexp(alpha[:, :, None] + moves, dim=1) + scores[:, t]
        gold = scores.gather(2, tags[..., None]).sum((1, 2)) + moves[tags[:, :-1], tags[:, 1:]].sum(1)
        return (alpha.logsumexp(1) - gold).mean()

    return Situation(step=step)


@negative("further")
def pointer_with_masked_candidates() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.q = nn.LSTM(12, 16, batch_first=True), nn.Linear(16, 16)

        def forward(self, x: Tensor) -> Any:
            h, (last, _c) = self.rnn(x)
            scores = (h * self.q(last[-1])[:, None]).sum(-1)
            masked = scores.masked_fill(torch.arange(9) > 6, float("-inf"))
            return F.log_softmax(masked, dim=1)

    return Situation(Net(), nn.NLLLoss(), classes(7, 9, 12))


@negative("further")
def mixture_of_experts() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Linear(12, 3)
            self.experts = nn.ModuleList([Two(5, same) for _number in range(3)])

        def forward(self, x: Tensor) -> Any:
            best, which = self.gate(x).softmax(-1).topk(2, dim=-1)
            weights = torch.zeros(len(x), 3).scatter(1, which, best / best.sum(-1, keepdim=True))
            outs = torch.stack([expert(x) for expert in self.experts], 1)
            return (weights[..., None] * outs).sum(1)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@negative("further")
def squeeze_and_excite() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c, self.n, self.out = nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.Linear(16, 5)
            self.down, self.up = nn.Linear(16, 4), nn.Linear(4, 16)

        def forward(self, x: Tensor) -> Any:
            h = F.hardswish(self.n(self.c(x)))
            s = F.hardsigmoid(self.up(F.relu(self.down(h.mean((2, 3))))))
            return self.out((h * s[..., None, None]).mean((2, 3)))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 3, 8, 8))


@negative("further")
def radiance_field() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.density, self.colour = nn.Linear(3, 32), nn.Linear(32, 1), nn.Linear(32, 3)

        def forward(self, x: Tensor) -> Tensor:
            h = F.relu(self.body(x))
            alpha = 1 - torch.exp(-F.relu(self.density(h)).squeeze(-1) * 0.1)
            through = torch.cumprod(1 - alpha + 1e-10, -1)
            weights = alpha * torch.cat([torch.ones(len(x), 1), through[:, :-1]], 1)
            return (weights[..., None] * torch.sigmoid(self.colour(h))).sum(1)

    return Situation(Net(), nn.MSELoss(), (noise(16, 8, 3), torch.rand(16, 3)))


@negative("further")
def depth_that_is_positive() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            return F.softplus(self.b(F.relu(self.a(x))))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        d = torch.log(out + 1e-6) - torch.log(y)
        return torch.sqrt((d**2).mean() - 0.85 * d.mean() ** 2)

    return Situation(Net(), loss, (noise(4, 3, 8, 8), torch.rand(4, 1, 8, 8) * 9 + 0.5))


@negative("further")
def probabilities_as_regression_targets() -> Situation:
    return Situation(Two(2, nn.Sigmoid()), nn.MSELoss(), (noise(16, 12), torch.rand(16, 2)))


@negative("further")
def softmax_against_one_hot_by_mse() -> Situation:
    y = F.one_hot(torch.arange(16) % 5, 5).float()
    return Situation(Two(5, nn.Softmax(dim=1)), nn.MSELoss(), (noise(16, 12), y))


@negative("further")
def distillation_and_hard_labels() -> Situation:
    student, teacher = Two(5, same), Two(5, same).eval()
    x, y = classes(5, 12)

    def step() -> Tensor:
        with torch.no_grad():
            soft = (teacher(x) / 3).softmax(1)
        out = student(x)
        kl = F.kl_div((out / 3).log_softmax(1), soft, reduction="batchmean")
        return 9 * 0.7 * kl + 0.3 * F.cross_entropy(out, y)

    return Situation(step=step, model=student)


@negative("further")
def distillation_by_soft_cross_entropy() -> Situation:
    student, teacher = Two(5, same), Two(5, same)
    x = noise(16, 12)

    def step() -> Tensor:
        return F.cross_entropy(student(x), teacher(x).detach().softmax(-1))

    return Situation(step=step)


@negative("further")
def divergence_between_two_passes() -> Situation:
    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 5))
    x, y = classes(5, 12)

    def step() -> Tensor:
        p, q = net(x), net(x)
        both = F.kl_div(p.log_softmax(1), q.log_softmax(1), log_target=True, reduction="batchmean")
        return F.cross_entropy(p, y) + F.cross_entropy(q, y) + both

    return Situation(step=step, model=net)


@negative("further")
def discrete_autoencoder() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.e, self.d = nn.Linear(12, 3 * 6), nn.Linear(3 * 6, 12)

        def forward(self, x: Tensor) -> Any:
            z = self.e(x).view(-1, 3, 6)
            q = z.softmax(-1)
            kl = (q * (q.clamp_min(1e-9).log() + math.log(6))).sum((1, 2)).mean()
            return self.d(F.gumbel_softmax(z, tau=0.7, dim=-1).flatten(1)), kl

    def loss(out: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        return F.mse_loss(out[0], x) + 0.1 * out[1]

    x = noise(16, 12)
    return Situation(Net(), loss, (x, x))


@negative("further")
def vector_quantised() -> Situation:
    encode, decode, book = Two(4, same), Two(12, same, inputs=4), nn.Embedding(8, 4)
    nn.init.uniform_(book.weight, -1 / 8, 1 / 8)
    x = noise(16, 12)

    def step() -> Tensor:
        z = encode(x)
        q = book(torch.cdist(z, book.weight).argmin(1))
        through = z + (q - z).detach()
        extra = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return F.mse_loss(decode(through), x) + extra

    return Situation(step=step)


@negative("further")
def noise_prediction() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.t, self.a, self.b = nn.Linear(8, 16), nn.Linear(12, 16), nn.Linear(16, 12)

        def forward(self, x: Tensor, t: Tensor) -> Any:
            angles = t[:, None] * torch.exp(-torch.arange(4.0))
            code = torch.cat([angles.sin(), angles.cos()], 1)
            return self.b(F.silu(self.a(x) + self.t(code)))

    x, t, e = noise(16, 12), torch.arange(16.0), noise(16, 12)
    return Situation(Net(), nn.MSELoss(), ((0.6 * x + 0.8 * e, t), e))


@negative("further")
def sinusoidal_image() -> Situation:
    class Sine(nn.Module):
        def __init__(self, i: int, o: int, first: bool) -> None:
            super().__init__()
            self.fc = nn.Linear(i, o)
            bound = 1 / i if first else math.sqrt(6 / i) / 30
            nn.init.uniform_(self.fc.weight, -bound, bound)

        def forward(self, x: Tensor) -> Tensor:
            return torch.sin(30 * self.fc(x))

    net = nn.Sequential(Sine(2, 32, first=True), Sine(32, 32, first=False), nn.Linear(32, 1))
    x = torch.rand(64, 2) * 2 - 1
    return Situation(net, nn.MSELoss(), (x, x.prod(1, keepdim=True)))


@negative("further")
def graph_attention() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.a, self.out = nn.Linear(12, 16), nn.Linear(32, 1), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            h = self.w(x)
            pairs = torch.cat([h.repeat_interleave(16, 0), h.repeat(16, 1)], 1)
            e = F.leaky_relu(self.a(pairs), 0.2).view(16, 16)
            e = e.masked_fill(torch.arange(256).view(16, 16) % 3 == 1, -1e9)
            return self.out(F.elu(torch.softmax(e, dim=1) @ h))

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@negative("further")
def highway_and_maxout() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.h, self.t, self.m = nn.Linear(12, 12), nn.Linear(12, 12), nn.Linear(12, 5 * 3)

        def forward(self, x: Tensor) -> Any:
            gate = torch.sigmoid(self.t(x))
            x = gate * torch.tanh(self.h(x)) + (1 - gate) * x
            return self.m(x).view(-1, 5, 3).amax(-1)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 12))


@negative("further")
def selected_by_weight_decay() -> Situation:
    net = nn.Sequential(nn.Linear(12, 24), nn.PReLU(24), nn.Linear(24, 5))
    slopes = [net[1].weight]
    rest = [p for p in net.parameters() if p is not slopes[0]]
    optimiser = torch.optim.SGD([{"params": rest, "weight_decay": 5e-4}, {"params": slopes}], lr=0.1)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12), optimizer=optimiser)


@negative("further")
def self_normalising() -> Situation:
    layers: list[nn.Module] = []
    for width in (64, 64, 64):
        layers += [nn.Linear(width, 64), nn.SELU(), nn.AlphaDropout(0.05)]
    net = nn.Sequential(*layers, nn.Linear(64, 5))
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")
            nn.init.zeros_(layer.bias)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 64, samples=64))


@negative("further")
def deep_residual_network() -> Situation:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.n, self.m = nn.BatchNorm2d(8), nn.BatchNorm2d(8)

        def forward(self, x: Tensor) -> Tensor:
            return F.relu(x + self.m(self.b(F.relu(self.n(self.a(x))))))

    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), *[Block() for _number in range(6)],
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5),
    )  # fmt: skip
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 3, 8, 8))


@negative("further")
def transformer_translator() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(20, 16)
            nn.init.normal_(self.embed.weight, std=0.02)
            self.body = nn.Transformer(16, 2, 1, 1, 32, batch_first=True)

        def forward(self, source: Tensor, target: Tensor) -> Any:
            mask = nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            h = self.body(self.embed(source), self.embed(target), tgt_mask=mask)
            return F.linear(h, self.embed.weight)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(out.flatten(0, 1), y.flatten(), ignore_index=0, label_smoothing=0.1)

    ids = torch.arange(32).view(4, 8) % 20
    return Situation(Net(), loss, ((ids, ids[:, :-1]), ids[:, 1:]))


@negative("further")
def metrics_beside_the_loss() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        out = net(x)
        confidence = out.softmax(1).max(1).values.mean().item()
        right = (out.argmax(1) == y).float().mean().item()
        assert 0 <= confidence <= 1
        assert 0 <= right <= 1
        return F.cross_entropy(out, y)

    return Situation(step=step, model=net)


@negative("further")
def sampled_sentence_under_no_grad() -> Situation:
    net = Two(12, same)
    x = noise(8, 12)

    def step() -> Tensor:
        with torch.no_grad():
            token = torch.multinomial(net(x).softmax(-1), 1)
        return F.cross_entropy(net(F.one_hot(token[:, 0], 12).float()), token[:, 0])

    return Situation(step=step, model=net)


@negative("further")
def low_rank_adapter() -> Situation:
    class Adapted(nn.Module):
        def __init__(self, i: int, o: int) -> None:
            super().__init__()
            self.base = nn.Linear(i, o).requires_grad_(requires_grad=False)
            self.lora_a, self.lora_b = nn.Linear(i, 2, bias=False), nn.Linear(2, o, bias=False)

        def forward(self, x: Tensor) -> Any:
            return self.base(x) + 2.0 * self.lora_b(self.lora_a(x))

    net = nn.Sequential(Adapted(12, 24), nn.GELU(), Adapted(24, 5))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@negative("further")
def autocast_in_bfloat16() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return F.cross_entropy(net(x), y)

    return Situation(step=step, model=net)


@negative("further")
def hinge_and_multi_margin() -> Situation:
    net = Two(5, same)
    x, y = classes(5, 12)

    def step() -> Tensor:
        out = net(x)
        signs = 2.0 * F.one_hot(y, 5) - 1
        return F.multi_margin_loss(out, y) + F.relu(1 - signs * out).mean()

    return Situation(step=step, model=net)


@negative("further")
def momentum_twins_without_negatives() -> Situation:
    online, late, guess = Two(8, same), Two(8, same), nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))
    a, b = noise(16, 12), noise(16, 12)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = F.normalize(late(b), dim=1)
        return 2 - 2 * (F.normalize(guess(online(a)), dim=1) * wanted).sum(1).mean()

    return Situation(step=step)


@negative("further")
def sparse_autoencoder_of_features() -> Situation:
    up, down = nn.Linear(12, 48), nn.Linear(48, 12)
    x = noise(64, 12)

    def step() -> Tensor:
        code = F.relu(up(x - down.bias))
        return F.mse_loss(down(code), x) + 1e-3 * code.abs().sum(1).mean()

    return Situation(step=step)


@negative("further")
def survival_times() -> Situation:
    net = Two(6, same)
    x, bins, seen = noise(16, 12), torch.arange(16) % 6, torch.arange(16) % 3 > 0

    def step() -> Tensor:
        hazard = net(x)
        alive = -F.softplus(hazard).cumsum(1)
        log_alive = F.pad(alive, (1, 0)).gather(1, bins[:, None]).squeeze(1)
        log_event = F.logsigmoid(hazard.gather(1, bins[:, None]).squeeze(1))
        return -(log_alive + seen * log_event).mean()

    return Situation(step=step)


@negative("further")
def heads_in_a_dictionary() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(12, 32)
            self.heads = nn.ModuleDict({"box": nn.Linear(32, 4), "kind": nn.Linear(32, 5),
                                        "object": nn.Linear(32, 1)})  # fmt: skip

        def forward(self, x: Tensor) -> dict[str, Tensor]:
            h = F.mish(self.body(x))
            out = {name: head(h) for name, head in self.heads.items()}
            out["box"] = out["box"].sigmoid()
            out["p"] = out["kind"].softmax(1)
            return out

    def loss(out: dict[str, Tensor], y: dict[str, Tensor]) -> Tensor:
        here = F.binary_cross_entropy_with_logits(out["object"][:, 0], y["object"])
        return F.l1_loss(out["box"], y["box"]) + F.cross_entropy(out["kind"], y["kind"]) + here

    x, kind = classes(5, 12)
    return Situation(Net(), loss, (x, {"box": torch.rand(16, 4), "kind": kind, "object": zero_one(16)}))
