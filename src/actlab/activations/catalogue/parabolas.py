"""Functions that are parabolas in pieces."""

from math import erf, erfc, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink
from actlab.activations.catalogue.normal import normal_tail
from actlab.activations.function import Function, HazardException, Parameter
from actlab.i18n import N_

FUNCTIONS = (
    Function(
        name="relu_squared",
        formula="relu(x)**2",
        source="So et al. 2021 (Primer), arXiv:2109.08668",
        factory="rectifiers:ReLUSquared",
        pitfalls=(N_("It overflows float16 from 256 on."),),
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="C1",
            steepest=(inf, None),
            at_zero=(0, 0),
            limits=(0, inf),
            slope_limits=(0, inf),
            moments=(
                1 / 2,
                3 / 2,
                2 / sqrt(2 * pi),
                2,
            ),
            zero_gradient=0.5,
            fixed_points=(
                0,
                1,
            ),
            because={
                "moments": "half of E z^2, E z^4, 2 E |z|, 4 E z^2",
            },
        ),
    ),
    Function(
        name="star_relu",
        formula="s*relu(x)**2+b",
        source="Yu et al. 2022 (MetaFormer baselines), arXiv:2210.13452",
        factory="rectifiers:StarReLU",
        parameters=(
            Parameter("s", 2 / sqrt(5), learnable=True),
            Parameter("b", -1 / sqrt(5), learnable=True),
        ),
        declared=Declared(
            range=(-1 / sqrt(5), inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="C1",
            steepest=(inf, None),
            at_zero=(0, 0),
            limits=(-1 / sqrt(5), inf),
            slope_limits=(0, inf),
            moments=(
                0,
                1,
                2 * (2 / sqrt(5)) / sqrt(2 * pi),
                8 / 5,
            ),
            zero_gradient=0.5,
            fixed_points=(
                -0.4472135954999579,
                1.4604048132409446,
            ),
            because={
                "moments": "E relu^2 = 1/2, E relu^4 = 3/2; s and b make mean 0 and variance 1",
            },
        ),
    ),
    Function(
        name="sqnl",
        formula="where(x>2, 1.0, where(x<-2, -1.0, x-sign(x)*x**2/4))",
        source="Wuraola & Patel 2018",
        factory="rectifiers:SQNL",
        declared=Declared(
            range=(-1, 1),
            attained=(True, True),
            monotonic="non_decreasing",
            smoothness="C1",
            steepest=(1, 0),
            at_zero=(1, 1),
            limits=(-1, 1),
            slope_limits=(0, 0),
            moments=(
                0,
                0.39458188134486444,
                0.609548422215397,
                0.4492310758398747,
            ),
            zero_gradient=erfc(sqrt(2)),
            because={
                "mean_under_N01": "odd",
            },
        ),
    ),
    Function(
        name="sparse_plus",
        formula="where(x<=-1, 0.0, where(x>=1, x, 0.25*(x+1)**2))",
        source="Blondel et al. 2019, arXiv:1901.02324",
        factory="rectifiers:SparsePlus",
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="C1",
            steepest=(1, None),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.4623301083281146,
                0.5248435053873499,
                1 / 2,
                0.3790146377404283,
            ),
            zero_gradient=normal_tail(1),
            fixed_points=((1, inf),),
            because={
                "mean_grad_N01": "f' = sparse_sigmoid",
            },
        ),
    ),
    Function(
        name="hardswish",
        formula="x*clip(x+3, 0, 6)/6",
        source="Howard et al. 2019 (MobileNetV3), arXiv:1905.02244",
        factory="native:hardswish",
        exceptions=(
            HazardException(
                "value",
                ("bfloat16", "float32"),
                "inf",
                5.6e37,
                N_(
                    "torch's kernel multiplies x by up to 6 before it "
                    "divides: it overflows from a sixth of the range on."
                ),
            ),
        ),
        declared=Declared(
            range=(-0.375, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C0",
            minimum=(-1.5, -0.375),
            steepest=(1.5, 3),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                erf(3 * sqrt(0.5)) / 6,
                0.3315673751379077,
                1 / 2,
                0.35853151717860526,
            ),
            zero_gradient=normal_tail(3),
            fixed_points=(
                0,
                (3, inf),
            ),
            kinks=(
                Kink(-3, 0, -0.5, 0),
                Kink(3, 1.5, 1, 1),
            ),
            because={
                "mean_under_N01": "Stein's lemma: the mean slope of hardsigmoid",
                "mean_grad_N01": "f' - 1/2 is odd",
                "minimum": "x (x + 3) / 6",
            },
        ),
    ),
    Function(
        name="hard_mish",
        formula="0.5*x*clip(x+2, 0, 2)",
        source="Misra 2019 (H-Mish); timm",
        factory="rectifiers:HardMish",
        declared=Declared(
            range=(-0.5, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C0",
            minimum=(-1, -0.5),
            steepest=(1, None),
            at_zero=(1, 1),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.2386249340259104,
                0.5642981915444151,
                0.6322985541635762,
                0.6566151753007762,
            ),
            zero_gradient=normal_tail(2),
            fixed_points=((0, inf),),
            kinks=(Kink(-2, 0, -1, 0),),
            because={
                "minimum": "x (x + 2) / 2",
            },
        ),
    ),
)
