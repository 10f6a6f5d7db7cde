"""Gates whose shape is learnt."""

from math import erf, inf, log

from actlab.activations.catalogue.declared import Declared
from actlab.activations.catalogue.entry import Entry, HazardException, Parameter
from actlab.i18n import N_

ENTRIES = (
    Entry(
        name="swish",
        formula="x*sigmoid(beta*x)",
        source="Ramachandran et al. 2017, arXiv:1710.05941",
        factory="gates:Swish",
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
        parameters=(Parameter("beta", 1.0, learnable=True),),
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
                "mean_grad_N01": "f' - 1/2 is odd",
            },
        ),
    ),
    Entry(
        name="acon_c",
        formula="(p1-p2)*x*sigmoid(beta*(p1-p2)*x)+p2*x",
        source="Ma et al. 2021, arXiv:2009.04759",
        factory="gates:AconC",
        parameters=(
            Parameter("p1", 1.2, learnable=True),
            Parameter("p2", -0.8, learnable=True),
            Parameter("beta", 1.0, learnable=True),
        ),
        pitfalls=(
            N_(
                "The authors' code draws p1 and p2 at random from N(0, 1), one pair per "
                "channel; 1.2 and -0.8 are one example."
            ),
        ),
        declared=Declared(
            range=(-0.010033648605154643, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-0.10067616709482562, -0.010033648605154643),
            steepest=(1.399678640257734, 1.1996786402577337),
            at_zero=(0.2, 0.2),
            limits=(inf, inf),
            slope_limits=(-0.8, 1.2),
            moments=(
                0.6057055096021589,
                0.7978898666788153,
                0.2,
                0.9057002193549476,
            ),
            fixed_points=(
                0,
                1.0986122886681098,
            ),
            because={
                "mean_grad_N01": "(p1 + p2) / 2: the rest is odd",
            },
        ),
    ),
    Entry(
        name="smu",
        formula="0.5*((1+alpha)*x+(1-alpha)*x*erf(mu*(1-alpha)*x))",
        source="Biswas et al. 2022, arXiv:2111.04682",
        factory="gates:SMU",
        parameters=(
            Parameter("alpha", 0.25),
            Parameter("mu", 1.0, learnable=True),
        ),
        pitfalls=(
            N_(
                "The authors' code starts mu at 1e6, where float32 cannot tell the function"
                " from leaky_relu."
            ),
        ),
        declared=Declared(
            range=(-inf, inf),
            attained=(False, False),
            monotonic="strictly_increasing",
            smoothness="Cinf",
            steepest=(1.0966781088888662, 4 / 3),
            at_zero=(0.625, 0.625),
            limits=(-inf, inf),
            slope_limits=(0.25, 1),
            moments=(
                0.21770485949380833,
                0.49315191739537356,
                0.625,
                0.5103416903069756,
            ),
            because={
                "mean_grad_N01": "(1 + alpha) / 2: the rest is odd",
                "steepest": "z = mu (1 - alpha) x = 1",
            },
        ),
    ),
    Entry(
        name="erfact",
        formula="x*erf(alpha*exp(beta*x))",
        source="Biswas et al. 2021, arXiv:2109.04386",
        factory="gates:ErfAct",
        parameters=(
            Parameter("alpha", 0.75, learnable=True),
            Parameter("beta", 0.75, learnable=True),
        ),
        declared=Declared(
            range=(-0.405280845173458, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-1.3966119764212963, -0.405280845173458),
            steepest=(1.0915993945154188, 0.8614266274013991),
            at_zero=(erf(0.75), erf(0.75)),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.243404472105719,
                0.5294337628752555,
                0.6300480909993351,
                0.5558638554512976,
            ),
        ),
    ),
    Entry(
        name="pserf",
        formula="x*erf(gamma*softplus(delta*x))",
        source="Biswas et al. 2021, arXiv:2109.04386",
        factory="gates:PSerf",
        parameters=(
            Parameter("gamma", 1.25, learnable=True),
            Parameter("delta", 0.85, learnable=True),
        ),
        declared=Declared(
            range=(-0.5060068753569109, inf),
            attained=(True, False),
            monotonic="non_monotonic",
            smoothness="Cinf",
            minimum=(-1.4329475572352948, -0.5060068753569109),
            steepest=(1.0535644140577651, 1.002756292003957),
            at_zero=(erf(1.25 * log(2)), erf(1.25 * log(2))),
            limits=(0, inf),
            slope_limits=(0, 1),
            moments=(
                0.21523580461740588,
                0.5495045787382657,
                0.6603857526752898,
                0.5797361140998502,
            ),
        ),
    ),
)
