"""What the published document says of its functions, each sentence tested against the facts.

A claim brings its own test; the verdict and the numbers beside it are computed, never written down.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import mpmath
import numpy as np

from actlab.activations import facts, lessons
from actlab.activations.catalogue.declared import Facts
from actlab.activations.formula import MpmathBackend, NumpyBackend, parse

Verdict = Literal["holds", "by degree", "does not hold", "conjecture"]


@dataclass(frozen=True)
class Finding:
    """What a test of a claim found: the verdict and the numbers that it rests on."""

    verdict: Verdict
    evidence: str


@dataclass(frozen=True)
class Claim:
    """A sentence of the document in our words, and its test."""

    about: str
    sentence: str
    test: Callable[[], Finding]


@dataclass(frozen=True)
class TableRow:
    """A row of the document's table: what it gives for a function of the catalogue."""

    label: str
    name: str
    low: float
    high: float
    zero_centred: bool | None
    cost: str
    learns: bool
    values: Mapping[str, float]


TABLE = (
    TableRow("Sigmoid", "sigmoid", 0.0, 1.0, False, "much", False, {}),
    TableRow("ReLU", "relu", 0.0, math.inf, False, "little", False, {}),
    TableRow(
        "Leaky ReLU", "leaky_relu", -math.inf, math.inf, False, "little", False,
        {"negative_slope": 0.01},
    ),
    TableRow("PReLU", "prelu", -math.inf, math.inf, False, "little", True, {}),
    TableRow("ELU", "elu", -1.0, math.inf, True, "much", False, {"alpha": 1.0}),
    TableRow("tanh", "tanh", -1.0, 1.0, True, "much", False, {}),
    TableRow("SiLU (Swish)", "silu", -0.278, math.inf, True, "much", False, {}),
    TableRow("Softmax", "softmax", 0.0, 1.0, None, "much", False, {}),
)  # fmt: skip


def of(name: str, **values: float) -> Facts:
    """Return the facts of a function."""
    return facts.of(name, **values)


def mean(name: str) -> float:
    """Return the mean output for a standard normal input."""
    found = of(name).mean_under_N01
    assert found is not None
    return found


def judged(holds: bool, evidence: str, otherwise: Verdict = "does not hold") -> Finding:
    """Return "holds" where it does, and the other verdict where it does not."""
    return Finding("holds" if holds else otherwise, evidence)


def _perceptron() -> Finding:
    lesson = lessons.perceptron()
    total, output = lesson.total, lesson.outputs["sigmoid"]
    right = math.isclose(total, 0.53) and abs(output - 0.629483) < 5e-7
    return judged(right, f"sum {total:.6g}, sigmoid of it {output:.6f}")


def _stack() -> Finding:
    lesson = lessons.stack()
    return judged(
        lesson.difference < 1e-12,
        "three random layers and the one line they multiply out to differ by less than 1e-12; "
        f"with relu between them the slope takes {len(lesson.slopes_bent)} values",
    )


def _sigmoid_gradient() -> Finding:
    found = of("sigmoid")
    return judged(
        found.max_abs_grad == 0.25,
        f"largest gradient {found.max_abs_grad}, at x = {found.argmax_abs_grad:g}",
    )


def _sigmoid_zero_centred() -> Finding:
    found = mean("sigmoid")
    return judged(abs(found) > 0.1, f"mean {found:.4f} under a standard normal input")


def _relu_kink() -> Finding:
    found = of("relu")
    return judged(
        found.df0_left != found.df0_right,
        f"slope {found.df0_left:g} from the left, {found.df0_right:g} from the right; "
        "torch's gradient there is 0 by convention",
    )


def _relu_weights() -> Finding:
    activations = mean("relu")
    return Finding(
        "does not hold",
        f"it is the activations whose mean is positive ({activations:.4f} under a standard normal "
        "input); nothing in relu fixes the mean of the weights",
    )


def _relu_dropout() -> Finding:
    share = of("relu").zero_grad_fraction_N01
    assert share is not None
    return Finding(
        "conjecture",
        f"relu silences {100 * share:.0f} % of standard normal inputs, but always the same ones "
        "for the same input, where dropout draws them at random; whether the effect is alike is "
        "for a study to measure",
    )


def _leaky_relu() -> Finding:
    formula, x = parse("where(x>0, x, 0.01*x)"), np.linspace(-50, 50, 2001)
    same = np.array_equal(np.maximum(0.01 * x, x), formula.evaluate(NumpyBackend(), x))
    found = of("leaky_relu", negative_slope=0.01)
    return judged(
        bool(same) and found.df0_left == 0.01,
        f"max(0.01 x, x) and the catalogue's formula agree; slope {found.df0_left} for x < 0",
    )


def _prelu_learns() -> Finding:
    return judged(of("prelu").learnable, "its slope is a parameter that training changes")


def _elu_smooth() -> Finding:
    found = of("elu", alpha=1.0)
    once = found.df0_left == found.df0_right == 1.0
    verdict: Verdict = "by degree" if once and found.smoothness == "C1" else "does not hold"
    return Finding(
        verdict,
        f"both one-sided slopes at 0 are {found.df0_left:g}, so f' is continuous; f'' jumps there "
        f"(class {found.smoothness})",
    )


def _elu_minimum() -> Finding:
    found = of("elu", alpha=1.0)
    return judged(
        bool(found.low_attained),
        f"-a = {found.range_low:g} is the infimum and is not attained: elu(x) > -a for every x",
    )


def _zero_centred(name: str) -> Callable[[], Finding]:
    def test() -> Finding:
        own, relu = mean(name), mean("relu")
        verdict: Verdict = "holds" if own == 0.0 else "by degree"
        return Finding(
            verdict, f"mean {own:.4f} under a standard normal input, relu's is {relu:.4f}"
        )

    return test


