"""The range that a value can reach, whatever the inputs and the weights are.

Interval arithmetic over the recorded calls. It is sound: the true range lies within the interval.
An operation that is not in the table, a parameter and an input give the whole line, from which no
rule concludes anything.
"""

import math
from collections.abc import Callable
from typing import Any

import torch

from actlab.capture import ops
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.interval import BINARY, INF, UNIT, WHOLE, Interval, div, joined, times
from actlab.checker.analysis.origins import HANDED_ON, origins, selects, true_origins

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
        if op == "cosine_similarity" and all(self.of(v, depth).low >= 0 for v in call.inputs[:2]):
            return UNIT
        if op in _FIXED:
            return _FIXED[op]
        if op in ops.RECURRENT:
            return self._recurrent(value, call, depth)
        if not call.inputs or op in _FILLED:
            return _of_factory(call)
        one_each = op in ("broadcast_tensors", "meshgrid") and value.position < len(call.inputs)
        first = self.of(call.inputs[value.position if one_each else 0], depth)
        if op in _FLOORS:
            return Interval(_FLOORS[op] if first.low < 0 else 0.0, max(first.high, 0.0))
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
        if op in ("maximum", "minimum") or (op in ("max", "min") and _is_pair(call)):
            second = self.of(call.inputs[-1], depth)
            choose = max if op.startswith("max") else min
            return Interval(choose(first.low, second.low), choose(first.high, second.high))
        if op in ops.VIEWS or op in ("mean", "amax", "amin", "max", "min", "median", "cummax",
                                     "quantile", "max_pool", "mode"):  # fmt: skip
            return first
        if op in ops.JOINS or op == "lerp":
            return self._hull(call, depth)
        if op in BINARY and "alpha" not in call.kwargs:
            left, right = self._operand(call, 0, depth), self._operand(call, 1, depth)
            return WHOLE if right is None else BINARY[op](left or first, right)
        if op in ops.PRODUCTS or (op == "linear" and len(call.inputs) == 2):
            return self._product(call, depth)
        return WHOLE

    def _parts(self, value: Value, depth: int) -> Interval | None:
        """Return the range of a slice of tensors that were put together, None for other values."""
        ends = true_origins(value)
        passed = {call.op for end in ends for call in end.passed}
        if not passed & {"cat", "stack"} or not passed <= ops.VIEWS | {"cat", "stack"}:
            return None
        result = self.of(ends[0].value, depth)
        for end in ends[1:]:
            result = joined(result, self.of(end.value, depth))
        return result

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
            ndim = weights.tensor.ndim
            if isinstance(over, int) and over % ndim == dim % ndim:
                return self.of(numbers, depth)
        return None

    def _hull(self, call: Call, depth: int) -> Interval:
        parts = [self.of(v, depth) for v in call.inputs if v.tensor.is_floating_point()]
        numbers = [item for item in (*call.args, *call.kwargs.values()) if is_number(item)]
        if call.op == "pad":
            numbers = [float(call.argument("value", 3) or 0.0)]
        if call.op in ("masked_fill", "index_fill", "where", "pad"):
            parts += [Interval(float(n), float(n)) for n in numbers]
        if call.op in ("setitem", "index_put") and not parts:
            return WHOLE
        if call.op == "setitem" and is_number(call.args[-1]):
            parts.append(Interval(float(call.args[-1]), float(call.args[-1])))
        result = parts[0] if parts else WHOLE
        for part in parts[1:]:
            result = joined(result, part)
        return result

    def _operand(self, call: Call, position: int, depth: int) -> Interval | None:
        item = call.argument("input" if position == 0 else "other", position)
        if isinstance(item, Value):
            return self.of(item, depth)
        return Interval(float(item), float(item)) if is_number(item) else None

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
        states = [item for item in call.args[1:3] if isinstance(item, Value)]
        before = [self.of(v, depth) for v in states if v.tensor.is_floating_point()][:1]
        return joined(Interval(-1.0, 1.0), before[0]) if before else Interval(-1.0, 1.0)


