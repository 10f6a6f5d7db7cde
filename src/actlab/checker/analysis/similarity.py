"""Scores that compare: samples with each other, or features with prototypes, by direction."""

from actlab.capture import ops
from actlab.capture.trace import Value
from actlab.checker.analysis.origins import HANDED_ON, origins

_SCALED = HANDED_ON | {"mul", "div", "add", "sub", "neg"}
_DISTANCES = frozenset({"cdist", "cosine_similarity", "pairwise_distance"})


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


def is_similarity(value: Value) -> bool:
    """Return whether a value is distances, or products of samples or of normalised features.

    Their size is chosen by a temperature, not by the weights of a head.
    """
    if compares_samples(value):
        return True
    return any(
        end.op in _DISTANCES
        or (
            end.call is not None
            and end.op in ops.PRODUCTS | ops.AFFINE
            and any(map(_is_normalised, end.call.inputs[:2]))
        )
        for end in origins(value, _SCALED | {"pow", "square"})
    )


def _is_normalised(value: Value) -> bool:
    """Return whether a value was divided by its own length."""
    for end in origins(value, _SCALED - {"div"}):
        if end.op == "normalize":
            return True
        if end.call is not None and end.op == "div":
            lengths = origins(end.call.inputs[-1], HANDED_ON | {"clamp", "add"})
            if any(length.op in ("norm", "vector_norm") for length in lengths):
                return True
    return False
