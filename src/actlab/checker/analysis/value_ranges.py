"""The range that a value can reach, whatever the inputs and the weights are.

Interval arithmetic over the recorded calls. It is sound: the true range lies within the interval.
An operation that is not in the table, a parameter and an input give the whole line, from which no
rule concludes anything.
"""

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import torch

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.interval import BINARY, INF, UNIT, WHOLE, Interval, div, joined, times
from actlab.checker.analysis.origins import HANDED_ON, origins, selects, true_origins
from actlab.checker.analysis.tensor_tests import readable

_DEPTH = 150
_SMALL = 4096


_FIXED = {
    "sigmoid": UNIT, "hardsigmoid": UNIT, "softmax": UNIT, "softmin": UNIT, "gumbel_softmax": UNIT,
    "rand": UNIT, "rand_like": UNIT, "bernoulli": UNIT, "one_hot": UNIT,
    "softsign": Interval(-1, 1),
    "tanh": Interval(-1, 1), "sin": Interval(-1, 1), "cos": Interval(-1, 1), "erf": Interval(-1, 1),
    "sign": Interval(-1, 1), "erfc": Interval(0, 2), "cosine_similarity": Interval(-1, 1),
    "log_softmax": Interval(-INF, 0), "logsigmoid": Interval(-INF, 0),
    "atan": Interval(-math.pi / 2, math.pi / 2), "arctan": Interval(-math.pi / 2, math.pi / 2),
    "eq": UNIT, "ne": UNIT, "lt": UNIT, "le": UNIT, "gt": UNIT, "ge": UNIT,
    "norm": Interval(0, INF), "vector_norm": Interval(0, INF), "cdist": Interval(0, INF),
    "pairwise_distance": Interval(0, INF), "var": Interval(0, INF), "std": Interval(0, INF),
    "mse_loss": Interval(0, INF), "l1_loss": Interval(0, INF),
}  # fmt: skip
"""Operations whose range does not depend on their argument."""

_FLOORS = {
    "gelu": -0.17005, "silu": -0.27847, "mish": -0.30885, "hardswish": -0.375,
}  # fmt: skip
"""Activations with this infimum that lie below x to the right of 0."""

_ARGUED = ops.RECURRENT | ops.JOINS - {"setitem"} | {
    "hardtanh", "clamp", "elu", "celu", "leaky_relu", "softplus", "dropout", "threshold", "sum",
    "avg_pool", "interpolate", "maximum", "minimum", "add", "sub", "rsub",
}  # fmt: skip
"""Operations whose range depends on arguments that autograd does not keep, where it stands in."""

_WITH_ZEROS = frozenset({"diag", "unfold", "to_dense", "pad_packed_sequence"})
"""Views that put zeros, or a number of padding, between the elements."""

_PUT_TOGETHER = ops.VIEWS - _WITH_ZEROS | {"cat", "stack"}

_FILLER = {"masked_fill": 2, "index_fill": 3, "scatter": 3, "fill_diagonal": 1, "setitem": 2}
"""Which argument has the numbers that are written into a tensor."""


