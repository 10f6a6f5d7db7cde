"""Sigmoids made of straight lines and parabolas."""

from math import erf, erfc, sqrt

from actlab.activations.catalogue.declared import Declared, Kink
from actlab.activations.catalogue.normal import normal_density, normal_tail
from actlab.activations.function import Function
from actlab.i18n import N_

_HARDTANH_SECOND = erf(sqrt(0.5)) - 2 * normal_density(1) + 2 * normal_tail(1)
"""E hardtanh(z)^2."""


def _clipped_second(bound: float) -> float:
    """Return E of the square of z clipped to [-bound, bound]."""
    inside = erf(bound * sqrt(0.5)) - 2 * bound * normal_density(bound)
    return inside + 2 * bound**2 * normal_tail(bound)


FUNCTIONS = (
    Function(
        name="relu6",
        formula="clip(x, 0, 6)",
        source="Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10",
        factory="native:relu6",
        declared=Declared(
            range=(0, 6),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(0, 1),
            limits=(0, 6),
            slope_limits=(0, 0),
            moments=(
                normal_density(0) - normal_density(6) + 6 * normal_tail(6),
                0.5 - normal_tail(6) - 6 * normal_density(6) + 36 * normal_tail(6),
                0.5 - normal_tail(6),
                0.5 - normal_tail(6),
            ),
            zero_gradient=0.5 + normal_tail(6),
            fixed_points=((0, 6),),
            kinks=(
                Kink(0, 0, 1, 0),
                Kink(6, 1, 0, 0),
            ),
            because={
                "moments": "Gaussian integrals of the pieces",
            },
        ),
    ),
    Function(
        name="hardtanh",
        formula="clip(x, -1, 1)",
        source="Collobert 2004, Large scale machine learning",
        factory="native:hardtanh",
        declared=Declared(
            range=(-1, 1),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                _HARDTANH_SECOND,
                erf(sqrt(0.5)),
                erf(sqrt(0.5)),
            ),
            zero_gradient=erfc(sqrt(0.5)),
            fixed_points=((-1, 1),),
            kinks=(
                Kink(-1, 0, 1, 0),
                Kink(1, 1, 0, 0),
            ),
            because={
                "moments": "Gaussian integrals of the pieces",
            },
        ),
    ),
    Function(
        name="hardsigmoid",
        formula="clip(x+3, 0, 6)/6",
        source="Howard et al. 2019 (MobileNetV3), arXiv:1905.02244",
        factory="native:hardsigmoid",
        pitfalls=(N_("Older code means (x + 1) / 2 or 0.2 x + 0.5 by this name, clipped."),),
        declared=Declared(
            range=(0, 1),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(0.16666666666666666, None),
            at_zero=(0.16666666666666666, 0.16666666666666666),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                1 / 4 + (_clipped_second(3)) / 36,
                erf(3 * sqrt(0.5)) / 6,
                erf(3 * sqrt(0.5)) / 36,
            ),
            zero_gradient=erfc(3 * sqrt(0.5)),
            fixed_points=(0.6,),
            kinks=(
                Kink(-3, 0, 0.16666666666666666, 0),
                Kink(3, 0.16666666666666666, 0, 0),
            ),
            because={
                "moments": "Gaussian integrals of the pieces; f - 1/2 is odd",
            },
        ),
    ),
    Function(
        name="sparse_sigmoid",
        formula="clip(0.5*(x+1), 0, 1)",
        source="Blondel et al. 2019, arXiv:1901.02324",
        factory="rectifiers:SparseSigmoid",
        declared=Declared(
            range=(0, 1),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(0.5, None),
            at_zero=(0.5, 0.5),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                1 / 4 + _HARDTANH_SECOND / 4,
                erf(sqrt(0.5)) / 2,
                erf(sqrt(0.5)) / 4,
            ),
            zero_gradient=erfc(sqrt(0.5)),
            fixed_points=(1,),
            kinks=(
                Kink(-1, 0, 0.5, 0),
                Kink(1, 0.5, 0, 0),
            ),
            because={
                "moments": "f = (1 + hardtanh) / 2",
            },
        ),
    ),
)
