"""Further healthy programs: losses by hand, sequences, gates and fields."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, right, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same
from tests.checker.right_policies_and_generators import noise


@right()
def label_smoothing_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(out, dim=-1)
        return (0.9 * -log_p.gather(1, y[:, None]).squeeze(1) - 0.1 * log_p.mean(1)).mean()

    return Situation(Two(5, same), loss, classes(5, 12))


@right()
def focal_loss_with_sigmoid_by_hand() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        p = out.sigmoid()
        cost = F.binary_cross_entropy_with_logits(out, y, reduction="none")
        right = p * y + (1 - p) * (1 - y)
        return (cost * (1 - right) ** 2 * (0.25 * y + 0.75 * (1 - y))).sum()

    return Situation(Two(6, same), loss, (noise(16, 12), zero_one(16, 6)))


@right()
def asymmetric_loss_for_labels() -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        p = torch.sigmoid(out)
        no = (1 - p + 0.05).clamp(max=1)
        cost = y * torch.log(p.clamp(min=1e-8)) + (1 - y) * torch.log(no.clamp(min=1e-8))
        return -(cost * (1 - (p * y + no * (1 - y))) ** 4).mean()

    return Situation(Two(6, same), loss, (noise(16, 12), zero_one(16, 6)))


@right()
def tversky_of_softmax() -> Situation:
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 1))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        p, t = out.softmax(1), F.one_hot(y, 3).movedim(-1, 1)
        hit, extra, missed = (
            (p * t).sum((2, 3)),
            (p * (1 - t)).sum((2, 3)),
            ((1 - p) * t).sum((2, 3)),
        )
        tversky = ((hit + 1) / (hit + 0.3 * extra + 0.7 * missed + 1)).mean()
        return 1 - tversky + F.cross_entropy(out, y)

    return Situation(net, loss, (noise(4, 1, 8, 8), torch.arange(256).view(4, 8, 8) % 3))


@right()
def chain_of_tags() -> Situation:
    net, moves = Two(4, same), nn.Parameter(noise(4, 4))
    x, tags = noise(6, 5, 12), torch.arange(30).view(6, 5) % 4

    def step() -> Any:
        scores = net(x)
        alpha = scores[:, 0]
        for t in range(1, 5):
            alpha = torch.logsumexp(alpha[:, :, None] + moves, dim=1) + scores[:, t]
        gold = scores.gather(2, tags[..., None]).sum((1, 2)) + moves[tags[:, :-1], tags[:, 1:]].sum(
            1
        )
        return (alpha.logsumexp(1) - gold).mean()

    return Situation(step=step)


@right()
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


@right()
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


@right()
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


@right()
def radiance_field() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.density, self.colour = (
                nn.Linear(3, 32),
                nn.Linear(32, 1),
                nn.Linear(32, 3),
            )

        def forward(self, x: Tensor) -> Tensor:
            h = F.relu(self.body(x))
            alpha = 1 - torch.exp(-F.relu(self.density(h)).squeeze(-1) * 0.1)
            through = torch.cumprod(1 - alpha + 1e-10, -1)
            weights = alpha * torch.cat([torch.ones(len(x), 1), through[:, :-1]], 1)
            return (weights[..., None] * torch.sigmoid(self.colour(h))).sum(1)

    return Situation(Net(), nn.MSELoss(), (noise(16, 8, 3), torch.rand(16, 3)))


@right()
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


@right()
def probabilities_as_regression_targets() -> Situation:
    return Situation(Two(2, nn.Sigmoid()), nn.MSELoss(), (noise(16, 12), torch.rand(16, 2)))


@right()
def softmax_against_one_hot_by_mse() -> Situation:
    y = F.one_hot(torch.arange(16) % 5, 5).float()
    return Situation(Two(5, nn.Softmax(dim=1)), nn.MSELoss(), (noise(16, 12), y))


@right()
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


@right()
def distillation_by_soft_cross_entropy() -> Situation:
    student, teacher = Two(5, same), Two(5, same)
    x = noise(16, 12)

    def step() -> Tensor:
        return F.cross_entropy(student(x), teacher(x).detach().softmax(-1))

    return Situation(step=step)


@right()
def divergence_between_two_passes() -> Situation:
    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 5))
    x, y = classes(5, 12)

    def step() -> Tensor:
        p, q = net(x), net(x)
        both = F.kl_div(p.log_softmax(1), q.log_softmax(1), log_target=True, reduction="batchmean")
        return F.cross_entropy(p, y) + F.cross_entropy(q, y) + both

    return Situation(step=step, model=net)


@right()
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


@right()
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


@right()
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


@right()
def gaussians_fitted_by_gradient() -> Situation:
    weights, means = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.randn(4, 2))
    log_std, x = nn.Parameter(torch.zeros(4, 2)), torch.randn(100, 2) * 2

    def step() -> Tensor:
        distance = ((x[:, None] - means) / log_std.exp()) ** 2
        density = -(distance / 2 + log_std + 0.92).sum(-1)
        return -torch.logsumexp(weights.log_softmax(0) + density, 1).mean()

    return Situation(step=step, model=nn.ParameterList([weights, means, log_std]))
