"""Functions with an exponential branch."""

from actlab.catalogue.function import Function, Parameter

FUNCTIONS = (
    Function(
        name="elu",
        formula="where(x>0, x, alpha*expm1(x))",
        source="Clevert et al. 2015, arXiv:1511.07289",
        factory="native:elu",
        parameters=(Parameter("alpha", 1.0),),
    ),
)
