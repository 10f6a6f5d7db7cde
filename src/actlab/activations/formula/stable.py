"""A formula in an equal form whose value and gradient stay finite where the function is finite.

What autodiff makes of a formula as written is NaN where a branch that is not taken overflows, or
where an infinite inner slope meets an outer slope of 0. Printed code therefore has the input held
in the branch (a second `where`), exponents held where what is outside of them has saturated,
sigmoid and softplus in place of the quotients and logarithms that are them, and the input held far
out, where squares overflow and the function has long been a straight line.
"""

import math
from collections.abc import Callable
from functools import lru_cache

import mpmath
import numpy as np

from actlab.activations.formula.derivative import derivative, outer_slope, plus, times
from actlab.activations.formula.evaluation import MpmathBackend, NumpyBackend, evaluate
from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Choice,
    Comparison,
    Input,
    Logic,
    Negative,
    Node,
    Number,
    Truth,
    depends_on_input,
    inserted,
    literal,
    number,
    parameter_names,
    walk,
)

_SATURATED = number(11)
"""exp(11) is finite in float16, and tanh, erf, sigmoid and exp(-exp) of it are at their limits."""

_SATURATING = ("tanh", "erf", "sigmoid", "atan")
_HARMLESS = ("abs", "sign", "floor", "relu", "clip", "max", "min", *_SATURATING)

_FAR = 1e12
"""Its cube is finite in float32; what is algebraic has come within 1e-12 of a straight line."""

_VERY_FAR = 1e200
"""Its square overflows float64, as that of 1e25 does float32."""


@lru_cache(maxsize=256)
def stable(tree: Node) -> Node:
    """Return the tree in a form that is safe to differentiate.

    >>> from actlab.activations.formula import parse
    >>> from actlab.activations.formula.printers.code import FORMULA, code
    >>> code(stable(parse("where(x>0, x, expm1(x))").tree), FORMULA)
    'where(x > 0, x, expm1(where(x > 0, 0, x)))'
    >>> code(stable(parse("x*tanh(exp(x))").tree), FORMULA)
    'x * tanh(exp(min(x, 11)))'
    >>> code(stable(parse("x/sqrt(1+x**2)").tree), FORMULA)[:28]
    'clip(x, -1000000000000.0, 10'
    """
    return _held_far(_node(tree, within=False))


def _held_far(tree: Node) -> Node:
    """Return the tree with its input held beyond _FAR on the sides where it fails far out."""
    if parameter_names(tree) or not depends_on_input(tree):
        return tree
    slopes = [_slope_far_out(tree, side) for side in (-1, 1)]
    if slopes == [None, None]:
        return tree
    low, high = (literal(side * _FAR) for side in (-1, 1))
    left, right = slopes
    held: Node = Call("clip", (Input(), low, high))
    beyond: Node = number(0)
    if left is None:
        held = Call("min", (Input(), high))
    elif left:
        past = Call("min", (Binary("+", Input(), high), number(0)))
        beyond = plus(beyond, times(literal(left), past))
    if right is None:
        held = Call("max", (Input(), low))
    elif right:
        past = Call("max", (Binary("-", Input(), high), number(0)))
        beyond = plus(beyond, times(literal(right), past))
    return plus(inserted(tree, {}, held), beyond)


def _slope_far_out(tree: Node, side: int) -> float | None:
    """Return the slope of the line that f is far out, None where plain code is right there."""
    slope = derivative(tree)
    true = MpmathBackend()
    with mpmath.workdps(450):
        far, very_far = side * mpmath.mpf(_FAR), side * mpmath.mpf(_VERY_FAR)
        value, rise = (evaluate(part, true, very_far, {}) for part in (tree, slope))
        near = evaluate(slope, true, far, {})
        straight = mpmath.isfinite(value) and abs(rise - near) <= 1e-9 * max(1, abs(near))
    if not straight or not math.isfinite(float(near)):
        return None
    x = float(very_far)
    with np.errstate(all="ignore"):
        autodiff = _adjoint(tree, x, 1.0)
    found = [
        (_double(tree, x), float(value)),
        (_double(slope, x), float(rise)),
        (autodiff, float(rise)),
    ]
    if all(abs(given - wanted) <= 1e-9 * max(1.0, abs(wanted)) for given, wanted in found):
        return None
    return round(float(near), 9) + 0.0


def _adjoint(node: Node, x: float, gradient: float) -> float:
    """Return what reverse-mode differentiation in float64 adds to the input's gradient.

    Unlike the derivative's formula it multiplies from the outside inwards, and gives the branch of
    a choice that is not taken a gradient of 0, which an infinite slope makes NaN.
    """
    if not depends_on_input(node):
        return 0.0
    match node:
        case Negative(operand):
            return _adjoint(operand, x, -gradient)
        case Binary("+", left, right):
            return _adjoint(left, x, gradient) + _adjoint(right, x, gradient)
        case Binary("-", left, right):
            return _adjoint(left, x, gradient) + _adjoint(right, x, -gradient)
        case Binary("*", left, right):
            by_left = _adjoint(left, x, gradient * _double(right, x))
            return by_left + _adjoint(right, x, gradient * _double(left, x))
        case Binary("/", left, right):
            below = np.float64(_double(right, x))
            by_left = _adjoint(left, x, float(gradient / below))
            share = float(-gradient * _double(left, x) / below**2)
            return by_left + _adjoint(right, x, share)
        case Call(function, arguments) if function not in ("clip", "max", "min"):
            return _adjoint(arguments[0], x, gradient * _double(outer_slope(node), x))
        case Choice(condition, then, otherwise):
            taken = _double(Choice(condition, number(1), number(0)), x)
            by_then = _adjoint(then, x, gradient * taken)
            return by_then + _adjoint(otherwise, x, gradient * (1 - taken))
        case Input():
            return gradient
        case _:
            return gradient * _double(derivative(node), x)


