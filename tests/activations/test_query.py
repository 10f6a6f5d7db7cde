"""Conditions on facts."""

import math

import pytest

from actlab.activations import functions
from actlab.activations.query import QueryError, facts_of
from tests.contracts.functions import SCALAR


def found(where: str) -> list[str]:
    return [function.name for function in functions(where)]


def test_the_issues_example_selects_what_its_words_mean() -> None:
    expected = [
        function.name
        for function in SCALAR
        if function.declared
        and function.declared.smoothness == "Cinf"
        and function.declared.monotonic == "non_monotonic"
        and function.declared.steepest[0] <= 1.1
    ]
    assert found("smooth and not monotonic and lipschitz <= 1.1") == expected
    assert "silu" in expected
    assert "gelu" not in expected


def test_lipschitz_is_infinite_where_the_function_jumps() -> None:
    assert found("lipschitz == inf and max_abs_grad <= 1") == [
        "step",
        "threshold",
        "hardshrink",
    ]


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("min_y < -0.5", ["bsilu", "pserf", "sine"]),
        ("-0.38 < min_y <= -0.375", ["hardswish", "colu"]),
        ('monotonic == "non_decreasing" and zero_grad_fraction_N01 > 0.6', ["step", "threshold"]),
        ("smoothness == C2", ["isrlu"]),
        ("smoothness > C1 and smoothness < Cinf", ["isrlu"]),
        ('kind == "structural" and learnable', ["rational_pau"]),
        ("lim_plus_inf == 6 or name == 'tanh'", ["relu6", "tanh"]),
        ("range_low == -inf and not monotonic", ["gcu"]),
    ],
)
def test_conditions(where: str, names: list[str]) -> None:
    assert found(where) == names


def test_a_missing_fact_satisfies_neither_a_comparison_nor_its_negation() -> None:
    with_minimum = {f.name for f in SCALAR if f.declared and f.declared.minimum[0] is not None}
    assert set(found("min_y < 1e9 or not min_y < 1e9")) == with_minimum
    assert not any(f.kind == "structural" for f in functions("not smooth"))


def test_no_condition_selects_everything() -> None:
    assert len(functions()) == 101
    assert len(functions('kind == "scalar"')) == 83


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("smoth", 'There is no fact "smoth". Did you mean "smooth"?'),
        ("max_abs_grd < 1", 'There is no fact "max_abs_grd". Did you mean "max_abs_grad"?'),
        ("smooth and", 'The condition "smooth and" cannot be read'),
        ("", 'The condition "" cannot be read'),
        ("__import__('os')", "no __import__('os')"),
        ("(lambda: 1)()", "no (lambda: 1)()"),
        ("min_x ** 9 < 1", "no min_x ** 9"),
        ("name in ('relu',)", "Facts are compared with"),
        ("smooth.__class__", "no smooth.__class__"),
        ("9" * 600, "cannot be read"),
    ],
)
def test_what_is_no_condition_is_refused_before_anything_is_computed(
    where: str, message: str
) -> None:
    with pytest.raises(QueryError) as raised:
        functions(where)
    assert message in str(raised.value)


def test_every_key_of_the_facts_can_be_asked() -> None:
    relu = next(function for function in SCALAR if function.name == "relu")
    facts = facts_of(relu)
    assert facts["lipschitz"] == 1
    assert facts["range_high"] == math.inf
    for key in facts:
        if key not in ("fixed_points", "kinks"):
            functions(f"{key} == 0 or not {key} == 0")
