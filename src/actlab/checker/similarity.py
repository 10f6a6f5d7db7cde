"""Scores that compare the samples of a batch with each other, as contrastive losses do."""

from actlab.checker import ops
from actlab.checker.provenance import HANDED_ON, origins
from actlab.checker.trace import Value

_SCALED = HANDED_ON | {"mul", "div", "add", "sub", "neg"}


def compares_samples(value: Value) -> bool:
    """Return whether a value is a square of products or distances between two sets of samples."""
    if value.tensor.ndim != 2 or value.shape[0] != value.shape[1]:
        return False
    return any(
        end.op == "cdist"
        or (
            end.op in ops.PRODUCTS
            and end.call is not None
            and all(part.call is not None for part in end.call.inputs)
        )
        for end in origins(value, _SCALED)
    )
