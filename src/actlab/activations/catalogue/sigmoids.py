"""S-shaped functions that saturate at both ends, and functions that grow like a logarithm."""

from math import e, erfc, exp, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink, normal_density, normal_tail
from actlab.activations.catalogue.entry import Entry, Parameter, at_infinity
from actlab.i18n import N_


def _decay(rate: float) -> float:
    """Return E exp(-rate |z|)."""
    return exp(rate**2 / 2) * erfc(rate * sqrt(0.5))


ENTRIES = (
    Entry(
        name="sigmoid",
        formula="sigmoid(x)",
        source="Rumelhart et al. 1986",
        factory="native:sigmoid",
        pitfalls=(
            N_("Its slope is at most 1/4: every layer of it shrinks the gradient."),
            N_(
                "In float32 it is exactly 1 from about 17 on; use a loss on logits "
                "(BCEWithLogitsLoss)."
            ),
        ),
        declared=Declared(
            range=(0, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(0.25, 0),
            at_zero=(0.25, 0.25),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                0.29337903585809294,
                0.20662096414190703,
                0.04483624135019437,
            ),
            fixed_points=(0.6590460684074066,),
            because={
                "mean_under_N01": "sigmoid - 1/2 is odd",
                "steepest": "f' = s (1 - s), greatest at s = 1/2",
            },
        ),
    ),
    Entry(
        name="tanh",
        formula="tanh(x)",
        source="LeCun et al. 1991",
        factory="native:tanh",
        declared=Declared(
            range=(-1, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                0.3942944903978412,
                0.6057055096021589,
                0.46440290244826826,
            ),
            because={
                "mean_under_N01": "odd",
                "steepest": "f' = 1 - tanh^2",
            },
        ),
    ),
    Entry(
        name="lecun_tanh",
        formula="1.7159*tanh(2*x/3)",
        source="LeCun et al. 1998, Efficient BackProp",
        factory="sigmoids:LeCunTanh",
        declared=Declared(
            range=(-1.7159, 1.7159),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1.7159 * 2 / 3, 0),
            at_zero=(1.7159 * 2 / 3, 1.7159 * 2 / 3),
            limits=(-1.7159, 1.7159),
            slope_limits=(0, 0),
            moments=(
                0,
                0.750430276305065,
                0.852373888802741,
                0.8039891133203458,
            ),
            fixed_points=(
                -0.9999887806460054,
                0,
                0.9999887806460054,
            ),
            because={
                "mean_under_N01": "odd",
            },
        ),
    ),
    Entry(
        name="softsign",
        formula="x/(1+abs(x))",
        source="Turian et al. 2009",
        factory="native:softsign",
        exceptions=at_infinity(
            N_("torch's kernel divides an infinite input by infinity: that is NaN.")
        ),
        declared=Declared(
            range=(-1, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                0.1830140212665475,
                0.4127551003391832,
                0.2276713404221825,
            ),
            because={
                "mean_under_N01": "odd",
            },
        ),
    ),
    Entry(
        name="elliott",
        formula="0.5*x/(1+abs(x))+0.5",
        source="Elliott 1993",
        factory="sigmoids:Elliott",
        declared=Declared(
            range=(0, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(0.5, 0),
            at_zero=(0.5, 0.5),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                0.29575350531663686,
                0.2063775501695916,
                0.05691783510554563,
            ),
            fixed_points=(0.7071067811865476,),
            because={
                "mean_under_N01": "f - 1/2 is odd",
            },
        ),
    ),
    Entry(
        name="arctan",
        formula="atan(x)",
        source="classical",
        factory="sigmoids:Arctan",
        declared=Declared(
            range=(-pi / 2, pi / 2),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-pi / 2, pi / 2),
            slope_limits=(0, 0),
            moments=(
                0,
                0.4497009164349022,
                sqrt(pi * e / 2) * erfc(sqrt(0.5)),
                1 / 2,
            ),
            because={
                "moments": (
                    "odd; E 1 / (1 + z^2) = sqrt(pi e / 2) erfc(1 / sqrt 2), and E 1 / (1 + "
                    "z^2)^2 = 1/2 by parts"
                ),
            },
        ),
    ),
    Entry(
        name="isru",
        formula="x/sqrt(1+alpha*x**2)",
        source="Carlile et al. 2017, arXiv:1710.09967",
        factory="sigmoids:ISRU",
        parameters=(Parameter("alpha", 1.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(-1, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                1 - sqrt(pi * e / 2) * erfc(sqrt(0.5)),
                0.5648908472456582,
                0.4139198856046996,
            ),
            because={
                "mean_under_N01": "odd",
                "second_moment_N01": "1 - E 1 / (1 + z^2)",
            },
        ),
    ),
    Entry(
        name="penalized_tanh",
        formula="where(x>0, tanh(x), a*tanh(x))",
        source="Xu et al. 2016, arXiv:1602.05980",
        factory="sigmoids:PenalizedTanh",
        parameters=(Parameter("a", 0.25),),
        declared=Declared(
            range=(-0.25, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(1, 0),
            at_zero=(0.25, 1),
            limits=(-0.25, 1),
            slope_limits=(0, 0),
            moments=(
                0.20849224341828734,
                0.20946894802385313,
                0.37856594350134926,
                0.2467140419256425,
            ),
            kinks=(Kink(0, 0.25, 1, 0.25),),
        ),
    ),
    Entry(
        name="hexpo",
        formula="where(x>=0, 1-exp(-x), exp(x)-1)",
        source="Kong & Takatsuka 2017",
        factory="sigmoids:Hexpo",
        pitfalls=(
            N_("The paper's four parameters are 1 here; other values change steepness and range."),
        ),
        declared=Declared(
            range=(-1, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                1 - 2 * _decay(1) + _decay(2),
                _decay(1),
                _decay(2),
            ),
            because={
                "moments": "odd; E exp(-t |z|) = exp(t^2 / 2) erfc(t / sqrt 2)",
            },
        ),
    ),
    Entry(
        name="laplace",
        formula="0.5*(1+erf((x-mu)/(sigma*sqrt(2.0))))",
        source="Ma et al. 2022 (MEGA), arXiv:2209.10655",
        factory="sigmoids:Laplace",
        parameters=(
            Parameter("mu", 0.707107),
            Parameter("sigma", 0.282095, low=0.0, low_open=True),
        ),
        declared=Declared(
            range=(0, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1 / (0.282095 * sqrt(2 * pi)), 0.707107),
            at_zero=(0.06111382879472589, 0.06111382879472589),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                normal_tail(0.707107 / sqrt(1 + 0.282095**2)),
                0.19944178551051933,
                normal_density(0.707107 / sqrt(1 + 0.282095**2)) / sqrt(1 + 0.282095**2),
                normal_density(0.707107 / sqrt(1 + 0.282095**2 / 2))
                / sqrt(1 + 0.282095**2 / 2)
                / (2 * sqrt(pi) * 0.282095),
            ),
            fixed_points=(0.00650359111644092,),
            because={
                "mean_under_N01": "P(sigma y + mu < z) for independent normal y, z",
                "mean_grad_N01": "convolution of two normal densities",
                "second_moment_grad_N01": (
                    "the square of a normal density is one of sigma / sqrt 2, scaled; then "
                    "convolution"
                ),
            },
        ),
    ),
    Entry(
        name="dsilu",
        formula="sigmoid(x)*(1+x*(1-sigmoid(x)))",
        source="Elfwing et al. 2017, arXiv:1702.03118",
        factory="sigmoids:DSiLU",
        declared=Declared(
            range=(-0.09983932012886691, 1.099839320128867),
            attained=(True, True),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-2.3993572805154675, -0.09983932012886691),
            steepest=(0.5, 0),
            at_zero=(0.5, 0.5),
            limits=(0, 1),
            slope_limits=(0, 0),
            moments=(
                1 / 2,
                0.3794823516328293,
                0.3508454443245549,
                0.14383364443789406,
            ),
            fixed_points=(0.8938444093070298,),
            because={
                "mean_under_N01": "f - 1/2 is odd",
            },
        ),
    ),
    Entry(
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
    Entry(
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
    Entry(
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
    Entry(
        name="softcap",
        formula="cap*tanh(x/cap)",
        source="Gemma Team 2024 (Gemma 2), arXiv:2408.00118, section 2",
        factory="sigmoids:SoftCap",
        parameters=(Parameter("cap", 30.0, low=0.0, low_open=True),),
        pitfalls=(N_("Gemma 2 caps the final logits at 30 and those of attention at 50."),),
        declared=Declared(
            range=(-30, 30),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-30, 30),
            slope_limits=(0, 0),
            moments=(0, 0.9977847454528237, 0.9988913502828302, 0.9977863770251413),
        ),
    ),
    Entry(
        name="dynamic_tanh",
        formula="gamma*tanh(alpha*x)+beta",
        source="Zhu et al. 2025, arXiv:2503.10622",
        factory="sigmoids:DynamicTanh",
        parameters=(
            Parameter("alpha", 0.5, learnable=True),
            Parameter("gamma", 1.0, learnable=True),
            Parameter("beta", 0.0, learnable=True),
        ),
        pitfalls=(
            N_("It stands for a normalisation: gamma and beta are per channel, alpha is one."),
        ),
        declared=Declared(
            range=(-1, 1),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(0.5, 0),
            at_zero=(0.5, 0.5),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(0, 0.17351614343237184, 0.41324192828381406, 0.1793449654007775),
        ),
    ),
)