class Bounds:
    """Intervals of the values of one trace, each computed once.

    `is_free` says of a value that no call made whether it may take any value.
    """

    def __init__(self, is_free: Callable[[Value], bool]) -> None:
        self._is_free = is_free
        self._known: dict[int, Interval] = {}
        self._keep: list[Value] = []

    def of(self, value: Value, depth: int = 0) -> Interval:
        """Return the interval of a value."""
        known = self._known.get(id(value))
        if known is None:
            known = self._derive(value, depth)
            self._known[id(value)] = known
            self._keep.append(value)
        return known

    def _derive(self, value: Value, depth: int) -> Interval:
        if depth > _DEPTH:
            return WHOLE
        if value.call is None:
            return WHOLE if self._is_free(value) else _measured(value)
        return self._of_call(value, value.call, depth + 1)

    def _of_call(self, value: Value, call: Call, depth: int) -> Interval:
        op = call.op
        if op == "cosine_similarity" and all(self.of(v, depth).low >= 0 for v in call.inputs):
            return UNIT
        if op in _FIXED:
            return _FIXED[op]
        if call.function is None and op in _ARGUED:
            return WHOLE
        if op in ops.RECURRENT:
            return self._recurrent(value, call, depth)
        if not call.inputs or op in _FILLED:
            return _of_factory(call)
        source = call.inputs[value.position if op in ("broadcast_tensors", "meshgrid") else 0]
        first = self.of(source, depth)
        if op in _FLOORS:
            return Interval(_FLOORS[op] if first.low < 0 else 0.0, max(first.high, 0.0))
        if op in _INCREASING:
            return Interval(_INCREASING[op](first.low), _INCREASING[op](first.high))
        if op == "sum":
            average = self._weighted(call, depth)
            if average is not None:
                return average
        rule = RULES.get(op)
        if rule is not None:
            return rule(call, first)
        if selects(call):
            together = self._parts(value, depth)
            if together is not None:
                return together
        if op in ("maximum", "minimum", "max", "min") and len(call.inputs) == 2:
            second = self.of(call.inputs[1], depth)
            choose = max if op.startswith("max") else min
            return Interval(choose(first.low, second.low), choose(first.high, second.high))
        if op in ops.VIEWS or op in ("mean", "amax", "amin", "max", "min", "median", "cummax",
                                     "quantile", "max_pool", "mode"):  # fmt: skip
            return _handed_on(call, first) if _same_kind(value, source) else WHOLE
        if op in ops.JOINS:
            return self._hull(call, depth)
        if op == "lerp":
            return self._between(call, depth)
        if op in BINARY and not call.kwargs.keys() & {"alpha", "rounding_mode"}:
            left = self._operand(call.argument("input", 0), depth)
            return BINARY[op](left, self._operand(call.argument("other", 1), depth))
        if op in ops.PRODUCTS or op == "linear":
            return self._product(call, depth)
        return WHOLE

    def _parts(self, value: Value, depth: int) -> Interval | None:
        """Return the range of a slice of tensors that were put together, None for other values."""
        ends = true_origins(value)
        passed = {call.op for end in ends for call in end.passed}
        if passed.isdisjoint(("cat", "stack")) or not passed.issubset(_PUT_TOGETHER):
            return None
        if not all(_same_kind(value, end.value) for end in ends):
            return None
        return reduce(joined, (self.of(end.value, depth) for end in ends))

    def _weighted(self, call: Call, depth: int) -> Interval | None:
        """Return the range of a sum of softmax weights times numbers: a mean of these."""
        dim, product = call.argument("dim", 1), call.inputs[0].call
        dim = dim[0] if isinstance(dim, (tuple, list)) and len(dim) == 1 else dim
        if product is None or product.op != "mul" or len(product.inputs) != 2:
            return None
        if not isinstance(dim, int):
            return None
        for weights, numbers in (product.inputs, product.inputs[::-1]):
            made = weights.call
            same = weights.shape == product.output.shape
            if made is None or made.op != "softmax" or not same:
                continue
            over = made.argument("dim", 1)
            ndim = max(weights.tensor.ndim, 1)
            if isinstance(over, int) and over % ndim == dim % ndim:
                return self.of(numbers, depth)
        return None

    def _hull(self, call: Call, depth: int) -> Interval:
        """Return the range of tensors, and numbers, that were put together."""
        if "reduce" in call.kwargs or (call.op == "index_put" and call.argument("accumulate", 3)):
            return WHOLE  # added to what was there
        values, numbers = list(call.inputs), []
        if call.op == "where":
            values = [v for v in values if v.tensor.dtype is not torch.bool]
            numbers = [item for item in (*call.args, *call.kwargs.values()) if is_number(item)]
        elif call.op == "pad":
            numbers = [call.kwargs.get("value") or 0.0]
        elif call.op == "block_diag":
            numbers = [0.0]
        elif call.op not in ("cat", "stack"):
            if not call.output.tensor.is_floating_point():
                return WHOLE
            values = [v for v in values if v.tensor.is_floating_point()]
            filler = call.argument("value", _FILLER.get(call.op, len(call.args)))
            numbers = [] if filler is None else [filler]
        parts = [self._operand(item, depth) for item in (*values, *numbers)]
        return reduce(joined, parts) if parts else WHOLE

    def _between(self, call: Call, depth: int) -> Interval:
        """Return the range of a mean of two tensors, the whole line where it may lie beyond."""
        weight = self._operand(call.argument("weight", 2), depth)
        if not weight.within(0.0, 1.0):
            return WHOLE
        ends = (call.argument("input", 0), call.argument("end", 1))
        return joined(*(self._operand(end, depth) for end in ends))

    def _operand(self, item: Any, depth: int) -> Interval:
        if isinstance(item, Value):
            return self.of(item, depth)
        return Interval(float(item), float(item)) if is_number(item) else WHOLE

    def _product(self, call: Call, depth: int) -> Interval:
        values = [v for v in call.inputs if v.tensor.is_floating_point()]
        if len(values) != 2:
            return WHOLE
        left, right = (self.of(v, depth) for v in values)
        if all(map(is_normalised, values)):  # a cosine
            return UNIT if left.low >= 0 and right.low >= 0 else Interval(-1.0, 1.0)
        if left.low >= 0 and right.low >= 0:
            return Interval(0.0, INF)
        return WHOLE

    def _recurrent(self, value: Value, call: Call, depth: int) -> Interval:
        """Return the range of a hidden state: o * tanh(c), or a mean of tanh and the state before.

        The cell state of an LSTM has none, nor has a projected hidden state.
        """
        if call.op.startswith("rnn_relu"):
            return Interval(0.0, INF)
        if value.position == (1 if call.op == "lstm_cell" else 2) or _is_projected(call):
            return WHOLE
        if not call.op.startswith("gru"):
            return Interval(-1.0, 1.0)
        began = next(v for v in call.inputs[1:] if v.tensor.is_floating_point())
        return joined(Interval(-1.0, 1.0), self.of(began, depth))


