"""Where functions go wrong in a dtype: nowhere as they are shipped, with named exceptions."""

import math

import pytest
import torch

from actlab.activations import Function, facts, get
from actlab.activations.facts import numerical_errors
from actlab.activations.facts.numerical_errors import (
    Truth,
    between,
    first_errors,
    sample_points,
    shipped,
)
from actlab.activations.facts.results import FirstErrors
from actlab.errors import UnknownNameError
from tests.contracts.functions import SCALAR, name_of, value_and_gradient

DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


def unexplained(function: Function, dtype: str, found: FirstErrors) -> list[str]:
    """Return what is wrong in a dtype and neither overflow of the true number nor an exception."""
    faults = {
        "value": (found.value_from, found.value_wrong),
        "gradient": (found.gradient_from, found.gradient_wrong),
    }
    return [
        f"{quantity} {wrong} from {place}"
        for quantity, (place, wrong) in faults.items()
        if place is not None
        and wrong != "overflow"
        and not any(
            exception.quantity == quantity
            and exception.fault == wrong
            and dtype in exception.dtypes
            and abs(place) >= exception.beyond
            for exception in function.exceptions
        )
    ]


@pytest.mark.parametrize("function", SCALAR, ids=name_of)
def test_the_shipped_module_is_right_over_the_whole_range(function: Function) -> None:
    truth = Truth(function)
    for name, dtype in DTYPES.items():
        found = first_errors(shipped(function), truth, dtype)
        assert not unexplained(function, name, found), name


@pytest.mark.slow
@pytest.mark.parametrize("function", SCALAR, ids=name_of)
def test_the_shipped_module_is_right_on_many_more_points(
    function: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numerical_errors, "_PER_DECADE", 25)
    monkeypatch.setattr(numerical_errors, "_PER_FAR_DECADE", 10)
    monkeypatch.setattr(numerical_errors, "_STEP", 1 / 64)
    test_the_shipped_module_is_right_over_the_whole_range(function)


def test_the_exceptions_are_torchs_own_kernels_each_with_its_reason() -> None:
    with_exceptions = {function.name: function for function in SCALAR if function.exceptions}
    by_the_gradient_of_silu = {"quick_gelu", "swish"}
    assert set(with_exceptions) == by_the_gradient_of_silu | {
        "gelu", "gelu_tanh", "silu", "mish", "hardswish", "softsign",
    }  # fmt: skip
    for name, function in with_exceptions.items():
        assert function.factory.startswith("native:") or name in by_the_gradient_of_silu
        assert all(exception.reason for exception in function.exceptions)


@pytest.mark.parametrize(
    ("name", "quantity", "fault", "x"),
    [
        ("gelu", "value", "inf", 3.3e38),
        ("gelu_tanh", "gradient", "nan", -1e30),
        ("hardswish", "value", "inf", 3e38),
    ],
)
def test_an_exception_is_still_true(name: str, quantity: str, fault: str, x: float) -> None:
    """When torch mends a kernel the exception goes. 64 numbers: few take another loop."""
    if name == "gelu" and torch.backends.cpu.get_cpu_capability() != "AVX512":
        pytest.skip("the kernel for other processors halves first")
    values, gradient = value_and_gradient(get(name).module(), torch.full((64,), x))
    found = (values if quantity == "value" else gradient)[0]
    assert found.isnan() if fault == "nan" else found.isinf()


@pytest.mark.parametrize(
    ("name", "dtype", "fault", "place"),
    [
        ("elu", "float16", "nan", 11.09375),
        ("elu", "float32", "nan", 88.7228),
        ("xielu", "bfloat16", "nan", 89.0),
        ("tanhexp", "float16", "nan", 11.09375),
        ("gelu_tanh", "float16", "nan", -147.875),
    ],
)
def test_formulas_as_written_give_nan_gradients(
    name: str, dtype: str, fault: str, place: float
) -> None:
    found = facts.hazards(name, dtype).formula
    assert found.gradient_wrong == fault
    assert found.gradient_from == pytest.approx(place, rel=1e-4)


