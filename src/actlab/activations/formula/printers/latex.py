"""A tree in LaTeX."""

from actlab.activations.formula.nodes import (
    Binary,
    Call,
    Choice,
    Comparison,
    Constant,
    Input,
    Logic,
    Negative,
    Node,
    Number,
    Parameter,
    Truth,
)

GREEK: dict[str, str] = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "psi": "ψ",
    "omega": "ω",
}
"""Parameters that are written with a Greek letter, and the letter."""

_NAMED = {
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "atan": r"\arctan",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "tanh": r"\tanh",
    "log": r"\ln",
    "max": r"\max",
    "min": r"\min",
}
_RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a part binds; a part that binds less than its place asks for gets brackets."""


def latex(tree: Node) -> str:
    """Return the tree in LaTeX, without dollar signs."""
    return _written(tree, SUM)


def binding(node: Node) -> int:
    """Return how tightly the written form of a node binds."""
    match node:
        case Binary("+" | "-"):
            return SUM
        case Binary("*"):
            return PRODUCT
        case Negative():
            return SIGN
        case Binary("**") | Call("exp"):
            return POWER
        case Choice():
            return SUM
        case _:
            return ATOM


def _written(node: Node, place: int) -> str:
    text = _plain(node)
    return rf"\left({text}\right)" if binding(node) < place else text


def _plain(node: Node) -> str:
    match node:
        case Number(_, text):
            return shown_number(text)
        case Input():
            return "x"
        case Constant(name):
            return r"\pi" if name == "pi" else "e"
        case Parameter(name):
            return _symbol(name)
        case Negative(operand):
            return f"-{_written(operand, SIGN)}"
        case Binary():
            return _binary(node)
        case Call():
            return _call(node)
        case Choice(condition, then, otherwise):
            rows = [(then, _truth(condition))]
            while isinstance(otherwise, Choice):
                rows.append((otherwise.then, _truth(otherwise.condition)))
                otherwise = otherwise.otherwise
            lines = [rf"{_written(value, SUM)} & \text{{if }} {truth}" for value, truth in rows]
            lines.append(rf"{_written(otherwise, SUM)} & \text{{otherwise}}")
            body = r" \\ ".join(lines)
            return rf"\begin{{cases}} {body} \end{{cases}}"


def shown_number(text: str) -> str:
    """Return a literal as people read it: at most 10 digits, no trailing zeros.

    >>> shown_number("1.6732632423543772848170429916717"), shown_number("2.0")
    ('1.673263242', '2')
    """
    return f"{float(text):.10g}"


def factors(node: Node) -> list[Node]:
    """Return the factors of a product, from left to right."""
    if isinstance(node, Binary) and node.operator == "*":
        return [*factors(node.left), *factors(node.right)]
    return [node]


def factor_place(factor: Node, parts: list[Node]) -> int:
    """Return how tightly a factor has to bind; a choice at the end has a brace of its own."""
    return SUM if isinstance(factor, Choice) and factor is parts[-1] else POWER


def dotted(factor: Node) -> bool:
    """Return whether a factor needs a dot before it: it begins with a number."""
    head = factor
    while isinstance(head, Binary) and head.operator in ("*", "**"):
        head = head.left
    return isinstance(head, Number)


def _binary(node: Binary) -> str:
    left, right = node.left, node.right
    match node.operator:
        case "+":
            return f"{_written(left, SUM)} + {_written(right, SUM)}"
        case "-":
            return f"{_written(left, SUM)} - {_written(right, PRODUCT)}"
        case "*":
            parts = factors(node)
            text = _written(parts[0], PRODUCT)
            for after in parts[1:]:
                sign = r" \cdot " if dotted(after) else r" \, "
                text += sign + _written(after, factor_place(after, parts))
            return text
        case "/":
            return rf"\frac{{{_written(left, SUM)}}}{{{_written(right, SUM)}}}"
        case "**":
            base = _written(left, ATOM)
            if isinstance(left, Call) and left.function not in ("sqrt", "abs"):
                base = rf"\left({base}\right)"
            return f"{base}^{{{_written(right, SUM)}}}"


def _call(node: Call) -> str:
    arguments = [_written(argument, SUM) for argument in node.arguments]
    inside = ", ".join(arguments)
    match node.function:
        case "abs":
            return rf"\left|{inside}\right|"
        case "sqrt":
            return rf"\sqrt{{{inside}}}"
        case "exp":
            return f"e^{{{inside}}}"
        case "expm1":
            return rf"\left(e^{{{inside}}} - 1\right)"
        case "log1p":
            return rf"\ln\left(1 + {inside}\right)"
        case "sigmoid":
            return rf"\sigma\left({inside}\right)"
        case "relu":
            return rf"\max\left(0, {inside}\right)"
        case "clip":
            value, low, high = arguments
            return rf"\min\left(\max\left({value}, {low}\right), {high}\right)"
        case name:
            command = _NAMED.get(name, rf"\operatorname{{{name}}}")
            return rf"{command}\left({inside}\right)"


def _truth(node: Truth) -> str:
    match node:
        case Comparison(relation, left, right):
            return f"{_written(left, SUM)} {_RELATIONS[relation]} {_written(right, SUM)}"
        case Logic(joiner, left, right):
            word = r"\land" if joiner == "and" else r"\lor"
            return rf"\left({_truth(left)}\right) {word} \left({_truth(right)}\right)"


def _symbol(name: str) -> str:
    symbol, index = split_symbol(name)
    if symbol in GREEK:
        symbol = rf"\{symbol}"
    elif len(symbol) > 1:
        symbol = rf"\mathrm{{{symbol.replace('_', ' ').replace(' ', chr(92) + ' ')}}}"
    return rf"{symbol}_{{{index}}}" if index else symbol


def split_symbol(name: str) -> tuple[str, str]:
    """Return the symbol of a parameter and its index; a longer word is kept whole.

    >>> split_symbol("p1"), split_symbol("alpha_n"), split_symbol("negative_slope")
    (('p', '1'), ('alpha', 'n'), ('negative_slope', ''))
    """
    head, _, tail = name.partition("_")
    letters = head.rstrip("0123456789")
    if letters not in GREEK and len(letters) > 1:
        return ("lambda", "") if name == "lambd" else (name, "")
    return letters, ",".join(part for part in (head[len(letters) :], tail) if part)
