"""Every declared fact against two other routes, for every function; and that this can fail."""

import dataclasses
from typing import Any

import pytest
import torch

from actlab.activations import Function, facts, get
from actlab.activations.catalogue.declared import SCALAR_FACTS, Kink
from actlab.activations.facts.module_route import ModuleRoute
from actlab.activations.facts.verification import _agreement_rows, agree, rows_of
from actlab.activations.modules import build
from tests.contracts.functions import ALL, SCALAR, name_of


@pytest.mark.parametrize("function", ALL, ids=name_of)
def test_every_declared_fact_holds(function: Function) -> None:
    rows = rows_of(function)
    wrong = [
        f"{row.fact} ({row.route}): {row.declared} / {row.measured}" for row in rows if not row.ok
    ]
    assert not wrong
    if function.kind == "scalar":
        for route in ("formula", "module"):
            assert {row.fact for row in rows if row.route == route} >= set(SCALAR_FACTS)


def spoilt(function: Function) -> list[Function]:
    """Return copies of a function with one group of facts declared wrongly each."""
    declared = function.declared
    assert declared is not None
    changes = {
        "range": (declared.range[0] + 1e-4, declared.range[1] + 1e-4),
        "attained": tuple(not end for end in declared.attained),
        "monotonic": "strictly_decreasing",
        "smoothness": "C2",
        "steepest": (declared.steepest[0] + 1e-4, declared.steepest[1]),
        "at_zero": (declared.at_zero[0] + 1e-4, declared.at_zero[1] - 1e-4),
        "limits": (7.0, 7.0),
        "slope_limits": (7.0, 7.0),
        "minimum": (0.1, -5.0),
        "moments": tuple(moment + 1e-4 for moment in declared.moments),
        "zero_gradient": declared.zero_gradient + 1e-4,
        "fixed_points": (*declared.fixed_points, 1.77),
        "kinks": (*declared.kinks, Kink(0.25, 0.0, 0.0, 0.0)),
    }
    return [
        dataclasses.replace(function, declared=dataclasses.replace(declared, **{key: value}))
        for key, value in changes.items()
    ]


@pytest.mark.parametrize("name", ["gelu", "hardtanh"])
def test_a_wrong_declaration_is_caught_by_both_routes(name: str) -> None:
    for copy in spoilt(get(name)):
        wrong = {row.route for row in rows_of(copy) if not row.ok}
        assert wrong == {"formula", "module"}, copy.declared


def test_a_wrong_module_is_caught() -> None:
    swapped = dataclasses.replace(get("silu"), factory="native:gelu")
    wrong = {row.fact for row in rows_of(swapped) if not row.ok}
    assert {"value", "min_y", "mean_under_N01"} <= wrong


def test_a_wrong_formula_is_caught() -> None:
    swapped = dataclasses.replace(get("silu"), formula="x*sigmoid(1.0001*x)")
    wrong = {row.fact for row in rows_of(swapped) if not row.ok}
    assert {"value", "min_y", "mean_under_N01"} <= wrong


def faults(function: Function) -> set[str]:
    return {row.fact for row in rows_of(function) if not row.ok}


@pytest.mark.parametrize(
    ("term", "wrong"),
    [
        ("0.9e-9*x", set()),
        ("-1.1e-9*x", {"value"}),
        ("1.1e-9*(abs(x-37.1)<1e-9)*x", {"value"}),
        ("1.1e-9*(abs(x+400.3)<1e-9)*x", {"value"}),
        ("1.1e-9*(abs(x+9.97)<1e-9)*x", {"value"}),
    ],
)
def test_a_module_may_be_off_by_a_billionth_of_itself_or_of_its_input(
    term: str, wrong: set[str]
) -> None:
    identity = get("identity")
    near = dataclasses.replace(identity, formula=f"x+{term}", declared=None)
    curve_rows = agreement(dataclasses.replace(near, declared=identity.declared))
    assert {fact for fact, ok in curve_rows.items() if not ok} == wrong


def agreement(function: Function) -> dict[str, bool]:
    """Return whether module and formula, and autograd and differences, agree."""
    module = ModuleRoute(build(function, dtype=torch.float64).eval())
    return {row.fact: row.ok for row in _agreement_rows(function, module)}


