"""Functions that oscillate, and the Gaussian bell."""

from math import e, exp, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared
from actlab.activations.catalogue.entry import Entry, Parameter
from actlab.i18n import N_

ENTRIES = (
    Entry(
        name="sine",
        formula="sin(omega*x)",
        source="Parascandolo et al. 2017; Sitzmann et al. 2020 (SIREN), arXiv:2006.09661",
        factory="periodic:Sine",
        parameters=(Parameter("omega", 1.0),),
        pitfalls=(N_("SIREN uses omega = 30, with an initialisation of its own."),),
        declared=Declared(
            range=(-1, 1),
            attained=(True, True),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-pi / 2, -1),
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(None, None),
            slope_limits=(None, None),
            moments=(
                0,
                (1 - exp(-2)) / 2,
                exp(-0.5),
                (1 + exp(-2)) / 2,
            ),
            because={
                "moments": "E cos(t z) = exp(-t^2 / 2)",
            },
        ),
    ),
    Entry(
        name="snake",
        formula="x+sin(a*x)**2/a",
        source="Liu et al. 2020, arXiv:2006.08195",
        factory="periodic:Snake",
        parameters=(Parameter("a", 1.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(2, pi / 4),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(None, None),
            moments=(
                (1 - exp(-2)) / 2,
                1 + (3 - 4 * exp(-2) + exp(-8)) / 8,
                1,
                1 + (1 - exp(-8)) / 2,
            ),
            fixed_points=(
                -3 * pi,
                -2 * pi,
                -pi,
                0,
                pi,
                2 * pi,
                3 * pi,
            ),
            because={
                "moments": "E cos(t z) = exp(-t^2 / 2); sin^4 = (3 - 4 cos 2z + cos 4z) / 8",
                "steepest": "f' = 1 + sin(2 a x)",
                "fixed_points": "sin(a x) = 0",
            },
        ),
    ),
    Entry(
        name="gcu",
        formula="x*cos(x)",
        source="Noel et al. 2021, arXiv:2108.12943",
        factory="periodic:GCU",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            steepest=(inf, None),
            at_zero=(1, 1),
            limits=(None, None),
            slope_limits=(None, None),
            moments=(
                0,
                0.5 - 1.5 * exp(-2),
                0,
                1,
            ),
            fixed_points=(
                -2 * pi,
                0,
                2 * pi,
            ),
            because={
                "moments": "E z^2 cos(t z) = (1 - t^2) exp(-t^2 / 2)",
                "fixed_points": "cos(x) = 1",
            },
        ),
    ),
    Entry(
        name="gaussian",
        formula="exp(-x**2)",
        source="classical (radial basis function)",
        factory="periodic:Gaussian",
        declared=Declared(
            range=(0, 1),
            attained=(False, True),
            monotonic="non_monotonic",
            smoothness="Cinf",
            steepest=(sqrt(2 / e), -sqrt(0.5)),
            at_zero=(0, 0),
            limits=(0, 0),
            slope_limits=(0, 0),
            moments=(
                1 / sqrt(3),
                1 / sqrt(5),
                0,
                4 / sqrt(125),
            ),
            fixed_points=(0.6529186404192047,),
            because={
                "moments": "Gaussian integrals",
                "steepest": "f'' = 0 at x^2 = 1/2",
            },
        ),
    ),
    Entry(
        name="snake_beta",
        formula="x+sin(alpha*x)**2/beta",
        source="Lee et al. 2022 (BigVGAN), arXiv:2206.04658",
        factory="periodic:SnakeBeta",
        parameters=(
            Parameter("alpha", 1.0, learnable=True),
            Parameter("beta", 1.0, learnable=True, low=0.0, low_open=True),
        ),
        pitfalls=(N_("BigVGAN learns the logarithms of alpha and beta, one of each per channel."),),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(2, pi / 4),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(None, None),
            moments=(
                (1 - exp(-2)) / 2,
                1 + (3 - 4 * exp(-2) + exp(-8)) / 8,
                1,
                1 + (1 - exp(-8)) / 2,
            ),
            fixed_points=(-3 * pi, -2 * pi, -pi, 0, pi, 2 * pi, 3 * pi),
            because={
                "moments": "E cos(t z) = exp(-t^2 / 2); sin^4 = (3 - 4 cos 2z + cos 4z) / 8",
                "steepest": "f' = 1 + sin(2 x)",
                "fixed_points": "sin(x) = 0",
            },
        ),
    ),
)
