"""Naming a run of an activation or a layer, and finding the layers around it."""

from collections import Counter
from collections.abc import Iterable

from torch import nn

from actlab.capture import ops
from actlab.capture.trace import Call, Trace, Value
from actlab.checker.analysis.origins import origins, uses

_BETWEEN = ops.VIEWS | ops.NORMS | ops.POOLS | ops.DROPOUTS | {"add", "sub", "mul", "div"}
_FEEDERS = ops.AFFINE | ops.PRODUCTS | ops.RECURRENT | ops.ATTENTION


def layer_label(call: Call) -> str:
    """Return the path of the module that ran a layer, with its operation: `fc1 (linear)`."""
    return f"{call.module} ({call.op})" if call.module else call.op


def activation_label(call: Call) -> str:
    """Return where an activation is: its own module's path, or the layer that feeds it.

    A module that stands at one place names itself: `features.1 (relu)`. A functional call is named
    by the layer before: `relu after fc1`.
    """
    module = call.scopes[-1].module if call.scopes else None
    own = module is not None and next(module.children(), None) is None and not _has_layer(module)
    feeder = next((maker.module for maker in feeders(call) if maker.module), None)
    if own and call.module:
        return f"{call.module} ({call.op})"
    if feeder is not None:
        return f"{call.op} after {feeder}"
    return f"{call.op} in {call.module}" if call.module else call.op


def _has_layer(module: nn.Module) -> bool:
    return any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))


def feeders(call: Call) -> tuple[Call, ...]:
    """Return the layers that feed an activation, through norms, pooling, sums and views."""
    found = origins(call.inputs[0], _BETWEEN) if call.inputs else ()
    made = (origin.call for origin in found)
    return tuple(maker for maker in made if maker is not None and maker.op in _FEEDERS)


def feeds_a_layer(trace: Trace, value: Value) -> bool:
    """Return whether a value is the input of a layer, however far on."""
    pending, seen = [value], {id(value)}
    for current in pending:
        for call, __ in uses(trace, current):
            if call.op in _FEEDERS:
                return True
            for output in call.outputs:
                if id(output) not in seen:
                    seen.add(id(output))
                    pending.append(output)
    return False


def distinct(labels: Iterable[str]) -> list[str]:
    """Return the labels with numbers where one occurs more than once.

    >>> distinct(["act", "fc", "act"])
    ['act (run 1)', 'fc', 'act (run 2)']
    """
    names = list(labels)
    total, seen = Counter(names), Counter[str]()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} (run {seen[name]})" if total[name] > 1 else name)
    return result
