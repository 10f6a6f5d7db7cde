"""Healthy programs of many kinds, in which softmax, sigmoid and tanh have their place."""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, right, zero_one


def mlp(*widths: int, act: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(*layers[:-1])


@right()
def variational_autoencoder() -> Situation:
    class Vae(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.mu, self.log_var = nn.Linear(64, 32), nn.Linear(32, 4), nn.Linear(32, 4)
            self.fc3, self.fc4 = nn.Linear(4, 32), nn.Linear(32, 64)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.fc1(x.view(-1, 64)))
            mu, log_var = self.mu(h), self.log_var(h)
            std = torch.exp(0.5 * log_var)
            z = mu + torch.randn_like(std) * std
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, log_var

    def loss(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        bce = F.binary_cross_entropy(out[0], x.view(-1, 64), reduction="sum")
        return bce - 0.5 * torch.sum(1 + out[2] - out[1].pow(2) - out[2].exp())

    images = torch.rand(8, 1, 8, 8)
    return Situation(Vae(), loss, (images, images))


@right()
def actor_critic_one_state_at_a_time() -> Situation:
    class Policy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.affine, self.action, self.value = (
                nn.Linear(4, 64),
                nn.Linear(64, 2),
                nn.Linear(64, 1),
            )

        def forward(self, x: Tensor) -> Any:
            x = F.relu(self.affine(x))
            return F.softmax(self.action(x), dim=-1), self.value(x)

    model = Policy()
    states = torch.randn(6, 4)

    def step() -> Any:
        losses = []
        for state in states:
            probabilities, value = model(state)
            choice: Any = torch.distributions.Categorical(probabilities)
            reward = torch.tensor([1.3])
            losses.append(-choice.log_prob(choice.sample()) * (reward - value.item()))
            losses.append(F.smooth_l1_loss(value, reward))
        return torch.cat([loss.reshape(1) for loss in losses]).sum()

    return Situation(step=step)


@right()
def wasserstein_with_gradient_penalty() -> Situation:
    critic = mlp(16, 16, 1, act=nn.LeakyReLU)
    real, fake = torch.randn(8, 16), torch.randn(8, 16)

    def step() -> Any:
        share = torch.rand(8, 1)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        out = critic(between)
        (gradient,) = torch.autograd.grad(out, between, torch.ones_like(out), create_graph=True)
        penalty = ((gradient.norm(2, dim=1) - 1) ** 2).mean()
        return critic(fake).mean() - critic(real).mean() + 10 * penalty

    return Situation(step=step)


@right()
def hinge_critic() -> Situation:
    critic = mlp(16, 16, 1, act=nn.LeakyReLU)
    real, fake = torch.randn(8, 16), torch.randn(8, 16)
    return Situation(
        step=lambda: F.relu(1 - critic(real)).mean() + F.relu(1 + critic(fake)).mean(),
        task="critic",
    )


@right()
def simclr() -> Situation:
    encoder = mlp(20, 32, 16)
    first, second = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Tensor:
        z = F.normalize(torch.cat([encoder(first), encoder(second)]), dim=1)
        similarity = (z @ z.T).masked_fill(torch.eye(16).bool(), -9e15) / 0.5
        return F.cross_entropy(similarity, torch.arange(16).roll(8))

    return Situation(step=step)


@right()
def self_distillation_with_centring() -> Situation:
    student, teacher, centre = nn.Linear(20, 16), nn.Linear(20, 16), torch.zeros(16)
    first, second = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Tensor:
        with torch.no_grad():
            target = F.softmax((teacher(second) - centre) / 0.04, dim=-1)
        return -(target * F.log_softmax(student(first) / 0.1, dim=-1)).sum(-1).mean()

    return Situation(step=step)


@right()
def swapped_assignments_by_sinkhorn() -> Situation:
    encoder, prototypes = nn.Linear(20, 16), nn.Linear(16, 10, bias=False)
    first, second = torch.randn(8, 20), torch.randn(8, 20)

    def step() -> Tensor:
        with torch.no_grad():
            q = torch.exp(prototypes(F.normalize(encoder(second))) / 0.05).T
            q /= q.sum()
            for _ in range(3):
                q /= 10 * q.sum(1, keepdim=True)
                q /= 8 * q.sum(0, keepdim=True)
        scores = prototypes(F.normalize(encoder(first))) / 0.1
        return -((8 * q.T) * F.log_softmax(scores, 1)).sum(1).mean()

    return Situation(step=step)


@right()
def dice_and_cross_entropy() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))

    def loss(scores: Tensor, y: Tensor) -> Tensor:
        p = scores.softmax(1)
        hot = F.one_hot(y, 4).permute(0, 3, 1, 2).float()
        dice = 1 - 2 * (p * hot).sum() / (p.sum() + hot.sum())
        return F.cross_entropy(scores, y) + dice

    return Situation(net, loss, (torch.randn(2, 3, 8, 8), torch.arange(128).reshape(2, 8, 8) % 4))


