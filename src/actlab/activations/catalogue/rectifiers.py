"""Functions that are straight lines or squares in pieces."""

from math import exp, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink
from actlab.activations.function import Function, Parameter
from actlab.i18n import N_

_RRELU = (0.125 + 1 / 3) / 2
"""The slope in evaluation: the middle of the two bounds."""

_ARELU = 1 + 1 / (1 + exp(-2.0))
"""The slope of the positive side: 1 + sigmoid(b) for b = 2."""

FUNCTIONS = (
    Function(
        name="identity",
        formula="x",
        source="-",
        factory="native:identity",
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-inf, inf),
            slope_limits=(1, 1),
            moments=(
                0,
                1,
                1,
                1,
            ),
            fixed_points=((-inf, inf),),
        ),
    ),
    Function(
        name="step",
        formula="where(x>0, 1.0, 0.0)",
        source="McCulloch & Pitts 1943",
        factory="rectifiers:Step",
        pitfalls=(
            N_("Its gradient is 0 everywhere: nothing before it learns by gradient descent."),
        ),
        declared=Declared(
            range=(0, 1),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="discontinuous",
            steepest=(0, None),
            at_zero=(0, 0),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                1 / 2,
                0,
                0,
            ),
            zero_gradient=1,
            fixed_points=(
                0,
                1,
            ),
            kinks=(Kink(0, 0, 0, 0),),
            because={
                "moments": "P(z > 0) = 1/2",
            },
        ),
    ),
    Function(
        name="relu",
        formula="relu(x)",
        source="Nair & Hinton 2010; Fukushima 1969",
        factory="native:relu",
        pitfalls=(
            N_(
                "A unit that is negative for every input gets no gradient and stays so "
                "(dying ReLU)."
            ),
            N_("The gradient at 0 is 0, as in torch, TensorFlow and JAX."),
        ),
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(0, 1),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                1 / sqrt(2 * pi),
                1 / 2,
                1 / 2,
                1 / 2,
            ),
            zero_gradient=0.5,
            fixed_points=((0, inf),),
            kinks=(Kink(0, 0, 1, 0),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
    Function(
        name="leaky_relu",
        formula="where(x>0, x, negative_slope*x)",
        source=(
            "Maas et al. 2013, Rectifier nonlinearities improve neural network acoustic models"
        ),
        factory="native:leaky_relu",
        parameters=(Parameter("negative_slope", 0.01),),
        pitfalls=(
            N_("The slope is 0.01 in torch and JAX, 0.2 in Keras' function and 0.3 in its layer."),
        ),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(0.01, 1),
            limits=(-inf, inf),
            slope_limits=(0.01, 1),
            moments=(
                (1 - 0.01) / sqrt(2 * pi),
                (1 + 0.01**2) / 2,
                (1 + 0.01) / 2,
                (1 + 0.01**2) / 2,
            ),
            fixed_points=((0, inf),),
            kinks=(Kink(0, 0.01, 1, 0.01),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
    Function(
        name="prelu",
        formula="where(x>0, x, a*x)",
        source="He et al. 2015, arXiv:1502.01852",
        factory="native:prelu",
        parameters=(Parameter("a", 0.25, learnable=True),),
        pitfalls=(
            N_(
                "Weight decay pulls the learnt slope towards 0, that is towards ReLU; the "
                "paper uses none on it."
            ),
            N_("The slope starts at 0.25 in torch, at 0 and with one slope per element in Keras."),
        ),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(0.25, 1),
            limits=(-inf, inf),
            slope_limits=(0.25, 1),
            moments=(
                (1 - 0.25) / sqrt(2 * pi),
                (1 + 0.25**2) / 2,
                (1 + 0.25) / 2,
                (1 + 0.25**2) / 2,
            ),
            fixed_points=((0, inf),),
            kinks=(Kink(0, 0.25, 1, 0.25),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
    Function(
        name="rrelu_eval",
        formula="where(x>0, x, 0.5*(lower+upper)*x)",
        source="Xu et al. 2015, arXiv:1505.00853",
        factory="native:rrelu",
        parameters=(
            Parameter("lower", 0.125),
            Parameter("upper", 1 / 3),
        ),
        pitfalls=(
            N_(
                "The facts are those of evaluation; in training the slope is drawn anew for"
                " every element."
            ),
        ),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(1, None),
            at_zero=(_RRELU, 1),
            limits=(-inf, inf),
            slope_limits=(_RRELU, 1),
            moments=(
                (1 - _RRELU) / sqrt(2 * pi),
                (1 + _RRELU**2) / 2,
                (1 + _RRELU) / 2,
                (1 + _RRELU**2) / 2,
            ),
            fixed_points=((0, inf),),
            kinks=(Kink(0, 0.22916666666666666, 1, 0.22916666666666666),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
    Function(
        name="abs",
        formula="abs(x)",
        source=(
            "Jarrett et al. 2009, What is the best multi-stage architecture for object recognition?"
        ),
        factory="rectifiers:Abs",
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C0",
            minimum=(0, 0),
            steepest=(1, None),
            at_zero=(-1, 1),
            limits=(inf, inf),
            slope_limits=(-1, 1),
            moments=(
                sqrt(2 / pi),
                1,
                0,
                1,
            ),
            fixed_points=((0, inf),),
            kinks=(Kink(0, -1, 1, 0),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
    Function(
        name="arelu",
        formula="where(x>0, (1+sigmoid(b))*x, a*x)",
        source="Chen et al. 2020, arXiv:2006.13858; a and b as in the authors' code",
        factory="rectifiers:AReLU",
        parameters=(
            Parameter("a", 0.9, learnable=True, low=0.01, high=0.99),
            Parameter("b", 2.0, learnable=True),
        ),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(_ARELU, None),
            at_zero=(0.9, _ARELU),
            limits=(-inf, inf),
            slope_limits=(0.9, _ARELU),
            moments=(
                (_ARELU - 0.9) / sqrt(2 * pi),
                (_ARELU**2 + 0.9**2) / 2,
                (_ARELU + 0.9) / 2,
                (_ARELU**2 + 0.9**2) / 2,
            ),
            kinks=(Kink(0, 0.9, 1.8807970779778824, 0.8999999761581421),),
            because={
                "moments": "Gaussian integrals of the pieces; E|z| = sqrt(2 / pi)",
            },
        ),
    ),
)
