"""Functions that saturate at both ends."""

from actlab.catalogue.function import Function

FUNCTIONS = (
    Function(
        name="sigmoid",
        formula="sigmoid(x)",
        source="Rumelhart et al. 1986",
        factory="native:sigmoid",
    ),
    Function(
        name="tanh",
        formula="tanh(x)",
        source="LeCun et al. 1991",
        factory="native:tanh",
    ),
)