@right()
def unet_with_transposed_convolution() -> Situation:
    class Unet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.deep = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
            self.up, self.merge = nn.ConvTranspose2d(16, 8, 2, 2), nn.Conv2d(16, 8, 3, padding=1)
            self.out = nn.Conv2d(8, 3, 1)

        def forward(self, x: Tensor) -> Any:
            skip = F.relu(self.down(x))
            deep = F.relu(self.deep(F.max_pool2d(skip, 2)))
            return self.out(F.relu(self.merge(torch.cat([self.up(deep), skip], 1))))

    y = torch.arange(128).reshape(2, 8, 8) % 3
    return Situation(Unet(), nn.CrossEntropyLoss(), (torch.randn(2, 3, 8, 8), y))


@right()
def proximal_policy() -> Situation:
    body, policy, value = mlp(4, 32, 32, act=nn.Tanh), nn.Linear(32, 3), nn.Linear(32, 1)
    states, actions = torch.randn(16, 4), torch.arange(16) % 3
    advantage, returns, old = torch.randn(16), torch.randn(16), torch.full((16,), -1.1)

    def step() -> Any:
        hidden = torch.tanh(body(states))
        choice: Any = torch.distributions.Categorical(logits=policy(hidden))
        ratio = (choice.log_prob(actions) - old).exp()
        clipped = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage)
        critic = (value(hidden).squeeze(-1) - returns).pow(2).mean()
        return -clipped.mean() + 0.5 * critic - 0.01 * choice.entropy().mean()

    return Situation(step=step)


@right()
def soft_actor_critic() -> Situation:
    body, mean, log_std = mlp(4, 32), nn.Linear(32, 2), nn.Linear(32, 2)
    critic, states = mlp(6, 32, 1), torch.randn(16, 4)

    def step() -> Any:
        hidden = F.relu(body(states))
        normal: Any = torch.distributions.Normal(mean(hidden), log_std(hidden).clamp(-20, 2).exp())
        raw = normal.rsample()
        action = torch.tanh(raw)
        log_p = (normal.log_prob(raw) - torch.log(1 - action.pow(2) + 1e-6)).sum(1, keepdim=True)
        return (0.2 * log_p - critic(torch.cat([states, action], 1))).mean()

    return Situation(step=step)


@right()
def connectionist_temporal_classification() -> Situation:
    rnn, fc, x = nn.LSTM(8, 16), nn.Linear(16, 10), torch.randn(12, 3, 8)
    labels, lengths = torch.arange(12).reshape(3, 4) % 9 + 1, torch.full((3,), 4)

    def step() -> Tensor:
        log_p = fc(rnn(x)[0]).log_softmax(2)
        return F.ctc_loss(log_p, labels, torch.full((3,), 12), lengths)

    return Situation(step=step)


@right()
def attention_over_time_first_sequences() -> Situation:
    class Pooled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.score, self.out = nn.GRU(8, 16), nn.Linear(16, 1), nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Any:
            states = self.gru(x)[0]
            weights = F.softmax(self.score(states), dim=0)
            return self.out((weights * states).sum(0))

    return Situation(Pooled(), nn.CrossEntropyLoss(), (torch.randn(9, 6, 8), torch.arange(6) % 3))


