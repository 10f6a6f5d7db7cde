"""Finding the loss as it runs: torch's own losses, distributions, and those that users write."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import nn

from actlab.capture import ops
from actlab.capture.frames import is_torch
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis import tensor_tests
from actlab.checker.analysis.origins import origins, selects
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

_PICKS = frozenset({"mul", "einsum", "gather", "take_along_dim", "getitem"})
"""How a likelihood is written out: weighted by a one-hot target, or picked by an index."""

_SUMMING = ops.VIEWS | ops.DROPOUTS | {"sum", "mean", "masked_fill", "masked_select"}
_NORMALISING = frozenset({"logsumexp", "log_softmax", "softmax", "exp", "max", "amax", "sigmoid"})

_WAY = 30
"""How many calls lie between a likelihood and the loss at most."""

_UNREAD = frozenset({"detach", "item", "backward"})

_CATEGORICAL = "distributions/categorical.py"
_NEGATIVE_BINOMIAL = "distributions/negative_binomial.py"


@dataclass(frozen=True, eq=False)
class LossCall:
    """One comparison of a prediction with a target.

    `kind` is torch's name of the loss (of the nearest one, where the user wrote it: `custom`), or
    "categorical_logits" and "categorical_probs" for the distribution's parameters, "likelihood" for
    the logarithm of what is picked, or averaged by a target, from the input, and "overlap" for the
    share of a mask that the input covers (Dice, Tversky, Jaccard). `input` is the prediction,
    `class_dim` the dimension that counts classes; `dim` where it is known.
    """

    call: Call
    kind: str
    input: Value
    target: Value | None = None
    custom: bool = False
    dim: int | None = None

    @property
    def class_dim(self) -> int:
        """Return the dimension of `input` along which classes are counted."""
        ndim = self.input.tensor.ndim
        if self.dim is not None:
            return self.dim % max(ndim, 1)
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


def of_binomial(call: Call) -> bool:
    """Return whether a call takes the logarithm of a probability for a negative binomial."""
    return call.op == "logsigmoid" and call.origin.endswith(_NEGATIVE_BINOMIAL)


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
    elif not call.outputs:
        return  # it raised
    elif call.op == "logsumexp" and call.origin.endswith(_CATEGORICAL):
        yield LossCall(call, "categorical_logits", call.inputs[0])
    elif call.op == "div" and call.origin.endswith(_CATEGORICAL):
        yield LossCall(call, "categorical_probs", call.inputs[0])
    elif call.op in ("log_softmax", "logsumexp"):
        if _is_cross_entropy(call, trace, live, in_loss_code):
            yield LossCall(call, "cross_entropy", call.inputs[0], custom=True)
    elif call.op in ("sub", "rsub", *_OF_TWO) and len(call.inputs) == 2:
        yield from _difference(call, trace, live, target_ids, in_loss_code)
    elif call.op in ("div", "rdiv") and in_loss_code(call):
        yield from _written_overlap(call, live)
    elif call.op == "log" and in_loss_code(call):
        yield from _written_bce(call, trace, live)
    elif call.op in _PICKS and in_loss_code(call) and not is_torch(call.origin):
        yield from _written_likelihood(call, trace, live)


def _of_torch(call: Call, live: LiveValues) -> Iterator[LossCall]:
    names = ("input", "target")
    if call.op in ("margin_ranking_loss", "cosine_embedding_loss"):
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
    """Return whether a log-softmax is the first half of a cross entropy, or a user's."""
    if call.inputs[0] not in live:
        return False
    if call.op == "logsumexp" and lowers_the_loss(call.output, trace, live):
        return False  # a likelihood of a mixture, not its normaliser
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
    for user in _users_of_difference(trace, call.output, live):
        kind = _DISTANCES.get(user.op)
        if user.op == "mul" and not _is_square(user):
            kind = None
        if user.op == "max" and len(user.inputs) == 1:  # the largest error, no quantile loss
            kind = None
        if kind is not None:
            yield LossCall(user, kind, prediction, target, custom=True)
            return


def _users_of_difference(
    trace: Trace, value: Value, live: LiveValues, depth: int = 0
) -> Iterator[Call]:
    """Yield who reads a difference, also after it was weighted by something that is not learnt."""
    for user in _readers(trace, value):
        yield user
        weighted = user.op in ("mul", "div") and sum(v in live for v in user.inputs) == 1
        if weighted and depth < 3:
            yield from _users_of_difference(trace, user.output, live, depth + 1)


