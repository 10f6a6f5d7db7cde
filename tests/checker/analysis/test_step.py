"""What a step knows of its values: layers, activations, inputs, outputs, constants, gradients."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.recorder import recording
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.interval import Interval
from actlab.checker.analysis.step import Step, is_parameter, layer_of
from tests.checker.analysis.steps import Net, bare_step, call_named, step_of, value_in


def learnt(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(shape))


LAYERS: dict[str, tuple[Callable[[], Any], tuple[int, int, bool, bool] | None]] = {
    "linear": (lambda: F.linear(torch.randn(6, 4), learnt(3, 4)), (4, 3, False, False)),
    "linear with a bias": (
        lambda: F.linear(torch.randn(6, 4), learnt(3, 4), learnt(3)), (4, 3, True, False)),
    "a bias by keyword": (
        lambda: F.linear(torch.randn(6, 4), weight=learnt(3, 4), bias=learnt(3)),
        (4, 3, True, False)),
    "linear to one number": (lambda: F.linear(torch.randn(6, 4), learnt(4)), (4, 1, False, False)),
    "conv": (lambda: F.conv2d(torch.randn(2, 4, 5, 5), learnt(6, 4, 3, 3)), (4, 6, False, False)),
    "conv1d with a bias": (
        lambda: F.conv1d(torch.randn(2, 4, 5), learnt(6, 4, 3), learnt(6)), (4, 6, True, False)),
    "conv in groups": (
        lambda: F.conv2d(torch.randn(2, 4, 5, 5), learnt(6, 2, 3, 3), groups=2),
        (4, 6, False, False)),
    "conv in groups by position": (
        lambda: F.conv2d(torch.randn(2, 4, 5, 5), learnt(6, 2, 3, 3), learnt(6), 1, 0, 1, 2),
        (4, 6, True, False)),
    "depthwise": (
        lambda: F.conv2d(torch.randn(2, 4, 5, 5), learnt(8, 1, 3, 3), groups=4),
        (4, 8, False, True)),
    "depthwise of one channel": (
        lambda: F.conv2d(torch.randn(2, 1, 5, 5), learnt(1, 1, 3, 3), groups=1),
        (1, 1, False, False)),
    "transposed": (
        lambda: F.conv_transpose2d(torch.randn(2, 4, 5, 5), learnt(4, 6, 3, 3)),
        (4, 6, False, False)),
    "transposed in groups": (
        lambda: F.conv_transpose2d(torch.randn(2, 4, 5, 5), learnt(4, 3, 3, 3), groups=2),
        (4, 6, False, False)),
    "transposed depthwise": (
        lambda: F.conv_transpose1d(torch.randn(2, 4, 5), learnt(4, 1, 3), learnt(4), groups=4),
        (4, 4, True, True)),
    "addmm": (lambda: torch.addmm(learnt(3), torch.randn(6, 4), learnt(4, 3)),
              (4, 3, False, False)),
    "addmm from the left": (
        lambda: torch.addmm(torch.zeros(1), learnt(3, 4), torch.randn(4, 6)),
        (4, 3, False, False)),
    "addmm without weights": (
        lambda: torch.addmm(learnt(3), torch.randn(6, 4), torch.randn(4, 3)), None),
    "a product": (lambda: torch.randn(6, 4) @ learnt(4, 3), (4, 3, False, False)),
    "a product from the left": (lambda: learnt(3, 4) @ torch.randn(4, 6), (4, 3, False, False)),
    "a product of columns": (lambda: learnt(3, 4) @ torch.randn(2, 4, 6), (4, 3, False, False)),
    "a product with a vector": (lambda: learnt(3, 4) @ torch.randn(4), (4, 3, False, False)),
    "mm": (lambda: torch.mm(torch.randn(6, 4), learnt(4, 3)), (4, 3, False, False)),
    "a view of a parameter": (lambda: torch.randn(6, 4) @ learnt(3, 4).t(), (4, 3, False, False)),
    "a learnt vector": (lambda: torch.randn(6, 4) @ learnt(4), None),
    "a product of data": (lambda: torch.randn(6, 4) @ torch.randn(4, 3), None),
    "a product of parameters": (lambda: learnt(6, 4) @ learnt(4, 3), None),
    "a scaled parameter": (lambda: torch.randn(6, 4) @ (learnt(4, 3) * 2), None),
    "einsum": (lambda: torch.einsum("bi,io->bo", torch.randn(6, 4), learnt(4, 3)),
               (4, 3, False, False)),
    "einsum from the left": (lambda: torch.einsum("io,bi->bo", learnt(4, 3), torch.randn(6, 4)),
                             (4, 3, False, False)),
    "einsum of one": (lambda: torch.einsum("ij->ji", learnt(4, 3)), None),
    "einsum of three": (
        lambda: torch.einsum("bi,io,o->bo", torch.randn(6, 4), learnt(4, 3), torch.randn(3)), None),
    "bilinear": (
        lambda: F.bilinear(torch.randn(6, 4), torch.randn(6, 4), learnt(3, 4, 4)), None),
    "a number times a layer": (lambda: learnt(4, 3) * 2.0, None),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_has_features_in_and_out(name: str) -> None:
    function, expected = LAYERS[name]
    with recording() as trace:
        function()
    layer = layer_of(trace.calls[-1])
    found = layer and (layer.inputs, layer.outputs, layer.bias is not None, layer.depthwise)
    assert found == expected
    if layer is not None:
        assert layer.weight.requires_grad
        assert not layer.data.tensor.requires_grad
        assert layer.call is trace.calls[-1]
        assert layer.module is None


def test_what_was_not_seen_or_raised_is_no_layer() -> None:
    with recording() as trace:
        F.linear(torch.randn(6, 4), learnt(3, 4))
    call = trace.calls[-1]
    for function, outputs in ((None, call.outputs), (call.function, ())):
        other = Call(0, call.op, function, call.args, call.kwargs, call.inputs, outputs)
        assert layer_of(other) is None
    for op in ("linear", "conv", "addmm", "matmul", "einsum"):
        one = Call(0, op, call.function, call.args, {}, call.inputs[:1], call.outputs)
        assert layer_of(one) is None


def test_layers_come_in_their_order_with_their_modules() -> None:
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    with step_of(model, torch.randn(6, 4)) as step:
        assert [(layer.module, layer.inputs, layer.outputs) for layer in step.layers] == [
            ("0", 4, 5), ("2", 5, 3)
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda w: w, True), (lambda w: w.t(), True), (lambda w: w[0], True),
        (lambda w: w * 2, False), (lambda w: w + 1e-8, False), (lambda w: w.detach(), True),
        (lambda w: torch.randn(3, 3), False), (lambda w: torch.ones(3), False),
        (lambda w: torch.cat([w, w]), False), (lambda w: w.view(-1)[:2], True),
    ],
)  # fmt: skip
def test_a_parameter_is_one_as_it_is_or_as_a_view(function: Any, expected: bool) -> None:
    weight = learnt(3, 3)
    with recording() as trace:
        out = function(weight)
        out.exp()
    assert is_parameter(trace.calls[-1].inputs[0]) is expected


def test_a_tensor_that_learns_nothing_is_no_parameter() -> None:
    given = torch.ones(3)
    with recording() as trace:
        given.exp()
    assert not is_parameter(trace.calls[-1].inputs[0])


SIZES: dict[str, tuple[Tensor, bool]] = {
    "sixteen": (torch.zeros(4, 4), False),
    "seventeen": (torch.zeros(17, 1), True),
    "a number": (torch.tensor(2.0), False),
    "a row of five hundred and twelve": (torch.zeros(512), False),
    "a row of one more": (torch.zeros(513), True),
    "a row of seventeen": (torch.zeros(17), False),
    "a row of as many as samples": (torch.zeros(32), True),
    "a column of as many as samples": (torch.zeros(32, 1), True),
    "a cube of sixteen": (torch.zeros(2, 2, 4), False),
    "a row of rows": (torch.zeros(1, 17), True),
    "a small tensor with a gradient": (torch.zeros(2, requires_grad=True), True),
    "a small frozen parameter": (nn.Parameter(torch.zeros(2), requires_grad=False), True),
}


@pytest.mark.parametrize("name", SIZES)
def test_small_tensors_are_constants(name: str) -> None:
    tensor, expected = SIZES[name]
    step, _out = bare_step(lambda: tensor.exp(), batch_size=32)
    assert step.is_free(value_in(step.trace, tensor)) is expected


def test_what_a_step_was_given_is_no_constant() -> None:
    given, target, other = torch.zeros(2), torch.zeros(2), torch.zeros(2)
    step, _out = bare_step(
        lambda: given + target + other, (target,), given_inputs=frozenset({id(given)})
    )
    free = [step.is_free(value_in(step.trace, tensor)) for tensor in (given, target, other)]
    assert free == [True, True, False]
    asked = [step.is_input(value_in(step.trace, tensor)) for tensor in (given, target, other)]
    assert asked == [True, False, False]
    assert step.range_of(value_in(step.trace, other)) == Interval(0.0, 0.0)
    assert step.range_of(value_in(step.trace, given)) == Interval()


def test_what_a_module_was_given_is_an_input_and_no_constant() -> None:
    layer = nn.Linear(2, 2)
    x, scale = torch.zeros(1, 2), torch.full((2,), 3.0)
    step, _out = bare_step(lambda: layer(x) * scale)
    assert step.is_input(value_in(step.trace, x))
    assert step.is_free(value_in(step.trace, x))
    assert not step.is_input(value_in(step.trace, scale))
    assert step.range_of(value_in(step.trace, scale)) == Interval(3.0, 3.0)


def test_the_inputs_are_those_of_the_model_or_of_the_first_module() -> None:
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    x = torch.randn(3, 4)
    step, out = bare_step(lambda: (first(x), second(x + 1)))
    assert [tensor is x for tensor in step.input_tensors] == [True]
    assert [value.tensor is want for value, want in zip(step.outputs, out, strict=True)] == [
        True, True
    ]  # fmt: skip
    step.model = second
    step = Step(step.trace, second, step.targets, step.reruns)
    assert [bool(torch.equal(tensor, x + 1)) for tensor in step.input_tensors] == [True]
    assert [value.tensor is out[1] for value in step.outputs] == [True]


def test_axes_of_the_inputs_are_those_behind_the_first() -> None:
    model = Net(lambda n, *inputs: n.a(inputs[0]), a=nn.Linear(6, 2))
    shapes = [(3, 5, 6), (3, 5), (3,), (2, 3, 4, 5, 7)]
    with step_of(model, tuple(torch.randn(shape) for shape in shapes)) as step:
        assert step.input_axes == ((1, 5), (2, 6), (1, 3), (2, 4), (3, 5))


def test_a_model_returns_floating_tensors_in_whatever_structure() -> None:
    def forward(n: Any, x: Tensor) -> Any:
        y = n.a(x)
        return {"logits": y, "parts": (y.sin(), [y.argmax(1)]), "name": "a"}

    with step_of(Net(forward, a=nn.Linear(4, 3)), torch.randn(6, 4)) as step:
        assert [value.call and value.call.op for value in step.outputs[:2]] == ["linear", "sin"]
        assert all(value.tensor.is_floating_point() for value in step.outputs)


def test_what_outlives_a_step_is_what_was_returned() -> None:
    model = nn.Linear(4, 3)
    with step_of(model, torch.randn(6, 4)) as step:
        kept = [id(tensor) for tensor in step.kept_tensors]
        assert id(step.loss) in kept
        assert id(step.trace.roots[0].output) in kept
        assert len(kept) == 3
    step, _out = bare_step(lambda: torch.ones(2).exp())
    assert step.kept_tensors == ()


def test_activations_have_their_inputs_and_outputs() -> None:
    def forward(n: Any, x: Tensor) -> Any:
        h = n.a(x).clamp(min=0)
        g = n.a(x).sigmoid()
        return n.b(h * g).softmax(1)

    model = Net(forward, a=nn.Linear(4, 4), b=nn.Linear(4, 3))
    with step_of(model, torch.randn(6, 4), nn.MSELoss(), torch.rand(6, 3)) as step:
        runs = step.activations
        assert [(run.name, run.gated, run.head, run.unit_dim) for run in runs] == [
            ("relu", True, False, 1), ("sigmoid", True, False, 1), ("softmax", False, True, 1)
        ]  # fmt: skip
        for run in runs:
            assert run.input is run.call.inputs[0]
            assert run.output is run.call.output
        assert {run.module for run in runs} == {""}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lambda x: x.clamp(0), ["relu"]), (lambda x: x.clamp(0, 6), []), (torch.abs, []),
        (lambda x: x.softmax(0), ["softmax"]), (lambda x: x.sigmoid().clamp(0), ["sigmoid"]),
        (lambda x: F.logsigmoid(x), ["logsigmoid"]), (torch.exp, []),
    ],
)  # fmt: skip
def test_activations_are_found(function: Any, names: list[str]) -> None:
    step, _out = bare_step(lambda: function(torch.randn(5)))
    assert [run.name for run in step.activations] == names


def test_code_behind_the_border_is_the_losses() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    with step_of(model, torch.randn(6, 4), lambda out: out.exp().mean()) as step:
        assert step.border == 2
        assert [step.in_loss_code(call) for call in step.trace.calls] == [False, False, True, True]
        before = Call(-1, "exp", torch.exp, (), {}, ())
        assert step.in_loss_code(before)


class Plain(nn.Module):
    def forward(self, x: Tensor) -> Any:
        return x.tanh()


def test_without_a_border_modules_without_parameters_are_the_losses() -> None:
    model, plain, loss = nn.Linear(4, 3), Plain(), nn.MSELoss()
    x, y = torch.randn(6, 4), torch.zeros(6, 3)
    step, _out = bare_step(lambda: loss(plain(model(x)), y).exp())
    assert [step.in_loss_code(call) for call in step.trace.calls] == [False, True, True, True]
    step = Step(step.trace, plain, step.targets, step.reruns)
    assert [step.in_loss_code(call) for call in step.trace.calls] == [False, False, True, True]
    inside = nn.Sequential(nn.Linear(4, 3), Plain())
    step, _out = bare_step(lambda: inside(x).exp())
    assert [step.in_loss_code(call) for call in step.trace.calls] == [False, False, True]


def test_gradients_are_of_the_loss_by_names_and_values() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    x = torch.randn(6, 4)
    with step_of(model, x) as step:
        weight = model[0].weight
        assert step.name_of(weight) == "0.weight"
        assert step.name_of(x) is None
        hidden = call_named(step.trace, "tanh").output
        found = step.gradient_of(hidden)
        middle = model[1](model[0](x))
        (expected,) = torch.autograd.grad(model[2](middle).square().mean(), middle)
        assert found is not None
        assert torch.allclose(found, expected)
        assert step.gradient_of(call_named(step.trace, "square").output) is None
        assert step.is_live(hidden)
        assert not step.is_live(value_in(step.trace, x))


def test_a_value_that_was_overwritten_cannot_be_read() -> None:
    def run() -> Tensor:
        x = torch.ones(3, requires_grad=True) * 2
        y = x.exp()
        x.add_(1)
        return y

    step, _out = bare_step(run)
    kept, lost = call_named(step.trace, "exp").output, call_named(step.trace, "mul").output
    found = step.detached(kept)
    assert found is not None
    assert not found.requires_grad
    assert torch.allclose(found, torch.full((3,), 2.0).exp())
    assert step.detached(lost) is None


def test_origins_of_a_value_are_found_once() -> None:
    step, out = bare_step(lambda: torch.cat([torch.ones(2).sin(), torch.ones(2).cos()])[:2])
    value = value_in(step.trace, out)
    assert [end.op for end in step.origins(value)] == ["sin"]
    assert step.origins(value) is step.origins(value)


def test_losses_are_found_with_their_targets() -> None:
    model, y = nn.Linear(4, 3), torch.arange(6) % 3
    with step_of(model, torch.randn(6, 4), F.cross_entropy, y) as step:
        (loss,) = step.loss_calls
        assert (loss.kind, loss.target is not None) == ("cross_entropy", True)
    step, _out = bare_step(lambda: torch.ones(3).exp())
    assert step.loss_calls == ()


def test_a_trace_without_modules_has_neither_inputs_nor_outputs() -> None:
    step = Step(Trace(), None, *_targets_and_reruns())
    assert (step.input_tensors, step.outputs, step.input_axes) == ((), [], ())
    value = Value(torch.zeros(2), 0)
    assert not step.is_input(value)
    assert not step.is_free(value)


def _targets_and_reruns() -> tuple[Any, Any]:
    step, _out = bare_step(lambda: None)
    return step.targets, step.reruns