@right()
def multiple_instance_pooling() -> Situation:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.v, self.u = mlp(20, 16), nn.Linear(16, 8), nn.Linear(16, 8)
            self.w, self.classifier = nn.Linear(8, 1), nn.Linear(16, 1)

        def forward(self, bag: Tensor) -> Any:
            h = F.relu(self.body(bag))
            score = self.w(torch.tanh(self.v(h)) * torch.sigmoid(self.u(h)))
            return torch.sigmoid(self.classifier(F.softmax(score.t(), dim=1) @ h))

    def loss(p: Tensor, y: Tensor) -> Tensor:
        p = p.clamp(1e-5, 1 - 1e-5)
        return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).sum()

    return Situation(Gated(), loss, (torch.randn(10, 20), torch.ones(1, 1)))


@right()
def mixture_of_scores() -> Situation:
    class Mixture(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate, self.experts = (
                nn.Linear(20, 4),
                nn.ModuleList(mlp(20, 16, 5) for _ in "abcd"),
            )

        def forward(self, x: Tensor) -> Any:
            weight, chosen = F.softmax(self.gate(x), -1).topk(2, -1)
            weight = weight / weight.sum(-1, keepdim=True)
            votes = torch.stack([expert(x) for expert in self.experts], 1)
            index = chosen.unsqueeze(-1).expand(-1, -1, 5)
            return (votes.gather(1, index) * weight.unsqueeze(-1)).sum(1)

    return Situation(Mixture(), nn.CrossEntropyLoss(), classes(5, 20))


@right()
def word_vectors() -> Situation:
    inner, outer = nn.Embedding(50, 8), nn.Embedding(50, 8)
    word, context, noise = torch.arange(8), torch.arange(8) + 9, torch.randint(0, 50, (8, 5))

    def step() -> Tensor:
        vector = inner(word)
        near = (vector * outer(context)).sum(1)
        far = torch.bmm(outer(noise), vector.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(near) + F.logsigmoid(-far).sum(1)).mean()

    return Situation(step=step)


@right()
def coupling_flow() -> Situation:
    scale, shift = nn.Sequential(mlp(2, 16, 2), nn.Tanh()), mlp(2, 16, 2)
    x = torch.randn(16, 4)

    def step() -> Tensor:
        first, second = x.chunk(2, 1)
        log_scale = scale(first)
        z = torch.cat([first, (second - shift(first)) * torch.exp(-log_scale)], 1)
        return (0.5 * z.pow(2).sum(1) + log_scale.sum(1)).mean()

    return Situation(step=step)


@right()
def expectation_over_bins() -> Situation:
    net, project = nn.Conv2d(3, 32, 1), nn.Conv2d(8, 1, 1, bias=False).requires_grad_(False)
    project.weight.data[:] = torch.arange(8.0).view(1, 8, 1, 1)
    x, y = torch.randn(2, 3, 4, 4), torch.rand(2, 4, 16) * 7

    def step() -> Tensor:
        bins = net(x).view(2, 4, 8, 16).transpose(2, 1).softmax(1)
        return F.l1_loss(project(bins).view(2, 4, 16), y)

    return Situation(step=step)


@right()
def heat_map_loss_of_corners() -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 2, 1))

    def loss(scores: Tensor, heat: Tensor) -> Tensor:
        p = torch.clamp(scores.sigmoid(), 1e-4, 1 - 1e-4)
        at = heat.gt(0.95).float()
        hit = torch.log(p) * (1 - p) ** 2 * at
        miss = torch.log(1 - p) * p**2 * (1 - heat) ** 4 * (1 - at)
        return -(hit + miss).mean()

    return Situation(net, loss, (torch.randn(2, 3, 8, 8), torch.rand(2, 2, 8, 8)))


@right()
def smoothed_labels_with_padding() -> Situation:
    class Smoothing(nn.Module):
        def forward(self, log_p: Tensor, y: Tensor) -> Any:
            wanted = torch.full_like(log_p, 0.1 / 8)
            wanted.scatter_(1, y.unsqueeze(1), 0.9)
            wanted[:, 0] = 0
            wanted.masked_fill_((y == 0).unsqueeze(1), 0.0)
            return nn.KLDivLoss(reduction="sum")(log_p, wanted)

    net = nn.Sequential(nn.Linear(20, 10), nn.LogSoftmax(dim=-1))
    return Situation(net, Smoothing(), classes(10, 20, samples=20))


