"""What a loss receives: probabilities, log-probabilities, numbers in the unit interval, or free."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.capture.recorder import recording
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.losses import LossCall
from actlab.checker.analysis.prediction import (
    Comparison,
    OutputActivation,
    comparisons,
    holds_back_negatives,
    is_activation,
    is_written_rectifier,
    made_up_reason,
    output_activations_of,
    output_calls,
    prediction_of,
    readable_target,
    slope_of,
)
from actlab.checker.rule import NotCheckable
from tests.checker.analysis.steps import Net, bare_step, call_named, step_of, value_in

CLASSES = 3


def head(forward: Callable[..., Any], **parts: Any) -> Net:
    """Return a net with a layer `a` from four features to three classes, and other parts."""
    torch.manual_seed(11)
    return Net(forward, **{"a": nn.Linear(4, CLASSES), "b": nn.Linear(4, CLASSES)} | parts)


def _simplex_by_hand(n: Any, x: Tensor) -> Tensor:
    e = n.a(x).exp()
    return e / e.sum(1, keepdim=True)


def _sticks(n: Any, x: Tensor) -> Tensor:
    p, q = n.a(x)[:, :1].sigmoid(), n.b(x)[:, :1].sigmoid()
    return torch.cat([p, (1 - p) * q, (1 - p) * (1 - q)], 1)


def _mixture(n: Any, x: Tensor) -> Tensor:
    return 0.25 * n.a(x).softmax(1) + 0.75 * n.b(x).softmax(1)


def _mixture_of_experts(n: Any, x: Tensor) -> Tensor:
    gates = n.g(x).softmax(1)
    votes = torch.stack([n.a(x).softmax(1), n.b(x).softmax(1)], 1)
    return (gates[:, :, None] * votes).sum(1)


def _beside_a_free_part(n: Any, x: Tensor) -> Tensor:
    return torch.cat([n.a(x).softmax(1), n.b(x)], 1)


def _a_layer_that_looks_like_a_simplex(n: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        n.a.weight.zero_()
        n.a.bias.copy_(torch.tensor([0.2, 0.3, 0.5]))
    return n.a(x)


def _overwritten(n: Any, x: Tensor) -> Tensor:
    p = n.a(x).softmax(1)
    p.detach().mul_(2.0)
    return p


# kind, the maker's operation, by origin, by values, on noise
Expected = tuple[str, str, bool, bool, bool | None] | None
KINDS: dict[str, tuple[Callable[..., Any], Expected]] = {
    "logits": (lambda n, x: n.a(x), None),
    "logits scaled": (lambda n, x: n.a(x) / 3, None),
    "relu": (lambda n, x: n.a(x).relu(), None),
    "tanh": (lambda n, x: n.a(x).tanh(), None),
    "norm": (lambda n, x: F.layer_norm(n.a(x), (3,)), None),
    "softmax": (lambda n, x: n.a(x).softmax(1), ("simplex", "softmax", True, True, True)),
    "softmin": (lambda n, x: F.softmin(n.a(x), 1), ("simplex", "softmin", True, True, True)),
    "gumbel": (lambda n, x: F.gumbel_softmax(n.a(x), dim=1),
               ("simplex", "gumbel_softmax", True, True, True)),
    "softmax and an epsilon": (lambda n, x: n.a(x).softmax(1) + 1e-8,
                               ("simplex", "softmax", True, True, True)),
    "softmax over the batch": (lambda n, x: n.a(x).softmax(0),
                               ("simplex", "softmax", True, False, None)),
    "softmax and dropout": (lambda n, x: F.dropout(n.a(x).softmax(1), 0.9),
                            ("simplex", "softmax", True, False, None)),
    "two softmaxes": (lambda n, x: torch.cat([n.a(x).softmax(1), n.b(x).softmax(1)]),
                      ("simplex", "softmax", True, True, True)),
    "a mixture": (_mixture, ("simplex", "softmax", True, True, True)),
    "experts": (_mixture_of_experts, ("simplex", "softmax", True, True, True)),
    "by hand": (_simplex_by_hand, ("simplex", "div", False, True, True)),
    "sticks": (_sticks, ("simplex", "sigmoid", False, True, True)),
    "beside logits": (_beside_a_free_part, None),
    "a layer that looks like it": (_a_layer_that_looks_like_a_simplex, None),
    "overwritten": (_overwritten, ("simplex", "softmax", True, False, None)),
    "log_softmax": (lambda n, x: n.a(x).log_softmax(1),
                    ("log_simplex", "log_softmax", True, True, None)),
    "log_softmax over the batch": (lambda n, x: n.a(x).log_softmax(0),
                                   ("log_simplex", "log_softmax", True, False, None)),
    "log of softmax": (lambda n, x: n.a(x).softmax(1).log(),
                       ("log_simplex", "log", False, True, None)),
    "minus logsumexp": (lambda n, x: n.a(x) - n.a(x).logsumexp(1, keepdim=True),
                        ("log_simplex", "sub", False, True, None)),
    "logsigmoid": (lambda n, x: F.logsigmoid(n.a(x)), None),
    "two logsigmoids": (lambda n, x: F.logsigmoid(torch.cat([n.a(x)[:, :1], -n.a(x)[:, :1]], 1)),
                        ("log_simplex", "logsigmoid", True, True, None)),
    "log_softmax beside logits": (
        lambda n, x: torch.cat([n.a(x).log_softmax(1), n.b(x)], 1), None),
    "sigmoid": (lambda n, x: n.a(x).sigmoid(), ("unit", "sigmoid", True, True, None)),
    "hardsigmoid": (lambda n, x: F.hardsigmoid(n.a(x)), ("unit", "hardsigmoid", True, True, None)),
    "sigmoid and a clamp": (lambda n, x: n.a(x).sigmoid().clamp(1e-7, 1 - 1e-7),
                            ("unit", "sigmoid", True, True, None)),
    "a product of sigmoids": (lambda n, x: n.a(x).sigmoid() * n.b(x).sigmoid(),
                              ("unit", "sigmoid", True, True, None)),
    "one minus a sigmoid": (lambda n, x: 1 - n.a(x).sigmoid(),
                            ("unit", "sigmoid", True, True, None)),
    "a written sigmoid": (lambda n, x: 1 / (1 + (-n.a(x)).exp()),
                          ("unit", "exp", True, True, None)),
    "half a tanh": (lambda n, x: (n.a(x).tanh() + 1) / 2, ("unit", "tanh", True, True, None)),
    "hardtanh to one": (lambda n, x: F.hardtanh(n.a(x), 0.0, 1.0),
                        ("unit", "hardtanh", True, True, None)),
    "a clamp to the unit": (lambda n, x: n.a(x).clamp(0, 1), ("unit", "clamp", True, True, None)),
    "a clamp to two": (lambda n, x: n.a(x).clamp(0, 2), None),
    "a clamp below zero": (lambda n, x: n.a(x).clamp(-1, 1), None),
    "twice a sigmoid": (lambda n, x: n.a(x).sigmoid() * 2, None),
    "sigmoid beside a clamp": (
        lambda n, x: torch.cat([n.a(x).clamp(0, 1), n.b(x).sigmoid()]),
        ("unit", "sigmoid", True, True, None)),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_prediction_is_told_by_its_origin_and_its_numbers(name: str) -> None:
    forward, expected = KINDS[name]
    torch.manual_seed(5)
    with step_of(head(forward, g=nn.Linear(4, 2)), torch.randn(6, 4)) as step:
        value = step.outputs[0]
        found = prediction_of(step, value, 1)
        assert prediction_of(step, value, 1) is found
        assert step.known["prediction", id(value), 1] is found
    got = found and (
        found.kind, found.maker and found.maker.op, found.by_origin, found.by_values, found.on_noise
    )  # fmt: skip
    assert got == expected


@pytest.mark.parametrize(("dim", "by_values"), [(0, False), (1, True), (2, False), (-2, True)])
def test_a_simplex_is_one_along_its_dimension(dim: int, by_values: bool) -> None:
    model = head(lambda n, x: n.a(x).transpose(1, 2).softmax(1))
    with step_of(model, torch.randn(2, 5, 4)) as step:
        found = prediction_of(step, step.outputs[0], dim)
    assert found is not None
    assert (found.kind, found.by_values) == ("simplex", by_values)


def test_a_column_of_one_class_is_no_log_simplex() -> None:
    model = Net(lambda n, x: n.a(x).softmax(1).log(), a=nn.Linear(4, 1))
    with step_of(model, torch.randn(6, 4)) as step:
        assert prediction_of(step, step.outputs[0], 1) is None


@pytest.mark.parametrize(
    ("shift", "expected"), [(0.0, True), (0.0009, True), (0.0011, False), (-0.0011, False)]
)
def test_a_log_simplex_is_one_to_a_thousandth(shift: float, expected: bool) -> None:
    model = head(lambda n, x: n.a(x).softmax(1).log() * 1.0 + n.s, s=torch.tensor(shift))
    with step_of(model, torch.randn(6, 4)) as step:
        found = prediction_of(step, step.outputs[0], 1)
    assert (found is not None and found.kind == "log_simplex") is expected


def test_what_does_not_run_on_noise_is_told_by_its_numbers_alone() -> None:
    def forward(n: Any, x: Tensor) -> Any:
        if bool((x == 1.0).all()):
            return _simplex_by_hand(n, x)
        return n.a(x).tanh()

    with step_of(head(forward), torch.ones(6, 4)) as step:
        found = prediction_of(step, step.outputs[0], 1)
    assert found is not None
    assert (found.kind, found.by_values, found.on_noise) == ("simplex", True, None)


def test_a_simplex_that_is_another_shape_or_no_simplex_on_noise_is_told_so() -> None:
    def other_shape(n: Any, x: Tensor) -> Any:
        e = n.a(x).exp()
        e = e if bool((x == 1.0).all()) else e[0]
        return e / e.sum(-1, keepdim=True)

    def other_numbers(n: Any, x: Tensor) -> Any:
        scale = 1.0 if bool((x == 1.0).all()) else 2.0
        e = n.a(x).exp()
        return e / (scale * e.sum(-1, keepdim=True))

    def overwritten(n: Any, x: Tensor) -> Any:
        e = n.a(x).exp()
        p = e / e.sum(-1, keepdim=True)
        if not bool((x == 1.0).all()):
            p.clone().mul_(2.0)
            p.mul_(2.0)
        return p

    kinds = []
    for forward in (other_shape, other_numbers, overwritten):
        with step_of(head(forward), torch.ones(6, 4)) as step:
            found = prediction_of(step, step.outputs[0], 1)
            kinds.append(found and (found.kind, found.on_noise))
    assert kinds == [("simplex", None), None, ("simplex", None)]


def test_constants_and_targets_are_no_predictions() -> None:
    x = torch.randn(6, 3)
    layer = nn.Linear(3, 3)
    kept: list[Tensor] = []

    def run() -> Tensor:
        kept.extend([x.softmax(1), x.log_softmax(1), x.sigmoid()])
        return layer(x)

    step, _out = bare_step(run)
    found = [prediction_of(step, value_in(step.trace, tensor), 1) for tensor in kept]
    assert found[0] is not None
    assert (found[0].maker is not None, found[0].on_noise) == (True, None)
    assert found[1:] == [None, None]


def test_what_is_a_simplex_by_chance_is_none_on_noise() -> None:
    def forward(n: Any, x: Tensor) -> Tensor:
        return n.a(x).abs() * 0.0 + x[:, :3]

    x = torch.rand(6, 4).softmax(1)
    x = torch.cat([x[:, :3] / x[:, :3].sum(1, keepdim=True), x[:, 3:]], 1)
    with step_of(head(forward), x) as step:
        assert prediction_of(step, step.outputs[0], 1) is None


@pytest.mark.parametrize(("scale", "kind"), [(1.0, "unit"), (1.1, "simplex")])
def test_a_constant_row_that_no_softmax_made_is_no_simplex(scale: float, kind: str) -> None:
    layer = nn.Linear(3, 3)
    row = torch.tensor([1.0, scale, 1.0]) / (2 + scale)
    step, out = bare_step(lambda: layer(torch.ones(4, 3)).exp() * 0.0 + row)
    found = prediction_of(step, value_in(step.trace, out), 1)
    assert found is not None
    assert found.kind == kind


ENDS: dict[str, tuple[Callable[..., Any], list[str], bool]] = {
    "relu": (lambda n, x: n.a(x).relu(), ["relu"], False),
    "a clamp at zero": (lambda n, x: n.a(x).clamp(min=0), ["relu"], False),
    "a clamp by position": (lambda n, x: n.a(x).clamp(0), ["relu"], False),
    "a clamp between": (lambda n, x: n.a(x).clamp(0, 6), ["hardtanh"], False),
    "a clamp between by keywords": (lambda n, x: n.a(x).clamp(min=-1, max=1), ["hardtanh"], False),
    "a clamp to zero from below": (lambda n, x: n.a(x).clamp(-1, 0), ["hardtanh"], False),
    "a clamp from above": (lambda n, x: n.a(x).clamp(max=1), [], False),
    "a clamp from above by position": (lambda n, x: torch.clamp(n.a(x), None, 1), [], False),
    "clamp_max in place": (lambda n, x: n.a(x).clamp_max_(1), [], False),
    "a clamp far below": (lambda n, x: n.a(x).clamp(min=-20), [], False),
    "a clamp just below": (lambda n, x: n.a(x).clamp_min(-0.01), [], False),
    "a clamp above zero": (lambda n, x: n.a(x).clamp(min=1e-3), ["relu"], False),
    "a clamp at a tensor": (lambda n, x: n.a(x).clamp(min=torch.zeros(3)), ["relu"], False),
    "a clamp to the left": (lambda n, x: n.a(x).clamp(-20, -1), ["hardtanh"], False),
    "clamp_max": (lambda n, x: n.a(x).clamp_max(1), [], False),
    "clamp_min": (lambda n, x: n.a(x).clamp_min(0), ["relu"], False),
    "maximum": (lambda n, x: torch.maximum(n.a(x), torch.zeros(3)), ["relu"], False),
    "maximum the other way": (lambda n, x: torch.maximum(torch.zeros(3), n.a(x)), ["relu"], False),
    "max": (lambda n, x: torch.max(n.a(x), torch.zeros(1)), ["relu"], False),
    "maximum with ones": (lambda n, x: torch.maximum(n.a(x), torch.ones(3)), [], False),
    "maximum of two": (lambda n, x: torch.maximum(n.a(x), n.b(x)), [], False),
    "the largest": (lambda n, x: n.a(x).max(), [], False),
    "where": (lambda n, x: (lambda y: torch.where(y > 0, y, 0.0))(n.a(x)), ["relu"], False),
    "where at least": (
        lambda n, x: (lambda y: torch.where(y >= 0, y, torch.zeros(3)))(n.a(x)), ["relu"], False),
    "where less": (lambda n, x: (lambda y: torch.where(y < 0, y, 0.0))(n.a(x)), [], False),
    "where above one": (lambda n, x: (lambda y: torch.where(y > 1, y, 0.0))(n.a(x)), [], False),
    "where or one": (lambda n, x: (lambda y: torch.where(y > 0, y, 1.0))(n.a(x)), [], False),
    "where of another": (lambda n, x: torch.where(n.b(x) > 0, n.a(x), 0.0), [], False),
    "times its sign": (lambda n, x: (lambda y: y * (y > 0))(n.a(x)), ["relu"], False),
    "its sign times it": (lambda n, x: (lambda y: (y > 0) * y)(n.a(x)), ["relu"], False),
    "times its sign as a float": (
        lambda n, x: (lambda y: y * (y > 0).float())(n.a(x)), ["relu"], False),
    "times another's sign": (lambda n, x: n.a(x) * (n.b(x) > 0), [], False),
    "a product": (lambda n, x: n.a(x) * n.b(x), [], False),
    "a square": (lambda n, x: n.a(x) ** 2, ["pow"], False),
    "a cube": (lambda n, x: n.a(x) ** 3, [], False),
    "square": (lambda n, x: n.a(x).square(), ["square"], False),
    "abs": (lambda n, x: n.a(x).abs(), ["abs"], False),
    "exp": (lambda n, x: n.a(x).exp(), ["exp"], False),
    "softplus": (lambda n, x: F.softplus(n.a(x)), ["softplus"], False),
    "softmax": (lambda n, x: n.a(x).softmax(1), ["softmax"], False),
    "sine": (lambda n, x: n.a(x).sin(), [], False),
    "logits": (lambda n, x: n.a(x), [], False),
    "two": (lambda n, x: torch.cat([n.a(x).relu(), n.b(x).tanh()]), ["relu", "tanh"], False),
    "one of two": (lambda n, x: torch.cat([n.a(x).relu(), n.b(x)]), [], False),
    "beside a constant": (lambda n, x: torch.cat([n.a(x).relu(), torch.zeros(1, 3)]),
                          ["relu"], False),
    "views": (lambda n, x: n.a(x).relu().t().reshape(18), ["relu"], False),
    "averaged": (lambda n, x: n.a(x).relu().mean(1), [], False),
    "averaged, pooling": (lambda n, x: n.a(x).relu().mean(1), ["relu"], True),
    "average pooling": (lambda n, x: F.avg_pool1d(n.a(x).relu(), 3), ["relu"], True),
    "largest pooling": (lambda n, x: F.max_pool1d(n.a(x).relu(), 3), ["relu"], True),
    "amax": (lambda n, x: n.a(x).relu().amax(1), ["relu"], True),
    "summed, pooling": (lambda n, x: n.a(x).relu().sum(1), [], True),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_a_prediction_ends_in_an_activation(name: str) -> None:
    forward, expected, pooling = ENDS[name]
    with step_of(head(forward), torch.randn(6, 4)) as step:
        heads = output_activations_of(step, step.outputs[0], pooling)
    assert [one.name for one in heads] == expected


POOLED: dict[str, tuple[Callable[..., Any], bool]] = {
    "nothing": (lambda n, x: n.a(x).relu(), False),
    "a view": (lambda n, x: n.a(x).relu().view(18), False),
    "a mean": (lambda n, x: n.a(x).relu().mean(1), True),
    "a mean and a view": (lambda n, x: n.a(x).relu().mean(1).view(6, 1), True),
    "amax": (lambda n, x: n.a(x).relu().amax(0), True),
    "average pooling": (lambda n, x: F.avg_pool1d(n.a(x).relu(), 3), True),
    "largest pooling": (lambda n, x: F.max_pool1d(n.a(x).relu(), 3), True),
    "pooling of one": (lambda n, x: F.avg_pool1d(n.a(x).relu(), 1), False),
    "a mean over one": (lambda n, x: n.a(x)[:, :1].relu().mean(1), False),
    "an ensemble": (lambda n, x: torch.stack([n.a(x).relu(), n.b(x).relu()]).mean(0), False),
    "an ensemble side by side": (
        lambda n, x: torch.cat([n.a(x).relu(), n.b(x).relu()], 1).mean(1),
        False,
    ),
}


@pytest.mark.parametrize("name", POOLED)
def test_pooling_lies_between_an_activation_and_the_loss(name: str) -> None:
    forward, expected = POOLED[name]
    with step_of(head(forward), torch.randn(6, 4)) as step:
        first, *_others = output_activations_of(step, step.outputs[0], pooling=True)
        assert first.pooled is expected


def test_the_way_from_a_written_rectifier_ends_at_it() -> None:
    def forward(n: Any, x: Tensor) -> Tensor:
        y = n.a(x)
        return torch.where(y > 0, y, 0.0).t().reshape(18)

    with step_of(head(forward), torch.randn(6, 4)) as step:
        (found,) = output_activations_of(step, step.outputs[0])
    assert found.call.op == "where"
    assert [call.op for call in found.passed] == ["reshape", "t"]


def test_a_written_rectifier_needs_two_tensors_and_a_comparison() -> None:
    step, _out = bare_step(lambda: torch.ones(3).exp())
    x = call_named(step.trace, "exp").inputs[0]
    for op in ("maximum", "max", "where", "mul", "clamp", "exp"):
        call = Call(5, op, None, (x,), {}, (x,), (x,))
        assert is_written_rectifier(step, call) is False
    product = Call(5, "mul", None, (x, x), {}, (x, x), (x,))
    assert is_written_rectifier(step, product) is False
    zero = Value(torch.zeros(3), 0)
    for op in ("maximum", "max"):
        three = Call(5, op, None, (x, zero, x), {}, (x, zero, x), (x,))
        assert is_written_rectifier(step, three) is False
    assert is_activation(step, Call(5, "clamp", torch.clamp_max, (x, 0), {}, (x,), (x,))) is False
    assert is_activation(step, Call(5, "clamp", None, (x,), {}, (x,), (x,))) is True
    assert is_activation(step, Call(5, "clamp", torch.clamp, (x, 0), {}, (x,), (x,))) is True


SLOPES: dict[str, tuple[Callable[[Tensor], Tensor], float | None, bool]] = {
    "relu": (F.relu, None, True),
    "leaky": (F.leaky_relu, 0.01, True),
    "leaky by a tenth": (lambda x: F.leaky_relu(x, 0.1), 0.1, False),
    "leaky by less": (lambda x: F.leaky_relu(x, 0.099), 0.099, True),
    "leaky downwards": (lambda x: F.leaky_relu(x, -0.2), -0.2, False),
    "leaky downwards a little": (lambda x: F.leaky_relu(x, -0.05), -0.05, True),
    "leaky in the kernel's call": (lambda x: torch._C._nn.leaky_relu(x, 0.3), 0.3, False),
    "prelu": (lambda x: F.prelu(x, torch.tensor([0.25])), 0.25, False),
    "prelu of two": (lambda x: F.prelu(x, torch.tensor([0.0, 0.1])), 0.05, True),
    "rrelu": (F.rrelu, 0.23, False),
    "gelu": (F.gelu, None, True),
    "softplus": (F.softplus, None, True),
    "square": (torch.square, None, True),
    "pow": (lambda x: x**2, None, True),
    "abs": (torch.abs, None, True),
    "exp": (torch.exp, None, True),
    "clamp": (lambda x: x.clamp(0), None, True),
    "clamp between": (lambda x: x.clamp(0, 6), None, False),
    "maximum": (lambda x: torch.maximum(x, torch.zeros(2)), None, True),
    "tanh": (torch.tanh, None, False),
    "sigmoid": (torch.sigmoid, None, False),
    "softmax": (lambda x: x.softmax(1), None, False),
}


@pytest.mark.parametrize("name", SLOPES)
def test_activations_hold_back_negatives_unless_they_leak(name: str) -> None:
    function, slope, holds = SLOPES[name]
    with recording() as trace:
        function(torch.randn(3, 2))
    call = trace.calls[-1]
    found = slope_of(call)
    assert (found is None) == (slope is None)
    if slope is not None:
        assert found == pytest.approx(slope)
    assert holds_back_negatives(OutputActivation(call, ())) is holds


def test_a_prelu_whose_weight_was_not_seen_has_torchs_own_slope() -> None:
    x = Value(torch.zeros(2), 0)
    assert slope_of(Call(0, "prelu", F.prelu, (x,), {}, (x,))) == 0.25
    assert slope_of(Call(0, "leaky_relu", F.leaky_relu, (x,), {}, (x,))) == 0.01


def test_output_calls_are_what_losses_received_or_models_returned() -> None:
    def names(forward: Callable[..., Any], loss: Any = None, target: Any = None) -> list[str]:
        with step_of(head(forward), torch.randn(6, 4), loss, target) as step:
            return [call.op for call in output_calls(step)]

    y, z = torch.arange(6) % 3, torch.randn(6, 3)
    assert names(lambda n, x: n.a(x), F.cross_entropy, y) == ["linear"]
    assert names(lambda n, x: n.a(x).tanh().view(6, 3), F.mse_loss, z) == ["tanh"]
    assert names(lambda n, x: n.a(x).softmax(1).log(), F.nll_loss, y) == ["softmax"]
    assert names(lambda n, x: (n.a(x).relu(), n.b(x).tanh())) == ["relu", "tanh"]
    assert names(lambda n, x: n.a(x), lambda o, t: F.mse_loss(o.sigmoid(), t), z) == [
        "sigmoid", "linear"
    ]  # fmt: skip
    assert names(lambda n, x: n.a(x), lambda o, t: F.nll_loss(o.log_softmax(1), t), y) == [
        "log_softmax", "linear"
    ]  # fmt: skip


def loss_of(prediction: Tensor | None, target: Tensor | None, kind: str = "mse_loss") -> LossCall:
    given = Value(torch.zeros(1) if prediction is None else prediction, 0)
    call = Call(0, kind, None, (given,), {}, (given,), (given,))
    wanted = None if target is None else Value(target, 0)
    return LossCall(call, kind, given, wanted)


def compared(low: float, high: float, *target: float) -> Comparison:
    numbers = torch.tensor(target)
    return Comparison(loss_of(None, numbers), Interval(low, high), numbers)


@pytest.mark.parametrize(
    ("low", "high", "target", "outside", "far"),
    [
        (0.0, 1.0, (0.0, 0.5, 1.0), 0.0, 0.0),
        (0.0, 1.0, (-0.5, 0.5, 1.0, 1.0), 0.25, 0.0),
        (0.0, 1.0, (0.0, 0.5, 1.0, 1.5), 0.25, 0.0),
        (0.0, 1.0, (-5.0, 0.0, 0.0, 0.5), 0.25, 0.25),
        (0.0, 1.0, (6.0, 0.0, 0.0, 0.5), 0.25, 0.25),
        (0.0, 1.0, (-1.0, 2.0, 3.0, 0.0), 0.75, 0.25),
        (0.5, 0.5, (1.5, -0.5, -0.5, -0.5), 1.0, 0.0),
        (-1.0, 1.0, (2.0,), 1.0, 1.0),
        (-1.0, 1.0, (0.5,), 0.0, 0.0),
        (-1.0, 1.0, (2.0, 2.0), 1.0, 1.0),
        (0.0, 1.0, (-0.00009, 0.5), 0.0, 0.0),
        (0.0, 1.0, (-0.00011, 0.5), 0.5, 0.0),
        (0.0, 1.0, (1.00009, 0.5), 0.0, 0.0),
        (0.0, 1.0, (1.00011, 0.5), 0.5, 0.0),
        (0.0, 10.0, (10.0009, 0.0), 0.0, 0.0),
        (0.0, 10.0, (10.0012, 0.0), 0.5, 0.0),
        (-float("inf"), float("inf"), (1e9, -1e9), 0.0, 0.0),
    ],
)
def test_targets_out_of_reach_are_counted(
    low: float, high: float, target: tuple[float, ...], outside: float, far: float
) -> None:
    found = compared(low, high, *target)
    assert (found.outside, found.far_outside) == (outside, far)
    assert (found.low, found.high) == pytest.approx((min(target), max(target)))


REACHES: dict[str, tuple[Callable[..., Any], Callable[..., Any], Tensor, list[Interval]]] = {
    "distance of a sigmoid": (
        lambda n, x: n.a(x).sigmoid(), F.mse_loss, torch.rand(6, 3), [Interval(0, 1)]),
    "distance of logits": (lambda n, x: n.a(x), F.l1_loss, torch.rand(6, 3), [Interval()]),
    "huber": (lambda n, x: n.a(x).tanh(), F.huber_loss, torch.rand(6, 3), [Interval(-1, 1)]),
    "smooth": (lambda n, x: n.a(x).relu(), F.smooth_l1_loss, torch.rand(6, 3),
               [Interval(0, float("inf"))]),
    "binary": (lambda n, x: n.a(x).sigmoid(), F.binary_cross_entropy, torch.rand(6, 3),
               [Interval(0, 1)]),
    "binary of logits": (lambda n, x: n.a(x), F.binary_cross_entropy_with_logits,
                         torch.rand(6, 3), [Interval(0, 1)]),
    "classes": (lambda n, x: n.a(x), F.cross_entropy, torch.arange(6) % 3, []),
    "targets that are not finite": (
        lambda n, x: n.a(x), F.mse_loss, torch.full((6, 3), float("nan")), []),
    "a written distance": (lambda n, x: n.a(x).sigmoid(), lambda o, t: ((o - t) ** 2).mean(),
                           torch.rand(6, 3), [Interval(0, 1)]),
    "a written cross entropy": (
        lambda n, x: n.a(x).sigmoid(),
        lambda o, t: -(t * o.log() + (1 - t) * (1 - o).log()).mean(), torch.rand(6, 3), []),
}  # fmt: skip


@pytest.mark.parametrize("name", REACHES)
def test_predictions_are_compared_with_real_targets(name: str) -> None:
    forward, loss, target, expected = REACHES[name]
    with step_of(head(forward), torch.randn(6, 4), loss, target) as step:
        found = list(comparisons(step))
    assert [one.reach for one in found] == expected
    for one in found:
        assert torch.equal(one.target, target)
        assert one.loss in step.loss_calls


@pytest.mark.parametrize(
    ("loss", "target", "refuses"),
    [
        (F.mse_loss, torch.rand(6, 3), True), (F.l1_loss, torch.rand(6, 3), True),
        (F.binary_cross_entropy_with_logits, torch.rand(6, 3), True),
        (lambda o, t: F.binary_cross_entropy(o.sigmoid(), t), torch.rand(6, 3), False),
        (F.cross_entropy, torch.arange(6) % 3, False),
    ],
)  # fmt: skip
def test_made_up_targets_are_compared_with_nothing(loss: Any, target: Any, refuses: bool) -> None:
    model, x = head(lambda n, x: n.a(x)), torch.randn(6, 4)
    with step_of(model, x, loss, target, made_up=True) as step:
        if refuses:
            with pytest.raises(NotCheckable, match="made up"):
                list(comparisons(step))
        else:
            assert all(one.loss.kind == "bce" for one in comparisons(step))
    assert "--data" in made_up_reason()


def test_a_target_is_read_where_it_has_finite_numbers() -> None:
    numbers = torch.tensor([1.0, 2.0])
    found = readable_target(loss_of(None, numbers))
    assert found is not None
    assert torch.equal(found, numbers)
    assert readable_target(loss_of(None, None)) is None
    assert readable_target(loss_of(None, torch.tensor([1.0, float("inf")]))) is None
    assert readable_target(loss_of(None, torch.tensor([float("nan")]))) is None
    assert readable_target(loss_of(None, torch.zeros(0))) is None
    assert readable_target(loss_of(None, torch.zeros(2, device="meta"))) is None
    numbers.add_(1)
    written = LossCall(Call(0, "mse_loss", None, (), {}, ()), "mse_loss", Value(numbers, 1),
                       Value(numbers, 0))  # fmt: skip
    assert readable_target(written) is None


@pytest.mark.parametrize(
    ("cap", "found"),
    [
        (lambda o: o.clamp(max=10), False), (lambda o: o.clamp_max(10), False),
        (lambda o: o.clamp(min=-20), False), (lambda o: o.clamp(min=0), True),
    ],
)  # fmt: skip
def test_scores_that_are_kept_from_overflowing_are_no_rectified_scores(
    cap: Callable[[Tensor], Tensor], found: bool
) -> None:
    model = head(lambda n, x: cap(n.a(x)))
    report = actlab.check(model, nn.CrossEntropyLoss(), (torch.randn(16, 4), torch.arange(16) % 3))
    assert ("ACT108" in report.codes) is found
