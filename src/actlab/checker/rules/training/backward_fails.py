"""ACT510: a backward pass that raises."""

import re
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional as F

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.origins import ancestors
from actlab.checker.analysis.step import Step
from actlab.checker.analysis.tensor_tests import readable
from actlab.checker.report import Finding
from actlab.checker.rule import Case, Rule, Situation
from actlab.checker.rules._batches import class_batch
from actlab.i18n import _

_CUTTING = frozenset({"argmax", "argmin", "gt", "ge", "lt", "le", "eq", "ne", "one_hot", "argsort",
                      "floor", "round", "sign"})  # fmt: skip
"""Operations through which no gradient goes, or one that is 0."""

_STAIRS = frozenset({"round", "floor", "ceil", "trunc", "fix", "sign", "sgn", "heaviside"})
"""Operations that autograd has a derivative of, which is 0 everywhere."""


class _Gated(nn.Module):
    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.gate, self.out = nn.Linear(20, 8), nn.Linear(8, 5)
        self.in_place = in_place

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.gate(x))
        floored = F.relu(gate - 0.5) if not self.in_place else F.relu_(gate.sub_(0.5))
        scores: torch.Tensor = self.out(floored)
        return scores


def _sigmoid_overwritten() -> Situation:
    return Situation(_Gated(in_place=True), nn.CrossEntropyLoss(), class_batch(5))


def _skip_added_in_place() -> Situation:
    hidden, out = nn.Linear(20, 20), nn.Linear(20, 5)
    x, y = class_batch(5)

    def step() -> torch.Tensor:
        h = torch.tanh(hidden(x))
        h += x
        return F.cross_entropy(out(h), y)

    return Situation(step=step)


def _detached_scores() -> Situation:
    net = nn.Linear(20, 5)
    return Situation(net, lambda z, y: F.cross_entropy(z.detach(), y), class_batch(5))


def _new_leaf_of_old_scores() -> Situation:
    net, (x, y) = nn.Linear(20, 5), class_batch(5)
    return Situation(step=lambda: F.cross_entropy(net(x).data.requires_grad_(), y), model=net)


def _loss_of_decisions() -> Situation:
    net, (x, y) = nn.Linear(20, 5), class_batch(5)
    return Situation(step=lambda: (net(x).argmax(1) != y).float().mean(), model=net)


def _rounded_codes(straight_through: bool) -> Situation:
    encoder, decoder, x = nn.Linear(20, 8), nn.Linear(8, 20), torch.randn(16, 20)

    def step() -> torch.Tensor:
        code = torch.sigmoid(encoder(x))
        rounded = torch.round(code)
        if straight_through:
            rounded = code + (rounded - code).detach()
        return F.mse_loss(decoder(rounded), x)

    return Situation(step=step, model=nn.ModuleList([encoder, decoder]))


def _codes_are_rounded() -> Situation:
    return _rounded_codes(straight_through=False)


def _rounded_with_a_straight_through_gradient() -> Situation:
    return _rounded_codes(straight_through=True)


def _own_backward_pass() -> Situation:
    net, (x, y) = nn.Linear(20, 5), class_batch(5)

    def step() -> torch.Tensor:
        loss = F.cross_entropy(net(x), y)
        loss.backward()  # type: ignore[no-untyped-call]  # as users write it
        return loss.detach()

    return Situation(step=step, model=net)


def _copied() -> Situation:
    return Situation(_Gated(in_place=False), nn.CrossEntropyLoss(), class_batch(5))


def _relu_in_place_behind_a_layer() -> Situation:
    net = nn.Sequential(nn.Linear(20, 8), nn.ReLU(inplace=True), nn.Linear(8, 5))
    return Situation(net, nn.CrossEntropyLoss(), class_batch(5))


