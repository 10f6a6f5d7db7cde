"""Where a value came from: through views, joins and in-place writes, element by element."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.capture.autograd_graph import complete
from actlab.capture.recorder import recording
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import (
    axis_before,
    is_gate,
    made_with,
    origins,
    true_origins,
)


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


def test_axes_are_followed_through_several_views() -> None:
    _trace, value = recorded(lambda x: torch.softmax(x, 1).t().unsqueeze(1).permute(2, 0, 1))
    (end,) = origins(value)
    assert [call.op for call in end.passed] == ["permute", "unsqueeze", "t"]
    assert [axis_before(dim, end.passed) for dim in range(3)] == [0, 1, None]
    assert axis_before(1, []) == 1
