"""x times a gate that is a sigmoid, a normal distribution function or a piece of a line."""

from math import inf, pi, sqrt

from actlab.activations.catalogue.declared import Declared, Kink
from actlab.activations.catalogue.normal import normal_cdf, normal_density
from actlab.activations.function import Function, HazardException, Parameter
from actlab.i18n import N_

FUNCTIONS = (
    Function(
        name="gelu",
        formula="0.5*x*(1+erf(x/sqrt(2.0)))",
        source="Hendrycks & Gimpel 2016, arXiv:1606.08415",
        factory="native:gelu",
        pitfalls=(
            N_(
                "jax.nn.gelu is the tanh form unless approximate=False; five names in "
                "Hugging Face are too."
            ),
            N_(
                "torch's float32 kernel loses relative accuracy in the left tail: thousands"
                " of ULP at -4."
            ),
        ),
        exceptions=(
            HazardException(
                "value",
                ("bfloat16", "float32"),
                "inf",
                1.7e38,
                N_(
                    "torch's kernel computes x (1 + erf) before it "
                    "halves: it overflows from half of the range on."
                ),
            ),
        ),
        declared=Declared(
            range=(-0.16997120747990366, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-0.7517915246935645, -0.16997120747990366),
            steepest=(normal_cdf(sqrt(2)) + sqrt(2) * normal_density(sqrt(2)), sqrt(2)),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                1 / (2 * sqrt(pi)),
                1 / 3 + 1 / (2 * sqrt(3) * pi),
                1 / 2,
                1 / 3 + 2 / (3 * sqrt(3) * pi),
            ),
            because={
                "steepest": "f'' = phi(x) (2 - x^2)",
                "moments": "by parts: E z g(z) = E g'(z); E Phi^2 = 1/3 and Gaussian products",
            },
        ),
    ),
    Function(
        name="gelu_tanh",
        formula="0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))",
        source="Hendrycks & Gimpel 2016, arXiv:1606.08415",
        factory="native:gelu_tanh",
        pitfalls=(N_("torch's float32 gradient is NaN below about -1.8e19, where x^2 overflows."),),
        exceptions=(
            HazardException(
                "gradient",
                ("float32",),
                "error",
                3.0,
                N_(
                    "torch's kernel forms 1 - tanh^2, which has few digits left: "
                    "the slope is off by up to 8 ULP of the steepest."
                ),
            ),
            HazardException(
                "gradient",
                ("bfloat16", "float32"),
                "nan",
                1.8e19,
                N_("torch's kernel squares x: the square overflows and meets a slope of 0."),
            ),
        ),
        declared=Declared(
            range=(-0.17004075057125406, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-0.7524614220710163, -0.17004075057125406),
            steepest=(1.1289930686587717, 1.4185040087908283),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.28203858807878873,
                0.42519371103309944,
                1 / 2,
                0.4558178459629506,
            ),
            because={
                "mean_grad_N01": "f' - 1/2 is odd",
            },
        ),
    ),
    Function(
        name="quick_gelu",
        formula="x*sigmoid(1.702*x)",
        source="Hendrycks & Gimpel 2016; Radford et al. 2021 (CLIP)",
        factory="gates:QuickGELU",
        declared=Declared(
            range=(-0.16361018963635357, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-0.751154255441289, -0.16361018963635357),
            steepest=(1.099839320128867, 1.4097281319127306),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.2823305528127853,
                0.4219528068969808,
                1 / 2,
                0.4495492004791021,
            ),
            because={
                "mean_grad_N01": "f' - 1/2 is odd",
            },
        ),
    ),
    Function(
        name="clipped_gelu",
        formula="clip(0.5*x*(1+erf(x/sqrt(2.0))), -10, 10)",
        source="Wu et al. 2020, arXiv:2004.09602",
        factory="gates:ClippedGELU",
        declared=Declared(
            range=(-0.16997120747990366, 10),
            attained=(True, True),
            monotonic="non_monotonic",
            smoothness="C0",
            minimum=(-0.7517915246935645, -0.16997120747990366),
            steepest=(normal_cdf(sqrt(2)) + sqrt(2) * normal_density(sqrt(2)), sqrt(2)),
            at_zero=(0.5, 0.5),
            limits=(0, 10),
            slope_limits=(0, 0),
            moments=(
                0.28209479177387814,
                0.4252214825702987,
                0.5,
                0.4558508656492871,
            ),
            zero_gradient=0,
            kinks=(Kink(10, 1, 0, 1),),
        ),
    ),
    Function(
        name="silu",
        formula="x*sigmoid(x)",
        source="Elfwing et al. 2017, arXiv:1702.03118",
        factory="native:silu",
        pitfalls=(N_("It is not monotonic: between -1.278 and -inf it rises again."),),
        exceptions=(
            HazardException(
                "gradient",
                ("float32",),
                "error",
                8.0,
                N_(
                    "torch's kernel forms 1 - sigmoid(x), which has few digits "
                    "left: the slope is off by up to 8 ULP."
                ),
            ),
        ),
        declared=Declared(
            range=(-0.2784645427610738, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-1.2784645427610737, -0.2784645427610738),
            steepest=(1.099839320128867, 2.3993572805154675),
            at_zero=(0.5, 0.5),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.20662096414190703,
                0.35577551981735217,
                1 / 2,
                0.3794823516328293,
            ),
            because={
                "mean_under_N01": "Stein's lemma: E z s(z) = E s'(z), the mean slope of sigmoid",
                "mean_grad_N01": "f' - 1/2 is odd",
                "minimum": "1 + x = -exp(x): x = -1 - W(1/e), f = -W(1/e) = -0.2784645428",
            },
        ),
    ),
    Function(
        name="eswish",
        formula="beta*x*sigmoid(x)",
        source="Alcaide 2018, arXiv:1801.07145",
        factory="gates:ESwish",
        parameters=(Parameter("beta", 1.5),),
        pitfalls=(N_("The paper tries several beta between 1 and 2; 1.5 is one of them."),),
        declared=Declared(
            range=(-0.4176968141416107, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-1.2784645427610737, -0.4176968141416107),
            steepest=(1.6497589801933004, 2.3993572805154675),
            at_zero=(0.75, 0.75),
            limits=(0, inf),
            slope_limits=(0, 1.5),
            moments=(
                0.30993144621286056,
                0.8004949195890424,
                3 / 4,
                0.8538352911738659,
            ),
            fixed_points=(
                0,
                0.6931471805599453,
            ),
            because={
                "mean_grad_N01": "beta times silu's",
            },
        ),
    ),
    Function(
        name="bsilu",
        formula="(x+alpha)*sigmoid(x)-alpha/2",
        source="Horuz et al. 2025 (SUGAR), arXiv:2505.22074",
        factory="gates:BSiLU",
        parameters=(Parameter("alpha", 1.67),),
        declared=Declared(
            range=(-0.8999004665497565, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-2.7349004665497567, -0.8999004665497565),
            steepest=(1.2903772435223855, 1.4915089740895415),
            at_zero=(0.9175, 0.9175),
            limits=(-0.835, inf),
            slope_limits=(0, 1),
            moments=(
                0.20662096414190703,
                0.8218123230389723,
                0.8450570101169848,
                0.8495831552513711,
            ),
            fixed_points=(
                0,
                0.35042445152932244,
            ),
        ),
    ),
)
