"""What one call does to the interval of its first input."""

import math
from collections.abc import Callable
from typing import Any

from actlab.capture.trace import Call
from actlab.checker.analysis.interval import INF, WHOLE, Interval, div, joined, times


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