@right()
def hard_swish_written_out() -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(20, 16), nn.Linear(16, 5)

        def forward(self, x: Tensor) -> Any:
            x = self.a(x)
            return self.b(x * F.relu6(x + 3) / 6)

    return Situation(Net(), nn.CrossEntropyLoss(), classes(5, 20))


@right()
def two_tasks_two_losses() -> Situation:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.kind, self.flag = nn.Linear(20, 16), nn.Linear(16, 3), nn.Linear(16, 1)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.body(x))
            return self.kind(h), torch.sigmoid(self.flag(h))

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        return F.cross_entropy(out[0], y[0]) + F.binary_cross_entropy(out[1], y[1])

    return Situation(Shared(), loss, (torch.randn(9, 20), (torch.arange(9) % 3, zero_one(9, 1))))


@right()
def probabilities_against_one_hot() -> Situation:
    net = nn.Sequential(nn.Linear(20, 3), nn.Softmax(dim=1))
    x, y = classes(3, 20)
    return Situation(net, nn.MSELoss(), (x, F.one_hot(y, 3).float()))


@right()
def logistic_regression_by_hand() -> Situation:
    w, b = (torch.randn(20, 1) * 0.1).requires_grad_(), torch.zeros(1, requires_grad=True)
    x, y = torch.randn(16, 20), zero_one(16, 1)

    def step() -> Tensor:
        p = 1 / (1 + torch.exp(-(x @ w + b)))
        return -(y * torch.log(p + 1e-9) + (1 - y) * torch.log(1 - p + 1e-9)).mean()

    return Situation(step=step)


@right()
def bounded_log_deviation() -> Situation:
    head, x, y = nn.Linear(20, 2), torch.randn(16, 20), torch.randn(16, 1)

    def step() -> Any:
        mean, raw = head(x).chunk(2, dim=1)
        log_std = 2 * torch.tanh(raw)
        normal: Any = torch.distributions.Normal(mean, log_std.exp())
        return -normal.log_prob(y).mean()

    return Situation(step=step)


@right()
def prototypes_and_distances() -> Situation:
    encoder, support, queries = mlp(20, 32, 8), torch.randn(5, 4, 20), torch.randn(10, 20)

    def step() -> Tensor:
        centres = encoder(support).mean(1)
        return F.cross_entropy(
            -torch.cdist(encoder(queries), centres) / math.sqrt(8), torch.arange(10) % 5
        )

    return Situation(step=step)


@right()
def rows_of_a_codebook_picked_by_gumbel_softmax() -> Situation:
    encode, decode = nn.Conv2d(3, 16, 4, 4), nn.ConvTranspose2d(8, 3, 4, 4)
    codes, x = nn.Parameter(torch.randn(16, 8)), torch.rand(4, 3, 16, 16)

    def step() -> Tensor:
        picked = F.gumbel_softmax(encode(x), tau=0.9, hard=True, dim=1)
        return F.mse_loss(decode(torch.einsum("bnhw,nd->bdhw", picked, codes)), x)

    return Situation(step=step, model=nn.ModuleList([encode, decode]))


@right()
def weights_that_are_masked_and_renormalised_in_a_bare_step() -> Situation:
    score, out, x = nn.Linear(6, 1), nn.Linear(6, 2), torch.randn(24, 7, 6)
    kept = (torch.arange(7) < 1 + torch.arange(24)[:, None] % 7).float()

    def step() -> Tensor:
        weights = score(x).squeeze(-1).softmax(1) * kept
        weights = weights / weights.sum(1, keepdim=True).clamp_min(1e-9)
        return F.cross_entropy(out((weights[..., None] * x).sum(1)), torch.arange(24) % 2)

    return Situation(step=step, model=nn.ModuleList([score, out]))


@right()
def location_of_a_glimpse_behind_a_sigmoid() -> Situation:
    place, read, x = mlp(12, 16, 2), mlp(14, 16, 5), torch.randn(16, 12)

    def step() -> Tensor:
        mean = torch.sigmoid(place(x))
        where = mean + 0.1 * torch.randn_like(mean)
        return F.cross_entropy(read(torch.cat([x, where], 1)), torch.arange(16) % 5)

    return Situation(step=step, model=nn.ModuleList([place, read]))