def _is_square(call: Call) -> bool:
    """Return whether a product is one of a difference with itself, computed once or twice."""
    first, second = call.inputs[0], call.inputs[-1]
    if first is second:
        return len(call.inputs) == 2
    calls = (first.call, second.call)
    if any(call is None or call.op not in ("sub", "rsub") for call in calls):
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


def _written_likelihood(call: Call, trace: Trace, live: LiveValues) -> Iterator[LossCall]:
    """Recognise -sum(target * log p), -log p[i, y] and their like, with the logarithm or without.

    What is weighted or picked must reach the loss by sums, means, signs and weights alone, and
    count against it: then the loss is its negative, and it ought to be a log-probability.
    """
    found = _weighted(call, live) if call.op in ("mul", "einsum") else _picked(call, live)
    if found is None:
        return
    value, target, dim, sign = found
    if value.shape[dim] < 2:
        return
    way = _way_to_loss(call.output, trace, live, sign)
    if way is None or _is_normalised_elsewhere(value, call, trace):
        return
    logged = way or any(end.op in ("log", "logsigmoid", "log1p") for end in origins(value))
    yield LossCall(
        call, "likelihood" if logged else "nll_loss", value, target, custom=True, dim=dim
    )


def _weighted(call: Call, live: LiveValues) -> tuple[Value, Value | None, int, float] | None:
    """Return what a product weighs by distributions over classes, these, dimension and sign."""
    if len(call.inputs) != 2:
        return None
    value, weights = sorted(call.inputs, key=live.rank, reverse=True)
    if live.rank(value) < 2 or live.rank(weights) == 2 or value.shape != weights.shape:
        return None
    if call.op == "einsum" and not _contracts_same_axes(call):
        return None
    if value.tensor.ndim < 2:
        return None
    numbers = weights.tensor
    if not weights.intact or not tensor_tests.readable(numbers):
        return None
    for dim, sign in product((value.tensor.ndim - 1, 1), (1.0, -1.0)):
        if tensor_tests.is_distribution(sign * numbers.float(), dim):
            return value, weights, dim, sign
    return None


def _contracts_same_axes(call: Call) -> bool:
    equation = call.args[0] if call.args and isinstance(call.args[0], str) else ""
    operands, _arrow, result = equation.replace(" ", "").partition("->")
    first, _comma, second = operands.partition(",")
    return bool(first) and first == second and result == first[: len(result)] != first


def _picked(call: Call, live: LiveValues) -> tuple[Value, Value | None, int, float] | None:
    """Return what an index picks one class of each row from, the index, dimension and sign.

    Of a single row, of which anything may be picked, only the output of a softmax counts.
    """
    value = call.inputs[0] if call.inputs else None
    if value is None or live.rank(value) < 2:
        return None
    if value.tensor.ndim == 1:
        picks_one = call.op == "getitem" and call.output.tensor.ndim == 0
        one_row = picks_one and all(end.op == "softmax" for end in origins(value))
        return (value, None, 0, 1.0) if one_row else None
    indices = [v for v in call.inputs[1:] if not v.tensor.is_floating_point()]
    if any(index.tensor.dtype is torch.bool for index in indices):
        return None
    if call.op == "getitem":
        if len(indices) < 2 or len(indices) != value.tensor.ndim:
            return None
        rows, index = indices[0].tensor, indices[-1]
        if rows.ndim != 1 or not bool((rows == torch.arange(len(rows), device=rows.device)).all()):
            return None
        return value, index, value.tensor.ndim - 1, 1.0
    dim = call.argument("dim", 1 if call.op == "gather" else 2)
    if len(indices) != 1 or not isinstance(dim, int):
        return None
    dim %= max(value.tensor.ndim, 1)
    return (value, indices[0], dim, 1.0) if dim and indices[0].shape[dim] == 1 else None


def lowers_the_loss(value: Value, trace: Trace, live: LiveValues) -> bool:
    """Return whether a value reaches a loss by sums, means and weights, and counts against it."""
    return _way_to_loss(value, trace, live, 1.0) is not None


def _way_to_loss(value: Value, trace: Trace, live: LiveValues, sign: float) -> bool | None:
    """Return whether a logarithm is taken on the linear way to a loss; None where there is none.

    A linear way has sums, means, signs, constants and weights that are not learnt. It counts
    against the loss where its sign is negative.
    """
    logged, current = False, value
    for _step in range(_WAY):
        users = [user for user in trace.users_of(current) if user.op not in _UNREAD]
        if not users:
            is_loss = current.tensor.numel() == 1 and current is not value
            return logged if is_loss and sign < 0 else None
        user = users[0]
        if len(users) > 1:
            return None
        if user.op == "log" and not logged:
            logged = True
        elif user.op in ("clamp", "add") and len(user.inputs) == 1 and not logged:
            pass  # a guard before the logarithm, or one that does not matter
        elif user.op == "neg":
            sign = -sign
        elif user.op in ("mul", "div"):
            factor = _factor(user, current, live)
            if factor is None:
                return None
            sign *= factor
        elif user.op in ("add", "sub") and current.tensor.numel() == 1:
            subtracted = user.op == "sub" and user.inputs[0] is not current
            sign *= -1.0 if subtracted else 1.0
        elif user.op == "stack" and current.tensor.numel() == 1:
            pass
        elif user.op not in _SUMMING:
            return None
        current = user.output
    return None


