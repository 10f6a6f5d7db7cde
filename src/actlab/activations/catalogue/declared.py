"""What is true of a function, as values; and the form in which the catalogue declares it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import erfc, exp, pi, sqrt
from typing import Any, Literal

Monotonic = Literal[
    "strictly_increasing",
    "non_decreasing",
    "strictly_decreasing",
    "non_increasing",
    "non_monotonic",
]
Smoothness = Literal["discontinuous", "C0", "C1", "C2", "Cinf"]

SMOOTHNESS_ORDER: tuple[Smoothness, ...] = ("discontinuous", "C0", "C1", "C2", "Cinf")
"""From rough to smooth. C2 stands for every finite class from two on."""


@dataclass(frozen=True)
class Kink:
    """A point where f or f' jumps: the one-sided slopes, and the one that autograd returns there.

    `convention` is None where no module has been asked.
    """

    x: float
    left: float
    right: float
    convention: float | None = None


@dataclass(frozen=True)
class ScalarFacts:
    """The facts of a scalar function for one set of parameter values; None where there is none.

    `max_abs_grad` is the supremum of |f'| over the points where f is differentiable, with one-sided
    limits and limits at infinity, without jumps. The minimum and the place of the largest slope are
    None unless attained at one point; of several isolated ones the nearest to 0 is given, of two
    equally near the negative one. `..._N01` is under a standard normal input. A gain is
    1 / sqrt of a second moment. `fixed_points` are those in [-10, 10], an interval of them as a
    pair. `zero_centredness` is 1 - |E f| / sqrt(E f^2): 1 for a mean of zero, 0 for a constant.
    `nfnet_gamma` is 1 / sqrt of the variance, by which Brock et al. 2021 (arXiv:2101.08692) scale.
    """

    range_low: float | None = None
    range_high: float | None = None
    low_attained: bool | None = None
    high_attained: bool | None = None
    monotonic: Monotonic | None = None
    min_x: float | None = None
    min_y: float | None = None
    max_abs_grad: float | None = None
    argmax_abs_grad: float | None = None
    smoothness: Smoothness | None = None
    mean_under_N01: float | None = None  # noqa: N815  a key of the JSON contract
    second_moment_N01: float | None = None  # noqa: N815  a key of the JSON contract
    mean_grad_N01: float | None = None  # noqa: N815  a key of the JSON contract
    second_moment_grad_N01: float | None = None  # noqa: N815  a key of the JSON contract
    gain_forward: float | None = None
    gain_backward: float | None = None
    df0_left: float | None = None
    df0_right: float | None = None
    lim_minus_inf: float | None = None
    lim_plus_inf: float | None = None
    grad_lim_minus_inf: float | None = None
    grad_lim_plus_inf: float | None = None
    zero_grad_fraction_N01: float | None = None  # noqa: N815  a key of the JSON contract
    zero_centredness: float | None = None
    nfnet_gamma: float | None = None
    fixed_points: tuple[float | tuple[float, float], ...] | None = None
    kinks: tuple[Kink, ...] | None = None


SCALAR_FACTS: tuple[str, ...] = tuple(field.name for field in fields(ScalarFacts))

Ends = tuple[float | None, float | None]

_DERIVATIONS: Mapping[str, str] = {
    "range": "the least and the greatest of the limits and of the values at turns and kinks",
    "shape": "signs and jumps of the derivatives of each piece of the formula",
    "minimum": "root of f', refined to 40 digits",
    "steepest": "greatest |f'| at roots of f'', kinks and both ends; the root refined to 40 digits",
    "at_zero": "the derivative of the formula's branch on each side",
    "limits": "limit of the formula",
    "moments": "integral against the normal density, by tanh-sinh quadrature with 30 digits",
    "gains": "1 / sqrt of the second moment",
    "zero_gradient": "normal probability of the stretches on which the formula is constant",
    "fixed_points": "roots of f(x) - x",
    "kinks": "the branches of the formula on each side; torch's choice, or ours, at the point",
}
_GROUPS: Mapping[str, str] = {
    "range_low": "range",
    "range_high": "range",
    "low_attained": "range",
    "high_attained": "range",
    "monotonic": "shape",
    "smoothness": "shape",
    "min_x": "minimum",
    "min_y": "minimum",
    "max_abs_grad": "steepest",
    "argmax_abs_grad": "steepest",
    "mean_under_N01": "moments",
    "second_moment_N01": "moments",
    "mean_grad_N01": "moments",
    "second_moment_grad_N01": "moments",
    "gain_forward": "gains",
    "gain_backward": "gains",
    "zero_centredness": "gains",
    "nfnet_gamma": "gains",
    "df0_left": "at_zero",
    "df0_right": "at_zero",
    "lim_minus_inf": "limits",
    "lim_plus_inf": "limits",
    "grad_lim_minus_inf": "limits",
    "grad_lim_plus_inf": "limits",
    "zero_grad_fraction_N01": "zero_gradient",
    "fixed_points": "fixed_points",
    "kinks": "kinks",
}


@dataclass(frozen=True, kw_only=True)
class Declared:
    """The facts of a function as the catalogue declares them, for its default parameters.

    `steepest` is (max |f'|, where), `moments` are E f, E f^2, E f', E f'^2 under a standard normal
    input. `because` derives or sources what is not read off the formula: by group of facts.
    """

    range: tuple[float, float]
    attained: tuple[bool, bool]
    monotonic: Monotonic
    smoothness: Smoothness
    steepest: tuple[float, float | None]
    at_zero: tuple[float, float]
    limits: Ends
    slope_limits: Ends
    moments: tuple[float, float, float, float]
    minimum: Ends = (None, None)
    zero_gradient: float = 0.0
    fixed_points: tuple[float | tuple[float, float], ...] = (0.0,)
    kinks: tuple[Kink, ...] = ()
    because: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> ScalarFacts:
        """Return every scalar fact; gains and zero-centredness follow from the moments."""
        mean, second, mean_slope, second_slope = (float(moment) for moment in self.moments)
        return ScalarFacts(
            range_low=float(self.range[0]),
            range_high=float(self.range[1]),
            low_attained=self.attained[0],
            high_attained=self.attained[1],
            monotonic=self.monotonic,
            min_x=_real(self.minimum[0]),
            min_y=_real(self.minimum[1]),
            max_abs_grad=float(self.steepest[0]),
            argmax_abs_grad=_real(self.steepest[1]),
            smoothness=self.smoothness,
            mean_under_N01=mean,
            second_moment_N01=second,
            mean_grad_N01=mean_slope,
            second_moment_grad_N01=second_slope,
            gain_forward=gain(second),
            gain_backward=gain(second_slope),
            df0_left=float(self.at_zero[0]),
            df0_right=float(self.at_zero[1]),
            lim_minus_inf=_real(self.limits[0]),
            lim_plus_inf=_real(self.limits[1]),
            grad_lim_minus_inf=_real(self.slope_limits[0]),
            grad_lim_plus_inf=_real(self.slope_limits[1]),
            zero_grad_fraction_N01=float(self.zero_gradient),
            zero_centredness=zero_centredness(mean, second),
            nfnet_gamma=nfnet_gamma(mean, second),
            fixed_points=self.fixed_points,
            kinks=self.kinks,
        )

    def derivation(self, fact: str) -> str:
        """Return where the value of a fact comes from.

        >>> from actlab.activations import get
        >>> get("relu").declared.derivation("gain_forward")
        '1 / sqrt of the second moment'
        """
        group = _GROUPS[fact]
        return self.because.get(fact) or self.because.get(group) or _DERIVATIONS[group]


def _real(number: float | None) -> float | None:
    return None if number is None else float(number)


def gain(second_moment: float | None) -> float | None:
    """Return 1 / sqrt(second moment): the factor that gives an output of second moment 1."""
    return 1 / math.sqrt(second_moment) if second_moment else None


def zero_centredness(mean: float | None, second_moment: float | None) -> float | None:
    """Return 1 - |E f| / sqrt(E f^2)."""
    if mean is None or not second_moment:
        return None
    return 1 - abs(mean) / math.sqrt(second_moment)


def nfnet_gamma(mean: float | None, second_moment: float | None) -> float | None:
    """Return 1 / sqrt(E f^2 - (E f)^2): the factor that gives an output of variance 1."""
    if mean is None or second_moment is None:
        return None
    variance = second_moment - mean**2
    return 1 / math.sqrt(variance) if variance > 1e-15 * second_moment else None


@dataclass(frozen=True)
class InputFacts:
    """What a function of two independent standard normal inputs does along one of them.

    `max_abs_grad` is the supremum over both inputs, inf where the slope grows with the other one.
    """

    mean_grad_N01: float | None  # noqa: N815  a key of the JSON contract
    second_moment_grad_N01: float | None  # noqa: N815  a key of the JSON contract
    gain_backward: float | None
    zero_grad_fraction_N01: float  # noqa: N815  a key of the JSON contract
    max_abs_grad: float | None


@dataclass(frozen=True, kw_only=True)
class Facts(ScalarFacts):
    """A function's identity and its facts. Structural functions have arity and width instead.

    Gated functions, of two inputs, have range, moments and gains as well: their inputs are
    independent and standard normal, and `gain_backward` is 1 / sqrt of the mean of the second
    moments of both slopes; `inputs` has those of the gate and of the value apart, `kept_values` how
    many numbers backward keeps per output. `nearest` is the function of the catalogue that is most
    like it, for what is not in it.
    """

    name: str
    aliases: tuple[str, ...]
    formula: str
    latex: str | None
    parameters: Mapping[str, float]
    source: str
    learnable: bool
    kind: Literal["scalar", "structural"] = "scalar"
    arity: str | None = None
    output_width: str | None = None
    inputs: Mapping[str, InputFacts] | None = None
    kept_values: int | None = None
    nearest: Any = None

    def as_json(self) -> dict[str, Any]:
        """Return the keys of `actlab functions show NAME --json`, in their order."""
        identity = ("name", "aliases", "formula", "latex", "parameters", "source")
        rest = ("learnable", "kind", "arity", "output_width")
        document = {key: getattr(self, key) for key in (*identity, *SCALAR_FACTS, *rest)}
        document["parameters"] = dict(self.parameters)
        if self.kinks is not None:
            document["kinks"] = [
                {"x": k.x, "left": k.left, "right": k.right, "convention": k.convention}
                for k in self.kinks
            ]
        if self.inputs is not None:
            document["inputs"] = {name: asdict(found) for name, found in self.inputs.items()}
            document["kept_values"] = self.kept_values
        if self.nearest is not None:
            document["nearest"] = {**asdict(self.nearest), "call": self.nearest.call}
        return document


def normal_density(x: float) -> float:
    """Return phi(x) = exp(-x^2 / 2) / sqrt(2 pi)."""
    return exp(-x * x / 2) / sqrt(2 * pi)


def normal_tail(x: float) -> float:
    """Return P(z > x).

    >>> normal_tail(0.0)
    0.5
    """
    return erfc(x * sqrt(0.5)) / 2


def normal_cdf(x: float) -> float:
    """Return Phi(x) = P(z < x)."""
    return normal_tail(-x)
