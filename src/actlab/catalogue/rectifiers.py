"""Functions that are linear in pieces."""

from actlab.catalogue.function import Function, Parameter

FUNCTIONS = (
    Function(
        name="relu",
        formula="relu(x)",
        source="Nair & Hinton 2010 (Fukushima 1969)",
        factory="native:relu",
    ),
    Function(
        name="leaky_relu",
        formula="where(x>0, x, negative_slope*x)",
        source="Maas et al. 2013",
        factory="native:leaky_relu",
        parameters=(Parameter("negative_slope", 0.01),),
    ),
    Function(
        name="prelu",
        formula="where(x>0, x, a*x)",
        source="He et al. 2015, arXiv:1502.01852",
        factory="native:prelu",
        parameters=(Parameter("a", 0.25, learnable=True),),
    ),
)