class Sloped(torch.autograd.Function):
    """The identity, with a gradient that is not its own at some inputs."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, low: float, off: float) -> torch.Tensor:
        ctx.slope = 1 + off * (x > low) * (1 + x.abs())
        return x.clone()

    @staticmethod
    def backward(ctx: Any, incoming: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return incoming * ctx.slope, None, None


@pytest.mark.parametrize("low", [-500.0, 9.0, 300.0])
@pytest.mark.parametrize(("off", "ok"), [(0.8e-8, True), (-0.8e-8, True), (1.2e-8, False)])
def test_a_gradient_may_be_off_by_a_hundred_millionth(low: float, off: float, ok: bool) -> None:
    module = ModuleRoute(lambda x: Sloped.apply(x, low, off))
    rows = {row.fact: row for row in _agreement_rows(get("identity"), module)}
    assert (rows["gradient"].ok, rows["value"].ok) == (ok, True)
    assert rows["gradient"].measured == pytest.approx(abs(off), rel=0.1)
    assert rows["gradient"].declared == rows["value"].declared == rows["value"].measured == 0
    assert rows["gradient"].route == rows["value"].route == "module"


def test_a_module_that_learns_what_it_should_not_is_caught() -> None:
    fixed = tuple(dataclasses.replace(p, learnable=False) for p in get("prelu").parameters)
    assert faults(dataclasses.replace(get("prelu"), parameters=fixed)) == {"learnable"}


@pytest.mark.parametrize(
    ("width", "expected", "ok"),
    [("n/2", 6, True), ("n", 12, False), ("n/3+2", 6, True), (None, 12, False)],
)
def test_a_width_that_the_module_does_not_have_is_caught(
    width: str | None, expected: int, ok: bool
) -> None:
    rows = rows_of(dataclasses.replace(get("swiglu"), output_width=width))
    (row,) = (row for row in rows if row.fact == "output_width")
    assert (row.declared, row.measured, row.ok) == (expected, 6, ok)


def test_a_gate_that_the_module_does_not_have_is_caught() -> None:
    assert faults(get("swiglu")) == set()
    wrong = faults(dataclasses.replace(get("swiglu"), factors=("relu(x)", "x")))
    assert wrong == {
        "second_moment_N01",
        "gain_forward",
        "gain_backward",
        "gate.second_moment_grad_N01",
        "gate.zero_grad_fraction_N01",
        "value.second_moment_grad_N01",
        "value.mean_grad_N01",
        "value.zero_grad_fraction_N01",
    }
    swapped = faults(dataclasses.replace(get("swiglu"), factors=("x", "x*sigmoid(x)")))
    assert {"gate.mean_grad_N01", "value.mean_grad_N01"} <= swapped
    assert "second_moment_N01" not in swapped


def test_verify_takes_names() -> None:
    rows = facts.verify(["relu", "jax:gelu"])
    assert {row.function for row in rows} == {"relu", "gelu_tanh"}
    assert all(row.derivation for row in rows)


@pytest.mark.parametrize(
    ("declared", "found", "same"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.0 + 1e-6, False),
        (1e6, 1e6 + 0.01, True),
        (1e6, 1e6 + 0.2, False),
        (0.5, 0.5 + 0.9e-7, True),
        (0.5, 0.5 - 1.1e-7, False),
        (-1e6, -1e6 - 0.09, True),
        (-1e6, -1e6 + 0.11, False),
        (float("inf"), float("inf"), True),
        (float("inf"), float("-inf"), False),
        (1e300, float("inf"), False),
        ("C1", "C2", False),
        (False, None, False),
        (0.0, None, False),
        ("C1", 1.0, False),
        ((0.0, 1.0), (0.0, 2.0), False),
        ((0.0, 1.0), (3.0, 1.0), False),
        (Kink(0.0, 0.0, 1.0), Kink(0.0, 0.0, 1.0, 0.0), True),
        (Kink(0.0, 0.0, 1.0), Kink(0.0, 0.0, 1.0, 1.0), False),
        (Kink(0.0, 0.0, 1.0), Kink(0.1, 0.0, 1.0), False),
        (Kink(0.0, 0.0, 1.0), Kink(0.0, 0.1, 1.0), False),
        (Kink(0.0, 0.0, 1.0), Kink(0.0, 0.0, 1.1), False),
        (float("inf"), 1e300, False),
        (None, None, True),
        (None, 0.0, False),
        ("C1", "C1", True),
        (True, 1.0, False),
        ((0.0, (1.0, float("inf"))), (0.0, (1.0, float("inf"))), True),
        ((0.0,), (), False),
        ((0.0, 1.0), None, False),
        (None, (0.0, 1.0), False),
        (0.0, 1e-7, True),
        (Kink(0.0, 0.0, 1.0, 0.0), Kink(0.0, 0.0, 1.0), True),
        (Kink(0.0, 0.0, 1.0, 0.0), Kink(0.0, 0.0, 1.0, 1.0), False),
    ],
)
def test_agreement(declared: object, found: object, same: bool) -> None:
    assert agree(declared, found, 1e-7) == same


JUMPS = ("step", "hardshrink", "threshold")
STEIN = [function for function in SCALAR if function.name not in JUMPS]


@pytest.mark.parametrize("function", STEIN, ids=name_of)
def test_steins_lemma_ties_the_declared_mean_slope_to_the_formula(function: Function) -> None:
    """E f'(z) = E z f(z) for continuous f: a third route, without any derivative."""
    from actlab.activations.facts.curve import Curve
    from actlab.activations.facts.measuring import normal_means

    assert function.declared is not None
    curve = Curve.of(function)
    kinks = [kink.x for kink in function.declared.kinks]
    (found,) = normal_means(lambda xs: (xs * curve.sample(xs, 0)[0],), kinks, [(0.0, 1.0)])
    assert found == pytest.approx(function.declared.moments[2], rel=1e-10, abs=1e-12)
