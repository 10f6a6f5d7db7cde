"""Functions of several numbers: gated, concatenating, vector-valued."""

from actlab.catalogue.function import Function

FUNCTIONS = (
    Function(
        name="softmax",
        formula="exp(x)/sum(exp(x))",
        source="Bridle 1990",
        factory="native:softmax",
        kind="structural",
    ),
)
