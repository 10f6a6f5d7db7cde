"""Every declared fact against two other routes, for every function; and that this can fail."""

import dataclasses

import pytest

from actlab.activations import Function, facts, get
from actlab.activations.catalogue.declared import SCALAR_FACTS, Kink
from actlab.activations.facts.verification import agree, rows_of
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
        (float("inf"), 1e300, False),
        (None, None, True),
        (None, 0.0, False),
        ("C1", "C1", True),
        (True, 1.0, False),
        ((0.0, (1.0, float("inf"))), (0.0, (1.0, float("inf"))), True),
        ((0.0,), (), False),
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
