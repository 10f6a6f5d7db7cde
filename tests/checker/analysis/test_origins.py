"""Where a value came from: through views, joins and in-place writes, element by element."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import actlab
from actlab.capture.autograd_graph import complete
from actlab.capture.recorder import recording
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import (
    ancestors,
    axis_before,
    data_inputs,
    is_gate,
    is_nudge,
    is_written_relu,
    made_with,
    makers,
    nudged,
    origins,
    selects,
    true_origins,
    unit_dim,
    unscaled,
    uses,
)  # fmt: skip


def recorded(function: Callable[[Tensor], Tensor]) -> tuple[Trace, Value]:
    x = torch.randn(6, 4, requires_grad=True)
    with recording() as trace:
        out = function(x * 1.5)
    value = trace.value_of(out)
    assert value is not None
    return trace, value


PASSING: dict[str, Callable[[Tensor], Tensor]] = {
    "view": lambda p: p.view(3, 8), "permute": lambda p: p.permute(1, 0).contiguous(),
    "index": lambda p: p[torch.tensor([2, 0])], "mask": lambda p: p[:, torch.tensor([True] * 4)],
    "slice": lambda p: p[1:, :2], "gather": lambda p: p.gather(1, torch.zeros(6, 1).long()),
    "cat": lambda p: torch.cat([p[:3], p[3:]]), "stack": lambda p: torch.stack(list(p)),
    "chunk": lambda p: p.chunk(2)[1], "unbind": lambda p: p.unbind(0)[2], "clone": torch.clone,
    "cast": lambda p: p.double().float(), "detach": lambda p: p.detach(),
    "dropout": lambda p: F.dropout(p, 0.5), "epsilon": lambda p: p + 1e-8,
    "times one": lambda p: p * 1.0, "clamp": lambda p: p.clamp(1e-7, 1 - 1e-7),
    "expand": lambda p: p.unsqueeze(0).expand(2, -1, -1), "flip": lambda p: p.flip(0),
    "masked fill": lambda p: p.masked_fill(torch.eye(6, 4).bool(), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_a_walk_sees_through(name: str) -> None:
    _trace, value = recorded(lambda x: PASSING[name](torch.sigmoid(x)))
    assert {end.op for end in origins(value)} == {"sigmoid"}
    assert {end.op for end in true_origins(value)} == {"sigmoid"}


def test_written_into_a_tensor_of_zeros() -> None:
    def fill(x: Tensor) -> Tensor:
        out = torch.zeros(6, 4)
        out[:, 1:] = torch.sigmoid(x)[:, 1:]
        return out[:, 1:]

    _trace, value = recorded(fill)
    assert {end.op for end in true_origins(value)} == {"sigmoid"}


def test_a_view_that_is_changed_in_place_changes_its_base() -> None:
    def squash(x: Tensor) -> Tensor:
        x[:, :2].sigmoid_()
        return x

    _trace, value = recorded(squash)
    assert {end.op for end in origins(value)} == {"sigmoid", "mul"}


def test_a_change_of_the_base_is_seen_by_its_views() -> None:
    def squash(x: Tensor) -> Tensor:
        view = x.view(-1)
        x.sigmoid_()
        return view.view(6, 4)

    _trace, value = recorded(squash)
    assert "sigmoid" in {end.op for end in origins(value)}


@pytest.mark.parametrize(
    ("part", "op"),
    [(slice(0, 4), "log_softmax"), (slice(4, 8), "exp"), (slice(8, 12), "linear")],
)
def test_slices_of_what_was_put_together_know_their_part(part: slice, op: str) -> None:
    layer = nn.Linear(4, 4)
    _trace, value = recorded(
        lambda x: torch.cat([F.log_softmax(x, 1), x.exp(), layer(x)], 1).view(2, 3, 12)[..., part]
    )
    assert {end.op for end in true_origins(value)} == {op}


def test_a_mixture_of_experts_is_made_with_the_experts_softmax() -> None:
    def mixture(x: Tensor) -> Tensor:
        gates = F.softmax(x[:, :3], 1)
        votes = torch.stack([F.softmax(x * k, 1) for k in range(1, 4)], 1)
        return torch.einsum("bk,bkc->bc", gates, votes)

    _trace, value = recorded(mixture)
    maker = made_with(value, frozenset({"softmax"}), size=4)
    assert maker is not None
    assert maker.output.shape == (6, 4)


def test_gates_are_told_from_activations() -> None:
    x = torch.randn(3, 4)
    layer = nn.Linear(4, 4)
    with recording() as trace:
        gate, hidden = torch.sigmoid(x), torch.sigmoid(x)
        update = (1 - gate.view(12).view(3, 4)) * torch.tanh(x)
        layer(hidden)
    assert update.shape == (3, 4)
    first, second = (trace.value_of(tensor) for tensor in (gate, hidden))
    assert first is not None
    assert second is not None
    assert is_gate(trace, first)
    assert not is_gate(trace, second)


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_autograd_tells_what_a_script_hides() -> None:
    script = torch.jit.script(nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1)))
    with recording() as trace:
        out = script(torch.randn(6, 4)).clone()
    complete(trace)
    value = trace.value_of(out)
    assert value is not None
    assert {end.op for end in origins(value)} == {"softmax"}


def last_call(function: Callable[[Tensor], Tensor], x: Tensor) -> Call:
    with recording() as trace:
        function(x)
    return trace.calls[-1]


def chain(number: int, op: str = "clone", *given: object) -> tuple[Value, list[Call]]:
    """Return the last of `number` calls in a row that start at a softmax, and these, last first."""
    tensor = torch.zeros(2)
    source = Call(0, "softmax", torch.softmax, (), {}, (Value(tensor, 0),))
    source.outputs = (Value(tensor, 0, source),)
    value, calls = source.output, []
    for index in range(number):
        call = Call(index, op, torch.clone, (value, *given), {}, (value,))
        call.outputs = (Value(tensor, 0, call),)
        value = call.output
        calls.insert(0, call)
    return value, calls


AXES: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...]]] = {
    "transpose": (lambda x: x.transpose(0, 1), (2, 3, 4)),
    "transpose from behind": (lambda x: x.transpose(-1, 0), (2, 3, 4)),
    "transpose the last two": (lambda x: x.transpose(-1, -2), (2, 3, 4)),
    "transpose by keywords": (lambda x: x.transpose(dim0=0, dim1=2), (2, 3, 4)),
    "swapaxes": (lambda x: x.swapaxes(0, 2), (2, 3, 4, 5)),
    "swapaxes by keywords": (lambda x: torch.swapaxes(x, axis0=1, axis1=3), (2, 3, 4, 5)),
    "t": (lambda x: x.t(), (2, 3)),
    "T": (lambda x: x.T, (2, 3)),
    "mT": (lambda x: x.mT, (2, 3, 4)),
    "permute": (lambda x: x.permute(2, 0, 1), (2, 3, 4)),
    "permute from behind": (lambda x: x.permute(-1, 0, -2), (2, 3, 4)),
    "permute a tuple": (lambda x: x.permute((1, 2, 3, 0)), (2, 3, 4, 5)),
    "torch.permute": (lambda x: torch.permute(x, (2, 0, 1)), (2, 3, 4)),
    "permute by keyword": (lambda x: x.permute(dims=(1, 2, 0)), (2, 3, 4)),
    "unsqueeze first": (lambda x: x.unsqueeze(0), (2, 3, 4)),
    "unsqueeze inside": (lambda x: x.unsqueeze(1), (2, 3, 4)),
    "unsqueeze last": (lambda x: x.unsqueeze(-1), (2, 3, 4)),
    "unsqueeze by keyword": (lambda x: x.unsqueeze(dim=-2), (2, 3)),
    "squeeze first": (lambda x: x.squeeze(0), (1, 3, 4)),
    "squeeze inside": (lambda x: x.squeeze(1), (2, 1, 4)),
    "squeeze inside from behind": (lambda x: x.squeeze(-2), (2, 3, 1, 4)),
    "squeeze last": (lambda x: x.squeeze(-1), (2, 3, 1)),
    "squeeze by keyword": (lambda x: x.squeeze(dim=0), (1, 3, 4)),
    "squeeze nothing": (lambda x: x.squeeze(1), (2, 3, 4)),
    "squeeze nowhere": (lambda x: x.squeeze(), (2, 3, 4)),
    "clone": (torch.clone, (2, 3, 4)),
    "slice": (lambda x: x[:, :], (2, 3, 4)),
    "flip": (lambda x: x.flip(0), (2, 3, 4)),
    "list index": (lambda x: x[[1, 0]], (2, 3, 4)),
    "cast": (lambda x: x.double(), (2, 3, 4)),
}


@pytest.mark.parametrize("name", AXES)
def test_each_axis_is_found_again_by_its_length(name: str) -> None:
    function, shape = AXES[name]
    call = last_call(function, torch.randn(shape))
    found = [axis_before(dim, [call]) for dim in range(call.output.tensor.ndim)]
    lengths = [1 if axis is None else shape[axis] for axis in found]
    assert lengths == list(call.output.shape)
    kept = [axis for axis in found if axis is not None]
    assert len(set(kept)) == len(kept)
    assert found.count(None) == ("unsqueeze" in name)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.view(4, 3, 2), lambda x: x.reshape(3, 2, 4), lambda x: x.movedim(0, 1),
        lambda x: x.view_as(torch.zeros(4, 3, 2)), lambda x: x.reshape_as(torch.zeros(3, 4, 2)),
        lambda x: x.rot90(), lambda x: x.flatten(1), lambda x: x[0], lambda x: x[None],
        lambda x: x[0, :, None], lambda x: x[:, None, 0], lambda x: x.unsqueeze(1).squeeze(),
        lambda x: x[torch.tensor([[0, 1], [1, 0]]), 0], lambda x: x.unfold(1, 3, 1)[..., 0],
        lambda x: x.as_strided((3, 2, 4), (4, 12, 1)), lambda x: x[:1].squeeze(),
        lambda x: x.take(torch.zeros(2, 3, 4).long()), lambda x: x.select(0, 1),
    ],
)  # fmt: skip
def test_no_axis_is_named_where_a_view_mixes_or_drops_some(function: Any) -> None:
    call = last_call(function, torch.randn(2, 3, 4))
    assert [axis_before(dim, [call]) for dim in range(call.output.tensor.ndim)] == [
        None
    ] * call.output.tensor.ndim


def _rows_into(shape: tuple[int, ...], at: Any) -> Callable[[Tensor], Tensor]:
    def write(x: Tensor) -> Tensor:
        out = torch.zeros(shape)
        out[at] = x.tanh()
        return out

    return write


@pytest.mark.parametrize(
    ("function", "axes"),
    [
        (_rows_into((2, 6, 4), 0), [None] * 3),
        (_rows_into((6, 2, 4), (slice(None), 1)), [None] * 3),
        (_rows_into((6, 8), (slice(None), slice(4, 8))), [0, 1]),
        (_rows_into((9, 4), slice(1, 7)), [0, 1]),
        (lambda x: torch.cat([x.tanh(), x.sin()]), [0, 1]),
        (lambda x: torch.stack([x.tanh(), x.sin()]), [None] * 3),
        (lambda x: x.tanh().masked_fill(x > 0, -1.0), [0, 1]),
        (lambda x: torch.where(x > 0, x.tanh(), torch.tensor(0.0)), [0, 1]),
        (lambda x: torch.where(x > 0, x.tanh(), torch.zeros(4)), [None] * 2),
        (lambda x: F.pad(x.tanh(), (1, 1)), [0, 1]),
    ],
)
def test_axes_of_what_is_put_together_are_those_of_parts_of_the_same_rank(
    function: Any, axes: list[int | None]
) -> None:
    _trace, value = recorded(function)
    (passed,) = [end.passed for end in origins(value) if end.op == "tanh"]
    assert [axis_before(dim, passed) for dim in range(value.tensor.ndim)] == axes


@pytest.mark.parametrize("dim", [-1, 2])
def test_the_best_class_of_scores_in_a_table_is_no_mistake(dim: int) -> None:
    model, x = nn.Linear(4, 3), torch.randn(6, 4)

    def evaluate() -> Tensor:
        table = torch.zeros(6, 2, 3)
        table[:, 0] = table[:, 1] = model(x)
        return table.argmax(dim)

    report = actlab.check_step(
        lambda: F.cross_entropy(model(x), torch.arange(6) % 3), model, evaluate=evaluate
    )
    assert report.codes == ()


def test_axes_are_followed_through_several_views() -> None:
    _trace, value = recorded(lambda x: torch.softmax(x, 1).t().unsqueeze(1).permute(2, 0, 1))
    (end,) = origins(value)
    assert [call.op for call in end.passed] == ["permute", "unsqueeze", "t"]
    assert [axis_before(dim, end.passed) for dim in range(3)] == [0, 1, None]
    assert axis_before(1, []) == 1


def last_call_on_rows(function: Callable[[Tensor], Tensor]) -> Call:
    return last_call(function, torch.rand(6, 4))


NUDGES: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = {
    "epsilon": (lambda x: x + 1e-8, True),
    "just below the limit": (lambda x: x + 0.0099, True),
    "at the limit": (lambda x: x + 0.01, False),
    "minus": (lambda x: x - 0.0099, True),
    "minus at the limit": (lambda x: x - 0.01, False),
    "negative": (lambda x: x + -0.0099, True),
    "negative at the limit": (lambda x: x + -0.01, False),
    "from the left": (lambda x: 1e-6 + x, True),
    "by keyword": (lambda x: torch.add(x, other=1e-6), True),
    "large by keyword": (lambda x: torch.add(x, other=1.0), False),
    "a tensor": (lambda x: x + x, False),
    "a complex number": (lambda x: x + 1e-3j, False),
    "times one": (lambda x: x * 1, True),
    "times two": (lambda x: x * 2, False),
    "times zero": (lambda x: x * 0, False),
    "over one": (lambda x: x / 1.0, True),
    "over two": (lambda x: x / 2, False),
    "one over it": (lambda x: 1.0 / x, False),
    "times one by keyword": (lambda x: torch.mul(x, other=1), True),
    "times itself": (lambda x: x * x, False),
    "slope of one": (lambda x: F.leaky_relu(x, 1.0), True),
    "slope of a half": (lambda x: F.leaky_relu(x, 0.5), False),
    "the usual slope": (lambda x: F.leaky_relu(x), False),
    "slope in the kernel's call": (lambda x: torch._C._nn.leaky_relu(x, 1.0), True),
    "relu": (F.relu, False),
    "clamp of an input": (lambda x: x.clamp(0, 1), False),
    "clamp of a sigmoid": (lambda x: x.sigmoid().clamp(1e-7, 1), True),
    "clamp of a softmax": (lambda x: x.softmax(1).clamp(min=1e-7), True),
    "clamp of exp": (lambda x: x.exp().clamp(max=100), True),
    "clamp of a quotient": (lambda x: (x / 2).clamp(-1, 1), True),
    "clamp of a difference": (lambda x: (1 - x).clamp(0), True),
    "clamp of a cosine": (lambda x: F.cosine_similarity(x, x).clamp(-1, 1), True),
    "clamp of relu6": (lambda x: F.relu6(x).clamp(0, 6), True),
    "clamp of relu": (lambda x: F.relu(x).clamp(0, 6), False),
    "clamp of a product": (lambda x: (x * 2).clamp(0, 1), False),
}


@pytest.mark.parametrize("name", NUDGES)
def test_what_changes_next_to_nothing_is_told_from_what_does(name: str) -> None:
    function, expected = NUDGES[name]
    assert is_nudge(last_call_on_rows(function)) is expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x.clamp(0), True), (lambda x: x.clamp(min=0), True),
        (lambda x: x.clamp(min=0.0), True), (lambda x: torch.clamp_min(x, 0), True),
        (lambda x: x.clip(0), True), (lambda x: x.clamp(0, None), True),
        (lambda x: x.clamp(0, 6), False), (lambda x: x.clamp(min=0, max=6), False),
        (lambda x: x.clamp(min=1), False), (lambda x: x.clamp(min=-1), False),
        (lambda x: x.clamp(max=0), False), (lambda x: torch.clamp_max(x, 0), False),
        (lambda x: x.clamp_max(0.0), False), (lambda x: x.sigmoid().clamp(0), False),
        (F.relu, False), (lambda x: torch.maximum(x, torch.zeros(4)), False),
    ],
)  # fmt: skip
def test_a_clamp_at_zero_from_below_is_a_written_relu(function: Any, expected: bool) -> None:
    assert is_written_relu(last_call_on_rows(function)) is expected


def test_a_clamp_that_was_given_no_tensor_is_no_relu() -> None:
    assert not is_written_relu(Call(0, "clamp", torch.clamp, (), {}, ()))


INPUTS: dict[str, tuple[Callable[[Tensor, Tensor], Any], int, str]] = {
    "cat": (lambda a, b: torch.cat([a, b]), 0, "ab"),
    "stack": (lambda a, b: torch.stack([b, a]), 0, "ba"),
    "where": (lambda a, b: torch.where(a > 0, a, b), 0, "ab"),
    "where against a number": (lambda a, b: torch.where(b > 0, a, 0.0), 0, "a"),
    "masked fill": (lambda a, b: a.masked_fill(b > 0, 0.0), 0, "a"),
    "a view with an index": (lambda a, b: a[b.argmax(1)], 0, "a"),
    "gather": (lambda a, b: a.gather(1, b.argmax(1, keepdim=True)), 0, "a"),
    "first of a broadcast": (lambda a, b: torch.broadcast_tensors(a, b), 0, "a"),
    "second of a broadcast": (lambda a, b: torch.broadcast_tensors(a, b), 1, "b"),
    "first of a grid": (lambda a, b: torch.meshgrid(a[0], b[0], indexing="ij"), 0, "a"),
    "second of a grid": (lambda a, b: torch.meshgrid(a[0], b[0], indexing="ij"), 1, "b"),
    "a norm with weights": (lambda a, b: F.layer_norm(a, (4,), b[0], b[0]), 0, "a"),
    "dropout": (lambda a, b: F.dropout(a), 0, "a"),
    "sum": (lambda a, b: a + b, 0, "ab"),
    "a clamp between tensors": (lambda a, b: a.exp().clamp(max=b), 0, "a"),
    "another clamp between tensors": (lambda a, b: a.clamp(max=b), 0, "ab"),
    "view": (lambda a, b: b.view_as(a), 0, "b"),
}


@pytest.mark.parametrize("name", INPUTS)
def test_elements_come_from(name: str) -> None:
    function, position, expected = INPUTS[name]
    a, b = torch.randn(6, 4), torch.randn(6, 4)
    with recording() as trace:
        function(a, b)
    found = ""
    for value in data_inputs(trace.calls[-1], position):
        while value.call is not None:
            value = value.call.inputs[0]
        found += "a" if value.tensor is a else "b"
    assert found == expected


@pytest.mark.parametrize("filled", ["tensor", "number"])
def test_a_write_has_the_elements_of_both_tensors(filled: str) -> None:
    out, x = torch.zeros(6, 4), torch.randn(6)
    with recording() as trace:
        out[:, 0] = x if filled == "tensor" else 1.0
    given = data_inputs(trace.calls[-1])
    assert [value.tensor is x for value in given] == [False, True][: 1 + (filled == "tensor")]


def test_without_a_floating_tensor_elements_come_from_the_first() -> None:
    x = torch.arange(6)
    with recording() as trace:
        torch.cat([x, x + 1])
    assert [value.tensor is x for value in data_inputs(trace.calls[-1])] == [True]


def test_a_walk_gives_its_ends_in_order_and_each_once() -> None:
    _trace, value = recorded(lambda x: torch.cat([x.exp(), x.tanh().t().t(), x.sin()]))
    assert [end.op for end in origins(value)] == ["exp", "tanh", "sin"]
    assert [[c.op for c in end.passed] for end in origins(value)] == [
        ["cat"], ["cat", "t", "t"], ["cat"]
    ]  # fmt: skip
    _trace, value = recorded(lambda x: torch.cat([x] * 3))
    assert [end.op for end in origins(value)] == ["mul"]


def test_a_walk_ends_at_what_the_step_was_given() -> None:
    x = torch.randn(3)
    with recording() as trace:
        out = x.view(1, 3)
    value = trace.value_of(out)
    assert value is not None
    (end,) = origins(value)
    assert (end.call, end.op, end.value.tensor is x) == (None, "", True)
    assert makers(value) == []


def test_a_walk_without_nudges_ends_at_an_epsilon() -> None:
    _trace, value = recorded(lambda x: (x.sigmoid() + 1e-8).view(24))
    (end,) = origins(value)
    assert (end.op, nudged(end)) == ("sigmoid", True)
    (end,) = origins(value, nudges=False)
    assert (end.op, nudged(end)) == ("add", False)
    assert [call.op for call in makers(value)] == ["sigmoid"]


def test_a_walk_passes_what_it_is_told_to_and_no_more() -> None:
    _trace, value = recorded(lambda x: x.tanh().exp().view(24))
    assert [end.op for end in origins(value)] == ["exp"]
    assert [end.op for end in origins(value, frozenset({"view"}))] == ["exp"]
    assert [end.op for end in origins(value, frozenset({"exp"}))] == ["view"]
    assert [end.op for end in origins(value, frozenset({"view", "exp"}))] == ["tanh"]


def test_a_call_without_inputs_is_an_end_though_it_would_be_passed() -> None:
    call = Call(0, "stack", torch.stack, (), {}, ())
    value = Value(torch.zeros(2), 0, call)
    assert [(end.value, end.passed) for end in origins(value)] == [(value, ())]


@pytest.mark.parametrize(("views", "found"), [(1, 1), (3999, 1), (4000, 0)])
def test_a_walk_visits_four_thousand_values(views: int, found: int) -> None:
    assert len(origins(chain(views)[0])) == found


@pytest.mark.parametrize(
    ("scalings", "op"), [(0, "softmax"), (1, "softmax"), (60, "softmax"), (61, "neg")]
)
def test_sixty_scalings_are_undone(scalings: int, op: str) -> None:
    value, calls = chain(scalings, "neg")
    end = unscaled(origins(value)[0])
    assert end.op == op
    assert [id(call) for call in end.passed] == [id(call) for call in calls[:60]]


@pytest.mark.parametrize(
    ("function", "op"),
    [
        (lambda x: 2 * x.exp() + 1, "exp"), (lambda x: 1 - x.exp() / 3, "exp"),
        (lambda x: -x.exp().view(24), "exp"), (lambda x: x.exp().mean(1), "exp"),
        (lambda x: x.exp().sum(0), "exp"), (lambda x: x.exp() - 5.0, "exp"),
        (lambda x: x.exp(), "exp"), (lambda x: x.exp() * x, "mul"),
        (lambda x: x.exp() + x.sin(), "add"), (lambda x: torch.cat([x.exp(), x.sin()]) * 2, "mul"),
        (lambda x: 1 / x.exp(), "rdiv"), (lambda x: x.exp() ** 2, "pow"),
        (lambda x: torch.cat([x.exp() * 2, x.exp() * 3]).neg(), "neg"),
    ],
)  # fmt: skip
def test_what_numbers_stretch_and_shift_is_seen_before_it(function: Any, op: str) -> None:
    _trace, value = recorded(function)
    assert unscaled(origins(value)[0]).op == op


def test_the_way_to_what_was_scaled_has_every_call() -> None:
    _trace, value = recorded(lambda x: (x.exp().view(24) * 2).clone())
    (end,) = origins(value)
    assert [call.op for call in end.passed] == ["clone"]
    assert [call.op for call in unscaled(end).passed] == ["clone", "mul", "view"]


def test_ancestors_come_the_nearest_first_and_each_once() -> None:
    def function(x: Tensor) -> Tensor:
        y = x.exp()
        return y.sin() + y.cos()

    _trace, value = recorded(function)
    assert [call.op for call in ancestors(value)] == ["add", "sin", "cos", "exp", "mul"]
    stopped = [call.op for call in ancestors(value, frozenset({"exp"}))]
    assert stopped == ["add", "sin", "cos", "exp"]
    assert [c.op for c in ancestors(value, frozenset({"sin", "cos"}))] == ["add", "sin", "cos"]
    assert list(ancestors(Value(torch.zeros(1), 0))) == []


def test_ancestors_of_a_chain_are_all_its_calls() -> None:
    value, _calls = chain(10)
    assert sum(1 for _call in ancestors(value)) == 11


SOFTMAX = frozenset({"softmax"})
MADE: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = {
    "itself": (lambda x: x.softmax(1), True),
    "a mean": (lambda x: torch.stack([x.softmax(1), x.exp()]).mean(0), True),
    "a gate": (lambda x: x.softmax(1) * x.sigmoid(), True),
    "the gate's other side": (lambda x: x.sigmoid() * x.softmax(1), True),
    "a product": (lambda x: x.softmax(1) @ x.t(), True),
    "a lerp": (lambda x: torch.lerp(x.softmax(1), x, 0.3), True),
    "a quotient": (lambda x: x.softmax(1) / x.softmax(1).sum(1, keepdim=True), True),
    "a clamp against rounding": (lambda x: x.softmax(1).clamp(min=1e-6), True),
    "an epsilon": (lambda x: x.softmax(1) + 1e-6, True),
    "views": (lambda x: x.softmax(1).t().reshape(24)[3:], True),
    "a logarithm": (lambda x: x.softmax(1).log(), False),
    "another activation": (lambda x: x.softmax(1).relu(), False),
    "none": (lambda x: x.sigmoid() * 2, False),
}


@pytest.mark.parametrize("name", MADE)
def test_a_softmax_is_found_behind_sums_and_gates(name: str) -> None:
    function, expected = MADE[name]
    _trace, value = recorded(function)
    made = made_with(value, SOFTMAX)
    assert (made is not None and made.op == "softmax") is expected
    assert made_with(value, frozenset()) is None


def test_of_several_the_one_of_the_right_size_is_named_then_the_first() -> None:
    def function(x: Tensor) -> Tensor:
        gates = F.softmax(x[:, :3], 1).sum(1, keepdim=True)
        level = F.softmax(x.flatten(), 0).sum()
        return gates * F.softmax(x, 1) + level

    _trace, value = recorded(function)
    shapes = {
        size: made.output.shape
        for size in (3, 4, 24, 7, None)
        if (made := made_with(value, SOFTMAX, size)) is not None
    }
    assert shapes == {3: (6, 3), 4: (6, 4), 24: (24,), 7: (6, 4), None: (6, 4)}


def test_a_softmax_of_one_number_has_no_size() -> None:
    made = made_with(recorded(lambda x: x.sum().softmax(0) * x.softmax(1))[1], SOFTMAX, 4)
    assert made is not None
    assert made.output.shape == (6, 4)


@pytest.mark.parametrize(("calls", "found"), [(59, True), (60, False)])
def test_what_is_wanted_is_near(calls: int, found: bool) -> None:
    value, _calls = chain(calls, "sum")
    assert (made_with(value, SOFTMAX) is not None) is found


GATES: dict[str, tuple[Callable[[Tensor, Tensor], Any], bool]] = {
    "a product": (lambda g, x: g * x, True),
    "the other side": (lambda g, x: x * g, True),
    "two products": (lambda g, x: (g * x, g * x.exp()), True),
    "a product and a sum": (lambda g, x: (g * x, g + x), False),
    "a sum": (lambda g, x: g + x, False),
    "nothing": (lambda g, x: x, False),
    "its square": (lambda g, x: g * g, False),
    "times a number": (lambda g, x: g * 2.0, False),
    "a GRU": (lambda g, x: g * x + (1 - g) * x.tanh(), True),
    "one minus it alone": (lambda g, x: (1 - g) * x, True),
    "one minus it summed": (lambda g, x: (1 - g) + x, False),
    "minus one": (lambda g, x: (g - 1) * x, True),
    "minus a tensor": (lambda g, x: (g - x) * x, False),
    "views": (lambda g, x: g.t().reshape(6, 4) * x, True),
    "chunks": (lambda g, x: [part * x[:3] for part in g.chunk(2)], True),
    "one chunk summed": (lambda g, x: (g.chunk(2)[0] * x[:3], g.chunk(2)[1] + x[:3]), False),
    "dropout": (lambda g, x: F.dropout(g) * x, True),
    "times one": (lambda g, x: (g * 1.0) * x, True),
    "addcmul": (lambda g, x: torch.addcmul(x, g, x), True),
    "lerp": (lambda g, x: torch.lerp(x, x.exp(), g), True),
    "matmul": (lambda g, x: g @ x.t(), True),
    "attention": (lambda g, x: F.scaled_dot_product_attention(g, g, g), True),
    "a layer": (lambda g, x: F.linear(g, x), False),
}


@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_only_ever_multiplied(name: str) -> None:
    function, expected = GATES[name]
    x = torch.randn(6, 4)
    with recording() as trace:
        gate = torch.sigmoid(x)
        function(gate, x)
    value = trace.value_of(gate)
    assert value is not None
    assert is_gate(trace, value) is expected


@pytest.mark.parametrize("between", [torch.clone, lambda x: 1 - x])
@pytest.mark.parametrize(("calls", "reader"), [(0, "exp"), (19, "exp"), (20, "exp"), (21, "")])
def test_uses_are_looked_for_behind_twenty_calls(
    between: Callable[[Tensor], Tensor], calls: int, reader: str
) -> None:
    x = start = torch.randn(3)
    with recording() as trace:
        for _number in range(calls):
            x = between(x)
        x.exp()
    value = trace.value_of(start)
    assert value is not None
    ((call, given),) = uses(trace, value)
    assert call is trace.calls[-1 if reader else 20]
    assert given is call.inputs[0]


UNITS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, ...], int]] = {
    "a row": (F.relu, (5,), 0),
    "rows": (F.relu, (5, 3), 1),
    "a sequence": (F.relu, (5, 3, 2), 2),
    "a layer on a sequence": (lambda x: F.relu(F.linear(x, torch.ones(7, 2))), (5, 3, 2), 2),
    "conv1d": (lambda x: F.relu(F.conv1d(x, torch.ones(7, 3, 1))), (5, 3, 2), 1),
    "conv_transpose1d": (
        lambda x: F.relu(F.conv_transpose1d(x, torch.ones(3, 7, 1))), (5, 3, 2), 1),
    "batch norm": (
        lambda x: F.relu(F.batch_norm(x, None, None, training=True)), (5, 3, 2), 1),
    "layer norm": (lambda x: F.relu(F.layer_norm(x, (2,))), (5, 3, 2), 2),
    "conv1d and group norm": (
        lambda x: F.relu(F.group_norm(F.conv1d(x, torch.ones(4, 3, 1)), 2)), (5, 3, 2), 1),
    "conv1d and pooling": (
        lambda x: F.relu(F.max_pool1d(F.conv1d(x, torch.ones(4, 3, 1)), 2)), (5, 3, 2), 1),
    "conv1d and dropout": (
        lambda x: F.relu(F.dropout(F.conv1d(x, torch.ones(4, 3, 1)))), (5, 3, 2), 1),
    "conv1d turned": (
        lambda x: F.relu(F.conv1d(x, torch.ones(4, 3, 1)).transpose(1, 2)), (5, 3, 2), 2),
    "an image": (F.relu, (5, 3, 2, 2), 1),
    "conv2d": (lambda x: F.relu(F.conv2d(x, torch.ones(7, 3, 1, 1))), (5, 3, 2, 2), 1),
    "a layer on patches": (
        lambda x: F.relu(F.linear(x, torch.ones(7, 2))), (5, 3, 2, 2), 3),
    "a layer on five dimensions": (
        lambda x: F.relu(F.linear(x, torch.ones(7, 2))), (5, 3, 2, 2, 2), 4),
    "a volume": (F.relu, (5, 3, 2, 2, 2), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", UNITS)
def test_units_are_channels_or_features(name: str) -> None:
    function, shape, dim = UNITS[name]
    assert unit_dim(last_call(function, torch.randn(shape))) == dim


LEFT: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "a slice of a cat": (lambda a, b: torch.cat([a, b])[:6], "a"),
    "the other slice": (lambda a, b: torch.cat([a, b])[6:], "b"),
    "a slice across": (lambda a, b: torch.cat([a, b])[5:7], "ab"),
    "a row of a stack": (lambda a, b: torch.stack([a, b])[1], "b"),
    "a chunk": (lambda a, b: torch.cat([a, b]).chunk(2)[1], "b"),
    "a first chunk": (lambda a, b: torch.cat([a, b]).chunk(2)[0], "a"),
    "unbound": (lambda a, b: torch.stack([a, b], 1).unbind(1)[0], "a"),
    "select": (lambda a, b: torch.stack([a, b]).select(0, 0), "a"),
    "narrow": (lambda a, b: torch.cat([a, b], 1).narrow(1, 4, 2), "b"),
    "a list of sizes": (lambda a, b: torch.cat([a, b]).split([6, 6])[1], "b"),
    "index_select": (lambda a, b: torch.cat([a, b]).index_select(0, torch.tensor([7, 8])), "b"),
    "gather": (lambda a, b: torch.cat([a, b], 1).gather(1, torch.full((6, 1), 5)), "b"),
    "a mask": (lambda a, b: torch.cat([a, b])[torch.arange(12) < 3], "a"),
    "masked_select": (
        lambda a, b: torch.cat([a, b]).masked_select((torch.arange(12) > 8)[:, None]), "b"),
    "after dropout": (lambda a, b: F.dropout(torch.cat([a, b]), 0.5)[:2], "a"),
    "after a cast": (lambda a, b: torch.cat([a, b]).double()[:2], "a"),
    "after an epsilon": (lambda a, b: (torch.cat([a, b]) + 1e-6)[7:], "b"),
    "after a mask was filled": (
        lambda a, b: torch.cat([a, b]).masked_fill(torch.ones(4).bool(), 0.0)[7:], "b"),
    "detached": (lambda a, b: torch.cat([a, b]).detach()[:2], "a"),
    "put together again": (lambda a, b: torch.cat([torch.cat([a, b])[6:], a[:1]])[:3], "b"),
    "a choice": (lambda a, b: torch.where(torch.arange(6)[:, None] < 3, a, b)[:3], "a"),
    "the other choice": (lambda a, b: torch.where(torch.arange(6)[:, None] < 3, a, b)[3:], "b"),
    "broadcast": (lambda a, b: torch.cat(torch.broadcast_tensors(a, b))[6:], "b"),
    "turned": (lambda a, b: torch.cat([a, b]).t()[:, :6].clone(), "a"),
    "keywords": (lambda a, b: torch.cat(tensors=[a, b], dim=1).narrow(dim=1, start=0, length=2),
                 "a"),
    "without a selection": (lambda a, b: torch.cat([a, b]).t(), "ab"),
    "no element": (lambda a, b: torch.cat([a, b])[:0], "ab"),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_was_left_behind_is_no_origin(name: str) -> None:
    function, expected = LEFT[name]
    _trace, value = recorded(lambda x: function(x.sin(), x.cos()))
    names = {"sin": "a", "cos": "b"}
    assert "".join(names[end.op] for end in true_origins(value)) == expected
    assert "".join(sorted(names[end.op] for end in origins(value))) in ("ab", expected)


@pytest.mark.parametrize(("part", "expected"), [(slice(0, 2), "sin"), (slice(2, 4), "cos")])
def test_what_was_written_over_is_no_origin(part: slice, expected: str) -> None:
    def function(x: Tensor) -> Tensor:
        out = x.sin()
        out[2:] = x.cos()[2:]
        return out[part]

    assert {end.op for end in true_origins(recorded(function)[1])} == {expected}


def test_what_cannot_be_run_again_keeps_all_origins() -> None:
    _trace, value = recorded(lambda x: torch.cat([x.sin(), x.cos()])[:6])
    assert value.call is not None
    value.call.function = None
    assert [end.op for end in true_origins(value)] == ["sin", "cos"]


@pytest.mark.parametrize(
    ("size", "expected"), [(1 << 22, ["sin"]), ((1 << 22) + 1, ["sin", "cos"])]
)
def test_a_tensor_of_four_million_elements_is_still_followed(
    size: int, expected: list[str]
) -> None:
    x = torch.zeros(size)
    with recording() as trace:
        out = torch.cat([x.sin(), x[:1].cos()])[:1]
    value = trace.value_of(out)
    assert value is not None
    assert [end.op for end in true_origins(value)] == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [(lambda x: x[:1], True), (lambda x: x.chunk(2)[0], True), (lambda x: x.t(), False),
     (lambda x: x.diagonal(), True), (lambda x: x.clone(), False)],
)  # fmt: skip
def test_what_may_leave_elements_behind_selects(function: Any, expected: bool) -> None:
    assert selects(last_call_on_rows(function)) is expected
