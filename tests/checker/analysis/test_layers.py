"""Chains of layers: what lies between two, what an activation is for, and what it is called."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.recorder import recording
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.layers import (
    activation_label,
    distinct,
    feeders,
    feeds_a_layer,
    is_affine_up_to,
    is_discarded,
    is_source,
    layer_label,
    pairs,
    role_of,
)
from actlab.checker.analysis.origins import Origin
from tests.checker.analysis.steps import Net, bare_step, call_named, step_of, value_in


def linear(inputs: int = 4, outputs: int = 4) -> nn.Linear:
    torch.manual_seed(inputs + 7 * outputs)
    return nn.Linear(inputs, outputs)


def net(forward: Callable[..., Any], **parts: Any) -> Net:
    """Return a net of three layers a, b and c of four features, and other parts."""
    return Net(forward, **{"a": linear(), "b": linear(), "c": linear()} | parts)


def pooled(times: int) -> Net:
    def forward(n: Any, x: Tensor) -> Tensor:
        y = n.a(x)
        n.b(y)
        for _number in range(times):
            y = F.avg_pool1d(y, 1)
        return n.c(y)

    return net(forward)


def _a_skip(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    return n.b(y) + y


def _a_gate(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    return n.b(y) * y


def _a_skip_behind_a_norm(n: Any, x: Tensor) -> Tensor:
    y = F.batch_norm(n.a(x), None, None, training=True)
    return n.b(y) + y


def _discarded(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    F.relu(y)
    return n.b(y)


def _in_place(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    F.relu_(y)
    return n.b(y)


def _half_discarded(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    return n.b(y) + F.relu(y)


def _branches(n: Any, x: Tensor) -> Tensor:
    y = n.a(x)
    return n.b(y) + n.c(y)


def _without_weights(n: Any, x: Tensor) -> Tensor:
    return n.a(F.linear(x, torch.eye(4)))


PAIRS: dict[str, tuple[Net, list[str], list[str], list[str]]] = {
    "one": (net(lambda n, x: n.a(x)), [], [], []),
    "two": (net(lambda n, x: n.b(n.a(x))), ["a>b"], [], []),
    "three": (net(lambda n, x: n.c(n.b(n.a(x)))), ["a>b", "b>c"], [], []),
    "relu": (net(lambda n, x: n.b(n.a(x).relu())), [], [], []),
    "square": (net(lambda n, x: n.b(n.a(x) ** 2)), [], [], []),
    "dropout": (net(lambda n, x: n.b(F.dropout(n.a(x)))), ["a>b"], ["dropout"], []),
    "views": (net(lambda n, x: n.b(n.a(x).t().t())), ["a>b"], ["t", "t"], []),
    "average": (net(lambda n, x: n.b(n.a(x).mean(0, keepdim=True))), ["a>b"], ["mean"], []),
    "interpolation": (
        net(lambda n, x: n.b(F.interpolate(n.a(x)[None], size=4)[0])), ["a>b"],
        ["getitem", "interpolate", "getitem"], []),
    "batch norm": (
        net(lambda n, x: n.b(F.batch_norm(n.a(x), None, None, training=True))), ["a>b"],
        ["batch_norm"], []),
    "layer norm": (net(lambda n, x: n.b(F.layer_norm(n.a(x), (4,)))), [], [], []),
    "a softmax": (net(lambda n, x: n.b(n.a(x).softmax(1))), [], [], []),
    "side by side": (net(lambda n, x: n.c(torch.cat([n.a(x), n.b(x)]))), ["a+b>c"],
                     ["cat", "cat"], []),
    "stacked": (net(lambda n, x: n.c(torch.stack([n.b(x), n.a(x)]))), ["b+a>c"],
                ["stack", "stack"], []),
    "beside the input": (net(lambda n, x: n.b(torch.cat([n.a(x), x]))), [], [], []),
    "beside an activation": (net(lambda n, x: n.c(torch.cat([n.a(x), n.b(x).tanh()]))), [], [], []),
    "a skip": (net(_a_skip), [], [], []),
    "a gate": (net(_a_gate), [], [], []),
    "a skip behind a norm": (net(_a_skip_behind_a_norm), [], [], []),
    "branches": (net(_branches), ["a>b", "a>c"], [], []),
    "discarded": (net(_discarded), ["a>b"], [], ["relu"]),
    "in place": (net(_in_place), [], [], []),
    "read elsewhere": (net(_half_discarded), [], [], []),
    "behind what has no weights": (net(_without_weights), [], [], []),
    "the same layer twice": (net(lambda n, x: n.a(n.a(x))), ["a>a"], [], []),
    "a product with a parameter": (
        net(lambda n, x: n.b(x @ n.w), w=nn.Parameter(torch.eye(4))), [">b"], [], []),
    "a learnt input": (net(lambda n, x: n.b(n.w) + n.a(x), w=nn.Parameter(torch.eye(4))),
                       [], [], []),
    "ten averages": (pooled(10), ["a>b", "a>c"], ["avg_pool"] * 10, []),
    "eleven averages": (pooled(11), [], [], []),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_layers_with_nothing_in_between_are_paired(name: str) -> None:
    model, expected, passed, discarded = PAIRS[name]
    with step_of(model, torch.randn(6, 4)) as step:
        found = list(pairs(step))
    assert [
        "+".join(layer.module or "" for layer in pair.before) + f">{pair.after.module}"
        for pair in found
    ] == expected
    assert [call.op for pair in found for call in pair.passed] == passed
    assert [call.op for pair in found for call in pair.discarded] == discarded


CONVOLUTIONS: dict[str, tuple[list[nn.Module], list[str]]] = {
    "two": ([nn.Conv2d(3, 4, 1), nn.Conv2d(4, 5, 1)], ["0>1"]),
    "average pooling": ([nn.Conv2d(3, 4, 1), nn.AvgPool2d(2), nn.Conv2d(4, 5, 1)], ["0>2"]),
    "largest of four": ([nn.Conv2d(3, 4, 1), nn.MaxPool2d(2), nn.Conv2d(4, 5, 1)], []),
    "norm": ([nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1)], ["0>2"]),
    "group norm": ([nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4), nn.Conv2d(4, 5, 1)], []),
    "flat": ([nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(64, 2)], ["0>2"]),
    "elu": ([nn.Conv2d(3, 4, 1), nn.ELU(), nn.ConvTranspose2d(4, 5, 1)], []),
    "back": ([nn.Conv2d(3, 4, 1), nn.Identity(), nn.ConvTranspose2d(4, 5, 1)], ["0>2"]),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions_are_paired(name: str) -> None:
    modules, expected = CONVOLUTIONS[name]
    with step_of(nn.Sequential(*modules), torch.randn(5, 3, 4, 4)) as step:
        found = [f"{pair.before[0].module}>{pair.after.module}" for pair in pairs(step)]
    assert found == expected


def test_a_source_is_what_no_call_made() -> None:
    value = Value(torch.zeros(1), 0)
    made = Value(torch.zeros(1), 0, Call(0, "relu", F.relu, (value,), {}, (value,)))
    assert is_source(Origin(value))
    assert not is_source(Origin(made))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: F.relu(x) is None, True), (lambda x: F.relu(x), False),
        (lambda x: F.relu(x).sum() and None, False), (lambda x: F.relu_(x) is None, False),
        (lambda x: F.relu(x, inplace=True) is None, False), (lambda x: x.tanh() is None, True),
        (lambda x: x.softmax(1) is None, False), (lambda x: x.exp() is None, False),
    ],
)  # fmt: skip
def test_an_activation_that_nobody_reads_is_discarded(function: Any, expected: bool) -> None:
    def run() -> Any:
        return function(torch.randn(3, 4) * 2)

    step, result = bare_step(run)
    if isinstance(result, Tensor):
        step.returned = (result,)
    assert is_discarded(step, step.trace.calls[2]) is expected


def test_an_activation_that_raised_is_not_discarded() -> None:
    step, _result = bare_step(lambda: torch.randn(3))
    value = Value(torch.zeros(1), 0)
    assert not is_discarded(step, Call(5, "relu", F.relu, (value,), {}, (value,)))


def test_an_activation_that_is_the_loss_is_not_discarded() -> None:
    loss: list[Tensor] = []
    step, _result = bare_step(lambda: loss.append(F.softplus(torch.randn(()))))
    assert is_discarded(step, step.trace.calls[-1])
    step, _result = bare_step(lambda: loss.append(F.softplus(torch.randn(()))))
    step.loss = loss[-1]
    assert not is_discarded(step, step.trace.calls[-1])


def _rows_above_zero(n: Any, x: Tensor) -> Tensor:
    return n.a(x[x[:, 1] > 0])


def _slightly_bent(size: float) -> Net:
    return net(lambda n, x: n.a(x + size * x.sin()))


AFFINE: dict[str, tuple[nn.Module, bool]] = {
    "layers": (net(lambda n, x: n.c(n.b(n.a(x)))), True),
    "a skip": (net(lambda n, x: n.b(n.a(x)) + x), True),
    "relu": (net(lambda n, x: n.b(n.a(x).relu())), False),
    "a slope of one": (net(lambda n, x: n.b(F.leaky_relu(n.a(x), 1.0))), True),
    "dropout": (nn.Sequential(linear(), nn.Dropout(0.5), linear()), True),
    "batch norm": (nn.Sequential(linear(), nn.BatchNorm1d(4), linear()), True),
    "layer norm": (nn.Sequential(linear(), nn.LayerNorm(4), linear()), False),
    "softmax": (net(lambda n, x: n.b(n.a(x).softmax(1))), False),
    "a square": (net(lambda n, x: n.b(n.a(x) ** 2)), False),
    "abs": (net(lambda n, x: n.b(n.a(x).abs())), False),
    "a product of two": (net(lambda n, x: n.a(x) * n.b(x)), False),
    "a bend too small to see": (_slightly_bent(1e-5), True),
    "a small bend": (_slightly_bent(1e-2), False),
    "zeros": (net(lambda n, x: n.b(n.a(x) * 0.0) * 0.0), True),
    "a large scale": (net(lambda n, x: n.b(n.a(x) * 1e6)), True),
    "a small scale": (net(lambda n, x: n.a(x * 1e-6) * 1e-6), True),
    "rows by their sign": (net(_rows_above_zero), False),
    "an activation on another way": (net(lambda n, x: (n.b(n.a(x)), n.c(x).relu())[0]), True),
}


@pytest.mark.parametrize("name", AFFINE)
def test_a_network_without_a_bend_is_one_affine_map(name: str) -> None:
    model, expected = AFFINE[name]
    torch.manual_seed(3)
    with step_of(model, torch.randn(6, 4)) as step:
        ((out,),) = [root.output if isinstance(root.output, tuple) else (root.output,)
                     for root in step.trace.roots]  # fmt: skip
        call = value_in(step.trace, out).call
        assert call is not None
        assert is_affine_up_to(step, call) is expected


def test_on_integers_no_map_is_affine() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), linear())
    with step_of(model, torch.arange(6)) as step:
        assert is_affine_up_to(step, step.trace.calls[1]) is False


def test_a_model_that_cannot_be_run_on_mixtures_is_not_affine() -> None:
    def forward(n: Any, x: Tensor) -> Any:
        if float(x[0, 0]) != 1.0:
            raise ValueError
        return n.a(x)

    with step_of(net(forward), torch.ones(6, 4)) as step:
        assert is_affine_up_to(step, call_named(step.trace, "linear")) is False
    step, _out = bare_step(lambda: F.linear(torch.ones(2, 3), torch.ones(4, 3)))
    assert not is_affine_up_to(step, step.trace.calls[-1])


class Leaf(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return x.tanh()


class Gained(nn.Module):
    """An activation with a learnt number for each feature."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(4))

    def forward(self, x: Tensor) -> Any:
        return (self.gain * x).tanh()


