"""The derivative of a tree with respect to the input, and where it may jump."""

from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Input,
    Negative,
    Node,
    Number,
    Parameter,
    Truth,
    depends_on_input,
    number,
    walk,
)

_ZERO = number(0)
_ONE = number(1)


def derivative(tree: Node) -> Node:
    """Return the tree of df/dx, with the zeros and ones of the rules already removed."""
    if not depends_on_input(tree):
        return _ZERO
    match tree:
        case Input():
            return _ONE
        case Negative(operand):
            return minus(_ZERO, derivative(operand))
        case Binary():
            return _of_binary(tree)
        case Call(function, arguments):
            if function == "clip":
                return _of_clip(*arguments)
            if function in ("max", "min"):
                return _of_extreme(function, arguments)
            return times(_outer(function, arguments[0]), derivative(arguments[0]))
        case Choice(condition, then, otherwise):
            return _choice(condition, derivative(then), derivative(otherwise))
        case Number() | Constant() | Parameter():
            return _ZERO


def switches(tree: Node) -> tuple[Node, ...]:
    """Return the trees at whose zeros the tree may change its branch or lose a derivative."""
    found: list[Node] = []
    for part in walk(tree):
        match part:
            case Comparison(_, left, right):
                found.append(minus(left, right))
            case Call("relu" | "abs" | "sign" | "sqrt" | "log", (inner,)):
                found.append(inner)
            case Call("clip", (inner, low, high)):
                found += [minus(inner, low), minus(inner, high)]
            case Call("max" | "min", arguments):
                found += [
                    minus(left, right)
                    for index, left in enumerate(arguments)
                    for right in arguments[index + 1 :]
                ]
            case Binary("/", _, inner):
                found.append(inner)
            case Binary("**", base, power) if not _is_natural(power):
                found.append(base)
    return tuple(dict.fromkeys(switch for switch in found if depends_on_input(switch)))


def steps(tree: Node) -> tuple[Node, ...]:
    """Return the trees at whose zeros, which have no end, a floor in the tree takes a step."""
    inner = (
        part.arguments[0]
        for part in walk(tree)
        if isinstance(part, Call) and part.function == "floor" and depends_on_input(part)
    )
    return tuple(Call("sin", (Binary("*", Constant("pi"), part),)) for part in inner)


def plus(left: Node, right: Node) -> Node:
    """Return left + right, without zeros."""
    if left == _ZERO:
        return right
    return left if right == _ZERO else Binary("+", left, right)


def minus(left: Node, right: Node) -> Node:
    """Return left - right, without zeros."""
    if right == _ZERO:
        return left
    return Negative(right) if left == _ZERO else Binary("-", left, right)


def times(left: Node, right: Node) -> Node:
    """Return left * right, without zeros and ones."""
    if _ZERO in (left, right):
        return _ZERO
    if left == _ONE:
        return right
    return left if right == _ONE else Binary("*", left, right)


def _is_natural(node: Node) -> bool:
    return isinstance(node, Number) and node.value >= 0 and node.value.is_integer()


def _square(node: Node) -> Node:
    return Binary("**", node, number(2))


def _choice(condition: Truth, then: Node, otherwise: Node) -> Node:
    return then if then == otherwise else Choice(condition, then, otherwise)


def _of_binary(tree: Binary) -> Node:
    left, right = tree.left, tree.right
    d_left, d_right = derivative(left), derivative(right)
    match tree.operator:
        case "+":
            return plus(d_left, d_right)
        case "-":
            return minus(d_left, d_right)
        case "*":
            return plus(times(d_left, right), times(left, d_right))
        case "/":
            if d_right == _ZERO:
                return Binary("/", d_left, right)
            top = minus(times(d_left, right), times(left, d_right))
            return Binary("/", top, _square(right))
        case "**":
            return _of_power(left, right, d_left, d_right)


def _of_power(base: Node, exponent: Node, d_base: Node, d_exponent: Node) -> Node:
    if d_exponent == _ZERO:
        if isinstance(exponent, Number):
            lower = number(exponent.value - 1)
            power = base if lower == _ONE else Binary("**", base, lower)
        else:
            power = Binary("**", base, minus(exponent, _ONE))
        return times(times(exponent, power), d_base)
    inner = plus(
        times(d_exponent, Call("log", (base,))), times(exponent, Binary("/", d_base, base))
    )
    return times(Binary("**", base, exponent), inner)


def _of_clip(inner: Node, low: Node, high: Node) -> Node:
    return _choice(
        Comparison("<", inner, low),
        derivative(low),
        _choice(Comparison(">", inner, high), derivative(high), derivative(inner)),
    )


def _of_extreme(function: str, arguments: tuple[Node, ...]) -> Node:
    first, *others = arguments
    if not others:
        return derivative(first)
    rest: Node = others[0] if len(others) == 1 else Call(function, tuple(others))
    comparison = Comparison(">=" if function == "max" else "<=", first, rest)
    return _choice(comparison, derivative(first), derivative(rest))


def outer_slope(call: Call) -> Node:
    """Return the derivative of a function of one argument with respect to that argument."""
    return _outer(call.function, call.arguments[0])


def _outer(function: str, u: Node) -> Node:
    """Return the derivative of a function of one argument at u."""
    this = Call(function, (u,))
    one_plus_square = Binary("+", _ONE, _square(u))
    match function:
        case "abs":
            return Call("sign", (u,))
        case "sign" | "floor":
            return _ZERO
        case "relu":
            return Choice(Comparison(">", u, _ZERO), _ONE, _ZERO)
        case "sqrt":
            return Binary("/", number(0.5), this)
        case "exp":
            return this
        case "expm1":
            return Call("exp", (u,))
        case "log":
            return Binary("/", _ONE, u)
        case "log1p":
            return Binary("/", _ONE, Binary("+", _ONE, u))
        case "erf":
            scale = Binary("/", number(2), Call("sqrt", (Constant("pi"),)))
            return times(scale, Call("exp", (Negative(_square(u)),)))
        case "sin":
            return Call("cos", (u,))
        case "cos":
            return Negative(Call("sin", (u,)))
        case "tan":
            return Binary("+", _ONE, _square(this))
        case "atan":
            return Binary("/", _ONE, one_plus_square)
        case "asinh":
            return Binary("/", _ONE, Call("sqrt", (one_plus_square,)))
        case "sinh":
            return Call("cosh", (u,))
        case "cosh":
            return Call("sinh", (u,))
        case "tanh":
            return minus(_ONE, _square(this))
        case "sigmoid":
            # sigmoid(u) sigmoid(-u): s (1 - s) would lose every digit where s rounds to 1.
            return times(this, Call("sigmoid", (Negative(u),)))
        case _:
            return Call("sigmoid", (u,))
