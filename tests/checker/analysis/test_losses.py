"""Likelihoods that users write, with the logarithm and without; other losses left alone."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, NegativeBinomial, Normal
from torch.nn import functional as F

import actlab
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis import losses
from actlab.checker.analysis.losses import LiveValues, LossCall, of_binomial
from actlab.checker.analysis.origins import HANDED_ON, origins
from actlab.checker.report import Report
from actlab.checker.targets import Targets
from tests.checker.analysis.steps import traced, value_in

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


NAMED: tuple[tuple[Callable[..., Tensor], dict[str, Tensor]], ...] = (
    (torch.margin_ranking_loss, {"input1": SCORES[:, 0], "input2": IN[:, 0], "target": SIGNS}),
    (torch.cosine_embedding_loss, {"input1": SCORES, "input2": IN, "target": SIGNS}),
    (torch.triplet_margin_loss, {"anchor": SCORES, "positive": IN, "negative": OTHERS}),
    (torch.kl_div, {"input": SCORES, "target": IN}),
    (torch.binary_cross_entropy_with_logits, {"input": SCORES, "target": ONE_HOT}),
    (torch.ctc_loss, {
        "log_probs": learnt(4, 2, C), "targets": torch.ones(2, 2).long(),
        "input_lengths": torch.tensor([4, 4]), "target_lengths": torch.tensor([2, 2]),
    }),
)  # fmt: skip


@pytest.mark.parametrize("row", range(len(NAMED)))
def test_a_loss_of_torch_that_is_given_names_only(row: int) -> None:
    loss, given = NAMED[row]
    (one,) = found(lambda: loss(**given))
    first, second, *_rest = given.values()
    assert one.input.tensor is first
    assert one.target is not None
    assert one.target.tensor is second


def test_a_distance_without_a_target_has_none() -> None:
    (one,) = found(lambda: torch.hinge_embedding_loss(SCORES, target=ONE_HOT))
    assert one.target is not None
    assert list(losses._of_torch(call_of("mse_loss"), LiveValues(Trace(), frozenset()))) == []
    given = Value(SCORES, 0)
    (alone,) = losses._of_torch(call_of("mse_loss", given), LiveValues(Trace(), frozenset()))
    assert (alone.input, alone.target) == (given, None)


def test_a_product_is_a_square_or_is_none() -> None:
    def answers(function: Callable[[Tensor], Tensor]) -> list[bool]:
        products = [call for call in traced(function, SCORES).calls if call.op == "mul"]
        return [losses._is_square(call) for call in products]

    assert answers(lambda z: (z - TARGETS) * (z - TARGETS)) == [True]
    assert answers(lambda z: z * z) == [True]
    assert answers(lambda z: z * 2) == [False]
    assert answers(lambda z: (z - TARGETS) * z) == [False]
    assert answers(lambda z: z * (z - TARGETS)) == [False]
    assert answers(lambda z: (z - TARGETS) * (z + TARGETS)) == [False]
    assert answers(lambda z: (z - TARGETS) * (z - OTHERS)) == [False]


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
    def of_torch(z: Tensor) -> Any:
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


def weighted_or_picked(function: Callable[[], Tensor], which: int = -1) -> Any:
    """Return what is concluded from a product or a pick of a function, the last by default."""
    trace = traced(function)
    live = LiveValues(trace, frozenset())
    call = [call for call in trace.calls if call.op in losses._PICKS][which]
    weigh = losses._weighted if call.op in ("mul", "einsum") else losses._picked
    return weigh(call, live)


Z3, Z4, Z1 = learnt(2, 4, 5), learnt(2, 3, 4, 4), learnt(5)
HOT3 = F.one_hot(torch.tensor([[0, 0, 1, 3], [4, 4, 4, 2]]), 5).float()
HOT4 = F.one_hot(torch.arange(32).reshape(2, 4, 4) % 3, 3).permute(0, 3, 1, 2).float()
ONE_CLASS, BY_ROW = torch.ones(N, 1), Y[:, None]
ADDED_UP: dict[str, tuple[Callable[[], Tensor], Tensor, Tensor, int, float]] = {
    "one-hot": (lambda: ONE_HOT * SCORES, SCORES, ONE_HOT, 1, 1.0),
    "the other way": (lambda: SCORES * ONE_HOT, SCORES, ONE_HOT, 1, 1.0),
    "rows": (lambda: Z3 * HOT3, Z3, HOT3, 2, 1.0),
    "second dimension": (
        lambda: Z3.transpose(1, 2) * HOT3.transpose(1, 2), Z3, HOT3, 1, 1.0
    ),
    "maps": (lambda: Z4 * HOT4, Z4, HOT4, 1, 1.0),
    "negative": (lambda: (-ONE_HOT) * SCORES, SCORES, ONE_HOT, 1, -1.0),
    "negative maps": (lambda: Z4 * (-HOT4), Z4, HOT4, 1, -1.0),
    "integers": (lambda: SCORES * ONE_HOT.long(), SCORES, ONE_HOT, 1, 1.0),
    "shares": (lambda: SCORES * F.softmax(REWARDS, 1), SCORES, REWARDS, 1, 1.0),
    "an equation": (lambda: torch.einsum("bc,bc->b", ONE_HOT, SCORES), SCORES, ONE_HOT, 1, 1.0),
    "an equation to a number": (
        lambda: torch.einsum("bc,bc->", SCORES, ONE_HOT), SCORES, ONE_HOT, 1, 1.0
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ADDED_UP)
def test_what_is_weighted_by_shares_of_classes(name: str) -> None:
    product, scores, weights, dim, sign = ADDED_UP[name]
    answer = weighted_or_picked(product)
    assert answer is not None
    assert answer[0].tensor.data_ptr() == scores.data_ptr()
    assert answer[1].shape == answer[0].shape
    assert answer[1].tensor.numel() == weights.numel()
    assert torch.allclose(answer[1].tensor.sum(dim).float(), torch.tensor(sign))
    assert answer[2:] == (dim, sign)


def overwritten() -> Tensor:
    weights = ONE_HOT.clone()
    out = weights * SCORES.detach().requires_grad_()
    weights.zero_()
    return out


NOT_WEIGHTED: dict[str, Callable[[], Tensor]] = {
    "a row": lambda: Z1 * F.one_hot(torch.tensor(2), 5),
    "another shape": lambda: SCORES * ONE_HOT[:1],
    "no shares": lambda: SCORES * WEIGHT,
    "some shares of two": lambda: SCORES * (ONE_HOT * 2),
    "shares of the other dimension": lambda: SCORES * torch.full((N, C), 1.0 / N),
    "one class": lambda: learnt(N, 1) * ONE_CLASS,
    "learnt weights": lambda: SCORES * OTHERS.softmax(1),
    "two targets": lambda: ONE_HOT * F.softmax(REWARDS, 1),
    "a detached prediction": lambda: ONE_HOT * (SCORES * 2).detach(),
    "a number": lambda: SCORES * 2,
    "complex weights": lambda: SCORES * ONE_HOT.to(torch.complex64),
    "itself": lambda: SCORES * SCORES,
    "overwritten": overwritten,
    "not summed": lambda: torch.einsum("bc,bc->bc", SCORES, ONE_HOT),
    "a product of matrices": lambda: torch.einsum("bc,kc->bk", SCORES, ONE_HOT),
    "summed over samples": lambda: torch.einsum("bc,bc->c", SCORES, ONE_HOT),
    "three": lambda: torch.einsum("bc,bc,bc->b", SCORES, ONE_HOT, ONE_HOT),
    "one": lambda: torch.einsum("bc->b", SCORES),
    "by lists": lambda: torch.einsum(SCORES, [0, 1], ONE_HOT, [0, 1], [0, 1]),
    "indices of another row": lambda: SCORES[ROW.flip(0), Y],
    "a column": lambda: SCORES[ROW[:, None], BY_ROW],
    "rows": lambda: SCORES[Y],
    "one row": lambda: SCORES[0, Y],
    "a mask": lambda: SCORES[ONE_HOT > 0],
    "masks": lambda: SCORES[ROW >= 0, torch.arange(C) == 2],
    "two of three": lambda: Z3[torch.arange(2), torch.tensor([0, 3])],
    "a number's place": lambda: SCORES[3],
    "a new dimension": lambda: SCORES.mean()[None],
    "gathered from rows": lambda: SCORES.gather(0, BY_ROW),
    "gathered twice": lambda: SCORES.gather(1, BY_ROW.expand(-1, 2)),
    "gathered from a vector": lambda: Z1.gather(0, torch.tensor([2])),
    "gathered from a number": lambda: SCORES.mean().gather(0, torch.tensor(0)),
    "taken from all": lambda: torch.take_along_dim(SCORES, BY_ROW),
    "taken from rows": lambda: torch.take_along_dim(SCORES, BY_ROW, 0),
    "taken twice": lambda: torch.take_along_dim(SCORES, BY_ROW.expand(-1, 2), 1),
    "of what is not learnt": lambda: SCORES.mean() + WEIGHT[ROW, Y],
    "one of a vector": lambda: Z1[2],
    "some of a vector": lambda: Z1.softmax(0)[1:3],
    "one of a softmax and more": lambda: torch.cat([Z1.softmax(0), Z1])[2],
}


@pytest.mark.parametrize("name", NOT_WEIGHTED)
def test_what_is_not_weighted_by_shares_or_picked_by_class(name: str) -> None:
    assert weighted_or_picked(NOT_WEIGHTED[name]) is None


COLUMN3 = torch.tensor([[[0], [3], [4], [1]], [[2], [2], [0], [1]]])
PLACE3 = torch.tensor([[[0, 3, 1, 2, 2]], [[1, 1, 0, 3, 0]]])
PICKED: dict[str, tuple[Callable[[], Tensor], Tensor, int]] = {
    "indices": (lambda: SCORES[ROW, Y], Y, 1),
    "three indices": (
        lambda: Z3[torch.arange(2), torch.tensor([0, 3]), torch.tensor([4, 2])],
        torch.tensor([4, 2]), 2,
    ),
    "gathered": (lambda: SCORES.gather(1, BY_ROW), BY_ROW, 1),
    "gathered from the last": (lambda: SCORES.gather(-1, BY_ROW), BY_ROW, 1),
    "gathered by name": (lambda: torch.gather(SCORES, dim=1, index=BY_ROW), BY_ROW, 1),
    "gathered of three": (lambda: Z3.gather(2, COLUMN3), COLUMN3, 2),
    "gathered of three, before the last": (lambda: Z3.gather(-2, PLACE3), PLACE3, 1),
    "taken": (lambda: torch.take_along_dim(SCORES, BY_ROW, 1), BY_ROW, 1),
    "taken by name": (lambda: SCORES.take_along_dim(BY_ROW, dim=-1), BY_ROW, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", PICKED)
def test_what_an_index_picks_of_each_row(name: str) -> None:
    pick, index, dim = PICKED[name]
    value, target, found_dim, sign = weighted_or_picked(pick)
    assert value.tensor is SCORES or value.tensor is Z3
    assert torch.equal(target.tensor, index)
    assert (found_dim, sign) == (dim, 1.0)


def test_of_one_row_only_a_share_of_a_softmax_is_picked() -> None:
    value, target, dim, sign = weighted_or_picked(lambda: Z1.softmax(0)[2])
    assert value.shape == (5,)
    assert (target, dim, sign) == (None, 0, 1.0)


@pytest.mark.parametrize(
    ("equation", "same"),
    [
        ("bc,bc->b", True), ("bc, bc -> b", True), ("bc,bc->", True), ("bc,bc", True),
        ("bcd,bcd->bc", True), ("bcd,bcd->b", True), ("bc,bc->bc", False), ("bc,bc->c", False),
        ("bc,cb->b", False), ("bc,kc->bk", False), ("bcd,bcd->bd", False), (",->", False),
        ("bc->b", False), (None, False), (7, False),
    ],
)  # fmt: skip
def test_an_equation_that_sums_the_last_axes_of_a_product(equation: Any, same: bool) -> None:
    args = () if equation is None else (equation,)
    assert losses._contracts_same_axes(call_of("einsum", *args)) is same


W1, W0 = torch.tensor([2.0]), torch.tensor(2.0)


def repeated(v: Tensor, count: int) -> Tensor:
    for _ in range(count):
        v = v * 2.0
    return v


def read_twice(v: Tensor) -> Tensor:
    total = v.sum()
    return -total + total.exp()


def shown(v: Tensor) -> Tensor:
    total = v.sum()
    total.detach()
    return -total


WAYS: dict[str, tuple[Loss, bool | None]] = {
    "minus a sum": (lambda v: -v.sum(), False), "a sum": (lambda v: v.sum(), None),
    "minus a mean": (lambda v: v.mean().neg(), False), "minus first": (lambda v: (-v).sum(), False),
    "twice minus": (lambda v: -(-v).sum(), None), "thrice": (lambda v: -(-v).mean().neg(), False),
    "logarithm": (lambda v: -v.log().mean(), True),
    "logarithm of a sum": (lambda v: -v.sum(1).log().mean(), True),
    "two logarithms": (lambda v: -v.log().log().mean(), None),
    "epsilon": (lambda v: -(v + 1e-8).log().mean(), True),
    "guard": (lambda v: -v.clamp(min=1e-8).log().mean(), True),
    "a number more": (lambda v: -(v + 1).sum(), False),
    "a number more, after the logarithm": (lambda v: -(v.log() + 1).sum(), None),
    "a guard after the logarithm": (lambda v: -v.log().clamp(min=-100).sum(), None),
    "two clamps": (lambda v: -v.clamp(min=W0.expand(N, C)).sum(), None),
    "a number more, at the end": (lambda v: -(v.log().sum() + 1), True),
    "two sums": (lambda v: -(v.sum() + OTHERS.sum()), False),
    "a sum less another": (lambda v: OTHERS.sum() - v.sum(), False),
    "less another": (lambda v: v.sum() - OTHERS.sum(), None),
    "minus and less another": (lambda v: -v.sum() - OTHERS.sum(), False),
    "a number less": (lambda v: -v.sum() - 3, False),
    "less a number": (lambda v: v.sum() - 3, None),
    "many more": (lambda v: -(v + WEIGHT).sum(), None),
    "many less": (lambda v: -(v - 1).sum(), None),
    "one more": (lambda v: -(v + W1).sum(), None),
    "times minus one": (lambda v: (v * -1).sum(), False),
    "times two": (lambda v: (v * 2).sum(), None),
    "times less than one": (lambda v: (v * 0.5).sum(), None),
    "half": (lambda v: -(v / 2).sum(), False), "minus half": (lambda v: (v / -2).sum(), False),
    "by name": (lambda v: torch.mul(v, other=-2).sum(), False),
    "times minus two, minus": (lambda v: -(v * -2).sum(), None),
    "weighted": (lambda v: -(v * WEIGHT).sum(), False),
    "weights before": (lambda v: -(WEIGHT * v).sum(), False),
    "a learnt weight": (lambda v: -(v * OTHERS).sum(), None),
    "itself": (lambda v: -(v * v).sum(), None),
    "over weights": (lambda v: -(v / WEIGHT).sum(), None),
    "over a number": (lambda v: -(v / W0).sum(), False),
    "over a vector of one": (lambda v: -(v / W1).sum(), False),
    "over a count": (lambda v: -v.sum() / WEIGHT.sum(), False),
    "below": (lambda v: -(W0 / v).sum(), None), "inverse": (lambda v: -(1 / v).sum(), None),
    "from one": (lambda v: (1 - v).sum(), None),
    "stacked": (lambda v: -torch.stack([v.sum(), OTHERS.sum()]).sum(), False),
    "many stacked": (lambda v: -torch.stack([v, OTHERS]).sum(), None),
    "viewed": (lambda v: -v.view(-1)[3:].sum(), False),
    "dropped": (lambda v: -F.dropout(v).sum(), False),
    "masked": (lambda v: -v.masked_fill(ONE_HOT > 0, 0.0).sum(), False),
    "selected": (lambda v: -v.masked_select(ONE_HOT > 0).sum(), False),
    "rectified": (lambda v: -v.relu().sum(), None), "squared": (lambda v: -v.square().sum(), None),
    "many": (lambda v: -v.sum(1), None), "one of many": (lambda v: -v.sum(1)[:1], False),
    "nothing": (lambda v: v, None), "read twice": (read_twice, None), "shown": (shown, False),
    "a long way": (lambda v: -repeated(v.sum(), 27), False),
    "too long a way": (lambda v: -repeated(v.sum(), 28), None),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_the_way_to_a_loss_is_linear_and_its_sign_is_known(name: str) -> None:
    way, logged = WAYS[name]
    made: list[Tensor] = []

    def run(z: Tensor) -> None:
        made.append(z * 1.5)
        way(made[0])

    trace = traced(run, SCORES)
    value, live = value_in(trace, made[0]), LiveValues(trace, frozenset())
    assert losses._way_to_loss(value, trace, live, 1.0) is logged
    assert losses.lowers_the_loss(value, trace, live) is (logged is not None)
    other = losses._way_to_loss(value, trace, live, -1.0)
    if logged is not None:
        assert other is None


def test_a_sum_counts_against_a_loss_that_its_sign_was_turned_before() -> None:
    made: list[Tensor] = []

    def run(z: Tensor) -> None:
        made.append(z * 1.5)
        made[0].sum()

    trace = traced(run, SCORES)
    live = LiveValues(trace, frozenset())
    assert losses._way_to_loss(value_in(trace, made[0]), trace, live, -1.0) is False


def test_a_number_alone_is_no_way_to_a_loss() -> None:
    made: list[Tensor] = []
    trace = traced(lambda z: made.append(z.sum()), SCORES)
    live = LiveValues(trace, frozenset())
    assert losses._way_to_loss(value_in(trace, made[0]), trace, live, -1.0) is None


ELSEWHERE: dict[str, tuple[Loss, bool]] = {
    "logsumexp": (lambda v: v.logsumexp(1), True), "softmax": (lambda v: v.softmax(1), True),
    "log softmax": (lambda v: v.log_softmax(1), True), "exp": (lambda v: v.exp(), True),
    "max": (lambda v: v.max(1).values, True), "amax": (lambda v: v.amax(1), True),
    "sigmoid": (lambda v: v.sigmoid(), True), "another pick": (lambda v: v.gather(1, BY_ROW), True),
    "other classes": (lambda v: v[ROW, (Y + 1) % C], True), "a product": (lambda v: v * 2, True),
    "a difference": (lambda v: v - 1, True), "a view": (lambda v: v.view(-1).exp(), True),
    "twenty views": (lambda v: views(v, 20).exp(), True),
    "twenty-one views": (lambda v: views(v, 21).exp(), False),
    "a view that ends": (lambda v: v.view(-1), False), "nothing": (lambda v: v, False),
    "an activation": (lambda v: v.relu(), False), "a sum": (lambda v: v.sum(), False),
    "a view of a sum": (lambda v: v.view(-1).sum(), False),
    "a chunk": (lambda v: v.chunk(2)[0].exp(), False),
    "a sum, then": (lambda v: v.sum(1).exp(), False),
}  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_normaliser_of_its_own_is_seen(name: str) -> None:
    other, seen = ELSEWHERE[name]
    made: list[Tensor] = []

    def run(z: Tensor) -> None:
        made.append(z * 1.5)
        made.append(made[0][ROW, Y])
        other(made[0])

    trace = traced(run, SCORES)
    pick = value_in(trace, made[1]).call
    assert pick is not None
    assert losses._is_normalised_elsewhere(value_in(trace, made[0]), pick, trace) is seen


TWO, SINGLE = learnt(N, 2), learnt(N, 1)
LIKELIHOODS: dict[str, tuple[Loss, Tensor, list[str]]] = {
    "scores": (lambda z: -z.gather(1, BY_ROW).mean(), SCORES, ["nll_loss"]),
    "logarithm before": (lambda z: -z.log().gather(1, BY_ROW).mean(), SCORES, ["likelihood"]),
    "logarithm after": (lambda z: -z.gather(1, BY_ROW).log().mean(), SCORES, ["likelihood"]),
    "log sigmoid": (
        lambda z: -F.logsigmoid(z).gather(1, BY_ROW).mean(), SCORES, ["likelihood"]
    ),
    "made great": (lambda z: z.gather(1, BY_ROW).mean(), SCORES, []),
    "negative weights": (lambda z: ((-ONE_HOT) * z).sum(), SCORES, ["nll_loss"]),
    "negative weights, minus": (lambda z: -((-ONE_HOT) * z).sum(), SCORES, []),
    "two classes": (lambda z: -z.gather(1, (Y % 2)[:, None]).mean(), TWO, ["nll_loss"]),
    "one class": (lambda z: -z.gather(1, torch.zeros(N, 1).long()).mean(), SINGLE, []),
    "with a normaliser": (
        lambda z: -z.gather(1, BY_ROW).mean() + z.exp().mean(), SCORES, []
    ),
    "of torch": (lambda z: -torch.mean(z[ROW, Y]), SCORES, ["nll_loss"]),
}  # fmt: skip


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_likelihood_that_is_written_out(name: str) -> None:
    loss, scores, kinds = LIKELIHOODS[name]
    answer = found(loss, scores)
    assert [(one.kind, one.custom, one.class_dim) for one in answer] == [
        (kind, True, 1) for kind in kinds
    ]
    assert found(loss, scores, in_loss_code=False) == []


MASK = (torch.arange(N * C).reshape(N, C) % 3 == 0).float()
OVERLAPS: dict[str, tuple[Loss, int]] = {
    "dice": (lambda p: 1 - 2 * (p * MASK).sum() / (p.sum() + MASK.sum()), 1),
    "jaccard": (lambda p: (b := (p * MASK).sum()) / (p.sum() + MASK.sum() - b), 1),
    "the mask first": (lambda p: (MASK * p).sum() / (MASK.sum() + p.sum()), 1),
    "divided by a function": (lambda p: torch.div((p * MASK).sum(), p.sum() + MASK.sum()), 1),
    "squares": (lambda p: (p * MASK).sum() / (p.square().sum() + MASK.sum()), 1),
    "powers": (lambda p: (p * MASK).sum() / ((p**2).sum() + MASK.sum()), 1),
    "for each sample": (lambda p: ((p * MASK).sum(1) / (p.sum(1) + MASK.sum(1))).mean(), 1),
    "for each class": (lambda p: ((p * MASK).sum(0) / (p.sum(0) + MASK.sum(0))).mean(), 1),
    "smoothed": (lambda p: ((p * MASK).sum() * 2 + 1) / (p.sum() + MASK.sum() + 1), 1),
    "flattened": (
        lambda p: (p.view(-1) * MASK.view(-1)).sum() / (p.reshape(-1).sum() + MASK.sum()), 1
    ),
    "tversky": (
        lambda p: (b := (p * MASK).sum()) / (b + 0.3 * (p * (1 - MASK)).sum()), 1
    ),
    "an equation": (
        lambda p: torch.einsum("bc,bc->b", p, MASK) / (p.sum(1) + MASK.sum(1)), 1
    ),
    "stacked": (
        lambda p: torch.stack([(p * MASK)[:9].sum(), (p * MASK)[9:].sum()])
        / torch.stack([p[:9].sum(), p[9:].sum()]), 1
    ),
    "booleans": (lambda p: (p * (MASK > 0)).sum() / (p.sum() + MASK.sum()), 1),
    "integers": (lambda p: (p * MASK.long()).sum() / (p.sum() + MASK.sum()), 1),
    "negative": (lambda p: -(p * MASK).sum() / (p.sum() + MASK.sum()), 1),
    "of what counts elsewhere": (lambda p: (p * MASK).sum() / (p.exp().sum() + MASK.sum()), 0),
    "of targets": (lambda p: p.mean() + (WEIGHT * MASK).sum() / (WEIGHT.sum() + MASK.sum()), 0),
    "a mean": (lambda p: (p * MASK).sum() / MASK.sum(), 0),
    "over a number": (lambda p: (p * MASK).sum() / 7, 0),
    "renormalised": (lambda p: (p * MASK) / (p * MASK).sum(1, keepdim=True), 0),
    "all ones": (lambda p: (p * torch.ones(N, C)).sum() / p.sum(), 0),
    "all zeros": (lambda p: (p * torch.zeros(N, C)).sum() / p.sum(), 1),
    "no mask": (lambda p: (p * WEIGHT).sum() / (p.sum() + WEIGHT.sum()), 0),
    "nearly a mask": (lambda p: (p * MASK * 2).sum() / (p * (MASK * 2)).sum(), 1),
    "a zero": (lambda p: (p * torch.tensor(0.0)).sum() / p.sum(), 0),
    "a product with itself": (lambda p: (p * p).sum() / p.sum(), 0),
    "two predictions": (lambda p: (p * OTHERS).sum() / (p.sum() + OTHERS.sum()), 0),
    "a learnt mask": (lambda p: (p * MASK.clone().requires_grad_()).sum() / p.sum(), 0),
    "three in an equation": (lambda p: torch.einsum("bc,bc,bc->b", p, MASK, MASK) / p.sum(), 0),
    "a rectified product": (lambda p: (p * MASK).relu().sum() / p.sum(), 0),
    "times a number": (lambda p: (p * MASK).sum() * 2.0 / (p.sum() / 3.0), 1),
    "over it": (lambda p: p.sum() / (p * MASK).sum(), 0),
    "below one": (lambda p: 1 / p.sum(), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERLAPS)
def test_the_share_of_a_mask_that_is_covered(name: str) -> None:
    loss, count = OVERLAPS[name]
    given = learnt(N, C)
    answer = found(loss, given)
    assert [(one.kind, one.custom) for one in answer] == [("overlap", True)] * count
    assert all(one.input.tensor.data_ptr() == given.data_ptr() for one in answer)
    assert all(one.target and not one.target.tensor.requires_grad for one in answer)
    assert found(loss, given, in_loss_code=False) == []


def test_an_overlap_may_be_divided_the_other_way() -> None:
    def loss(p: Tensor) -> Tensor:
        both, all_of_them = (p * MASK).sum(), p.sum() + MASK.sum()
        return all_of_them.__rtruediv__(both)

    assert [one.kind for one in found(loss, learnt(N, C))] == ["overlap"]


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (torch.tensor([0.0, 1.0]), True), (torch.tensor([0.0, 0.0]), True),
        (torch.tensor([1.0, 1.0]), False), (torch.tensor([0.0, 0.5]), False),
        (torch.tensor([0.0, 2.0]), False), (torch.tensor([-1.0, 0.0]), False),
        (torch.tensor(0.0), False), (torch.tensor(1.0), False), (torch.zeros(0), False),
        (torch.tensor([True, False]), True), (torch.tensor([0, 1]), True),
        (torch.tensor([0.0, 1.0], requires_grad=True), False),
        (torch.zeros(2, device="meta"), False),
    ],
)  # fmt: skip
def test_a_mask_has_zeros_and_ones(mask: Tensor, expected: bool) -> None:
    assert losses._is_mask(Value(mask, 0)) is expected
    assert not losses._is_mask(Value(mask, 1))


@pytest.mark.parametrize(("count", "near"), [(0, True), (198, True), (199, True), (200, False)])
def test_what_a_share_is_made_of_is_near(count: int, near: bool) -> None:
    def minus(v: Tensor) -> Tensor:
        for _ in range(count):
            v = -v
        return v

    made: list[Tensor] = []
    given = learnt(4, 3)
    trace = traced(lambda: made.extend((minus(given * MASK[:4, :3]), minus(given * 1.0))))
    live = LiveValues(trace, frozenset())
    terms = list(losses._terms(value_in(trace, made[0]), live))
    assert [call.op for call in terms] == (["mul"] if near else [])
    summed = list(losses._summed(value_in(trace, made[1]), live))
    assert len(summed) == min(count + 2, 200)
    assert (summed[-1].tensor is given) is (count < 199)
