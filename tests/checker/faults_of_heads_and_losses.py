"""Further faults between a head and its loss, each with its corrected twin."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one


class Two(nn.Module):
    """A layer, a ReLU, a layer, and what is made of the scores."""

    def __init__(self, out: int, head: Any, inputs: int = 12) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(inputs, 24), nn.Linear(24, out), head

    def forward(self, x: Tensor) -> Any:
        return self.head(self.b(F.relu(self.a(x))))


def same(z: Tensor) -> Tensor:
    return z


@fault("ACT101", "error")
def tagger_with_ignored_padding(fixed: bool) -> Situation:
    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.rnn = nn.Embedding(30, 8), nn.GRU(8, 12, batch_first=True)
            self.out = nn.Linear(12, 6)

        def forward(self, ids: Tensor) -> Tensor:
            scores: Tensor = self.out(self.rnn(self.embed(ids))[0])
            return (scores if fixed else scores.softmax(-1)).transpose(1, 2)

    tags = torch.arange(40).reshape(4, 10) % 6
    tags[:, 7:] = -100
    return Situation(Tagger(), nn.CrossEntropyLoss(ignore_index=-100), (tags.abs() % 30, tags))


@fault("ACT101", "error")
def dictionary_with_nested_head(fixed: bool) -> Situation:
    class OutputActivation(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.ModuleDict({"score": nn.Linear(24, 5)})

        def forward(self, h: Tensor) -> dict[str, Tensor]:
            scores = self.inner["score"](h)
            return {"logits": scores if fixed else torch.softmax(scores, dim=-1), "features": h}

    net = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), OutputActivation())

    def loss(out: dict[str, Tensor], y: Tensor) -> Tensor:
        return F.cross_entropy(out["logits"], y, label_smoothing=0.1)

    return Situation(net, loss, classes(5, 12))


@fault("ACT101", "error")
def mixup_of_two_losses(fixed: bool) -> Situation:
    net = Two(5, same if fixed else nn.Softmax(dim=1))
    x, y = classes(5, 12)

    def step() -> Tensor:
        other = torch.arange(15, -1, -1)
        out = net(0.3 * x + 0.7 * x[other])
        return 0.3 * F.cross_entropy(out, y) + 0.7 * F.cross_entropy(out, y[other])

    return Situation(step=step)


@fault("ACT101", "error")
def mixed_soft_targets(fixed: bool) -> Situation:
    x, y = classes(5, 12)
    soft = 0.3 * F.one_hot(y, 5).float() + 0.7 * F.one_hot(y.flip(0), 5).float()
    return Situation(Two(5, same if fixed else nn.Softmax(1)), nn.CrossEntropyLoss(), (x, soft))


@fault("ACT101", "error")
def second_of_two_heads(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.kind, self.size = nn.Linear(12, 24), nn.Linear(24, 4), nn.Linear(24, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            h = F.silu(self.body(x))
            return self.size(h), self.kind(h) if fixed else F.softmax(self.kind(h), -1)

    def loss(out: tuple[Tensor, Tensor], y: tuple[Tensor, Tensor]) -> Tensor:
        return F.smooth_l1_loss(out[0][:, 0], y[0]) + 0.5 * F.cross_entropy(out[1], y[1])

    x, y = classes(4, 12)
    return Situation(Net(), loss, (x, (torch.linspace(-2, 2, 16), y)))


@fault("ACT101", "error")
def upsampled_probabilities(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.out = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 4, 1)

        def forward(self, x: Tensor) -> Tensor:
            z = self.out(F.relu(self.down(x)))
            z = z if fixed else F.softmax(z, dim=1)
            return F.interpolate(z, scale_factor=2, mode="bilinear")

    y = torch.arange(4 * 64).reshape(4, 8, 8) % 4
    return Situation(Net(), nn.CrossEntropyLoss(), (torch.randn(4, 3, 8, 8), y))


@fault("ACT101", "error")
def softmax_with_temperature(fixed: bool) -> Situation:
    temperature = nn.Parameter(torch.tensor(1.5))
    net = Two(6, (lambda z: z / temperature) if fixed else lambda z: F.softmax(z / temperature, 1))
    return Situation(net, nn.CrossEntropyLoss(), classes(6, 12))


@fault("ACT101", "error")
def average_of_three_members(fixed: bool) -> Situation:
    members = nn.ModuleList([Two(5, same) for _number in range(3)])
    x, y = classes(5, 12)

    def step() -> Tensor:
        outs = [m(x) if fixed else m(x).softmax(1) for m in members]
        return F.cross_entropy(sum(outs) / 3, y)

    return Situation(step=step)


@fault("ACT101", "error")
def tied_language_model(fixed: bool) -> Situation:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.rnn = nn.Embedding(20, 16), nn.LSTM(16, 16, batch_first=True)

        def forward(self, ids: Tensor) -> Tensor:
            z = F.linear(self.rnn(self.embed(ids))[0], self.embed.weight)
            return (z if fixed else F.softmax(z, dim=-1)).view(-1, 20)

    ids = torch.arange(44).reshape(4, 11) % 20
    return Situation(Model(), nn.CrossEntropyLoss(), (ids[:, :-1], ids[:, 1:].reshape(-1)))


@fault("ACT101", "error")
def focal_loss_by_hand(fixed: bool) -> Situation:
    def focal(out: Tensor, y: Tensor) -> Tensor:
        log_p = F.log_softmax(out, dim=1).gather(1, y[:, None]).squeeze(1)
        return (-((1 - log_p.exp()) ** 2) * log_p).mean()

    return Situation(Two(5, same if fixed else nn.Softmax(dim=1)), focal, classes(5, 12))


@fault("ACT101", "error")
def twice_and_then_the_logarithm(fixed: bool) -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        p = out if fixed else torch.softmax(out, 1)
        return F.nll_loss(p.clamp_min(1e-9).log(), y)

    return Situation(Two(5, nn.Softmax(1)), loss, classes(5, 12))


@fault("ACT103", "error")
def squashed_and_masked_classes(fixed: bool) -> Situation:
    net = Two(9, same)
    x, y = classes(5, 12)

    def step() -> Any:
        out = net(x)
        kept = torch.arange(16) % 2 == 0
        scores = out[:, 4:] if fixed else out[:, 4:].sigmoid()
        return out[:, :4].square().mean() + F.cross_entropy(scores[kept], y[kept])

    return Situation(step=step)


@fault("ACT104", "error")
def clamped_sigmoid_with_logits(fixed: bool) -> Situation:
    net = Two(1, same if fixed else lambda z: torch.sigmoid(z).clamp(1e-7, 1 - 1e-7))
    return Situation(net, nn.BCEWithLogitsLoss(), (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT104", "error")
def probabilities_in_a_dictionary(fixed: bool) -> Situation:
    net = Two(6, lambda z: {"scores": z if fixed else z.sigmoid()})

    def loss(out: dict[str, Tensor], y: Tensor) -> Tensor:
        weight = torch.full((6,), 3.0)
        return F.binary_cross_entropy_with_logits(out["scores"], y, pos_weight=weight)

    return Situation(net, loss, (torch.randn(16, 12), zero_one(16, 6)))


@fault("ACT104", "error")
def discriminator_of_a_gan(fixed: bool) -> Situation:
    judge = Two(1, same if fixed else nn.Sigmoid())
    maker = Two(12, nn.Tanh(), inputs=4)
    real, noise = torch.rand(8, 12) * 2 - 1, torch.randn(8, 4)

    def step() -> Any:
        said_real, said_fake = judge(real), judge(maker(noise).detach())
        ones, zeros = torch.ones_like(said_real), torch.zeros_like(said_fake)
        loss = nn.BCEWithLogitsLoss()
        return loss(said_real, ones) + loss(said_fake, zeros)

    return Situation(step=step, model=judge)


@fault("ACT104", "error")
def similarity_squashed_before_the_loss(fixed: bool) -> Situation:
    left, right = Two(8, same), Two(8, same)
    a, b, y = torch.randn(16, 12), torch.randn(16, 12), zero_one(16)

    def step() -> Tensor:
        score = 10 * F.cosine_similarity(left(a), right(b))
        return F.binary_cross_entropy_with_logits(score if fixed else score.sigmoid(), y)

    return Situation(step=step)


@fault("ACT104", "error")
def soft_margin_on_sigmoid(fixed: bool) -> Situation:
    net = Two(6, same if fixed else torch.sigmoid)
    return Situation(net, nn.MultiLabelSoftMarginLoss(), (torch.randn(16, 12), zero_one(16, 6)))


@fault("ACT104", "error")
def sigmoid_in_model_and_in_step(fixed: bool) -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.binary_cross_entropy(out if fixed else torch.sigmoid(out), y)

    return Situation(Two(1, nn.Sigmoid()), loss, (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT104", "error")
def bernoulli_of_probabilities(fixed: bool) -> Situation:
    net = Two(3, torch.sigmoid)
    x, y = torch.randn(16, 12), zero_one(16, 3)

    def step() -> Any:
        given: Any = Bernoulli(probs=net(x)) if fixed else Bernoulli(logits=net(x))
        return -given.log_prob(y).mean()

    return Situation(step=step)
