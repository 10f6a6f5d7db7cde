"""Functions that pull small inputs to 0."""

from math import erf, inf, sqrt

from actlab.activations.catalogue.declared import Declared, Kink, normal_density, normal_tail
from actlab.activations.catalogue.entry import Entry, Parameter

ENTRIES = (
    Entry(
        name="hardshrink",
        formula="where(abs(x)>lambd, x, 0.0)",
        source="Donoho & Johnstone 1994; torch",
        factory="native:hardshrink",
        parameters=(Parameter("lambd", 0.5, low=0.0),),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="non_decreasing",
            smoothness="discontinuous",
            steepest=(1, None),
            at_zero=(0, 0),
            limits=(-inf, inf),
            slope_limits=(1, 1),
            moments=(
                0,
                2 * (0.5 * normal_density(0.5) + normal_tail(0.5)),
                2 * normal_tail(0.5),
                2 * normal_tail(0.5),
            ),
            zero_gradient=erf(0.5 * sqrt(0.5)),
            fixed_points=(
                (-inf, -0.5),
                0,
                (0.5, inf),
            ),
            kinks=(
                Kink(-0.5, 1, 0, 0),
                Kink(0.5, 0, 1, 0),
            ),
            because={
                "moments": "Gaussian integrals of the pieces; the jumps have no slope",
            },
        ),
    ),
    Entry(
        name="softshrink",
        formula="where(x>lambd, x-lambd, where(x<-lambd, x+lambd, 0.0))",
        source="Donoho 1995",
        factory="native:softshrink",
        parameters=(Parameter("lambd", 0.5, low=0.0),),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(0, 0),
            limits=(-inf, inf),
            slope_limits=(1, 1),
            moments=(
                0,
                2 * (1.25 * normal_tail(0.5) - 0.5 * normal_density(0.5)),
                2 * normal_tail(0.5),
                2 * normal_tail(0.5),
            ),
            zero_gradient=erf(0.5 * sqrt(0.5)),
            kinks=(
                Kink(-0.5, 1, 0, 0),
                Kink(0.5, 0, 1, 0),
            ),
            because={
                "moments": "Gaussian integrals of the pieces",
            },
        ),
    ),
    Entry(
        name="tanhshrink",
        formula="x-tanh(x)",
        source="torch",
        factory="native:tanhshrink",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, None),
            at_zero=(0, 0),
            limits=(-inf, inf),
            slope_limits=(1, 1),
            moments=(
                0,
                0.18288347119352352,
                0.3942944903978412,
                0.2529918832439506,
            ),
            because={
                "mean_under_N01": "odd",
                "mean_grad_N01": "f' = tanh^2, so E tanh^2",
            },
        ),
    ),
)
