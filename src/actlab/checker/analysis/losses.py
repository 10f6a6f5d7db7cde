"""Finding the loss as it runs: torch's own losses, distributions, and those that users write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import origins
from actlab.checker.targets import Targets

REGRESSION = frozenset({"mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"})
"""Losses on the distance between prediction and target."""

_DISTANCES = {
    "pow": "mse_loss", "square": "mse_loss", "mul": "mse_loss", "abs": "l1_loss",
    "norm": "mse_loss", "vector_norm": "mse_loss", "cosh": "mse_loss", "logaddexp": "l1_loss",
    "max": "l1_loss", "maximum": "l1_loss",
}  # fmt: skip
"""What makes a user-written loss of a difference, and the loss of torch's that it is like."""

_OF_TWO = {"pairwise_distance": "mse_loss", "dist": "mse_loss"}
"""Distances that take prediction and target themselves."""

_CATEGORICAL = "distributions/categorical.py"


@dataclass(frozen=True, eq=False)
class LossCall:
    """One comparison of a prediction with a target.

    `kind` is torch's name of the loss (of the nearest one, where the user wrote it: `custom`), or
    "categorical_logits" and "categorical_probs" for the distribution's parameters. `input` is the
    prediction, `class_dim` the dimension that counts classes.
    """

    call: Call
    kind: str
    input: Value
    target: Value | None = None
    custom: bool = False

    @property
    def class_dim(self) -> int:
        """Return the dimension of `input` along which classes are counted."""
        ndim = self.input.tensor.ndim
        if self.kind in ("cross_entropy", "nll_loss") and not self.custom:
            return 1 if ndim >= 2 else 0
        if self.call.op in ("softmax", "log_softmax", "logsumexp"):
            dim = self.call.argument("dim", 1)
            if isinstance(dim, (tuple, list)):
                dim = dim[0]
            if isinstance(dim, int):
                return dim % max(ndim, 1)
        return max(ndim - 1, 0)

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        return self.input.shape[self.class_dim] if self.input.tensor.ndim else 1


class LiveValues:
    """Which values depend on a parameter: predictions do, targets as a rule do not."""

    def __init__(self, trace: Trace, targets: frozenset[int]) -> None:
        weights = {id(v) for c in trace.calls if c.op in ops.AFFINE for v in c.inputs[1:]}
        learnt = [
            source
            for source in trace.sources
            if source.tensor.requires_grad
            or isinstance(source.tensor, nn.Parameter)
            or id(source) in weights
        ]
        if not learnt:  # a step on plain tensors: whatever is no target may be a prediction
            learnt = [s for s in trace.sources if id(s.tensor) not in targets]
        self._live = {id(source) for source in learnt}
        for call in trace.calls:
            if any(id(value) in self._live for value in call.inputs):
                self._live.update(id(value) for value in call.outputs)

    def __contains__(self, value: Value) -> bool:
        return id(value) in self._live

    def rank(self, value: Value) -> int:
        """Return 2 for what the loss can be differentiated by, 1 for what a model made, else 0."""
        return 2 if value.tensor.requires_grad else int(id(value) in self._live)


def find(
    trace: Trace, targets: Targets, live: LiveValues, in_loss_code: Callable[[Call], bool]
) -> tuple[LossCall, ...]:
    """Return every comparison of a prediction with a target, in order of execution."""
    target_ids = targets.ids
    found: list[LossCall] = []
    calls = [*trace.calls, *([trace.failed] if trace.failed is not None else [])]
    for call in calls:
        found.extend(_of_call(call, trace, live, target_ids, in_loss_code))
    return tuple(found)


def _of_call(
    call: Call,
    trace: Trace,
    live: LiveValues,
    target_ids: frozenset[int],
    in_loss_code: Callable[[Call], bool],
) -> Iterator[LossCall]:
    if call.op in ops.LOSSES:
        yield from _of_torch(call, live)
    elif call.op == "logsumexp" and call.origin.endswith(_CATEGORICAL):
        yield LossCall(call, "categorical_logits", call.inputs[0])
    elif call.op in ("div",) and call.origin.endswith(_CATEGORICAL):
        yield LossCall(call, "categorical_probs", call.inputs[0])
    elif call.op in ("log_softmax", "logsumexp"):
        if _is_cross_entropy(call, trace, live, in_loss_code):
            yield LossCall(call, "cross_entropy", call.inputs[0], custom=True)
    elif call.op in ("sub", "rsub", *_OF_TWO) and len(call.inputs) == 2:
        yield from _difference(call, trace, live, target_ids, in_loss_code)
    elif call.op == "log" and in_loss_code(call):
        yield from _written_bce(call, trace, live)


