"""Likelihoods that users write, with the logarithm and without; other losses left alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, NegativeBinomial, Normal
from torch.nn import functional as F

import actlab
from actlab.capture.trace import Call, Value
from actlab.checker.analysis import losses
from actlab.checker.analysis.losses import LiveValues, LossCall, of_binomial
from actlab.checker.analysis.origins import HANDED_ON, origins
from actlab.checker.report import Report
from actlab.checker.targets import Targets
from tests.checker.analysis.traced import traced, value_in

Loss = Callable[[Tensor], Tensor]
N, C = 64, 5
Y, ROW = torch.arange(N) % C, torch.arange(N)
ONE_HOT = F.one_hot(Y, C).float()
FIXED = torch.Generator().manual_seed(3)
SUPPORT = torch.linspace(-4, 4, C)
REWARDS, WEIGHTS = torch.randn(N, C, generator=FIXED), torch.randn(N, generator=FIXED)


def p(z: Tensor) -> Tensor:
    return F.softmax(z, 1)


def log_p(z: Tensor) -> Tensor:
    return F.log_softmax(z, 1)


WITHOUT_LOGARITHM: dict[str, Loss] = {
    "a picked probability": lambda z: -p(z)[ROW, Y].mean(),
    "a weighted probability": lambda z: -(ONE_HOT * p(z)).sum(1).mean(),
    "a weighted score": lambda z: -(ONE_HOT * z).sum(1).mean(),
    "an einsum": lambda z: -torch.einsum("bc,bc->b", ONE_HOT, z).mean(),
    "a picked score": lambda z: -z[ROW, Y].mean(),
    "a gathered score": lambda z: -z.gather(1, Y[:, None]).mean(),
    "a score times an advantage": lambda z: -(z.gather(1, Y[:, None]).squeeze(1) * WEIGHTS).mean(),
    "soft labels, the sign on the labels": lambda z: (-F.softmax(ONE_HOT, 1) * z).sum(-1).mean(),
    "averaged over everything": lambda z: -(ONE_HOT * z).sum() / N,
}
RIGHT: dict[str, Loss] = {
    "picked": lambda z: -log_p(z)[ROW, Y].mean(),
    "weighted": lambda z: -(ONE_HOT * log_p(z)).sum(1).mean(),
    "logarithm after the pick": lambda z: -torch.log(p(z)[ROW, Y] + 1e-8).mean(),
    "policy gradient": lambda z: -(log_p(z).gather(1, Y[:, None])[:, 0] * WEIGHTS).mean(),
    "a categorical": lambda z: -(Categorical(logits=z).log_prob(Y) * WEIGHTS).mean(),
    "a value of an action": lambda z: F.smooth_l1_loss(z.gather(1, Y[:, None])[:, 0], WEIGHTS),
    "a value by one-hot": lambda z: ((z * ONE_HOT).sum(1) - WEIGHTS).pow(2).mean(),
    "a margin": lambda z: F.relu(1 - z[ROW, Y] + z[ROW, (Y + 1) % C]).mean(),
    "normalised in two terms": lambda z: torch.logsumexp(z, 1).mean() - z[ROW, Y].mean(),
    "absolute error of a probability": lambda z: (1 - p(z)[ROW, Y]).mean(),
    "focal": lambda z: (-((1 - p(z)[ROW, Y]) ** 2) * log_p(z)[ROW, Y]).mean(),
    "expected reward": lambda z: -(p(z) * REWARDS).sum(1).mean(),
    "expected value": lambda z: (
        ((p(z) * torch.linspace(-4, 4, C)).sum(1) - WEIGHTS).square().mean()
    ),
    "distillation": lambda z: -(F.softmax(REWARDS, 1) * log_p(z / 2)).sum(1).mean() * 4,
    "importance weights": lambda z: -(p(z)[ROW, Y] / torch.full((N,), 0.2) * WEIGHTS).mean(),
    "one against the rest": lambda z: -(ONE_HOT * F.logsigmoid(z)).sum(1).mean(),
    "a scaled loss": lambda z: F.cross_entropy(z, Y) * torch.tensor(65536.0),
    "what a saliency map asks": lambda z: z[ROW, Y].sum(),
}


def reports(loss: Loss) -> tuple[Report, Report]:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, C)), torch.randn(N, 16)
    by_step = actlab.check_step(lambda: loss(net(x)), model=net)
    return by_step, actlab.check(net, lambda z, __: loss(z), (x, Y))


@pytest.mark.parametrize("name", WITHOUT_LOGARITHM)
def test_a_likelihood_without_its_logarithm_is_found(name: str) -> None:
    for report in reports(WITHOUT_LOGARITHM[name]):
        assert [f.code for f in report.errors] == ["ACT106"], str(report)


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_a_likelihood_or_none_is_left_alone(name: str) -> None:
    for report in reports(RIGHT[name]):
        assert report.of_severity("error", "warning") == (), str(report)


def test_the_softmax_before_a_picked_logarithm_is_seen() -> None:
    for report in reports(lambda z: -torch.log(p(p(z))[ROW, Y]).mean()):
        assert "ACT101" in report.codes


def test_a_difference_times_itself_is_a_squared_error() -> None:
    targets = torch.linspace(-3, 3, N)[:, None].expand(N, C).contiguous()

    def product(outputs: Tensor, y: Tensor) -> Tensor:
        difference = F.relu(outputs) - y
        return (difference * difference).mean()

    def computed_twice(outputs: Tensor, y: Tensor) -> Tensor:
        reached = F.relu(outputs)
        return ((reached - y) * (reached - y)).mean()

    def found(loss: Callable[[Tensor, Tensor], Tensor]) -> list[str]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, C))
        report = actlab.check(net, loss, (torch.randn(N, 16), targets))
        return [one.code for one in report.findings]

    expected = found(lambda z, y: F.mse_loss(F.relu(z), y))
    assert "ACT301" in expected
    assert found(product) == expected
    assert found(computed_twice) == expected


def found(
    loss: Callable[..., Any], *given: Tensor, targets: Any = (), in_loss_code: bool = True
) -> list[LossCall]:
    """Return the comparisons with a target that a function of some tensors has."""
    trace = traced(loss, *given)
    known = Targets.of(targets)
    live = LiveValues(trace, known.ids)
    return list(losses.find(trace, known, live, lambda call: in_loss_code))


def learnt(*shape: int) -> Tensor:
    """Return positive numbers that a loss can be differentiated by."""
    return (torch.rand(*shape, generator=FIXED) + 0.5).requires_grad_()


SCORES, REALS = learnt(N, C), torch.randn(N, C, generator=FIXED)

MINUS_A_NUMBER: dict[str, tuple[Loss, list[str]]] = {
    "a number taken off": (lambda z: -z[ROW, Y].mean() - 0.5, ["nll_loss"]),
    "a number taken off by name": (lambda z: torch.sub(-z[ROW, Y].mean(), other=2), ["nll_loss"]),
    "a score made small, a number taken off": (lambda z: z[ROW, Y].mean() - 0.5, []),
    "taken off a number": (lambda z: torch.tensor(3.0) - z[ROW, Y].mean(), ["nll_loss"]),
    "what it is divided by": (lambda z: -(torch.tensor(2.0) / z[ROW, Y].mean()), []),
    "divided by a number": (lambda z: -(z[ROW, Y].mean() / torch.tensor(2.0)), ["nll_loss"]),
    "flat indices": (lambda z: -torch.take_along_dim(z, (ROW * C + Y)[:, None]).mean(), []),
    "indices of rows": (lambda z: -torch.take_along_dim(z, Y[:, None], 1).mean(), ["nll_loss"]),
}


@pytest.mark.parametrize("name", MINUS_A_NUMBER)
def test_a_likelihood_keeps_its_sign_when_a_number_is_taken_off(name: str) -> None:
    loss, kinds = MINUS_A_NUMBER[name]
    assert [one.kind for one in found(loss, SCORES)] == kinds


Y_REALS, OTHERS, IN = torch.randn(N, C, generator=FIXED), learnt(N, C), torch.zeros(N, C)
SIGNS = torch.ones(N)
LOSSES_OF_TORCH: dict[str, tuple[Callable[[Tensor], Tensor], str, Tensor]] = {
    "cross entropy": (lambda z: F.cross_entropy(z, Y), "cross_entropy", Y),
    "cross entropy by name": (lambda z: F.cross_entropy(target=Y, input=z), "cross_entropy", Y),
    "nll": (lambda z: F.nll_loss(z, Y), "nll_loss", Y),
    "bce": (lambda z: F.binary_cross_entropy(z / 2, ONE_HOT), "bce", ONE_HOT),
    "bce of logits": (
        lambda z: F.binary_cross_entropy_with_logits(z, ONE_HOT), "bce_logits", ONE_HOT
    ),
    "mse": (lambda z: F.mse_loss(z, Y_REALS), "mse_loss", Y_REALS),
    "mse the other way": (lambda z: F.mse_loss(Y_REALS, z), "mse_loss", Y_REALS),
    "l1 the other way": (lambda z: F.l1_loss(Y_REALS, z), "l1_loss", Y_REALS),
    "huber the other way": (lambda z: F.huber_loss(Y_REALS, z), "huber_loss", Y_REALS),
    "smooth the other way": (lambda z: F.smooth_l1_loss(Y_REALS, z), "smooth_l1_loss", Y_REALS),
    "ranking": (
        lambda z: F.margin_ranking_loss(z[:, 0], IN[:, 0], SIGNS), "margin_ranking_loss", IN
    ),
    "triplet": (lambda z: F.triplet_margin_loss(z, IN, OTHERS), "triplet_margin_loss", IN),
    "multilabel": (
        lambda z: F.multilabel_soft_margin_loss(z, ONE_HOT), "multilabel_soft_margin_loss", ONE_HOT
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOSSES_OF_TORCH)
def test_a_loss_of_torch_names_its_prediction_and_its_target(name: str) -> None:
    loss, kind, target = LOSSES_OF_TORCH[name]
    (one,) = found(loss, SCORES, in_loss_code=False)
    assert (one.kind, one.custom) == (kind, False)
    assert one.input.tensor.requires_grad
    assert one.target is not None
    assert one.target.tensor is target or one.target.tensor._base is target


@pytest.mark.parametrize(
    ("loss", "first"),
    [
        (lambda a, b: F.mse_loss(a, b), True),
        (lambda a, b: F.mse_loss(b, a), False),
        (lambda a, b: F.mse_loss(a.detach(), b), False),
        (lambda a, b: F.mse_loss(a, b.detach()), True),
        (lambda a, b: F.mse_loss(a.detach() * 2, Y_REALS), True),
        (lambda a, b: F.mse_loss(Y_REALS, a.detach() * 2), True),
        (lambda a, b: F.kl_div(b.detach(), a, reduction="sum"), False),
    ],
)
def test_of_two_predictions_the_one_that_learns_is_compared(
    loss: Callable[[Tensor, Tensor], Tensor], first: bool
) -> None:
    a, b = learnt(N, C), learnt(N, C)
    (one,) = found(loss, a, b)
    ends = {id(end.value.tensor) for end in origins(one.input, HANDED_ON | {"mul"})}
    assert ends == {id(a if first else b)}


def test_a_loss_that_raised_is_found_and_half_a_loss_that_raised_is_not() -> None:
    def of_wrong_shapes(z: Tensor) -> None:
        with pytest.raises(ValueError, match="batch_size"):
            F.cross_entropy(z, Y[:3])

    def half(z: Tensor) -> None:
        with pytest.raises(IndexError):
            F.log_softmax(z, 7)

    assert [one.kind for one in found(of_wrong_shapes, SCORES)] == ["cross_entropy"]
    assert found(half, SCORES) == []


def call_of(op: str, *args: Any, **kwargs: Any) -> Call:
    return Call(0, op, None, args, kwargs, ())


@pytest.mark.parametrize(
    ("kind", "call", "custom", "dim", "shape", "class_dim"),
    [
        ("cross_entropy", call_of("cross_entropy"), False, None, (), 0),
        ("cross_entropy", call_of("cross_entropy"), False, None, (4,), 0),
        ("cross_entropy", call_of("cross_entropy"), False, None, (8, 4), 1),
        ("cross_entropy", call_of("cross_entropy"), False, None, (8, 4, 3), 1),
        ("cross_entropy", call_of("cross_entropy"), False, None, (8, 4, 3, 2), 1),
        ("nll_loss", call_of("nll_loss"), False, None, (8, 4, 3), 1),
        ("nll_loss", call_of("mul"), True, None, (8, 4, 3), 2),
        ("bce", call_of("bce"), False, None, (), 0),
        ("bce", call_of("bce"), False, None, (4,), 0),
        ("bce", call_of("bce"), False, None, (8, 4), 1),
        ("bce", call_of("bce"), False, None, (8, 4, 3, 2), 3),
        ("likelihood", call_of("mul"), True, 1, (8, 4, 3), 1),
        ("likelihood", call_of("mul"), True, -1, (8, 4, 3), 2),
        ("likelihood", call_of("mul"), True, 0, (), 0),
        ("cross_entropy", call_of("log_softmax", None, 1), True, None, (8, 4, 3), 1),
        ("cross_entropy", call_of("log_softmax", None, dim=0), True, None, (8, 4, 3), 0),
        ("cross_entropy", call_of("log_softmax", None, -2), True, None, (8, 4, 3), 1),
        ("cross_entropy", call_of("log_softmax", None), True, None, (8, 4, 3), 2),
        ("cross_entropy", call_of("softmax", None, 1), True, None, (8, 4, 3), 1),
        ("cross_entropy", call_of("logsumexp", None, (1, 2)), True, None, (8, 4, 3), 1),
        ("cross_entropy", call_of("logsumexp", None, dim=(-3,)), True, None, (8, 4, 3), 0),
        ("cross_entropy", call_of("logsumexp", None, 0), True, None, (), 0),
    ],
)
def test_the_dimension_of_the_classes(
    kind: str, call: Call, custom: bool, dim: int | None, shape: tuple[int, ...], class_dim: int
) -> None:
    if call.op in ("log_softmax", "logsumexp", "softmax") and len(call.args) == 1:
        call.args = (None, None)
    one = LossCall(call, kind, Value(torch.zeros(shape), 0), custom=custom, dim=dim)
    assert one.class_dim == class_dim
    assert one.classes == (shape[class_dim] if shape else 1)


def test_predictions_and_targets_are_told_by_what_learns() -> None:
    weight, frozen = learnt(4, 3), nn.Parameter(torch.rand(2, 3), requires_grad=False)
    constant, x = torch.rand(2, 3), torch.rand(3, 4)
    kept: list[Tensor] = []

    def run() -> None:
        made = weight * 2
        kept.extend((made, made.detach() + 1, frozen * 2, constant * 2))
        kept.append(F.linear(torch.ones(5, 4), x))

    trace = traced(run)
    live = LiveValues(trace, frozenset())
    values = [value_in(trace, one) for one in (weight, *kept, frozen, constant, x)]
    assert [live.rank(value) for value in values] == [2, 2, 1, 1, 0, 1, 1, 0, 1]
    assert [value in live for value in values] == [live.rank(value) > 0 for value in values]


def test_without_a_parameter_whatever_is_no_target_may_be_a_prediction() -> None:
    plain, target = torch.rand(4, 3), torch.rand(4, 3)
    trace = traced(lambda: F.mse_loss(plain, target))
    live = LiveValues(trace, frozenset({id(target)}))
    assert live.rank(value_in(trace, plain)) == 1
    assert live.rank(value_in(trace, target)) == 0


def test_whose_logarithms_a_distribution_takes_is_known() -> None:
    def kinds(loss: Callable[[Tensor], Any]) -> list[str]:
        return [one.kind for one in found(loss, SCORES)]

    assert kinds(lambda z: Categorical(logits=z)) == ["categorical_logits"]
    assert kinds(lambda z: Categorical(probs=z)) == ["categorical_probs"]
    assert kinds(lambda z: Normal(z, 1.0).sample()) == []


def test_a_negative_binomial_is_told_by_who_takes_the_logarithm() -> None:
    def of_torch(z: Tensor) -> Tensor:
        return NegativeBinomial(torch.tensor(3.0), logits=z).log_prob(torch.ones(N, C))

    answers = {
        name: {call.op: of_binomial(call) for call in traced(loss, SCORES).calls}["logsigmoid"]
        for name, loss in {"torch": of_torch, "own": F.logsigmoid}.items()
    }
    assert answers == {"torch": True, "own": False}


WEIGHT, TARGETS = torch.rand(N, C, generator=FIXED) + 0.5, torch.randn(N, C, generator=FIXED)
DIFFERENCES: dict[str, tuple[Callable[[Tensor], Tensor], list[str]]] = {
    "power": (lambda z: (z - TARGETS).pow(2).mean(), ["mse_loss"]),
    "operator": (lambda z: ((TARGETS - z) ** 2).mean(), ["mse_loss"]),
    "square": (lambda z: torch.square(z - TARGETS).mean(), ["mse_loss"]),
    "absolute": (lambda z: (z - TARGETS).abs().mean(), ["l1_loss"]),
    "norm": (lambda z: torch.linalg.vector_norm(z - TARGETS), ["mse_loss"]),
    "norm of torch.linalg": (lambda z: torch.linalg.norm(z - TARGETS, dim=1).mean(), ["mse_loss"]),
    "norm of a tensor": (lambda z: (z - TARGETS).norm(), ["mse_loss"]),
    "cosh": (lambda z: torch.log(torch.cosh(z - TARGETS)).mean(), ["mse_loss"]),
    "logaddexp": (
        lambda z: torch.logaddexp(z - TARGETS, torch.zeros(1)).mean(), ["l1_loss"]
    ),
    "quantile": (lambda z: torch.max(0.9 * (z - TARGETS), IN).mean(), ["l1_loss"]),
    "quantile by maximum": (lambda z: torch.maximum(z - TARGETS, IN).mean(), ["l1_loss"]),
    "the largest": (lambda z: torch.max(z - TARGETS), []),
    "distance": (lambda z: torch.dist(z, TARGETS), ["mse_loss"]),
    "distance, the other way": (lambda z: torch.dist(TARGETS, z), ["mse_loss"]),
    "distance of pairs": (lambda z: F.pairwise_distance(z, TARGETS).mean(), ["mse_loss"]),
    "rsub": (lambda z: torch.rsub(z, TARGETS).abs().mean(), ["l1_loss"]),
    "a product": (lambda z: ((d := z - TARGETS) * d).mean(), ["mse_loss"]),
    "computed twice": (lambda z: ((z - TARGETS) * (TARGETS - z)).mean(), ["mse_loss"] * 2),
    "computed twice by rsub": (
        lambda z: ((z - TARGETS) * torch.rsub(z, TARGETS)).mean(), ["mse_loss"] * 2
    ),
    "two differences": (lambda z: ((z - TARGETS) * (z - OTHERS)).mean(), []),
    "times the prediction": (lambda z: ((z - TARGETS) * z).mean(), []),
    "times what was made": (lambda z: ((z - TARGETS) * (z * 2)).mean(), []),
    "made times it": (lambda z: (z.exp() * (z - TARGETS)).mean(), []),
    "twice": (lambda z: ((z - TARGETS) * 2).mean(), []),
    "twice, then squared": (lambda z: ((z - TARGETS) * 2).square().mean(), ["mse_loss"]),
    "weighted": (lambda z: (WEIGHT * (z - TARGETS)).mean(), []),
    "weighted, absolute": (lambda z: (WEIGHT * (z - TARGETS)).abs().mean(), ["l1_loss"]),
    "divided, squared": (lambda z: ((z - TARGETS) / WEIGHT).square().mean(), ["mse_loss"]),
    "a learnt weight": (lambda z: ((z - TARGETS) * OTHERS).abs().mean(), []),
    "three weights": (lambda z: ((z - TARGETS) * 2 / 3 * 4).abs().mean(), ["l1_loss"]),
    "four weights": (lambda z: ((z - TARGETS) * 2 / 3 * 4 * 5).abs().mean(), []),
    "reshaped": (lambda z: (z - TARGETS).view(-1).abs().mean(), ["l1_loss"]),
    "chunks": (lambda z: (z - TARGETS).chunk(2)[1].abs().mean(), ["l1_loss"]),
    "read in two ways": (
        lambda z: (d := z - TARGETS).relu().mean() + d.abs().mean(), ["l1_loss"]
    ),
    "both ways a distance": (
        lambda z: (d := z - TARGETS).abs().mean() + d.square().mean(), ["l1_loss"]
    ),
    "signed": (lambda z: (z - TARGETS).mean(), []),
    "of a sum": (lambda z: (z + TARGETS).abs().mean(), []),
    "two predictions": (lambda z: (z - OTHERS).abs().mean(), []),
    "two targets": (lambda z: (TARGETS - WEIGHT).abs().mean() + z.mean(), []),
    "indices": (lambda z: (z - Y[:, None]).abs().mean(), []),
    "a number": (lambda z: (z - 1.0).abs().mean(), []),
    "a scalar": (lambda z: (z.mean() - TARGETS).abs().mean(), []),
    "a row": (lambda z: (z.mean(0) - TARGETS[0]).abs().mean(), ["l1_loss"]),
    "a teacher": (lambda z: (z - (OTHERS * 2).detach()).abs().mean(), ["l1_loss"]),
}  # fmt: skip


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_distance_that_is_written_out(name: str) -> None:
    loss, kinds = DIFFERENCES[name]
    for targets in ((), TARGETS):
        one = found(loss, SCORES, targets=targets)
        assert [(each.kind, each.custom) for each in one] == [(kind, True) for kind in kinds]
        assert all(each.input.tensor.requires_grad for each in one)
        assert all(each.target and not each.target.tensor.requires_grad for each in one)


@pytest.mark.parametrize(
    ("subtracted", "targets", "in_loss_code", "kinds"),
    [
        (TARGETS, TARGETS, True, ["l1_loss"]),
        (TARGETS, TARGETS, False, ["l1_loss"]),
        (TARGETS, WEIGHT, True, []),
        (TARGETS, WEIGHT, False, []),
        (TARGETS, (), True, ["l1_loss"]),
        (TARGETS, (), False, []),
        (OTHERS, WEIGHT, True, ["l1_loss"]),
        (OTHERS, WEIGHT, False, []),
    ],
)
def test_what_is_subtracted_is_a_target_where_it_may_be_one(
    subtracted: Tensor, targets: Any, in_loss_code: bool, kinds: list[str]
) -> None:
    def loss(z: Tensor) -> Tensor:
        return (z - (subtracted * 1.0).detach()).abs().mean()

    def of_target(z: Tensor) -> Tensor:
        return (z - subtracted.view(N, C)).abs().mean()

    run = loss if subtracted is OTHERS else of_target
    one = found(run, SCORES, targets=targets, in_loss_code=in_loss_code)
    assert [each.kind for each in one] == kinds


def views(z: Tensor, count: int) -> Tensor:
    for _ in range(count):
        z = z.view(z.shape)
    return z


@pytest.mark.parametrize(
    ("loss", "in_loss_code", "kinds"),
    [
        (lambda z: F.log_softmax(z, 1), True, ["cross_entropy"]),
        (lambda z: F.log_softmax(z, 1), False, []),
        (lambda z: z.logsumexp(1), True, ["cross_entropy"]),
        (lambda z: z.logsumexp(1), False, []),
        (lambda z: F.nll_loss(F.log_softmax(z, 1), Y), False, ["cross_entropy", "nll_loss"]),
        (lambda z: F.nll_loss(F.log_softmax(z, 1).view(N, C), Y), False,
         ["cross_entropy", "nll_loss"]),
        (lambda z: F.nll_loss(views(F.log_softmax(z, 1), 20), Y), False,
         ["cross_entropy", "nll_loss"]),
        (lambda z: F.nll_loss(views(F.log_softmax(z, 1), 21), Y), False, ["nll_loss"]),
        (lambda z: F.nll_loss(F.log_softmax(z, 1) * 2, Y), False, ["nll_loss"]),
        (lambda z: F.kl_div(F.log_softmax(z, 1), ONE_HOT, reduction="sum"), False,
         ["cross_entropy", "kl_div"]),
        (lambda z: F.cross_entropy(F.log_softmax(z, 1), Y), False,
         ["cross_entropy", "cross_entropy"]),
        (lambda z: F.nll_loss(z.logsumexp(1, keepdim=True) - z, Y), False, ["nll_loss"]),
        (lambda z: F.log_softmax(TARGETS, 1) * z, True, []),
        (lambda z: TARGETS.logsumexp(1)[:, None] * z, True, []),
        (lambda z: -z.logsumexp(1).mean(), True, []),
        (lambda z: z.logsumexp(1).mean(), True, ["cross_entropy"]),
        (lambda z: -F.log_softmax(z, 1).mean(), True, ["cross_entropy"]),
    ],
)  # fmt: skip
def test_half_a_cross_entropy_is_one_where_its_other_half_is_the_users_or_near(
    loss: Callable[[Tensor], Tensor], in_loss_code: bool, kinds: list[str]
) -> None:
    one = found(loss, SCORES, in_loss_code=in_loss_code)
    assert [each.kind for each in one] == kinds
    assert [each.input.tensor is SCORES for each in one if each.custom] == [
        True for each in one if each.custom
    ]


def p_of(z: Tensor) -> Tensor:
    return torch.sigmoid(z)


LOGARITHMS: dict[str, tuple[Loss, int]] = {
    "of p and 1 - p": (lambda z: torch.log(p := p_of(z)) + torch.log(1 - p), 1),
    "of 1 - p and p": (lambda z: torch.log(1 - (p := p_of(z))) + torch.log(p), 1),
    "of p and log1p": (lambda z: torch.log(p := p_of(z)) + torch.log1p(-p), 1),
    "clamped": (
        lambda z: torch.log((p := p_of(z)).clamp(0.01, 0.99)) + torch.log(1 - p + 1e-7), 1
    ),
    "of p alone": (lambda z: torch.log(p_of(z)), 0),
    "of p twice": (lambda z: torch.log(p := p_of(z)) + torch.log(p), 0),
    "of p and q": (lambda z: torch.log(p_of(z)) + torch.log(1 - p_of(z * 2)), 0),
    "of 1 - p and p - 1": (lambda z: torch.log(p := p_of(z)) + torch.log(p - 1), 0),
    "of p and log1p of p": (lambda z: torch.log(p := p_of(z)) + torch.log1p(p), 0),
    "of what is given": (lambda z: torch.log(z) + torch.log(1 - z), 0),
    "of targets": (lambda z: z + torch.log(q := p_of(TARGETS)) + torch.log(1 - q), 0),
    "an exponential": (lambda z: torch.log(p := p_of(z)) + torch.exp(1 - p), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGARITHMS)
def test_a_cross_entropy_of_two_classes_has_two_logarithms(name: str) -> None:
    loss, count = LOGARITHMS[name]
    one = found(loss, SCORES)
    assert [(each.kind, each.custom) for each in one] == [("bce", True)] * count
    for each in one:
        maker = origins(each.input)[0].call
        assert maker is not None
        assert maker.op == "sigmoid"
    assert found(loss, SCORES, in_loss_code=False) == []