def _not_zero_centred(name: str) -> Callable[[], Finding]:
    def test() -> Finding:
        own = mean(name)
        return judged(abs(own) > 0.1, f"mean {own:.4f} under a standard normal input")

    return test


def _largest_difference(left: str, right: str) -> tuple[float, float]:
    """Return the largest difference of two formulas on [-8, 8], at 30 digits, and its place."""
    first, second = parse(left), parse(right)
    with mpmath.workdps(30):
        backend = MpmathBackend()
        points = [mpmath.mpf(step) / 10 for step in range(-80, 81)]
        gaps = [abs(first.evaluate(backend, x) - second.evaluate(backend, x)) for x in points]
    largest = max(range(len(gaps)), key=lambda index: float(gaps[index]))
    return float(gaps[largest]), float(points[largest])


def _tanh_right() -> Finding:
    gap, _place = _largest_difference("tanh(x)", "2*sigmoid(2*x)-1")
    return judged(gap < 1e-25, "the two differ by less than 1e-25, computed to 30 digits")


def _tanh_wrong() -> Finding:
    gap, place = _largest_difference("tanh(x)", "2*sigmoid(x)-1")
    return judged(gap < 1e-25, f"the two differ by {gap:.4f} at x = {place:g}")


def _tanh_vanishing() -> Finding:
    tanh, sigmoid = of("tanh"), of("sigmoid")
    return Finding(
        "by degree",
        f"its largest gradient is {tanh.max_abs_grad:g}, sigmoid's {sigmoid.max_abs_grad:g}; both "
        f"tend to {tanh.grad_lim_plus_inf:g} at both ends",
    )


def _silu_minimum() -> Finding:
    found = of("silu")
    assert found.min_x is not None
    assert found.min_y is not None
    right = round(found.min_x, 3) == -1.278 and round(found.min_y, 3) == -0.278
    return judged(right, f"minimum {found.min_y:.10f} at x = {found.min_x:.10f}")


def _silu_direction() -> Finding:
    found = of("silu")
    return judged(found.monotonic == "non_monotonic", "it falls left of its minimum, then rises")


def _silu_smooth() -> Finding:
    found = of("silu")
    return judged(found.smoothness == "Cinf", f"class {found.smoothness}")


def _silu_no_maximum() -> Finding:
    found = of("silu")
    return judged(found.range_high == math.inf, "its range ends at infinity")


def _silu_better() -> Finding:
    return Finding(
        "conjecture", "no fact of a function decides this; `actlab study` measures it on a task"
    )


def _softmax_sum() -> Finding:
    lesson = lessons.softmax()
    total = sum(lesson.shares)
    right = abs(total - 1.0) < 1e-12 and all(0.0 < share < 1.0 for share in lesson.shares)
    return judged(
        right, f"scores {lesson.scores} become shares that sum to {total:.12g}, each inside (0, 1)"
    )


def _softmax_loss() -> Finding:
    lesson = lessons.softmax()
    expected = -sum(
        target * math.log(share) for target, share in zip(lesson.target, lesson.shares, strict=True)
    )
    return judged(
        math.isclose(lesson.loss, expected),
        f"-ln({lesson.shares[0]:.4f}) = {lesson.loss:.4f} for a one-hot target of the first class",
    )


CLAIMS = (
    Claim("perceptron", "Its example gives 0.53 and sigmoid(0.53) = 0.629483.", _perceptron),
    Claim("linear layers", "Stacked without an activation they are one linear function.", _stack),
    Claim("sigmoid", "Its gradient is at most 0.25.", _sigmoid_gradient),
    Claim("sigmoid", "It is not zero-centred.", _sigmoid_zero_centred),
    Claim("ReLU", "It is not differentiable at 0.", _relu_kink),
    Claim("ReLU", "It is not zero-centred.", _not_zero_centred("relu")),
    Claim("ReLU", "It makes the mean of the weights positive.", _relu_weights),
    Claim("ReLU", "Units that die act as dropout does.", _relu_dropout),
    Claim("Leaky ReLU", "It is max(0.01 x, x).", _leaky_relu),
    Claim("Leaky ReLU", "It is not zero-centred.", _not_zero_centred("leaky_relu")),
    Claim("PReLU", "Its slope is learnt.", _prelu_learns),
    Claim("PReLU", "It is not zero-centred.", _not_zero_centred("prelu")),
    Claim("ELU", "With a = 1 it is smooth at 0.", _elu_smooth),
    Claim("ELU", "Its minimum is -a.", _elu_minimum),
    Claim("ELU", "It is zero-centred.", _zero_centred("elu")),
    Claim("tanh", "It equals 2 sigmoid(2x) - 1.", _tanh_right),
    Claim("tanh", "It equals 2 sigmoid - 1.", _tanh_wrong),
    Claim("tanh", "It is zero-centred.", _zero_centred("tanh")),
    Claim("tanh", "It eases the vanishing gradient without ending it.", _tanh_vanishing),
    Claim("softmax", "Its outputs sum to 1.", _softmax_sum),
    Claim("softmax", "The categorical cross entropy is that of the true class's share.",
          _softmax_loss),
    Claim("SiLU", "Its minimum is about -0.278, at about -1.278.", _silu_minimum),
    Claim("SiLU", "It is not monotonic.", _silu_direction),
    Claim("SiLU", "It has no point without a derivative.", _silu_smooth),
    Claim("SiLU", "It has no maximum.", _silu_no_maximum),
    Claim("SiLU", "It is zero-centred.", _zero_centred("silu")),
    Claim("SiLU", "It performs far better than ReLU.", _silu_better),
)  # fmt: skip
