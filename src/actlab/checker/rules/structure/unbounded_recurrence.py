"""ACT407: a recurrent cell with an activation that has no upper bound."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import ancestors, origins, uses
from actlab.checker.analysis.step import Step
from actlab.checker.report import Finding
from actlab.checker.reporting.fixes import replaced
from actlab.checker.rule import Case, Rule, Situation
from actlab.i18n import _

_UNBOUNDED = ops.RECTIFIERS - {"relu6", "prelu", "rrelu"}
_GATES = ("sigmoid", "hardsigmoid")


class _Tagger(nn.Module):
    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell, self.fc = cell, nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Any:
        states = self.cell(x)
        return self.fc((states[0] if isinstance(states, tuple) else states)[:, -1])


class _WrittenLstm(nn.Module):
    def __init__(self, relu: bool) -> None:
        super().__init__()
        self.gates, self.relu = nn.Linear(12, 32), relu

    def forward(self, x: Tensor) -> Any:
        h = c = x.new_zeros(len(x), 8)
        out = []
        for t in range(x.shape[1]):
            i, f, g, o = self.gates(torch.cat((x[:, t], h), dim=1)).chunk(4, dim=1)
            act = torch.relu if self.relu else torch.tanh
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * act(g)
            h = torch.sigmoid(o) * act(c)
            out.append(h)
        return torch.stack(out, dim=1)


class _WrittenGru(nn.Module):
    """A gated unit with 1 - z and z; over a sequence, or as layers of a highway network."""

    def __init__(self, activation: Callable[[Tensor], Tensor], repeats: bool = True) -> None:
        super().__init__()
        count = 1 if repeats else 5
        self.gates = nn.ModuleList(nn.Linear(12, 8) for _number in range(count))
        self.candidates = nn.ModuleList(nn.Linear(12, 8) for _number in range(count))
        self.activation = activation

    def forward(self, x: Tensor) -> Any:
        h = x.new_zeros(len(x), 8)
        out = []
        for t in range(x.shape[1]):
            seen = torch.cat((x[:, t], h), dim=1)
            z = torch.sigmoid(self.gates[t % len(self.gates)](seen))
            candidate = self.activation(self.candidates[t % len(self.gates)](seen))
            h = (1 - z) * h + z * candidate
            out.append(h)
        return torch.stack(out, dim=1)


def _situation(cell: nn.Module) -> Situation:
    batch = (torch.randn(6, 5, 4), torch.arange(6) % 3)
    return Situation(_Tagger(cell), nn.CrossEntropyLoss(), batch)


def _relu_rnn() -> Situation:
    return _situation(nn.RNN(4, 8, nonlinearity="relu", batch_first=True))


def _relu_in_an_lstm() -> Situation:
    return _situation(_WrittenLstm(relu=True))


def _relu_in_a_gru() -> Situation:
    return _situation(_WrittenGru(torch.relu))


def _tanh_in_a_gru() -> Situation:
    return _situation(_WrittenGru(torch.tanh))


def _relu_in_a_highway_network() -> Situation:
    return _situation(_WrittenGru(torch.relu, repeats=False))


def _tanh_in_an_lstm() -> Situation:
    return _situation(_WrittenLstm(relu=False))


def _lstm() -> Situation:
    return _situation(nn.LSTM(4, 8, batch_first=True))


def _identity_initialised_rnn() -> Situation:
    rnn = nn.RNN(4, 8, nonlinearity="relu", batch_first=True)
    nn.init.eye_(rnn.get_parameter("weight_hh_l0"))
    return _situation(rnn)


class UnboundedRecurrence(Rule):
    """A recurrent cell has an activation without an upper bound.

    ## What it does

    Reports `nn.RNN(nonlinearity="relu")` whose recurrent weights are not initialised as the
    identity, and an LSTM or a GRU cell, recognised by its gates, that applies a rectifier to the
    candidate or to the cell state. A GRU with norms (Li-GRU) and highway networks, whose layers
    have weights of their own, are left alone.

    ## Why is this bad?

    The state is fed back. Tanh keeps it in [-1, 1]; behind ReLU it can grow by the same factor at
    every step, exponentially in the length of the sequence, and the loss explodes.

    ## Example

        nn.RNN(16, 32, nonlinearity="relu")

    ## Use instead

        nn.RNN(16, 32, nonlinearity="tanh")

    ## Sources

    - https://github.com/AlexanderVNikitin/tsgm/issues/59 (LSTM with ReLU: the loss explodes).
    - Le, Jaitly and Hinton, "A Simple Way to Initialize Recurrent Networks of Rectified Linear
      Units", 2015: with the identity it works.
    """

    code = "ACT407"
    name = "unbounded-recurrence"
    severity = "warning"
    looks_at = "recurrences"
    faulty = (
        Case(_relu_rnn, "warning"),
        Case(_relu_in_an_lstm, "warning"),
        Case(_relu_in_a_gru, "warning"),
    )
    clean = (
        Case(_tanh_in_an_lstm),
        Case(_lstm),
        Case(_identity_initialised_rnn),
        Case(_tanh_in_a_gru),
        Case(_relu_in_a_highway_network),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding for each recurrence without a bound."""
        for call in step.trace.calls:
            if call.op in ("rnn_relu", "rnn_relu_cell") and not _has_identity_weights(call):
                yield self._finding(step, call, call, _("a recurrent layer uses relu"))
            elif call.op in _UNBOUNDED and _is_in_lstm(step, call):
                message = _("an LSTM cell uses {activation}").format(activation=call.op)
                yield self._finding(step, call, call, message)
            elif call.op in _UNBOUNDED and _is_in_gru(step, call):
                message = _("a GRU cell uses {activation}").format(activation=call.op)
                yield self._finding(step, call, call, message)

    def _finding(self, step: Step, call: Call, place: Call, message: str) -> Finding:
        return self.found(
            message=message,
            location=place.location,
            proof=_("its state reaches {range} and is fed back at every step").format(
                range="[0, ∞]" if call.op.startswith("rnn") else step.range_of(call.output)
            ),
            why=_("the state can grow exponentially with the length of the sequence"),
            fix='nn.RNN(..., nonlinearity="tanh")'
            if call.op.startswith("rnn")
            else replaced(call, "nn.Tanh()", "torch.tanh({x})"),
        )


