"""Further faults of heads, ranges and axes, each with its corrected twin."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same


def reals(columns: int = 1, samples: int = 16) -> tuple[Tensor, Tensor]:
    y = torch.linspace(-2, 2, samples * columns).reshape(samples, columns)
    return torch.randn(samples, 12), y


@fault("ACT108", "error")
def rectified_at_the_end_of_a_block(fixed: bool) -> Situation:
    class Block(nn.Module):
        def __init__(self, i: int, o: int, last: bool) -> None:
            super().__init__()
            self.fc, self.act = nn.Linear(i, o), nn.Identity() if last and fixed else nn.ReLU()

        def forward(self, x: Tensor) -> Any:
            return self.act(self.fc(x))

    net = nn.Sequential(Block(12, 24, last=False), Block(24, 5, last=True))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT108", "error")
def softplus_before_bce_with_logits(fixed: bool) -> Situation:
    net = Two(3, same if fixed else F.softplus)
    return Situation(net, nn.BCEWithLogitsLoss(), (torch.randn(16, 12), zero_one(16, 3)))


@fault("ACT108", "error")
def clamped_scores(fixed: bool) -> Situation:
    net = Two(5, same if fixed else lambda z: z.clamp(-1, 1))
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT108", "warning")
def gelu_on_scores(fixed: bool) -> Situation:
    return Situation(Two(5, same if fixed else nn.GELU()), nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT108", "warning")
def tanh_on_segmentation_scores(fixed: bool) -> Situation:
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1))
    if not fixed:
        net.append(nn.Tanh())
    y = torch.arange(4 * 64).reshape(4, 8, 8) % 4
    return Situation(net, nn.CrossEntropyLoss(), (torch.randn(4, 3, 8, 8), y))


@fault("ACT108", "error")
def rectified_before_softmax(fixed: bool) -> Situation:
    net = Two(5, (lambda z: F.log_softmax(z, 1)) if fixed else lambda z: F.log_softmax(z.relu(), 1))
    return Situation(net, nn.NLLLoss(), classes(5, 12))


@fault("ACT108", "error")
def rectified_policy(fixed: bool) -> Situation:
    net = Two(4, same if fixed else nn.ReLU())
    x = torch.randn(16, 12)

    def step() -> Any:
        given: Any = torch.distributions.Categorical(logits=net(x))
        return -(given.log_prob(given.sample()) * torch.linspace(-1, 1, 16)).mean()

    return Situation(step=step)


@fault("ACT108", "error")
def rectified_language_model(fixed: bool) -> Situation:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.out = nn.Embedding(20, 16), nn.Linear(16, 20)
            self.layer = nn.TransformerEncoderLayer(16, 2, 32, 0.0, batch_first=True)

        def forward(self, ids: Tensor) -> Any:
            z = self.out(self.layer(self.embed(ids)))
            return {"logits": z if fixed else z.relu()}

    def loss(out: dict[str, Tensor], y: Tensor) -> Tensor:
        return F.cross_entropy(out["logits"].transpose(1, 2), y)

    ids = torch.arange(44).reshape(4, 11) % 20
    return Situation(Model(), loss, (ids[:, :-1], ids[:, 1:]))


@fault("ACT201", "error")
def one_column_softmax_bce(fixed: bool) -> Situation:
    net = Two(1, torch.sigmoid if fixed else lambda z: F.softmax(z, dim=1))
    return Situation(net, F.binary_cross_entropy, (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT201", "error")
def attention_weights_over_one_feature(fixed: bool) -> Situation:
    class Pool(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.score = nn.GRU(12, 8, batch_first=True), nn.Linear(8, 1)
            self.out = nn.Linear(8, 5)

        def forward(self, x: Tensor) -> Any:
            h = self.rnn(x)[0]
            weights = torch.softmax(self.score(h), dim=1 if fixed else 2)
            return self.out((weights * h).sum(1))

    return Situation(Pool(), nn.CrossEntropyLoss(), classes(5, 7, 12))


@fault("ACT203", "error")
def attention_over_the_batch(fixed: bool) -> Situation:
    class Attend(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = nn.Linear(12, 8), nn.Linear(12, 8), nn.Linear(12, 8)
            self.out = nn.Linear(8, 5)

        def forward(self, x: Tensor) -> Any:
            scores = self.q(x) @ self.k(x).transpose(1, 2) / 8**0.5
            return self.out((F.softmax(scores, dim=-1 if fixed else 0) @ self.v(x)).mean(1))

    return Situation(Attend(), nn.CrossEntropyLoss(), classes(5, 7, 12))


@fault("ACT203", "error")
def log_softmax_down_the_columns(fixed: bool) -> Situation:
    net = Two(5, lambda z: F.log_softmax(z, dim=1 if fixed else 0))
    return Situation(net, nn.NLLLoss(), classes(5, 12))


@fault("ACT203", "error")
def policy_softmax_over_states(fixed: bool) -> Situation:
    net = Two(4, lambda z: z.softmax(-1 if fixed else 0))
    x = torch.randn(16, 12)

    def step() -> Any:
        given: Any = torch.distributions.Categorical(probs=net(x))
        return -(given.log_prob(given.sample()) * torch.linspace(-1, 1, 16)).mean()

    return Situation(step=step, model=net)


@fault("ACT204", "warning")
def softmax_without_dim(fixed: bool) -> Situation:
    net = Two(5, nn.LogSoftmax(dim=1) if fixed else nn.LogSoftmax())
    return Situation(net, nn.NLLLoss(), classes(5, 12))


@fault("ACT205", "warning")
def softmax_over_image_columns(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.c = nn.Conv2d(3, 4, 3, padding=1)

        def forward(self, x: Tensor) -> Tensor:
            return F.log_softmax(self.c(x), dim=1 if fixed else -1)

    y = torch.arange(4 * 64).reshape(4, 8, 8) % 4
    return Situation(Net(), nn.NLLLoss(), (torch.randn(4, 3, 8, 8), y))


@fault("ACT301", "error")
def sigmoid_on_standardised_targets(fixed: bool) -> Situation:
    return Situation(Two(2, same if fixed else torch.sigmoid), nn.MSELoss(), reals(2))


@fault("ACT301", "error")
def value_of_negative_returns(fixed: bool) -> Situation:
    class ActorCritic(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.pi, self.v = nn.Linear(12, 24), nn.Linear(24, 4), nn.Linear(24, 1)

        def forward(self, x: Tensor) -> Any:
            h = torch.tanh(self.body(x))
            v = self.v(h).squeeze(-1)
            return self.pi(h), v if fixed else F.relu(v)

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return F.cross_entropy(out[0], torch.arange(16) % 4) + (out[1] - y).pow(2).mean()

    x, _y = reals()
    return Situation(ActorCritic(), loss, (x, torch.linspace(-3, 1, 16)))


@fault("ACT301", "error")
def tanh_on_raw_pixels(fixed: bool) -> Situation:
    net = Two(12, same if fixed else nn.Tanh())
    x = torch.randn(16, 12)
    return Situation(net, nn.L1Loss(), (x, torch.linspace(0, 255, 192).reshape(16, 12)))


@fault("ACT301", "warning")
def elu_below_minus_one(fixed: bool) -> Situation:
    return Situation(Two(1, same if fixed else F.elu), nn.HuberLoss(), reals())


@fault("ACT301", "error")
def softmax_of_real_targets(fixed: bool) -> Situation:
    return Situation(Two(3, same if fixed else nn.Softmax(1)), nn.MSELoss(), reals(3))


@fault("ACT301", "error")
def squared_error_written_out(fixed: bool) -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        return torch.mean((y - out) ** 2)

    return Situation(Two(1, same if fixed else lambda z: 1 / (1 + torch.exp(-z))), loss, reals())


@fault("ACT302", "error")
def softmax_for_several_labels(fixed: bool) -> Situation:
    net = Two(6, nn.Sigmoid() if fixed else nn.Softmax(dim=1))
    return Situation(net, nn.BCELoss(), (torch.randn(16, 12), zero_one(16, 6)))


@fault("ACT303", "warning")
def tanh_decoder_of_unit_images(fixed: bool) -> Situation:
    class Auto(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.e, self.d = nn.Linear(64, 8), nn.Linear(8, 64)

        def forward(self, x: Tensor) -> Tensor:
            z = self.d(F.relu(self.e(x.flatten(1))))
            return (torch.sigmoid(z) if fixed else torch.tanh(z)).view_as(x)

    x = torch.rand(8, 1, 8, 8)
    return Situation(Auto(), nn.MSELoss(), (x, x))


@fault("ACT303", "error")
def sigmoid_decoder_of_centred_images(fixed: bool) -> Situation:
    net = Two(12, torch.tanh if fixed else torch.sigmoid)
    y = torch.linspace(-1, 1, 192).reshape(16, 12)
    return Situation(net, nn.MSELoss(), (torch.randn(16, 12), y))


@fault("ACT304", "error")
def head_that_never_wakes(fixed: bool) -> Situation:
    net = Two(1, F.relu)
    nn.init.constant_(net.b.bias, 1.0 if fixed else -8.0)
    return Situation(net, nn.MSELoss(), (torch.randn(16, 12), torch.rand(16, 1) + 0.5))


@fault("ACT305", "warning")
def squashed_critic(fixed: bool) -> Situation:
    critic = Two(1, same if fixed else nn.Sigmoid())
    real, fake = torch.randn(8, 12), torch.randn(8, 12) + 1

    def step() -> Any:
        return critic(fake).mean() - critic(real).mean()

    return Situation(step=step, model=critic, task="critic")


@fault("ACT306", "warning")
def variance_as_it_comes(fixed: bool) -> Situation:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.mean, self.var = nn.Linear(12, 24), nn.Linear(24, 1), nn.Linear(24, 1)

        def forward(self, x: Tensor) -> Any:
            h = F.relu(self.body(x))
            return self.mean(h), F.softplus(self.var(h)) if fixed else self.var(h)

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return F.gaussian_nll_loss(out[0], y, out[1])

    return Situation(Net(), loss, reals())


@fault("ACT306", "warning")
def rate_as_it_comes(fixed: bool) -> Situation:
    net = Two(1, torch.exp if fixed else same)
    y = (torch.arange(16) % 5).float()[:, None]
    return Situation(net, nn.PoissonNLLLoss(log_input=False), (torch.randn(16, 12), y))


@fault("ACT306", "warning")
def scale_of_a_normal(fixed: bool) -> Situation:
    net = Two(2, same)
    x, y = reals()

    def step() -> Any:
        mean, scale = net(x).chunk(2, dim=1)
        given: Any = torch.distributions.Normal(mean, F.softplus(scale) if fixed else scale)
        return -given.log_prob(y).mean()

    return Situation(step=step)


@fault("ACT307", "warning")
def leaky_regression(fixed: bool) -> Situation:
    return Situation(Two(1, same if fixed else nn.LeakyReLU(0.1)), nn.MSELoss(), reals())


@fault("ACT307", "warning")
def gelu_regression(fixed: bool) -> Situation:
    return Situation(Two(2, same if fixed else F.gelu), nn.SmoothL1Loss(), reals(2))


@fault("ACT108", "warning")
def state_of_a_recurrent_layer_before_a_sigmoid(fixed: bool) -> Situation:
    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.memory, self.out = nn.LSTM(5, 1, batch_first=True), nn.Linear(1, 1)

        def forward(self, x: Tensor) -> Any:
            state = self.memory(x)[0][:, -1]
            return self.out(state) if fixed else state

    return Situation(Detector(), nn.BCEWithLogitsLoss(), (torch.randn(16, 6, 5), zero_one(16, 1)))


@fault("ACT108", "warning")
def contrast_of_rectified_projections(fixed: bool) -> Situation:
    project = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16))
    if not fixed:
        project.append(nn.ReLU())
    first = torch.randn(16, 12)
    views = torch.cat([first, first + 0.1 * torch.randn(16, 12)])

    def step() -> Tensor:
        z = F.normalize(project(views), dim=1)
        scores = (z @ z.t() / 0.2).masked_fill(torch.eye(32, dtype=torch.bool), -1e9)
        return F.cross_entropy(scores, torch.cat([torch.arange(16, 32), torch.arange(16)]))

    return Situation(step=step, model=project)


@fault("ACT308", "warning")
def code_whose_mean_is_a_sigmoid(fixed: bool) -> Situation:
    encode, decode, x = Two(8, same), nn.Linear(4, 12), torch.randn(32, 12)

    def step() -> Tensor:
        mean, log_var = encode(x).chunk(2, 1)
        mean = mean if fixed else torch.sigmoid(mean)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_var)
        divergence = 0.5 * (mean.pow(2) + log_var.exp() - 1 - log_var).sum(1).mean()
        return F.mse_loss(decode(z), x) + divergence

    return Situation(step=step, model=nn.ModuleList([encode, decode]))