def _of_torch(call: Call, live: LiveValues) -> Iterator[LossCall]:
    names = ("input", "target")
    if call.op == "margin_ranking_loss":
        names = ("input1", "input2")
    elif call.op == "ctc_loss":
        names = ("log_probs", "targets")
    elif call.op.startswith("triplet"):
        names = ("anchor", "positive")
    given = call.argument(names[0], 0)
    wanted = call.argument(names[1], 1)
    if not isinstance(given, Value):
        return
    target = wanted if isinstance(wanted, Value) else None
    if call.op in REGRESSION and target is not None and live.rank(target) > live.rank(given):
        given, target = target, given
    yield LossCall(call, call.op, given, target)


def _is_cross_entropy(
    call: Call, trace: Trace, live: LiveValues, in_loss_code: Callable[[Call], bool]
) -> bool:
    """Return whether a log-softmax is the first half of a cross entropy, or a user's own one."""
    if call.inputs[0] not in live:
        return False
    if in_loss_code(call):
        return True
    return call.op == "log_softmax" and any(
        user.op in ("nll_loss", "kl_div", "ctc_loss", "cross_entropy")
        for user in _readers(trace, call.output)
    )


def _readers(trace: Trace, value: Value, depth: int = 0) -> Iterator[Call]:
    for user in trace.users_of(value):
        if user.op in ops.VIEWS and depth < 20:
            for output in user.outputs:
                yield from _readers(trace, output, depth + 1)
        else:
            yield user


def _difference(
    call: Call,
    trace: Trace,
    live: LiveValues,
    target_ids: frozenset[int],
    in_loss_code: Callable[[Call], bool],
) -> Iterator[LossCall]:
    first, second = call.inputs
    if live.rank(first) == live.rank(second):
        return
    prediction, target = (
        (first, second) if live.rank(first) > live.rank(second) else (second, first)
    )
    if not target.tensor.is_floating_point() or prediction.tensor.ndim == 0:
        return
    is_target = any(id(origin.value.tensor) in target_ids for origin in origins(target))
    if not (in_loss_code(call) or is_target):
        return
    if target_ids and not is_target and target not in live:
        return
    if call.op in _OF_TWO:
        yield LossCall(call, _OF_TWO[call.op], prediction, target, custom=True)
        return
    for user, given in _users_of_difference(trace, call.output, live):
        kind = _DISTANCES.get(user.op)
        if user.op == "mul" and not _is_square(user, given):
            kind = None
        if user.op == "max" and len(user.inputs) == 1:  # the largest error, no quantile loss
            kind = None
        if kind is not None:
            yield LossCall(user, kind, prediction, target, custom=True)
            return


def _users_of_difference(
    trace: Trace, value: Value, live: LiveValues, depth: int = 0
) -> Iterator[tuple[Call, Value]]:
    """Yield who reads a difference, also after it was weighted by something that is not learnt."""
    for user in _readers(trace, value):
        given = next((v for v in user.inputs if v in live), value)
        yield user, given
        weighted = user.op in ("mul", "div") and sum(v in live for v in user.inputs) == 1
        if weighted and depth < 3:
            yield from _users_of_difference(trace, user.output, live, depth + 1)


def _is_square(product: Call, given: Value) -> bool:
    """Return whether a product is one of a difference with itself, computed once or twice."""
    first, second = product.inputs[0], product.inputs[-1]
    if first is second:
        return len(product.inputs) == 2
    calls = (first.call, second.call)
    if any(call is None or call.op not in ("sub", "rsub") for call in calls) or given is None:
        return False
    operands = [{id(v) for v in call.inputs} for call in calls if call is not None]
    return operands[0] == operands[1]


def _written_bce(call: Call, trace: Trace, live: LiveValues) -> Iterator[LossCall]:
    """Recognise y log(p) + (1 - y) log(1 - p) by its two logarithms."""
    prediction = call.inputs[0]
    if prediction not in live or prediction.call is None:
        return
    roots = {id(origin.value) for origin in origins(prediction)}
    for other in trace.calls:
        if other.op not in ("log", "log1p") or other is call:
            continue
        for origin in origins(other.inputs[0]):
            mirrored = origin.call
            if mirrored is None or mirrored.op not in ("rsub", "neg"):
                continue
            if roots & {id(o.value) for o in origins(mirrored.inputs[0])}:
                yield LossCall(call, "bce", prediction, custom=True)
                return
