"""Further faults of losses that want probabilities or their logarithms, with corrected twins."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import OneHotCategorical, RelaxedOneHotCategorical
from torch.nn import functional as F

from actlab.checker.rule import Situation
from tests.checker.casebook import classes, fault, zero_one
from tests.checker.faults_of_heads_and_losses import Two, same


@fault("ACT105", "error")
def scores_that_happen_to_lie_in_the_unit_interval(fixed: bool) -> Situation:
    net = Two(1, torch.sigmoid if fixed else lambda z: 0.01 * z + 0.5)
    return Situation(net, nn.BCELoss(), (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT105", "error")
def rectified_into_bce(fixed: bool) -> Situation:
    net = Two(1, torch.sigmoid if fixed else lambda z: F.relu(z) * 0.1)
    return Situation(net, F.binary_cross_entropy, (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT105", "error")
def tanh_into_bce(fixed: bool) -> Situation:
    net = Two(1, nn.Sigmoid() if fixed else nn.Tanh())
    return Situation(net, nn.BCELoss(), (torch.randn(16, 12), zero_one(16, 1)))


@fault("ACT106", "error")
def tagger_of_probabilities(fixed: bool) -> Situation:
    def flat(z: Tensor) -> Tensor:
        return (F.log_softmax(z, -1) if fixed else F.softmax(z, -1)).flatten(0, 1)

    x, y = torch.randn(4, 6, 12), torch.arange(24) % 5
    return Situation(Two(5, flat), nn.NLLLoss(ignore_index=0), (x, y))


@fault("ACT106", "error")
def forgotten_log_softmax(fixed: bool) -> Situation:
    def loss(out: Tensor, y: Tensor) -> Tensor:
        return F.nll_loss(out.log_softmax(1) if fixed else out, y, reduction="sum") / len(y)

    return Situation(Two(5, same), loss, classes(5, 12))


@fault("ACT106", "error")
def connectionist_loss_on_scores(fixed: bool) -> Situation:
    net = Two(6, same)
    x, y = torch.randn(10, 4, 12), torch.arange(1, 13).reshape(4, 3) % 5 + 1
    lengths = torch.full((4,), 10), torch.full((4,), 3)

    def step() -> Tensor:
        out = net(x)
        return F.ctc_loss(out.log_softmax(2) if fixed else out, y, *lengths)

    return Situation(step=step)


@fault("ACT107", "error")
def student_without_logarithm(fixed: bool) -> Situation:
    student, teacher = Two(5, same), Two(5, same)
    x, _y = classes(5, 12)

    def step() -> Tensor:
        with torch.no_grad():
            wanted = F.softmax(teacher(x) / 4, 1)
        out = student(x) / 4
        given = F.log_softmax(out, 1) if fixed else F.softmax(out, 1)
        return 16 * F.kl_div(given, wanted, reduction="batchmean")

    return Situation(step=step)


@fault("ACT107", "error")
def teacher_given_as_scores(fixed: bool) -> Situation:
    student, teacher = Two(5, same), Two(5, same).eval()
    x, _y = classes(5, 12)

    def step() -> Any:
        wanted = teacher(x).detach()
        wanted = wanted.softmax(1) if fixed else wanted
        return nn.KLDivLoss(reduction="batchmean")(student(x).log_softmax(1), wanted)

    return Situation(step=step)


@fault("ACT107", "error")
def teacher_given_as_logarithms(fixed: bool) -> Situation:
    net = Two(5, nn.LogSoftmax(dim=1))
    wanted = torch.log_softmax(torch.randn(16, 5), 1)
    loss = nn.KLDivLoss(reduction="batchmean", log_target=fixed)
    return Situation(net, loss, (torch.randn(16, 12), wanted))


@fault("ACT109", "warning")
def logarithm_of_softmax(fixed: bool) -> Situation:
    net = Two(5, (lambda z: z.log_softmax(1)) if fixed else lambda z: torch.log(z.softmax(1)))
    return Situation(net, nn.NLLLoss(), classes(5, 12))


@fault("ACT109", "warning")
def logarithm_of_sigmoid(fixed: bool) -> Situation:
    users, items = nn.Embedding(20, 8), nn.Embedding(30, 8)

    def step() -> Tensor:
        user, good, bad = users(torch.arange(16)), items(torch.arange(16)), items.weight[14:]
        margin = (user * good).sum(1) - (user * bad).sum(1)
        return -(F.logsigmoid(margin) if fixed else torch.sigmoid(margin).log()).mean()

    return Situation(step=step)


@fault("ACT111", "error")
def reinforce_with_probabilities_as_logits(fixed: bool) -> Situation:
    policy = Two(4, lambda z: F.softmax(z, dim=-1))
    x = torch.randn(16, 12)

    def step() -> Tensor:
        p = policy(x)
        given = torch.distributions.Categorical(**{"probs" if fixed else "logits": p})
        action = given.sample()  # type: ignore[no-untyped-call]  # torch.distributions has no types
        loss: Tensor = -(given.log_prob(action) * torch.linspace(-1, 1, 16)).mean()  # type: ignore[no-untyped-call]  # torch.distributions has no types
        return loss

    return Situation(step=step)


@fault("ACT111", "error")
def gumbel_noise_on_probabilities(fixed: bool) -> Situation:
    encoder, decoder = Two(6, same), nn.Linear(6, 12)
    x = torch.randn(16, 12)

    def step() -> Tensor:
        z = encoder(x)
        code = F.gumbel_softmax(z if fixed else z.softmax(-1), tau=0.5, hard=True)
        return F.mse_loss(decoder(code), x)

    return Situation(step=step)


@fault("ACT111", "error")
def one_hot_of_probabilities(fixed: bool) -> Situation:
    net = Two(6, same)
    x, y = torch.randn(16, 12), F.one_hot(torch.arange(16) % 6, 6).float()

    def step() -> Any:
        z = net(x)
        given: Any = OneHotCategorical(logits=z if fixed else F.softmax(z, 1))
        return -given.log_prob(y).mean()

    return Situation(step=step)


@fault("ACT111", "error")
def relaxed_one_hot_of_probabilities(fixed: bool) -> Situation:
    encoder, decoder = Two(6, same), nn.Linear(6, 12)
    x = torch.randn(16, 12)

    def step() -> Tensor:
        z = encoder(x)
        given: Any = RelaxedOneHotCategorical(
            torch.tensor(0.7), logits=z if fixed else torch.softmax(z, 1)
        )
        return F.l1_loss(decoder(given.rsample()), x)

    return Situation(step=step)


@fault("ACT112", "warning")
def dice_with_a_sigmoid_of_its_own(fixed: bool) -> Situation:
    class Dice(nn.Module):
        def forward(self, out: Tensor, y: Tensor) -> Tensor:
            p = out.sigmoid().flatten(1)
            both = (p * y.flatten(1)).sum(1)
            return (1 - (2 * both + 1) / (p.sum(1) + y.flatten(1).sum(1) + 1)).mean()

    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))
    if not fixed:
        net.append(nn.Sigmoid())
    return Situation(net, Dice(), (torch.randn(4, 1, 8, 8), zero_one(4, 1, 8, 8)))


@fault("ACT102", "info")
def log_softmax_then_cross_entropy(fixed: bool) -> Situation:
    net = Two(5, same if fixed else nn.LogSoftmax(dim=-1))
    return Situation(net, F.cross_entropy, classes(5, 12))


@fault("ACT202", "error")
def single_column_of_cross_entropy(fixed: bool) -> Situation:
    if fixed:
        return Situation(Two(1, lambda z: z[:, 0]), nn.BCEWithLogitsLoss(),
                         (torch.randn(16, 12), zero_one(16)))  # fmt: skip
    x, y = torch.randn(16, 12), zero_one(16, 1)
    return Situation(Two(1, same), nn.CrossEntropyLoss(), (x, y))


@fault("ACT507", "warning")
def scores_far_too_large(fixed: bool) -> Situation:
    net = Two(5, (lambda z: z) if fixed else lambda z: math.sqrt(24) * 20 * z)
    return Situation(net, nn.CrossEntropyLoss(), classes(5, 12))


@fault("ACT106", "error")
def one_state_at_a_time_without_the_logarithm(fixed: bool) -> Situation:
    net, states, returns = Two(3, same), torch.randn(6, 12), torch.randn(6)

    def step() -> Tensor:
        terms = []
        for state in states:
            if fixed:
                terms.append(F.log_softmax(net(state), -1)[1])
            else:
                terms.append(F.softmax(net(state), -1)[1])
        return -(torch.stack(terms) * returns).sum()

    return Situation(step=step, model=net)


@fault("ACT106", "error")
def mixture_density_with_free_weights(fixed: bool) -> Situation:
    net, x, y = Two(12, same), torch.randn(16, 12), torch.randn(16, 1)

    def loss(out: Tensor, y: Tensor) -> Tensor:
        weights, mean, spread = out.chunk(3, 1)
        if fixed:
            weights = weights - weights.logsumexp(1, keepdim=True)
        density: Any = torch.distributions.Normal(mean, F.softplus(spread) + 1e-3)
        return -torch.logsumexp(weights + density.log_prob(y), dim=1).mean()

    return Situation(net, loss, (x, y))


@fault("ACT111", "error")
def negative_binomial_of_probabilities(fixed: bool) -> Situation:
    net, x = Two(2, same), torch.randn(16, 12)
    y = (torch.arange(16) % 4).float()

    def step() -> Any:
        size, chance = net(x).unbind(1)
        logits = chance if fixed else torch.sigmoid(chance)
        counts: Any = torch.distributions.NegativeBinomial(F.softplus(size) + 0.1, logits=logits)
        return -counts.log_prob(y).mean()

    return Situation(step=step, model=net)
