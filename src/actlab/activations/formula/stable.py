"""A formula in an equal form whose value and gradient stay finite where the function is finite.

What autodiff makes of a formula as written is NaN where a branch that is not taken overflows, or
where an infinite inner slope meets an outer slope of 0. Printed code therefore has the input held
in the branch (a second `where`), exponents held where what is outside of them has saturated, and
sigmoid and softplus in place of the quotients and logarithms that are them.
"""

from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Choice,
    Comparison,
    Input,
    Logic,
    Negative,
    Node,
    Truth,
    depends_on_input,
    inserted,
    number,
    walk,
)

_SATURATED = number(11)
"""exp(11) is finite in float16, and tanh, erf, sigmoid and exp(-exp) of it are at their limits."""

_SATURATING = ("tanh", "erf", "sigmoid", "atan")
_HARMLESS = ("abs", "sign", "floor", "relu", "clip", "max", "min", *_SATURATING)


def stable(tree: Node) -> Node:
    """Return the tree in a form that is safe to differentiate.

    >>> from actlab.activations.formula import parse
    >>> from actlab.activations.formula.printers.code import FORMULA, code
    >>> code(stable(parse("where(x>0, x, expm1(x))").tree), FORMULA)
    'where(x > 0, x, expm1(where(x > 0, 0, x)))'
    >>> code(stable(parse("x*tanh(exp(x))").tree), FORMULA)
    'x * tanh(exp(min(x, 11)))'
    """
    return _node(tree, within=False)


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
    bound = _bound(condition)
    if bound is not None:
        then = _held(then, Choice(condition, Input(), bound))
        otherwise = _held(otherwise, Choice(condition, bound, Input()))
    return Choice(condition, then, otherwise)


def _bound(condition: Truth) -> Node | None:
    """Return the number that the input is compared with, None for any other condition."""
    match condition:
        case Comparison("<" | "<=" | ">" | ">=", Input(), right) if not depends_on_input(right):
            return right
        case Comparison("<" | "<=" | ">" | ">=", left, Input()) if not depends_on_input(left):
            return left
        case Logic() | Comparison():
            return None


def _held(node: Node, x: Node) -> Node:
    """Return a branch with its input held where something in it may overflow outside of it."""
    risky = any(
        (isinstance(part, Call) and part.function not in _HARMLESS and depends_on_input(part))
        or (
            isinstance(part, Binary)
            and part.operator in ("/", "**")
            and depends_on_input(part.right)
        )
        for part in walk(node)
    )
    return _with_input(node, x) if risky else node


def _with_input(node: Node, x: Node) -> Node:
    """Return the branch with x in place of the input inside its functions and quotients."""
    match node:
        case Call(function, arguments) if function not in _HARMLESS:
            return Call(function, tuple(_everywhere(part, x) for part in arguments))
        case Call(function, arguments):
            return Call(function, tuple(_with_input(part, x) for part in arguments))
        case Binary(sign, left, right) if sign in ("/", "**") and depends_on_input(right):
            return Binary(sign, _with_input(left, x), _everywhere(right, x))
        case Binary(sign, left, right):
            return Binary(sign, _with_input(left, x), _with_input(right, x))
        case Negative(operand):
            return Negative(_with_input(operand, x))
        case _:
            return node


def _everywhere(node: Node, x: Node) -> Node:
    return inserted(node, {}, x)