def _factor(call: Call, given: Value, live: LiveValues) -> float | None:
    """Return the sign of what a value is multiplied with; None if that is learnt or a divisor.

    None, too, where the value itself is what is divided by.
    """
    if call.op == "div" and call.inputs[0] is not given:
        return None
    others = [value for value in call.inputs if value is not given]
    if not others:
        numbers = [a for a in (*call.args, *call.kwargs.values()) if isinstance(a, (int, float))]
        return (-1.0 if numbers[0] < 0 else 1.0) if numbers else None
    if live.rank(others[0]) == 2 or (call.op == "div" and others[0].tensor.numel() > 1):
        return None
    return 1.0


def _is_normalised_elsewhere(value: Value, call: Call, trace: Trace, depth: int = 0) -> bool:
    """Return whether the loss reads a value twice: a normaliser of its own, or other classes."""
    for user in trace.users_of(value):
        if user is call:
            continue
        if user.op in _NORMALISING or user.op in _PICKS or user.op == "sub":
            return True
        passed = user.op in ops.VIEWS and not selects(user) and depth < 20
        if passed and _is_normalised_elsewhere(user.output, call, trace, depth + 1):
            return True
    return False


_ADDED = ops.VIEWS | {"sum", "mean", "add", "sub", "rsub", "neg", "clamp", "stack", "cat"}
_SCALING = frozenset({"mul", "pow", "square", "div", "einsum"})
_NEAR = 200
"""How many calls lie between an overlap and what it is computed of at most."""


def _written_overlap(call: Call, live: LiveValues) -> Iterator[LossCall]:
    """Recognise 2 sum(p t) / (sum(p) + sum(t)) and its like by what is divided, and by what."""
    if len(call.inputs) != 2:
        return
    above, below = call.inputs if call.op == "div" else call.inputs[::-1]
    covered = list(_covered(above, live))
    if not covered:
        return
    counted = {id(end.value) for part in _summed(below, live) for end in origins(part)}
    for value, mask in covered:
        if value.tensor.numel() <= call.output.tensor.numel():
            continue  # nothing was summed: weights that are masked and renormalised
        if counted & {id(end.value) for end in origins(value)}:
            yield LossCall(call, "overlap", value, mask, custom=True)
            return


def _covered(value: Value, live: LiveValues) -> Iterator[tuple[Value, Value]]:
    """Yield the predictions that are summed where a mask of zeros and ones is 1, and the mask."""
    for product_call in _terms(value, live):
        given = sorted(product_call.inputs, key=live.rank, reverse=True)
        if (
            len(given) == 2
            and live.rank(given[0]) > 0 == live.rank(given[1])
            and _is_mask(given[1])
        ):
            yield given[0], given[1]


def _is_mask(value: Value) -> bool:
    numbers = value.tensor
    if value.tensor.requires_grad or not value.intact or not tensor_tests.readable(numbers):
        return False
    binary = bool(((numbers == 0) | (numbers == 1)).all())
    return binary and numbers.ndim > 0 and bool((numbers == 0).any())


def _terms(value: Value, live: LiveValues) -> Iterator[Call]:
    """Yield the products whose sums a value is made of."""
    pending, seen = [value], 0
    while pending and seen < _NEAR:
        seen += 1
        call = pending.pop().call
        if call is None:
            continue
        if call.op == "einsum" or (call.op == "mul" and len(call.inputs) == 2):
            yield call
        if call.op in _ADDED or (call.op in ("mul", "div", "einsum") and len(call.inputs) == 1):
            pending.extend(part for part in call.inputs if part in live)


def _summed(value: Value, live: LiveValues) -> Iterator[Value]:
    """Yield what a value is a sum of: the learnt side of products, and squares' operands."""
    pending, seen = [value], 0
    while pending and seen < _NEAR:
        seen += 1
        current = pending.pop()
        call = current.call
        if call is not None and (call.op in _ADDED or call.op in _SCALING):
            yield current
            pending.extend(part for part in call.inputs if part in live)
        else:
            yield current