def _has_identity_weights(call: Call) -> bool:
    """Return whether some square weight of a recurrent call is a scaled identity."""
    for value in call.inputs:
        weight = value.tensor
        if weight.ndim == 2 and weight.shape[0] == weight.shape[1] and value.intact:
            diagonal = weight.detach().diagonal()
            off = weight.detach() - torch.diag(diagonal)
            if bool((off.abs() < 1e-6).all()) and bool(diagonal.any()):
                return True
    return False


def _is_in_lstm(step: Step, call: Call) -> bool:
    """Return whether an activation is an LSTM's: of the candidate, or of the new cell state."""
    return _is_cell_state(call.inputs[0]) or any(
        user.op == "mul" and _other_is_gate(user, given) and _updates_cell_state(step, user)
        for user, given in uses(step.trace, call.output)
    )


def _is_in_gru(step: Step, call: Call) -> bool:
    """Return whether an activation is a GRU's candidate n: in (1 - z) * h + z * n, fed back."""
    for product, given in uses(step.trace, call.output):
        if product.op != "mul":
            continue
        gate = next((v for v in product.inputs if v is not given), None)
        total = next((u for u in step.trace.users_of(product.output) if u.op == "add"), None)
        if gate is None or total is None or len(total.inputs) != 2:
            continue
        other = next((v.call for v in total.inputs if v is not product.output), None)
        if other is None or other.op != "mul":
            continue
        if any(_are_complements(gate, part) for part in other.inputs):
            return _is_fed_back(call)
    return False


def _are_complements(first: Value, second: Value) -> bool:
    """Return whether one of two values is z, a sigmoid's output, and the other 1 - z."""
    for gate, rest in ((first, second), (second, first)):
        ends = origins(rest, ops.VIEWS, nudges=False)
        inverse = ends[0].call if len(ends) == 1 else None
        if inverse is None or inverse.op != "rsub" or len(inverse.inputs) != 1:
            continue
        behind = {id(end.value) for end in origins(inverse.inputs[0], ops.VIEWS, nudges=False)}
        if _is_gate(gate) and behind == {
            id(end.value) for end in origins(gate, ops.VIEWS, nudges=False)
        }:
            return True
    return False


def _is_fed_back(call: Call) -> bool:
    """Return whether an activation's layer ran before, on the way to it, and no norm lies between.

    So the layers of a recurrence do, step after step.
    """
    near = origins(call.inputs[0], ops.VIEWS | ops.NORMS | {"add"})
    if any(passed.op in ops.NORMS for end in near for passed in end.passed):
        return False
    layers = [end.call for end in near if end.call is not None and end.op in ops.AFFINE]
    weights = {id(layer.inputs[1].tensor) for layer in layers if len(layer.inputs) > 1}
    return any(
        before.op in ops.AFFINE
        and all(before is not layer for layer in layers)
        and any(id(value.tensor) in weights for value in before.inputs)
        for before in ancestors(call.output)
    )


def _is_cell_state(value: Value) -> bool:
    """Return whether a value is f * c + i * g: a sum of two products with gates."""
    call = value.call
    if call is None or call.op != "add" or len(call.inputs) != 2:
        return False
    return all(
        part.call is not None and part.call.op == "mul" and _has_gate(part.call)
        for part in call.inputs
    )


def _updates_cell_state(step: Step, product: Call) -> bool:
    return any(_is_cell_state(user.output) for user in step.trace.users_of(product.output))


def _has_gate(product: Call) -> bool:
    return any(_is_gate(value) for value in product.inputs)


def _other_is_gate(product: Call, given: Value) -> bool:
    return any(_is_gate(value) for value in product.inputs if value is not given)


def _is_gate(value: Value) -> bool:
    ends = origins(value, ops.VIEWS, nudges=False)
    return len(ends) == 1 and ends[0].op in _GATES