def _double(tree: Node, x: float) -> float:
    """Return the value at x in float64."""
    with np.errstate(all="ignore"):
        return float(evaluate(tree, NumpyBackend(), x, {}))


def _node(node: Node, *, within: bool) -> Node:
    """Return a part; `within` says that something around it saturates."""
    match node:
        case Negative(operand):
            return Negative(_node(operand, within=within))
        case Binary("/", left, right) if (exponent := _one_plus_exp(right)) is not None:
            gate = Call("sigmoid", (_node(_negative(exponent), within=within),))
            top = _node(left, within=within)
            return gate if top == number(1) else Binary("*", top, gate)
        case Binary(sign, left, right):
            return Binary(sign, _node(left, within=within), _node(right, within=within))
        case Call("log1p", (Call("exp", (inner,)),)):
            return Call("softplus", (_node(inner, within=within),))
        case Call("log", (inner,)) if (exponent := _one_plus_exp(inner)) is not None:
            return Call("softplus", (_node(exponent, within=within),))
        case Call("exp", (inner,)) if within and depends_on_input(inner):
            return Call("exp", (Call("min", (_node(inner, within=True), _SATURATED)),))
        case Call(function, arguments):
            outer = within or function in (*_SATURATING, "exp")
            return Call(function, tuple(_node(part, within=outer) for part in arguments))
        case Choice(condition, then, otherwise):
            return _choice(condition, then, otherwise, within=within)
        case _:
            return node


def _one_plus_exp(node: Node) -> Node | None:
    """Return u where the node is 1 + exp(u), in either order."""
    if not isinstance(node, Binary) or node.operator != "+":
        return None
    for one, other in ((node.left, node.right), (node.right, node.left)):
        match other:
            case Call("exp", (inner,)) if one == number(1):
                return inner
    return None


def _negative(node: Node) -> Node:
    return node.operand if isinstance(node, Negative) else Negative(node)


def _choice(condition: Truth, then: Node, otherwise: Node, *, within: bool) -> Node:
    then, otherwise = _node(then, within=within), _node(otherwise, within=within)
    bounds = _bounds(condition)
    if bounds:
        then = _held(then, bounds, lambda place: Choice(condition, Input(), place))
        otherwise = _held(otherwise, bounds, lambda place: Choice(condition, place, Input()))
    return Choice(condition, then, otherwise)


def _bounds(condition: Truth) -> list[Node]:
    """Return the numbers that the input is compared with; none where something else is, too."""
    match condition:
        case Comparison(_, Input(), right) if not depends_on_input(right):
            return [right]
        case Comparison(_, left, Input()) if not depends_on_input(left):
            return [left]
        case Logic(_, left, right):
            both = [_bounds(left), _bounds(right)]
            return [place for found in both for place in found] if all(both) else []
        case _:
            return []


def _held(node: Node, bounds: list[Node], held: Callable[[Node], Node]) -> Node:
    """Return a branch with its input held where something in it may overflow outside of it."""
    risky = any(
        (isinstance(part, Call) and part.function not in _HARMLESS and depends_on_input(part))
        or (
            isinstance(part, Binary)
            and part.operator in ("/", "**")
            and depends_on_input(part.right)
        )
        or _is_root(part)
        for part in walk(node)
    )
    return _with_input(node, held(_harmless_place(node, bounds))) if risky else node


def _is_root(node: Node | Truth) -> bool:
    """Return whether a node is a power that is NaN for some inputs."""
    match node:
        case Binary("**", base, Number(exponent)):
            return depends_on_input(base) and not (exponent >= 0 and exponent.is_integer())
        case Binary("**", base, _):
            return depends_on_input(base)
        case _:
            return False


def _harmless_place(node: Node, bounds: list[Node]) -> Node:
    """Return a number at which a branch and its slope are finite: a bound, or one near a bound."""
    if parameter_names(node) or any(parameter_names(bound) for bound in bounds):
        return bounds[0]
    places = [_double(bound, 0.0) for bound in bounds]
    middle = sum(places) / len(places)
    beside = [place + step for place in places for step in (1.0, -1.0)]
    slope = derivative(node)
    for place, given in [
        *zip(places, bounds, strict=True),
        *((place, literal(place)) for place in (middle, *beside)),
    ]:
        if all(math.isfinite(_double(part, place)) for part in (node, slope)):
            return given
    return bounds[0]


def _with_input(node: Node, x: Node) -> Node:
    """Return the branch with x in place of the input inside its functions and quotients."""
    match node:
        case Call(function, arguments) if function not in _HARMLESS:
            return Call(function, tuple(_everywhere(part, x) for part in arguments))
        case Call(function, arguments):
            return Call(function, tuple(_with_input(part, x) for part in arguments))
        case Binary("**", base, exponent) if _is_root(node):
            return Binary("**", _everywhere(base, x), _everywhere(exponent, x))
        case Binary("/", left, right) if depends_on_input(right):
            return Binary("/", _with_input(left, x), _everywhere(right, x))
        case Binary(sign, left, right):
            return Binary(sign, _with_input(left, x), _with_input(right, x))
        case Negative(operand):
            return Negative(_with_input(operand, x))
        case _:
            return node


def _everywhere(node: Node, x: Node) -> Node:
    return inserted(node, {}, x)