class BackwardFails(Rule):
    """The backward pass raises, or reaches no parameter: the program cannot train.

    ## What it does
    Runs the backward pass of the step once. Where it raises because a tensor that it needs was
    overwritten, the call that did it is named. Where no parameter gets a gradient, though the
    layers ran with one, the call that cut it off is named: `detach`, `.data`, argmax, a comparison.
    So is a rounding (or a sign) behind which the parameters of a part get a gradient of exactly 0.
    A step that ran its own backward pass is left alone.

    ## Why is this bad?
    The first training step ends in an exception. `relu(inplace=True)`, `+=` and `x[...] = y` write
    into what sigmoid, tanh, exp and softmax keep for their own derivative; behind a linear layer or
    a convolution they are harmless, because those keep their input.

    ## Example
    ```python
    gate = torch.sigmoid(self.gate(x))
    gate += x
    ```

    ## Use instead
    ```python
    gate = torch.sigmoid(self.gate(x))
    gate = gate + x
    ```

    ## Sources
    - PyTorch, autograd mechanics, in-place operations:
      https://docs.pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd
    """

    code = "ACT510"
    name = "backward-fails"
    severity = "error"
    faulty = (
        Case(_sigmoid_overwritten, "error"),
        Case(_skip_added_in_place, "error"),
        Case(_detached_scores, "error"),
        Case(_new_leaf_of_old_scores, "error"),
        Case(_loss_of_decisions, "error"),
        Case(_codes_are_rounded, "error"),
    )
    clean = (
        Case(_copied),
        Case(_relu_in_place_behind_a_layer),
        Case(_own_backward_pass),
        Case(_rounded_with_a_straight_through_gradient),
    )

    def check(self, step: Step) -> Iterator[Finding]:
        """Yield a finding where the backward pass raised."""
        error = step.backward_error
        if error is None:
            yield from self._cut_off(step)
            return
        writer = _writer(step, str(error))
        loss = step.trace.value_of(step.loss) if step.loss is not None else None
        last = loss.call.location if loss is not None and loss.call is not None else Location()
        yield self.found(
            message=_(
                "the backward pass fails: {op} wrote in place into what {maker} needs"
            ).format(op=writer[1].op, maker=writer[0].op)
            if writer is not None
            else _("the backward pass fails"),
            location=writer[1].location if writer is not None else last,
            proof=str(error).strip().splitlines()[0].partition(" Hint:")[0],
            why=_("the first training step ends in this exception"),
            fix=_("# write into a copy: relu(x) for relu_(x), x = x + y for x += y"),
        )

    def _cut_off(self, step: Step) -> Iterator[Finding]:
        """Yield a finding where the loss hangs on no parameter by a gradient, and why."""
        cut = _cutting_call(step)
        if cut is not None:
            yield self.found(
                message=_("no parameter gets a gradient: {op} cuts the graph off").format(
                    op=cut.op
                ),
                location=cut.location,
                proof=_("its input has a gradient, its output has none"),
                why=_("the backward pass raises, or the optimiser never moves a weight"),
                fix=_("# compute the loss from the scores themselves"),
            )
        for call in _stairs(step):
            yield self.found(
                message=_("no gradient goes through {op}: its derivative is 0").format(op=call.op),
                location=call.location,
                proof=_("every parameter that leads to it gets a gradient of exactly 0"),
                why=_("the optimiser never moves these weights"),
                fix="y = x + (torch.round(x) - x).detach()  # "
                + _("forward rounded, backward the identity"),
            )


def _cutting_call(step: Step) -> Call | None:
    """Return the call through which the loss lost its gradient; None where it has one."""
    loss = step.trace.value_of(step.loss) if step.loss is not None else None
    trained = [name for name, tensor in step.parameters.items() if tensor.requires_grad]
    reached = any(step.gradients.get(name) is not None for name in trained)
    if loss is None or not trained or reached or step.error is not None:
        return None
    if step.trace.ran_backward or any(call.op == "autograd_grad" for call in step.trace.calls):
        return None
    for call in ancestors(loss):
        if not call.grad_enabled or not readable(call.output.tensor):
            continue
        given = any(value.tensor.requires_grad and value.call for value in call.inputs)
        if given and call.op in _CUTTING | {"detach"}:
            return call
    return None


def _stairs(step: Step) -> Iterator[Call]:
    """Yield each step function on the way to the loss that leaves its parameters without any."""
    loss = step.trace.value_of(step.loss) if step.loss is not None else None
    if loss is None or step.trace.ran_backward or step.no_gradient_reason is not None:
        return
    if not any(call.op in _STAIRS for call in step.trace.calls):
        return
    gradients = {
        id(tensor): step.gradients.get(name)
        for name, tensor in step.parameters.items()
        if tensor.requires_grad
    }
    for call in ancestors(loss):
        if call.op not in _STAIRS or not call.output.tensor.requires_grad:
            continue
        behind = {
            id(value.tensor)
            for before in ancestors(call.output)
            for value in before.inputs
            if id(value.tensor) in gradients
        }
        found = [gradients[number] for number in behind]
        if found and all(g is not None and not bool(g.any()) for g in found):
            yield call


def _writer(step: Step, text: str) -> tuple[Call, Call] | None:
    """Return the call whose output was overwritten, and the call that did it."""
    if "inplace operation" not in text:
        return None
    named = re.search(r"output \d+ of (?:\w+::)*(\w+)", text)
    op = ops.name_of_autograd_node(named.group(1)) if named else ""
    found: tuple[Call, Call] | None = None
    for call in step.trace.calls:
        overwritten = next((v for v in call.inputs[:1] if _overwrites(call, v)), None)
        maker = overwritten.call if overwritten is not None else None
        if maker is None:
            continue
        if maker.op == op:
            return maker, call
        found = found or (maker, call)
    return found


def _overwrites(call: Call, value: Value) -> bool:
    return any(output.tensor is value.tensor for output in call.outputs) and not value.intact