def _same_kind(value: Value, source: Value) -> bool:
    """Return whether a value has numbers of another: no positions, no rounding to integers."""
    return value.tensor.is_floating_point() or not source.tensor.is_floating_point()


def _handed_on(call: Call, x: Interval) -> Interval:
    if call.op not in _WITH_ZEROS:
        return x
    number = call.args[3] if call.op == "pad_packed_sequence" else 0.0
    return joined(x, Interval(float(number), float(number)))


_SCALED = frozenset({"mul", "add", "sub"})


def is_normalised(value: Value, scaled: bool = False) -> bool:
    """Return whether a value was divided by its length, and with `scaled` perhaps stretched."""
    for end in origins(value, HANDED_ON | {"neg"} | (_SCALED if scaled else frozenset())):
        if end.op == "normalize":
            return True
        if end.call is not None and end.op == "div" and len(end.call.inputs) == 2:
            lengths = origins(end.call.inputs[1], HANDED_ON | {"clamp", "add"})
            if any(length.op in ("norm", "vector_norm") for length in lengths):
                return True
    return False


def _is_projected(call: Call) -> bool:
    """Return whether an LSTM has a projection: its state is then not as wide as its gates."""
    if call.op != "lstm":
        return False
    *_, (of_input, of_state, *_) = (item for item in call.args if isinstance(item, tuple))
    return bool(of_input.shape[0] != 4 * of_state.shape[1])


def _measured(value: Value) -> Interval:
    tensor = value.tensor
    if not value.intact or not readable(tensor) or tensor.numel() > _SMALL:
        return WHOLE
    numbers = tensor.detach().double()
    if not bool(torch.isfinite(numbers).all()):
        return WHOLE
    return Interval(float(numbers.min()), float(numbers.max()))


_RANDOM = frozenset({"randn", "randn_like", "normal", "empty", "empty_like", "randint", "randperm"})


_FILLED = {"zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0, "ones_like": 1.0,
           "new_ones": 1.0}  # fmt: skip


def _of_factory(call: Call) -> Interval:
    if call.op in _RANDOM:
        return WHOLE
    number = _FILLED.get(call.op)
    if number is not None:  # known even if the tensor was filled in place since
        return Interval(number, number)
    return _measured(call.output)


def is_number(item: Any) -> bool:
    """Return whether an argument is a plain number."""
    return isinstance(item, (int, float)) and not isinstance(item, bool)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def _log(x: float) -> float:
    return -INF if x <= 0 else math.log(x)


_SELU, _ALPHA = 1.0507009873554805, 1.6732632423543772


def _hardtanh(call: Call, x: Interval) -> Interval:
    low = float(call.argument("min_val", 1, -1.0))
    high = float(call.argument("max_val", 2, 1.0))
    return Interval(min(max(x.low, low), high), max(min(x.high, high), low))


def _clamp(call: Call, x: Interval) -> Interval:
    low, high = call.argument("min", 1), call.argument("max", 2)
    if getattr(call.function, "__name__", "").startswith("clamp_max"):
        low, high = None, call.argument("max", 1)
    least, most = _limits(low, -INF), _limits(high, INF)
    return Interval(min(max(x.low, least.low), most.low), min(max(x.high, least.high), most.high))


def _limits(limit: Any, without: float) -> Interval:
    """Return the range of a limit: a number's, none's, or a tensor's, of which nothing is known."""
    if isinstance(limit, Value):
        return WHOLE
    return Interval(without, without) if limit is None else Interval(float(limit), float(limit))


