"""Functions that grow like a logarithm."""

from math import e, erfc, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink
from actlab.activations.function import Function, Parameter

FUNCTIONS = (
    Function(
        name="nlrelu",
        formula="log1p(beta*relu(x))",
        source="Liu et al. 2019, arXiv:1908.03682",
        factory="rectifiers:NLReLU",
        parameters=(Parameter("beta", 1.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(1, 0),
            at_zero=(0, 1),
            limits=(0, inf),
            slope_limits=(0, 0),
            moments=(
                0.2674111478589477,
                0.19342180068732448,
                0.30743526976815894,
                0.2063775501695916,
            ),
            zero_gradient=0.5,
            kinks=(Kink(0, 0, 1, 0),),
        ),
    ),
    Function(
        name="asinh",
        formula="asinh(x)",
        source="classical",
        factory="sigmoids:Asinh",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(0, 0),
            moments=(
                0,
                0.6331589000049533,
                0.7896399592356571,
                sqrt(pi * e / 2) * erfc(sqrt(0.5)),
            ),
            because={
                "mean_under_N01": "odd",
                "second_moment_grad_N01": "E 1 / (1 + z^2), as the mean slope of arctan",
            },
        ),
    ),
    Function(
        name="symlog",
        formula="sign(x)*log1p(abs(x))",
        source="Bi et al. 2009; Hafner et al. 2023, arXiv:2301.04104",
        factory="sigmoids:Symlog",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(0, 0),
            moments=(
                0,
                0.38684360137464896,
                0.6148705395363179,
                0.4127551003391832,
            ),
            because={
                "mean_under_N01": "odd",
            },
        ),
    ),
)
