"""Functions of the form x times a gate of x."""

from actlab.catalogue.function import Function

FUNCTIONS = (
    Function(
        name="silu",
        formula="x*sigmoid(x)",
        source="Elfwing et al. 2017, arXiv:1702.03118",
        factory="native:silu",
    ),
)
