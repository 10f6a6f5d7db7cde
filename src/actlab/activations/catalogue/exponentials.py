"""Functions with an exponential or inverse-root branch, and smooth versions of the rectifier."""

from math import e, erfc, exp, inf, log, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink, normal_tail
from actlab.activations.catalogue.entry import Entry, Parameter
from actlab.i18n import N_

_BELOW_1 = exp(0.5) * normal_tail(1)
"""E exp(z) over z < 0."""

_BELOW_2 = exp(2.0) * normal_tail(2)
"""E exp(2 z) over z < 0."""

_ALPHA = 1.6732632423543772848170429916717
_SCALE = 1.0507009873554804934193349852946

ENTRIES = (
    Entry(
        name="elu",
        formula="where(x>0, x, alpha*expm1(x))",
        source="Clevert et al. 2015, arXiv:1511.07289",
        factory="native:elu",
        parameters=(Parameter("alpha", 1.0, low=0.0, low_open=True),),
        pitfalls=(
            N_("It is C1 only for alpha = 1; otherwise the slope jumps at 0."),
            N_("-alpha is an infimum: the function has no minimum."),
        ),
        declared=Declared(
            range=(-1, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-1, inf),
            slope_limits=(0, 1),
            moments=(
                1 / sqrt(2 * pi) - 0.5 + _BELOW_1,
                0.5 + _BELOW_2 - 2 * _BELOW_1 + 0.5,
                0.5 + _BELOW_1,
                0.5 + _BELOW_2,
            ),
            fixed_points=((0, inf),),
            because={
                "moments": "E exp(t z) over z < 0 is exp(t^2 / 2) Phi(-t)",
            },
        ),
    ),
    Entry(
        name="celu",
        formula="where(x>0, x, alpha*expm1(x/alpha))",
        source="Barron 2017, arXiv:1704.07483",
        factory="native:celu",
        parameters=(Parameter("alpha", 1.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(-1, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-1, inf),
            slope_limits=(0, 1),
            moments=(
                1 / sqrt(2 * pi) - 0.5 + _BELOW_1,
                0.5 + _BELOW_2 - 2 * _BELOW_1 + 0.5,
                0.5 + _BELOW_1,
                0.5 + _BELOW_2,
            ),
            fixed_points=((0, inf),),
            because={
                "moments": "E exp(t z) over z < 0 is exp(t^2 / 2) Phi(-t)",
            },
        ),
    ),
    Entry(
        name="selu",
        formula="scale*where(x>0, x, alpha*expm1(x))",
        source="Klambauer et al. 2017, arXiv:1706.02515",
        factory="exponentials:selu",
        parameters=(
            Parameter("alpha", 1.6732632423543772848170429916717),
            Parameter("scale", 1.0507009873554804934193349852946, low=0.0, low_open=True),
        ),
        pitfalls=(
            N_(
                "Self-normalisation holds with LeCun normal initialisation and "
                "AlphaDropout, not with others."
            ),
        ),
        declared=Declared(
            range=(-_SCALE * _ALPHA, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C0",
            steepest=(_SCALE * _ALPHA, 0),
            at_zero=(_SCALE * _ALPHA, _SCALE),
            limits=(-_SCALE * _ALPHA, inf),
            slope_limits=(0, _SCALE),
            moments=(
                0,
                1,
                _SCALE * (0.5 + _ALPHA * _BELOW_1),
                _SCALE**2 * (0.5 + _ALPHA**2 * _BELOW_2),
            ),
            fixed_points=(
                -1.2588171640638233,
                0,
            ),
            kinks=(Kink(0, 1.7580993408473768, 1.0507009873554805, 1.7580993408473766),),
            because={
                "moments": (
                    "alpha and scale are chosen so that mean 0 and second moment 1 are a fixed "
                    "point (the paper, section 3); slopes as for elu"
                ),
            },
        ),
    ),
    Entry(
        name="pelu",
        formula="where(x>0, a/b*x, a*expm1(x/b))",
        source="Trottier et al. 2016, arXiv:1605.09332",
        factory="exponentials:PELU",
        parameters=(
            Parameter("a", 1.0, learnable=True, low=0.1),
            Parameter("b", 1.0, learnable=True, low=0.1),
        ),
        declared=Declared(
            range=(-1, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C1",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-1, inf),
            slope_limits=(0, 1),
            moments=(
                1 / sqrt(2 * pi) - 0.5 + _BELOW_1,
                0.5 + _BELOW_2 - 2 * _BELOW_1 + 0.5,
                0.5 + _BELOW_1,
                0.5 + _BELOW_2,
            ),
            fixed_points=((0, inf),),
            because={
                "moments": "E exp(t z) over z < 0 is exp(t^2 / 2) Phi(-t)",
            },
        ),
    ),
    Entry(
        name="isrlu",
        formula="where(x>0, x, x/sqrt(1+alpha*x**2))",
        source="Carlile et al. 2017, arXiv:1710.09967",
        factory="exponentials:ISRLU",
        parameters=(Parameter("alpha", 1.0, low=0.0, low_open=True),),
        declared=Declared(
            range=(-1, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="C2",
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(-1, inf),
            slope_limits=(0, 1),
            moments=(
                0.1373639885363093,
                0.5 + 0.5 * (1 - sqrt(pi * e / 2) * erfc(sqrt(0.5))),
                0.7824454236228291,
                0.7069599428023499,
            ),
            fixed_points=((0, inf),),
            because={
                "second_moment_N01": "1/2 and half of isru's",
            },
        ),
    ),
    Entry(
        name="elish",
        formula="where(x>0, x*sigmoid(x), expm1(x)*sigmoid(x))",
        source="Basirat & Roth 2018, arXiv:1808.00783",
        factory="exponentials:ELiSH",
        declared=Declared(
            range=(2 * sqrt(2) - 3, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C1",
            minimum=(log(sqrt(2) - 1), 2 * sqrt(2) - 3),
            steepest=(1.099839320128867, 2.3993572805154675),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.23921673940376914,
                0.3430672801359496,
                0.46101724353953044,
                0.366531154374054,
            ),
            because={
                "minimum": (
                    "with u = exp(x) the branch is u (u - 1) / (1 + u), least at u = sqrt(2) - 1"
                ),
            },
        ),
    ),
    Entry(
        name="hard_elish",
        formula="where(x>0, x*clip((x+1)/2, 0, 1), expm1(x)*clip((x+1)/2, 0, 1))",
        source="Basirat & Roth 2018, arXiv:1808.00783",
        factory="exponentials:HardELiSH",
        declared=Declared(
            range=(-0.09967315152874262, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C0",
            minimum=(-0.4428544010023886, -0.09967315152874262),
            steepest=(1.5, 1),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.3470634708100462,
                0.47734755296609765,
                0.4967681951873944,
                0.5190943670872128,
            ),
            zero_gradient=normal_tail(1),
            fixed_points=(
                0,
                (1, inf),
            ),
            kinks=(
                Kink(-1, 0, -0.31606027941427883, 0),
                Kink(1, 1.5, 1, 1),
            ),
        ),
    ),
    Entry(
        name="xielu",
        formula="where(x>0, alpha_p*x**2+beta*x, alpha_n*(expm1(x)-x)+beta*x)",
        source="Huang & Schlag 2024, arXiv:2411.13010",
        factory="exponentials:XIELU",
        parameters=(
            Parameter("alpha_p", 0.8, learnable=True, low=0.0, low_open=True),
            Parameter("alpha_n", 0.8, learnable=True, low=0.0, low_open=True),
            Parameter("beta", 0.5),
        ),
        pitfalls=(
            N_(
                "alpha_n must exceed beta; the learnt numbers are inverse softplus values, "
                "not the alphas."
            ),
        ),
        declared=Declared(
            range=(0.8 * (0.375 - 1 - log(0.375)) + 0.5 * log(0.375), inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C1",
            minimum=(log(0.375), 0.8 * (0.375 - 1 - log(0.375)) + 0.5 * log(0.375)),
            steepest=(inf, None),
            at_zero=(0.5, 0.5),
            limits=(inf, inf),
            slope_limits=(-0.3, inf),
            moments=(
                0.5284164578132449,
                1.7355151357425045,
                0.947570282134391,
                2.0703353493298624,
            ),
            fixed_points=(
                0,
                0.625,
            ),
            because={
                "minimum": "f' = alpha_n (exp(x) - 1) + beta is 0 at log(1 - beta / alpha_n)",
                "fixed_points": "alpha_p x + beta = 1",
            },
        ),
    ),
    Entry(
        name="softplus",
        formula="softplus(beta*x)/beta",
        source="Dugas et al. 2000",
        factory="native:softplus",
        parameters=(
            Parameter("beta", 1.0, low=0.0, low_open=True),
            Parameter("threshold", 20.0),
        ),
        rewritten={"threshold": "where(beta*x>threshold, x, softplus(beta*x)/beta)"},
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
    Entry(
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
    Entry(
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
    Entry(
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
    Entry(
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
    Entry(
        name="sqrtsoftplus",
        formula="sqrt(softplus(x))",
        source="Hugging Face transformers 5, ACT2FN",
        factory="exponentials:SqrtSoftplus",
        declared=Declared(
            range=(0, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(0.31908634316947576, 0.9214225086553604),
            at_zero=(0.30028060219661246, 0.30028060219661246),
            limits=(0, inf),
            slope_limits=(0, 0),
            moments=(
                0.8518449717788251,
                0.8060591833474398,
                0.28217377863891385,
                0.08138089451400068,
            ),
            fixed_points=(1.2141588305332545,),
        ),
    ),
)