_SCALED = frozenset({"mul", "add", "sub"})


def is_normalised(value: Value, scaled: bool = False) -> bool:
    """Return whether a value was divided by its length, and with `scaled` perhaps stretched."""
    for end in origins(value, HANDED_ON | {"neg"} | (_SCALED if scaled else frozenset())):
        if end.op == "normalize":
            return True
        if end.call is not None and end.op == "div":
            lengths = origins(end.call.inputs[-1], HANDED_ON | {"clamp", "add"})
            if any(length.op in ("norm", "vector_norm") for length in lengths):
                return True
    return False


def _is_projected(call: Call) -> bool:
    """Return whether an LSTM has a projection: its state is then not as wide as its gates."""
    weights = max((item for item in call.args if isinstance(item, tuple)), key=len, default=())
    shapes = [w.shape for w in weights if isinstance(w, Value) and w.tensor.ndim == 2]
    return call.op == "lstm" and len(shapes) > 1 and 4 * shapes[1][1] != shapes[0][0]


def _is_pair(call: Call) -> bool:
    """Return whether `max(a, b)` was given two tensors."""
    return call.op in ("max", "min") and len(call.inputs) == 2


def _measured(value: Value) -> Interval:
    tensor = value.tensor
    if tensor.numel() == 0 or tensor.numel() > _SMALL or tensor.is_meta or not value.intact:
        return WHOLE
    with torch.no_grad():
        numbers = tensor.detach().double() if not tensor.is_complex() else None
        if numbers is None or not bool(torch.isfinite(numbers).all()):
            return WHOLE
        return Interval(float(numbers.min()), float(numbers.max()))


_RANDOM = frozenset({"randn", "randn_like", "normal", "empty", "empty_like", "randint", "randperm"})


_FILLED = {"zeros": 0.0, "zeros_like": 0.0, "new_zeros": 0.0, "ones": 1.0, "ones_like": 1.0,
           "new_ones": 1.0}  # fmt: skip


def _of_factory(call: Call) -> Interval:
    if call.op in _RANDOM or not call.outputs:
        return WHOLE
    number = _FILLED.get(call.op)
    if number is not None:  # known even if the tensor was filled in place since
        return Interval(number, number)
    return _measured(call.output)


def is_number(item: Any) -> bool:
    """Return whether an argument is a plain number."""
    return isinstance(item, (int, float)) and not isinstance(item, bool)


def _monotone(function: Callable[[float], float]) -> Callable[[Call, Interval], Interval]:
    def bound(call: Call, x: Interval) -> Interval:  # noqa: ARG001  one signature for all
        return Interval(function(x.low), function(x.high))

    return bound


def _exp(x: float) -> float:
    return math.exp(min(x, 700.0)) if x < 700.0 else INF


def _log(x: float) -> float:
    return -INF if x <= 0 else math.log(x)


_SELU, _ALPHA = 1.0507009873554805, 1.6732632423543772


def _hardtanh(call: Call, x: Interval) -> Interval:
    low = float(call.argument("min_val", 1, -1.0))
    high = float(call.argument("max_val", 2, 1.0))
    return Interval(min(max(x.low, low), high), max(min(x.high, high), low))


def _clamp(call: Call, x: Interval) -> Interval:
    low, high = call.argument("min", 1), call.argument("max", 2)
    name = getattr(call.function, "__name__", "")
    if name.startswith("clamp_max"):
        low, high = None, call.argument("max", 1)
    low_end = x.low if not is_number(low) else max(x.low, float(low))
    high_end = x.high if not is_number(high) else min(x.high, float(high))
    return Interval(min(low_end, high_end), max(low_end, high_end))


def _elu(call: Call, x: Interval) -> Interval:
    alpha = float(call.argument("alpha", 1, 1.0))
    return Interval(max(-alpha, x.low) if x.low < 0 else x.low, max(x.high, 0.0))


