"""What is true of a function, as values; and the form in which the catalogue declares it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
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
    second_moment_N01: float | None = None  # noqa: N815
    mean_grad_N01: float | None = None  # noqa: N815
    second_moment_grad_N01: float | None = None  # noqa: N815
    gain_forward: float | None = None
    gain_backward: float | None = None
    df0_left: float | None = None
    df0_right: float | None = None
    lim_minus_inf: float | None = None
    lim_plus_inf: float | None = None
    grad_lim_minus_inf: float | None = None
    grad_lim_plus_inf: float | None = None
    zero_grad_fraction_N01: float | None = None  # noqa: N815
    zero_centredness: float | None = None
    fixed_points: tuple[float | tuple[float, float], ...] | None = None
    kinks: tuple[Kink, ...] | None = None


SCALAR_FACTS: tuple[str, ...] = tuple(field.name for field in fields(ScalarFacts))


@dataclass(frozen=True, kw_only=True)
class Facts(ScalarFacts):
    """A function's identity and its facts. Structural functions have arity and width instead."""

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
        return document