def _elu(call: Call, x: Interval) -> Interval:
    alpha = float(call.argument("alpha", 1, 1.0))
    if alpha < 0:
        return WHOLE
    below = _negative_part(call.op, alpha)
    return Interval(*(max(end, 0.0) + below(min(end, 0.0)) for end in (x.low, x.high)))


def _negative_part(op: str, alpha: float) -> Callable[[float], float]:
    if op == "celu":
        return lambda x: alpha * math.expm1(x / alpha)
    return lambda x: alpha * math.expm1(x)


def _leaky(call: Call, x: Interval) -> Interval:
    slope = float(call.argument("negative_slope", 1, 0.01))
    if slope < 0:
        return WHOLE
    return Interval(*(max(end, 0.0) + times(min(end, 0.0), slope) for end in (x.low, x.high)))


def _softplus(call: Call, x: Interval) -> Interval:
    beta, threshold = call.argument("beta", 1, 1.0), call.argument("threshold", 2)
    stepped = threshold is not None and threshold < 20  # linear from there on, with a step
    if beta <= 0 or stepped:
        return WHOLE
    ends = (beta * x.low, beta * x.high)
    return Interval(*((max(z, 0.0) + math.log1p(math.exp(-abs(z)))) / beta for z in ends))


def _abs(x: Interval) -> Interval:
    return Interval(max(x.low, -x.high, 0.0), max(-x.low, x.high))


def _pow(call: Call, x: Interval) -> Interval:
    exponent = call.argument("exponent", 1)
    return _raised(x, float(exponent)) if is_number(exponent) else WHOLE


def _raised(x: Interval, exponent: float) -> Interval:
    base = _abs(x) if exponent % 2 == 0 else x
    if base.low < 0:
        return WHOLE
    if exponent < 0:
        return Interval(0.0, INF)
    return Interval(_power(base.low, exponent), _power(base.high, exponent))


def _power(x: float, exponent: float) -> float:
    try:
        return float(x**exponent)
    except OverflowError:
        return INF


def _dropout(call: Call, x: Interval) -> Interval:
    share = float(call.argument("p", 1, 0.5))
    if not call.argument("training", 2, call.kwargs.get("train", True)):
        return x
    scale = 1.0 / (1.0 - share) if share < 1 else 0.0
    return joined(Interval(0.0, 0.0), Interval(times(x.low, scale), times(x.high, scale)))


def _sum(call: Call, x: Interval) -> Interval:
    count = call.inputs[0].tensor.numel() / max(call.output.tensor.numel(), 1)
    return Interval(times(x.low, count), times(x.high, count))


def _threshold(call: Call, x: Interval) -> Interval:
    limit, value = float(call.argument("threshold", 1)), float(call.argument("value", 2))
    return Interval(min(value, max(x.low, limit)), max(x.high, value))


def _average(call: Call, x: Interval) -> Interval:
    if call.argument("divisor_override", 6) is not None:
        return WHOLE
    return joined(x, Interval(0.0, 0.0))  # padding counts as zero


def _interpolated(call: Call, x: Interval) -> Interval:
    return WHOLE if call.argument("mode", 3, "nearest") == "bicubic" else x


_INCREASING: dict[str, Callable[[float], float]] = {
    "relu": lambda x: max(x, 0.0),
    "relu6": lambda x: min(max(x, 0.0), 6.0),
    "exp": _exp,
    "expm1": lambda x: _exp(x) - 1.0,
    "log": _log,
    "log1p": lambda x: _log(1.0 + x),
    "selu": lambda x: _SELU * (max(x, 0.0) + _ALPHA * math.expm1(min(x, 0.0))),
    "sqrt": lambda x: math.sqrt(max(x, 0.0)),
}
"""Operations whose range is between their results at both ends."""

RULES: dict[str, Callable[[Call, Interval], Interval]] = {
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "elu": _elu,
    "celu": _elu,
    "leaky_relu": _leaky,
    "softplus": _softplus,
    "reciprocal": lambda _call, x: div(Interval(1.0, 1.0), x),
    "abs": lambda _call, x: _abs(x),
    "neg": lambda _call, x: Interval(-x.high, -x.low),
    "square": lambda _call, x: _raised(x, 2.0),
    "pow": _pow,
    "sum": _sum,
    "dropout": _dropout,
    "threshold": _threshold,
    "avg_pool": _average,
    "interpolate": _interpolated,
    "normalize": lambda _call, x: Interval(0.0 if x.low >= 0 else -1.0, 1.0),
}
