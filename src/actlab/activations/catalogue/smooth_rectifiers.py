"""Smooth versions of the rectifier, and functions near them."""

from math import exp, inf

from actlab.activations.catalogue.declared import Declared
from actlab.activations.function import Function, Parameter
from actlab.i18n import N_

FUNCTIONS = (
    Function(
        name="softplus",
        formula="softplus(beta*x)/beta",
        source="Dugas et al. 2000",
        factory="native:softplus",
        parameters=(Parameter("beta", 1.0, low=0.0, low_open=True),),
        pitfalls=(
            N_(
                "torch returns x itself from beta x = 20 on; Keras and JAX do not (a "
                "difference of 2e-9)."
            ),
        ),
        declared=Declared(
            range=(0, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, None),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.8060591833474398,
                0.9212459088593002,
                1 / 2,
                0.29337903585809294,
            ),
            fixed_points=(),
            because={
                "mean_grad_N01": "f' = sigmoid, and sigmoid - 1/2 is odd",
            },
        ),
    ),
    Function(
        name="squareplus",
        formula="0.5*(x+sqrt(x**2+b))",
        source="Barron 2021, arXiv:2112.11687",
        factory="exponentials:Squareplus",
        parameters=(Parameter("b", 4.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(0, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, None),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                1.1093055137900278,
                3 / 2,
                1 / 2,
                0.2893153853559728,
            ),
            fixed_points=(),
            because={
                "second_moment_N01": "E (2 z^2 + b) / 4, the cross term is odd",
                "mean_grad_N01": "f' - 1/2 is odd",
            },
        ),
    ),
    Function(
        name="logsigmoid",
        formula="-softplus(-x)",
        source="torch; - softplus(-x)",
        factory="exponentials:LogSigmoid",
        declared=Declared(
            range=(-inf, 0),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, None),
            at_zero=(0.5, 0.5),
            limits=(-inf, 0),
            slope_limits=(1, 0),
            moments=(
                -0.8060591833474398,
                0.9212459088593002,
                1 / 2,
                0.29337903585809294,
            ),
            fixed_points=(),
            because={
                "mean_grad_N01": "f' = sigmoid(-x)",
            },
        ),
    ),
    Function(
        name="exponential",
        formula="exp(x)",
        source="classical",
        factory="exponentials:Exponential",
        declared=Declared(
            range=(0, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(inf, None),
            at_zero=(1, 1),
            limits=(0, inf),
            slope_limits=(0, inf),
            moments=(
                exp(0.5),
                exp(2),
                exp(0.5),
                exp(2),
            ),
            fixed_points=(),
            because={
                "moments": "E exp(t z) = exp(t^2 / 2)",
            },
        ),
    ),
    Function(
        name="bent_identity",
        formula="(sqrt(x**2+1)-1)/2+x",
        source="folklore",
        factory="exponentials:BentIdentity",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1.5, None),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(0.5, 1.5),
            moments=(
                0.17726540324065765,
                1.0727345967593422,
                1,
                1.0860801143953003,
            ),
            because={
                "mean_grad_N01": "f' - 1 is odd",
            },
        ),
    ),
)
