"""Faults that are planted at a known place are found there, named, and counted in ULP."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from actlab.activations.facts import hazards, hazards_by_dtype, pasted
from actlab.activations.facts.measurable import PastedFormula
from actlab.activations.facts.numerical_errors import (
    DTYPES,
    Truth,
    between,
    first_errors,
    sample_points,
)
from actlab.activations.facts.results import Fault, FirstErrors

Part = Callable[[Tensor], Tensor | float]
SOME = ("float16", "bfloat16", "float32")


class Planted(torch.autograd.Function):
    """A value with the gradient that it is given."""

    @staticmethod
    def forward(ctx: Any, _x: Tensor, value: Tensor, slope: Tensor) -> Tensor:
        ctx.save_for_backward(slope)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, incoming: Tensor) -> tuple[Tensor, None, None]:
        return incoming * ctx.saved_tensors[0], None, None


def planted(value: Part = lambda x: x, slope: Part = torch.ones_like) -> Callable[[Tensor], Tensor]:
    """Return what computes a value, of x without its gradient, and a gradient; at first x."""

    def apply(x: Tensor) -> Tensor:
        here = x.detach()
        parts = (torch.as_tensor(part(here), dtype=x.dtype) for part in (value, slope))
        result: Tensor = Planted.apply(x, *(part.expand_as(x) for part in parts))
        return result

    return apply


@cache
def truth(text: str) -> Truth:
    return Truth(pasted(text))


def found(text: str, apply: Callable[[Tensor], Tensor], dtype: str = "float32") -> FirstErrors:
    return first_errors(apply, truth(text), DTYPES[dtype])


@pytest.mark.parametrize("dtype", SOME)
def test_a_function_without_a_fault_has_none(dtype: str) -> None:
    greatest = torch.finfo(DTYPES[dtype]).max
    assert found("x", planted(), dtype) == FirstErrors(
        value_from=None,
        value_wrong=None,
        gradient_from=None,
        gradient_wrong=None,
        tail_value_ulp=0.0,
        tail_value_at=-greatest,
        tail_gradient_ulp=0.0,
        tail_gradient_at=-greatest,
        near_zero_value_ulp=0.0,
        near_zero_value_at=-0.5,
        near_zero_gradient_ulp=0.0,
        near_zero_gradient_at=-0.5,
    )


FAULTS: list[tuple[float, Fault]] = [(math.nan, "nan"), (math.inf, "inf"), (0.5, "error")]


@pytest.mark.parametrize(
    ("dtype", "place"), [("float16", 0.0123), ("bfloat16", 3.333), ("float32", 2345.0)]
)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("factor", "name"), FAULTS)
def test_a_wrong_value_is_wrong_from_the_very_number_on(
    dtype: str, place: float, side: int, factor: float, name: str
) -> None:
    start = float(torch.tensor(place, dtype=DTYPES[dtype]))
    wrong = found("x", planted(lambda x: torch.where(side * x >= start, factor * x, x)), dtype)
    assert (wrong.value_from, wrong.value_wrong) == (side * start, name)
    assert (wrong.gradient_from, wrong.gradient_wrong) == (None, None)
    at_the_end = "nan" if name == "nan" else None
    ends = (wrong.value_at_minus_inf, wrong.value_at_inf)
    assert ends == ((at_the_end, None) if side < 0 else (None, at_the_end))


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("slope", "name"), FAULTS)
def test_a_wrong_gradient_is_wrong_from_the_very_number_on(
    dtype: str, side: int, slope: float, name: str
) -> None:
    start = float(torch.tensor(0.777, dtype=DTYPES[dtype]))
    wrong = found("x", planted(slope=lambda x: torch.where(side * x >= start, slope, 1.0)), dtype)
    assert (wrong.gradient_from, wrong.gradient_wrong) == (side * start, name)
    assert (wrong.value_from, wrong.value_wrong) == (None, None)
    ends = (wrong.gradient_at_minus_inf, wrong.gradient_at_inf)
    assert ends == ((name, None) if side < 0 else (None, name))


def test_of_two_faults_the_one_nearer_to_0_is_named() -> None:
    def value(x: Tensor) -> Tensor:
        return torch.where(x <= -3.3, math.nan, torch.where(x >= 2.2, 0.0, x))

    wrong = found("x", planted(value))
    assert (wrong.value_from, wrong.value_wrong) == (pytest.approx(2.2), "error")
    assert (wrong.value_at_minus_inf, wrong.value_at_inf) == ("nan", "error")


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.parametrize(
    ("text", "factor", "room"), [("x", 1.0, 4), ("8*x", 8.0, 4), ("x/8", 0.125, 32)]
)
def test_a_value_may_be_off_by_4_eps_of_itself_or_of_its_input(
    dtype: str, text: str, factor: float, room: int
) -> None:
    def first_wrong(count: int) -> tuple[float | None, Fault | None]:
        at_2 = factor * 2 * (1 + count * torch.finfo(DTYPES[dtype]).eps)
        apply = planted(lambda x: torch.where(x == 2, at_2, factor * x), lambda _x: factor)
        result = found(text, apply, dtype)
        assert result.tail_value_ulp == count
        assert result.tail_value_at == 2
        return result.value_from, result.value_wrong

    assert first_wrong(room)[1] == ("overflow" if factor == 8 else None)
    assert first_wrong(room + room // 4) == (2.0, "error")


@pytest.mark.parametrize("dtype", SOME)
@pytest.mark.parametrize(("text", "factor"), [("x", 1.0), ("x/8", 0.125), ("8*x", 8.0)])
def test_a_gradient_may_be_off_by_4_eps_of_the_steepest(
    dtype: str, text: str, factor: float
) -> None:
    def wrong(count: int) -> tuple[float | None, Fault | None]:
        at_2 = factor * (1 + count * torch.finfo(DTYPES[dtype]).eps)
        apply = planted(lambda x: factor * x, lambda x: torch.where(x == 2, at_2, factor))
        result = found(text, apply, dtype)
        assert (result.tail_gradient_ulp, result.tail_gradient_at) == (count, 2)
        return result.gradient_from, result.gradient_wrong

    assert wrong(4) == (None, None)
    assert wrong(5) == (2.0, "error")


def test_where_a_slope_is_small_a_gradient_is_beside_the_steepest() -> None:
    """The slope of tanh at 8 is 4.5e-7, its steepest 1."""
    for count, wrong in ((3.9, None), (4.1, 8.0)):
        off = count * torch.finfo(torch.float32).eps
        apply = planted(torch.tanh, lambda x, off=off: 1 / torch.cosh(x) ** 2 + off * (x == 8))
        assert found("tanh(x)", apply).gradient_from == wrong


@pytest.mark.parametrize("dtype", SOME)
def test_at_0_one_least_number_of_the_dtype_is_allowed(dtype: str) -> None:
    least = torch.finfo(DTYPES[dtype]).smallest_normal * torch.finfo(DTYPES[dtype]).eps
    for count, wrong in ((1, None), (-1, None), (2, 0.0), (-2, 0.0)):
        apply = planted(lambda x, off=count * least: torch.where(x == 0, off, x))
        assert found("x", apply, dtype).value_from == wrong


def test_the_least_number_is_beside_the_error_that_is_allowed() -> None:
    """Of float16, at 2^-14: 4 eps |x| are 4 of the least numbers 2^-24."""
    for count, wrong in ((5, None), (6, 2.0**-14)):
        apply = planted(lambda x, off=count * 2.0**-24: torch.where(x == 2.0**-14, x + off, x))
        assert found("x", apply, "float16").value_from == wrong


@pytest.mark.parametrize("side", [-1, 1])
def test_an_infinite_input_is_named_where_nothing_finite_is_wrong(side: int) -> None:
    end = side * math.inf
    wrong = found("x", planted(lambda x: torch.where(x == end, 7.0, x)))
    assert (wrong.value_from, wrong.value_wrong) == (end, "error")
    assert (wrong.gradient_from, wrong.gradient_wrong) == (None, None)
    wrong = found("x", planted(slope=lambda x: torch.where(x == end, math.nan, 1.0)))
    assert (wrong.gradient_from, wrong.gradient_wrong) == (end, "nan")
    assert (wrong.value_from, wrong.value_wrong) == (None, None)


def test_of_two_infinite_inputs_minus_infinity_is_named() -> None:
    both = found("x", planted(lambda x: torch.where(x.isinf(), math.nan, x), torch.isfinite))
    assert (both.value_from, both.gradient_from) == (-math.inf, -math.inf)
    assert both.value_at_minus_inf == both.value_at_inf == "nan"
    assert both.gradient_at_minus_inf == both.gradient_at_inf == "error"


@pytest.mark.parametrize(
    ("at_inf", "fault"),
    [
        (1.0, None),
        (1 + 4 * 2.0**-23, None),
        (1 + 5 * 2.0**-23, "error"),
        (math.inf, "inf"),
        (math.nan, "nan"),
    ],
)
def test_at_infinity_the_truth_is_the_limit(at_inf: float, fault: Fault | None) -> None:
    apply = planted(
        lambda x: torch.where(x == math.inf, at_inf, torch.tanh(x)),
        lambda x: 1 / torch.cosh(x) ** 2,
    )
    result = found("tanh(x)", apply)
    assert (result.value_at_inf, result.value_at_minus_inf) == (fault, None)
    assert result.value_wrong == fault


def test_a_function_without_a_limit_has_nothing_wrong_at_infinity() -> None:
    apply = planted(lambda x: torch.where(x.isinf(), math.nan, torch.sin(x)), torch.cos)
    result = found("sin(x)", apply)
    assert (result.value_at_minus_inf, result.value_at_inf) == (None, None)
    assert (result.gradient_at_minus_inf, result.gradient_at_inf) == (None, None)


def test_a_number_that_is_made_of_nan_is_a_fault_of_its_own() -> None:
    assert not found("x", planted(torch.nan_to_num)).keeps_nan
    assert found("x", planted()).keeps_nan
    alone = found("x", planted(lambda x: torch.where(x.isnan(), 0.0, x)))
    assert (alone.value_from, alone.keeps_nan) == (None, False)


def test_an_infinity_is_an_overflow_where_the_true_number_is_beyond_the_dtype() -> None:
    squared = found("x**2", planted(lambda x: x**2, lambda x: 2 * x), "float16")
    assert (squared.value_from, squared.value_wrong) == (-256.0, "overflow")
    assert (squared.gradient_from, squared.gradient_wrong) == (-32768.0, "overflow")
    greatest = found("x", planted(lambda x: torch.where(x == 65504, math.inf, x)), "float16")
    assert (greatest.value_from, greatest.value_wrong) == (65504, "inf")
    early = found("x**2", planted(lambda x: x**2 * 2 / 2, lambda x: 2 * x), "float16")
    assert early.value_wrong == "inf"
    assert 65504 / 2 < (early.value_from or 0.0) ** 2 < 65504


@pytest.mark.parametrize(
    ("place", "tail", "near"),
    [
        (0.5, 0, 3),
        (-0.25, 0, 3),
        (0.75, 0, 0),
        (1.0, 0, 0),
        (-1.0, 0, 0),
        (0.0, 0, 0),
        (2.0, 3, 0),
        (-64.0, 3, 0),
    ],
)
def test_relative_errors_count_up_to_a_half_and_beyond_1(
    place: float, tail: int, near: int
) -> None:
    off = 1 + 3 * 2.0**-23
    result = found(
        "x",
        planted(
            lambda x: torch.where(x == place, x * off, x),
            lambda x: torch.where(x == place, off, 1.0),
        ),
    )
    assert (result.value_wrong, result.gradient_wrong) == (None, None)
    assert (result.tail_value_ulp, result.tail_gradient_ulp) == (tail, tail)
    assert (result.near_zero_value_ulp, result.near_zero_gradient_ulp) == (near, near)
    worst = (result.tail_value_at, result.tail_gradient_at) if tail else (place, place)
    nearest = (result.near_zero_value_at, result.near_zero_gradient_at) if near else (place, place)
    assert (*worst, *nearest) == (place,) * 4


def test_the_least_normal_number_has_a_relative_error_and_a_subnormal_one_none() -> None:
    for place, expected in ((2.0**-14, 3), (2.0**-15, 0)):
        off = 3 * 2.0**-24
        apply = planted(lambda x, at=place, by=off: torch.where(x == at, x + by, x))
        assert found("x", apply, "float16").near_zero_value_ulp == expected


@pytest.mark.parametrize(
    ("text", "tails"),
    [
        ("(x-3)**2", (-1.0, 3.0)),
        ("(x+3.5)**2", (-3.5, 1.0)),
        ("tanh(x+6.25)", (-6.25, 1.0)),
        ("tanh((x-6.25)*2)", (-1.0, 6.25)),
        ("(x**2-9)**2", (-3.0, 3.0)),
        ("x+sin(x)/1e3*0", (-1.0, 1.0)),
    ],
)
def test_tails_begin_beyond_the_outermost_turn_and_inflection(
    text: str, tails: tuple[float, float]
) -> None:
    assert truth(text).tails == pytest.approx(tails, abs=1e-15)


@pytest.mark.parametrize("dtype", SOME)
def test_a_gradient_is_lost_from_the_very_number_on(dtype: str) -> None:
    near, far = (float(torch.tensor(x, dtype=DTYPES[dtype])) for x in (0.0456, 78.9))
    for left, right in ((-near, far), (-far, near)):
        within = planted(slope=lambda x, a=left, b=right: (x > a) & (x < b))
        result = found("x", within, dtype)
        assert (result.no_gradient_left, result.no_gradient_right) == (left, right)
        assert (result.gradient_from, result.gradient_wrong) == (min(left, right, key=abs), "error")


def test_a_gradient_that_is_lost_everywhere_is_lost_from_the_least_number_on() -> None:
    result = found("x", planted(slope=torch.zeros_like), "float16")
    assert (result.no_gradient_left, result.no_gradient_right) == (-(2.0**-24), 2.0**-24)
    assert result.gradient_from == 0


def test_a_hole_near_0_is_not_where_a_gradient_is_lost_for_good() -> None:
    result = found("x", planted(slope=lambda x: (x.abs() > 0.1) & (x.abs() < 3.3)), "float16")
    start = float(torch.tensor(3.3, dtype=torch.float16))
    assert (result.no_gradient_left, result.no_gradient_right) == (-start, start)


def test_a_gradient_that_comes_back_is_not_lost() -> None:
    result = found("x", planted(slope=lambda x: (x.abs() < 3) | (x.abs() > 2000)))
    assert (result.no_gradient_left, result.no_gradient_right) == (None, None)
    assert found("relu(x)", torch.relu).no_gradient_left is None
    only_right = found("x", planted(slope=lambda x: x <= 2.5))
    assert only_right.no_gradient_left is None
    assert only_right.no_gradient_right == 2.5 + 2.0**-22


def test_a_gradient_that_is_lost_on_a_whole_side_is_lost_from_the_least_number_on() -> None:
    result = found("x", planted(slope=lambda x: x <= 0), "float16")
    assert (result.no_gradient_left, result.no_gradient_right) == (None, 2.0**-24)
    assert (result.gradient_from, result.gradient_wrong) == (2.0**-24, "error")


def test_at_a_kink_either_slope_is_right() -> None:
    result = found("abs(x)", planted(torch.abs, lambda x: torch.where(x == 0, 0.3, x.sign())))
    assert (result.gradient_from, result.gradient_wrong) == (None, None)
    assert truth("abs(x)")(0.0) == (0.0, None)
    assert truth("abs(x)").is_flat(0.0)
    assert truth("abs(x)")(-2.0) == (2.0, -1.0)
    assert not truth("abs(x)").is_flat(-2.0)
    assert truth("max(x, 0.9*x)")(0.0) == (0.0, None)
    assert truth("abs(x-3)")(3.0) == (0.0, None)
    assert truth("abs(x-3)")(-3.0) == (6.0, -1.0)
    shifted = found(
        "abs(x-3)", planted(lambda x: (x - 3).abs(), lambda x: torch.where(x < 2, -1.0, 0.9))
    )
    assert (shifted.gradient_from, shifted.gradient_wrong) == (2.0, "error")


def test_the_slope_of_a_smooth_switch_is_known() -> None:
    smooth = truth("x*abs(x)")
    assert (smooth(0.0), smooth.is_flat(0.0), smooth.curvature(1.0)) == ((0.0, 0.0), True, 2.0)
    assert smooth(-3.0) == (-9.0, 6.0)
    assert truth("sqrt(abs(x))").curvature(0.0) is None
    assert truth("8*x").steepest == 8
    assert truth("tanh(x+6.25)").steepest == pytest.approx(1, rel=1e-15)


def test_what_the_last_numbers_of_a_tensor_become_is_not_judged() -> None:
    seen: list[int] = []

    def apply(x: Tensor) -> Tensor:
        seen.append(len(x))
        last = torch.arange(len(x)) >= len(x) - 64
        return torch.where(last, math.nan, x)

    assert found("x", apply).value_from is None
    assert min(seen) >= 64


def test_an_operation_without_a_gradient_has_a_gradient_of_zeros() -> None:
    result = found("x", lambda x: x.detach())
    assert (result.value_wrong, result.gradient_wrong) == (None, "error")
    assert found("sign(x)", lambda x: x.detach().sign()).gradient_wrong is None


@dataclass(frozen=True)
class Watched(PastedFormula):
    """A formula whose module is right only in evaluation, and only computed in one thread."""

    def module(self) -> nn.Module:
        class Module(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                wrong = self.training or torch.get_num_threads() > 1
                return x * 2 if wrong else torch.where(x > 2.5, x * 2, x)

        return Module()


def test_module_and_formula_are_told_apart() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        watched = Watched(pasted("x").expression, name="watched")
        by_dtype = hazards_by_dtype(watched)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert list(by_dtype) == list(SOME)
    for dtype, both in by_dtype.items():
        assert (both.function, both.dtype) == ("watched", dtype)
        assert both.module.value_from == pytest.approx(2.5, rel=2 * torch.finfo(DTYPES[dtype]).eps)
        assert both.module.value_wrong == "error"
        assert (both.formula.value_from, both.formula.gradient_from) == (None, None)
        assert both.as_json()["module"]["value_wrong"] == "error"


def test_a_formula_is_computed_with_its_parameters_word_for_word() -> None:
    both = hazards(pasted("exp(b*x)", b=2.0), "float64")
    assert both.formula == both.module
    overflow = math.log(torch.finfo(torch.float64).max) / 2
    assert both.formula.value_from == pytest.approx(overflow, rel=1e-15)
    assert both.formula.value_wrong == "overflow"
    cancels = hazards(pasted("exp(b*x)-1", b=2.0), "float32").formula
    assert cancels.near_zero_value_ulp is not None
    assert cancels.near_zero_value_ulp > 1000


@pytest.mark.parametrize("dtype", SOME)
def test_sample_points_are_dense_and_of_both_signs(dtype: str) -> None:
    points = sample_points(DTYPES[dtype]).tolist()
    assert points == sorted(set(points))
    assert [-x for x in reversed(points)] == points
    assert 0 in points
    assert set(torch.arange(-19.75, 20, 0.25).tolist()) <= set(points)
    assert 20 not in points
    assert points[-1] == torch.finfo(DTYPES[dtype]).max
    assert min(x for x in points if x > 0) == torch.finfo(torch.float16).smallest_normal
    for decade in range(-4, -1):
        assert 4 <= sum(10.0**decade <= x < 10.0 ** (decade + 1) for x in points) <= 5
    far = [x for x in points if x >= 65504]
    assert all(after < 3.3 * before for before, after in pairwise(far))
    assert len(far) == (1 if dtype == "float16" else 68)


def test_sample_points_are_shared_between_dtypes() -> None:
    shared = {x for x in sample_points(torch.float16).tolist() if abs(x) < 65504}
    for dtype in DTYPES.values():
        others = {x for x in sample_points(dtype).tolist() if abs(x) < 65504}
        assert others == shared


@pytest.mark.parametrize("place", [0.3, -7.123, 1e-3])
@pytest.mark.parametrize("dtype", SOME)
def test_beside_a_break_both_neighbours_are_looked_at(dtype: str, place: float) -> None:
    here = torch.tensor(place).to(DTYPES[dtype])
    added = set(sample_points(DTYPES[dtype], [place]).tolist()) - set(
        sample_points(DTYPES[dtype]).tolist()
    )
    beside = {
        float(torch.nextafter(here, torch.tensor(end, dtype=DTYPES[dtype])))
        for end in (-math.inf, math.inf)
    }
    assert added == beside


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_between_halves_until_neighbours_are_left(dtype: str, sign: int) -> None:
    low, high, count = 1.0, 2.0, 0
    while (middle := between(sign * low, sign * high, DTYPES[dtype])) is not None:
        assert low < sign * middle < high
        high = sign * middle
        count += 1
    assert high == 1 + torch.finfo(DTYPES[dtype]).eps
    assert count == -math.log2(torch.finfo(DTYPES[dtype]).eps)
    assert between(0.0, sign * 4.0, DTYPES[dtype]) is not None
    assert between(4.0 * sign, 1.0 * sign, DTYPES[dtype]) == 2.0 * sign