@pytest.mark.parametrize("name", ["squareplus", "bent_identity"])
def test_a_square_under_a_root_overflows_float16(name: str) -> None:
    written, module = (lambda h: (h.formula, h.module))(facts.hazards(name, "float16"))
    assert written.value_from is not None
    assert abs(written.value_from) <= 256
    assert module.value_wrong in (None, "overflow")


def test_relative_errors_in_the_tail_stand_beside_it() -> None:
    """torch's float32 GELU is off by thousands of ULP at -4, and by everything further out."""
    found = facts.hazards("gelu", "float32").module
    assert found.tail_value_ulp is not None
    assert found.tail_value_ulp > 1000
    assert facts.hazards("tanhexp", "float32").module.tail_value_ulp < 16


def test_a_start_of_errors_is_the_first_number_that_is_wrong() -> None:
    """x relu6(x + 3) = 6 x overflows from a sixth of the range on."""
    found = facts.hazards("hardswish", "float32").module
    assert found.value_from == pytest.approx(torch.finfo(torch.float32).max / 6, rel=1e-6)


def test_overflow_of_the_true_value_is_told_from_a_fault() -> None:
    found = facts.hazards("relu_squared", "float16").module
    assert (found.value_from, found.value_wrong) == (256.0, "overflow")
    assert facts.hazards("hardswish", "float16").formula.value_wrong == "inf"


def test_a_pasted_formula_is_examined_as_it_is_written() -> None:
    found = facts.hazards(facts.pasted("log(1+exp(x))"), "float16")
    assert found.module == found.formula
    assert found.module.value_wrong == "inf"
    assert found.as_json()["module"]["value_from"] == pytest.approx(11.09375)


def test_an_unknown_dtype_is_one_clear_line() -> None:
    with pytest.raises(UnknownNameError) as raised:
        facts.hazards("relu", "floot16")
    assert str(raised.value) == 'There is no dtype "floot16". Did you mean "float16"?'


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=DTYPES)
def test_sample_points_are_numbers_of_the_dtype(dtype: torch.dtype) -> None:
    points = sample_points(dtype, [1 / 3])
    assert torch.equal(points.to(dtype).double(), points)
    assert points.max() == torch.finfo(dtype).max
    beside = points[(points - 1 / 3).abs() < 4e-3]
    assert (beside < 1 / 3).any()
    assert (beside > 1 / 3).any()


def test_between_walks_from_one_number_to_the_next() -> None:
    assert between(1.0, 65536.0, torch.float32) == 256.0
    assert between(-1.0, -4.0, torch.float32) == -2.0
    step = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    assert between(1.0, float(step), torch.float32) is None


def test_a_coarse_float64_is_judged_by_the_same_rule() -> None:
    found = facts.hazards("softplus", "float64").module
    assert found.value_wrong == "error"  # torch's threshold of 20: off by 2e-9
    assert math.isclose(found.value_from or 0.0, 20.0, rel_tol=0.05)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("silu", "nan", None),
        ("mish", "nan", None),
        ("hardswish", "nan", None),
        ("gelu_tanh", "nan", None),
        ("softsign", "nan", "nan"),
        ("golu", None, None),
    ],
)
def test_infinite_inputs_are_examined(name: str, low: str | None, high: str | None) -> None:
    found = facts.hazards(name, "float16").module
    assert (found.value_at_minus_inf, found.value_at_inf) == (low, high)
    assert found.keeps_nan
    assert (found.value_from is None) == (low is None)


def test_a_gradient_that_is_lost_is_named() -> None:
    """tanh(4.51) rounds to 1 in float16, so 1 - tanh^2 is 0; the true slope is 4.8e-4."""
    found = facts.hazards("tanh", "float16").module
    assert found.no_gradient_right == -found.no_gradient_left == 4.5078125
    assert facts.hazards("relu", "float16").module.no_gradient_left is None


def test_cancellation_near_zero_is_named() -> None:
    found = facts.hazards("tanhshrink", "float32").module
    assert found.near_zero_value_ulp > 1e6
    assert facts.hazards("tanh", "float32").module.near_zero_value_ulp < 2