def _leaky(call: Call, x: Interval) -> Interval:
    slope = float(call.argument("negative_slope", 1, 0.01))
    if slope < 0:
        return WHOLE
    return Interval(x.low * slope if x.low < 0 else x.low, x.high * slope if x.high < 0 else x.high)


def _pow(call: Call, x: Interval) -> Interval:
    exponent = call.argument("exponent", 1)
    if not is_number(exponent):
        return WHOLE
    if float(exponent) % 2 == 0 and exponent > 0:
        top = max(abs(x.low), abs(x.high))
        return Interval(0.0, _power(top, float(exponent)))
    if x.low >= 0 and exponent > 0:
        return Interval(_power(x.low, float(exponent)), _power(x.high, float(exponent)))
    return Interval(0.0, INF) if x.low >= 0 else WHOLE


def _power(x: float, exponent: float) -> float:
    try:
        return float(x**exponent)
    except OverflowError:
        return INF


def _dropout(call: Call, x: Interval) -> Interval:
    share = call.argument("p", 1, 0.5)
    training = call.argument("training", 2, True)
    if not training or not is_number(share) or not 0 <= float(share) < 1:
        return x
    scale = 1.0 / (1.0 - float(share))
    return joined(Interval(0.0, 0.0), Interval(times(x.low, scale), times(x.high, scale)))


def _sum(call: Call, x: Interval) -> Interval:
    count = call.inputs[0].tensor.numel() / max(call.output.tensor.numel(), 1)
    return Interval(times(x.low, count), times(x.high, count))


def _threshold(call: Call, x: Interval) -> Interval:
    limit, value = call.argument("threshold", 1), call.argument("value", 2)
    if not is_number(limit) or not is_number(value):
        return WHOLE
    return Interval(min(float(value), max(x.low, float(limit))), max(x.high, float(value)))


def _average(call: Call, x: Interval) -> Interval:  # noqa: ARG001  padding counts as zero
    return joined(x, Interval(0.0, 0.0))


def _interpolated(call: Call, x: Interval) -> Interval:
    return WHOLE if call.argument("mode", 3, "nearest") == "bicubic" else x


RULES: dict[str, Callable[[Call, Interval], Interval]] = {
    "relu": _monotone(lambda x: max(x, 0.0)),
    "relu6": _monotone(lambda x: min(max(x, 0.0), 6.0)),
    "hardtanh": _hardtanh,
    "clamp": _clamp,
    "elu": _elu,
    "celu": _elu,
    "leaky_relu": _leaky,
    "exp": _monotone(_exp),
    "expm1": _monotone(lambda x: _exp(x) - 1.0),
    "log": _monotone(_log),
    "log1p": _monotone(lambda x: _log(1.0 + x)),
    "reciprocal": lambda _call, x: div(Interval(1.0, 1.0), x),
    "softplus": _monotone(lambda x: x if x > 30.0 else math.log1p(_exp(x))),
    "selu": _monotone(lambda x: _SELU * (x if x > 0 else _ALPHA * math.expm1(max(x, -700.0)))),
    "sqrt": _monotone(lambda x: math.sqrt(max(x, 0.0))),
    "abs": lambda _call, x: Interval(
        0.0 if x.low <= 0 <= x.high else min(abs(x.low), abs(x.high)), max(abs(x.low), abs(x.high))
    ),
    "neg": lambda _call, x: Interval(-x.high, -x.low),
    "square": lambda _call, x: Interval(0.0, _power(max(abs(x.low), abs(x.high)), 2.0)),
    "pow": _pow,
    "sum": _sum,
    "dropout": _dropout,
    "threshold": _threshold,
    "avg_pool": _average,
    "interpolate": _interpolated,
    "normalize": lambda _call, x: Interval(0.0 if x.low >= 0 else -1.0, 1.0),
}
