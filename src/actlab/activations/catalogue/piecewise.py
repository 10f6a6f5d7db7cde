"""Functions that are straight lines or parabolas in pieces: rectifiers, and bounded ones."""

from math import erf, erfc, exp, inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink, normal_density, normal_tail
from actlab.activations.catalogue.entry import Entry, HazardException, Parameter, at_infinity
from actlab.i18n import N_

_RRELU = (0.125 + 1 / 3) / 2
"""The slope in evaluation: the middle of the two bounds."""

_ARELU = 1 + 1 / (1 + exp(-2.0))
"""The slope of the positive side: 1 + sigmoid(b) for b = 2."""

_HARDTANH_SECOND = erf(sqrt(0.5)) - 2 * normal_density(1) + 2 * normal_tail(1)
"""E hardtanh(z)^2."""


def _clipped_second(bound: float) -> float:
    """Return E of the square of z clipped to [-bound, bound]."""
    inside = erf(bound * sqrt(0.5)) - 2 * bound * normal_density(bound)
    return inside + 2 * bound**2 * normal_tail(bound)


ENTRIES = (
    Entry(
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
    Entry(
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
    Entry(
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
    Entry(
        name="leaky_relu",
        formula="where(x>0, x, negative_slope*x)",
        source=(
            "Maas et al. 2013, Rectifier nonlinearities improve neural network acoustic models"
        ),
        factory="native:leaky_relu",
        parameters=(Parameter("negative_slope", 0.01),),
        pitfalls=(
            N_("The slope is 0.01 in torch and JAX, 0.2 in Keras' function and 0.3 in its layer."),
            N_("At 0 torch's gradient is negative_slope; that of JAX, and of Keras on it, is 1."),
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
    Entry(
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
            N_(
                "torch's channels are dimension 1: for rows of tokens build it with "
                "module(channels=..., channel_dim=-1)."
            ),
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
    Entry(
        name="rrelu_eval",
        formula="where(x>0, x, 0.5*(lower+upper)*x)",
        source="Xu et al. 2015, arXiv:1505.00853",
        factory="native:rrelu",
        parameters=(
            Parameter("lower", 0.125),
            Parameter("upper", 1 / 3),
        ),
        ascending=("lower", "upper"),
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
    Entry(
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
    Entry(
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
    Entry(
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
    Entry(
        name="hardtanh",
        formula="clip(x, min_val, max_val)",
        source="Collobert 2004, Large scale machine learning",
        factory="native:hardtanh",
        parameters=(Parameter("min_val", -1.0), Parameter("max_val", 1.0)),
        ascending=("min_val", "max_val"),
        pitfalls=(
            N_("At its kinks torch's gradient is 0; that of JAX, and of Keras on it, is 1."),
        ),
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
    Entry(
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
    Entry(
        name="sparse_sigmoid",
        formula="clip(0.5*(x+1), 0, 1)",
        source="Blondel et al. 2019, arXiv:1901.02324",
        factory="rectifiers:SparseSigmoid",
        pitfalls=(
            N_("At its kinks the gradient here is 0; that of JAX, and of Keras on it, is 1/4."),
        ),
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
    Entry(
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
    Entry(
        name="star_relu",
        formula="s*relu(x)**2+b",
        source="Yu et al. 2022 (MetaFormer baselines), arXiv:2210.13452",
        factory="rectifiers:StarReLU",
        parameters=(
            Parameter("s", 2 / sqrt(5), learnable=True),
            Parameter("b", -1 / sqrt(5), learnable=True),
        ),
        pitfalls=(N_("timm's StarReLU starts at s = 1 and b = 0, not at the paper's numbers."),),
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
    Entry(
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
    Entry(
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
    Entry(
        name="hardswish",
        formula="x*clip(x+3, 0, 6)/6",
        source="Howard et al. 2019 (MobileNetV3), arXiv:1905.02244",
        factory="native:hardswish",
        exceptions=(
            *at_infinity(
                N_("torch's kernel multiplies an infinite input by a gate of 0: that is NaN."),
                "value",
            ),
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
            HazardException(
                "value",
                ("float64",),
                "inf",
                2.9e307,
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
    Entry(
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
    Entry(
        name="threshold",
        formula="where(x>threshold, x, value)",
        source="torch.nn.Threshold, keras.activations.threshold",
        factory="native:threshold",
        parameters=(Parameter("threshold", 1.0), Parameter("value", 0.0)),
        pitfalls=(N_("Libraries have no default: threshold = 1 and value = 0 are an example."),),
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_decreasing",
            smoothness="discontinuous",
            steepest=(1, None),
            at_zero=(0, 0),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                normal_density(1),
                normal_density(1) + normal_tail(1),
                normal_tail(1),
                normal_tail(1),
            ),
            zero_gradient=1 - normal_tail(1),
            fixed_points=(0, (1, inf)),
            kinks=(Kink(1, 0, 1, 0),),
            because={"moments": "Gaussian integrals of the pieces"},
        ),
    ),
    Entry(
        name="leaky_relu_squared",
        formula="where(x>0, x, negative_slope*x)**2",
        source=(
            "openai/parameter-golf, pull request 1131 (2026); "
            "So et al. 2021 (Primer), arXiv:2109.08668, for the square"
        ),
        factory="rectifiers:LeakyReLUSquared",
        parameters=(Parameter("negative_slope", 0.5),),
        declared=Declared(
            range=(0, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="C1",
            minimum=(0, 0),
            steepest=(inf, None),
            at_zero=(0, 0),
            limits=(inf, inf),
            slope_limits=(-inf, inf),
            moments=(0.625, 1.59375, 1.5 / sqrt(2 * pi), 2.125),
            fixed_points=(0, 1),
            because={"moments": "Gaussian integrals of the pieces"},
        ),
    ),
    Entry(
        name="smooth_relu_squared",
        formula="where(x>0, x*(x+sqrt(x**2+a**2)), x*a**2/(sqrt(x**2+a**2)-x))/2",
        source="karpathy/nanochat, pull request 828 (2026)",
        factory="rectifiers:SmoothReLUSquared",
        parameters=(Parameter("a", 0.2, low=0.0, low_open=True),),
        pitfalls=(N_("a = 0 would be relu_squared; it tends to -a^2 / 4 on the left, not to 0."),),
        declared=Declared(
            range=(-0.01, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(inf, None),
            at_zero=(0.1, 0.1),
            limits=(-0.01, inf),
            slope_limits=(0, inf),
            moments=(0.5, 1.51, 0.805693045755698, 2.0021518892798307),
            fixed_points=(0, 0.99),
            because={
                "moments": "E f = 1/2 and E f^2 = 3/2 + a^2 / 4 by symmetry; the slope's "
                "by quadrature"
            },
        ),
    ),
)