class Dense(nn.Module):
    """A layer and its activation in one module."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(4))

    def forward(self, x: Tensor) -> Any:
        return F.linear(x, self.weight).tanh()


LABELS: dict[str, tuple[nn.Module, str]] = {
    "a module": (nn.Sequential(linear(), nn.Tanh()), "1 (tanh)"),
    "a nested module": (nn.Sequential(nn.Sequential(linear(), nn.Tanh())), "0.1 (tanh)"),
    "a module of the user's": (nn.Sequential(linear(), Leaf()), "1 (tanh)"),
    "a module with a learnt row": (nn.Sequential(linear(), Gained()), "1 (tanh)"),
    "a layer with its activation": (nn.Sequential(Dense()), "tanh after 0"),
    "a function": (net(lambda n, x: n.a(x).tanh()), "tanh after a"),
    "a function behind a norm": (net(lambda n, x: F.layer_norm(n.b(x), (4,)).tanh()),
                                 "tanh after b"),
    "a function of two layers": (net(lambda n, x: (n.b(x) + n.a(x)).tanh()), "tanh after b"),
    "a function of the input": (net(lambda n, x: x.tanh()), "tanh"),
    "a function of the input in a block": (
        nn.Sequential(net(lambda n, x: n.a(x.tanh()))), "tanh in 0"),
    "a function in a block": (nn.Sequential(net(lambda n, x: n.a(x).tanh())), "tanh after 0.a"),
    "a leaf that is the model": (Leaf(), "tanh"),
}  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
def test_an_activation_is_called_by_its_module_or_the_layer_before(name: str) -> None:
    model, expected = LABELS[name]
    with recording() as trace:
        model(torch.randn(6, 4))
    assert activation_label(call_named(trace, "tanh")) == expected


def test_outside_any_module_labels_are_operations() -> None:
    with recording() as trace:
        F.linear(torch.ones(2, 3), torch.ones(4, 3)).tanh()
    assert [layer_label(trace.calls[-2]), activation_label(trace.calls[-1])] == ["linear", "tanh"]
    with recording() as trace:
        nn.Sequential(linear(), nn.Sequential(linear()))(torch.ones(2, 4))
    assert [layer_label(call) for call in trace.calls[-2:]] == ["0 (linear)", "1.0 (linear)"]


FED: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "directly": (lambda n, x: n.a(x), ["a"]),
    "norm": (lambda n, x: F.layer_norm(n.a(x), (4,)), ["a"]),
    "pooling": (lambda n, x: F.avg_pool1d(n.a(x), 2), ["a"]),
    "dropout": (lambda n, x: F.dropout(n.a(x)), ["a"]),
    "views": (lambda n, x: n.a(x).t()[:1], ["a"]),
    "sum": (lambda n, x: n.a(x) + n.b(x), ["a", "b"]),
    "difference": (lambda n, x: n.b(x) - n.a(x), ["b", "a"]),
    "product": (lambda n, x: n.a(x) * n.b(x), ["a", "b"]),
    "quotient": (lambda n, x: n.a(x) / n.b(x), ["a", "b"]),
    "skip": (lambda n, x: n.a(x) + x, ["a"]),
    "twice": (lambda n, x: n.a(n.b(x)), ["a"]),
    "an activation before": (lambda n, x: n.a(x).relu(), []),
    "the input": (lambda n, x: x, []),
    "a product with a matrix": (lambda n, x: x @ x.t(), [""]),
    "attention": (lambda n, x: F.scaled_dot_product_attention(x, x, x), [""]),
    "a recurrence": (lambda n, x: n.r(x)[0], ["r"]),
}


@pytest.mark.parametrize("name", FED)
def test_an_activation_is_fed_by(name: str) -> None:
    forward, expected = FED[name]
    model = net(lambda n, x: forward(n, x).sigmoid(), r=nn.LSTM(4, 4))
    with recording() as trace:
        model(torch.randn(6, 4))
    found = feeders(call_named(trace, "sigmoid"))
    assert [call.module or "" for call in found] == expected


def test_a_call_without_inputs_has_no_feeders() -> None:
    assert feeders(Call(0, "relu", F.relu, (), {}, ())) == ()


ROLES: dict[str, tuple[Callable[..., Any], tuple[str, str, str]]] = {
    "between layers": (lambda n, h, x: n.b(h), ("hidden", "head", "hidden")),
    "far before a layer": (lambda n, h, x: n.b((h.sin() + 1).t()), ("hidden", "head", "hidden")),
    "one of two parts": (lambda n, h, x: n.d(h.chunk(2, 1)[1]), ("hidden", "head", "hidden")),
    "at the end": (lambda n, h, x: h.mean(), ("head", "head", "other")),
    "a gate": (lambda n, h, x: n.b(h * x), ("gate", "head", "gate")),
    "a gate at the end": (lambda n, h, x: h * x, ("head", "head", "other")),
    "nowhere": (lambda n, h, x: n.b(x), ("head", "head", "other")),
    "both ways": (lambda n, h, x: n.b(h.sin()) + n.c(h.cos()), ("hidden", "head", "hidden")),
}


@pytest.mark.parametrize("name", ROLES)
def test_an_activation_is_hidden_a_gate_or_a_head(name: str) -> None:
    forward, expected = ROLES[name]
    model = net(lambda n, x: forward(n, n.a(x).sigmoid(), x), d=linear(2, 4))
    with recording() as trace:
        model(torch.randn(4, 4))
    call = call_named(trace, "sigmoid")
    assert tuple(role_of(trace, call, known) for known in (None, True, False)) == expected
    assert feeds_a_layer(trace, call.output) is (expected[0] != "head")


def test_an_activation_that_no_layer_feeds_is_of_another_kind() -> None:
    model = net(lambda n, x: n.a(x.sigmoid()))
    with recording() as trace:
        model(torch.randn(4, 4))
    call = call_named(trace, "sigmoid")
    assert [role_of(trace, call, known) for known in (None, True, False)] == [
        "other", "head", "other"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([], []), (["a"], ["a"]), (["a", "b"], ["a", "b"]),
        (["a", "a"], ["a (run 1)", "a (run 2)"]),
        (["b", "a", "b", "c", "b"], ["b (run 1)", "a", "b (run 2)", "c", "b (run 3)"]),
    ],
)  # fmt: skip
def test_labels_that_occur_more_than_once_are_numbered(
    labels: list[str], expected: list[str]
) -> None:
    assert distinct(iter(labels)) == expected
