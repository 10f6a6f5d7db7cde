"""A tree in MathML, so that a page shows it typeset without fetching anything."""

from html import escape

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
from actlab.activations.formula.printers.latex import (
    ATOM,
    GREEK,
    PRODUCT,
    SIGN,
    SUM,
    binding,
    dotted,
    factor_place,
    factors,
    shown_number,
    split_symbol,
)

_RELATIONS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}
_NAMES = {"log": "ln", "log1p": "ln", "atan": "arctan", "asinh": "arsinh", "sigmoid": "σ"}

_BRACE = "border-left:1.5px solid;border-radius:0.7em 0 0 0.7em;padding-left:0.5em"


def mathml(tree: Node, *, otherwise: str = "otherwise", condition: str = "if {condition}") -> str:
    """Return a `math` element; the two phrases are those of a choice, in the page's language.

    >>> from actlab.activations.formula import parse
    >>> mathml(parse("x**2").tree)
    '<math display="block"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    body = _Writer(condition, otherwise).written(tree, SUM)
    return f'<math display="block">{_row(body)}</math>'


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _operator(sign: str) -> str:
    return f"<mo>{escape(sign)}</mo>"


def _fenced(left: str, inside: str, right: str) -> str:
    return _row(_operator(left), inside, _operator(right))


class _Writer:
    def __init__(self, condition: str, otherwise: str) -> None:
        before, _brace, after = condition.partition("{condition}")
        self._before, self._after = (_words(before), _words(after))
        self._otherwise = f"<mtext>{escape(otherwise)}</mtext>"

    def written(self, node: Node, place: int) -> str:
        text = self._plain(node)
        return _fenced("(", text, ")") if binding(node) < place else text

    def _plain(self, node: Node) -> str:
        match node:
            case Number(_, text):
                return f"<mn>{shown_number(text)}</mn>"
            case Input():
                return "<mi>x</mi>"
            case Constant(name):
                return f"<mi>{'π' if name == 'pi' else 'e'}</mi>"
            case Parameter(name):
                return symbol(name)
            case Negative(operand):
                return _row(_operator("−"), self.written(operand, SIGN))
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)
            case Choice():
                return self._choice(node)

    def _binary(self, node: Binary) -> str:
        left, right = node.left, node.right
        match node.operator:
            case "+":
                return _row(self.written(left, SUM), _operator("+"), self.written(right, SUM))
            case "-":
                return _row(self.written(left, SUM), _operator("−"), self.written(right, PRODUCT))
            case "*":
                parts = factors(node)
                shown = [self.written(parts[0], PRODUCT)]
                for factor in parts[1:]:
                    space = _operator("·") if dotted(factor) else '<mspace width="0.17em"/>'
                    shown += [space, self.written(factor, factor_place(factor, parts))]
                return _row(*shown)
            case "/":
                top, bottom = _row(self.written(left, SUM)), _row(self.written(right, SUM))
                return f"<mfrac>{top}{bottom}</mfrac>"
            case "**":
                base = self.written(left, ATOM)
                if isinstance(left, Call) and left.function not in ("sqrt", "abs"):
                    base = _fenced("(", base, ")")
                return f"<msup>{base}{self.written(right, SUM)}</msup>"

    def _call(self, node: Call) -> str:
        arguments = [self.written(argument, SUM) for argument in node.arguments]
        inside = _row(_operator(",").join(arguments))
        match node.function:
            case "abs":
                return _fenced("|", inside, "|")
            case "sqrt":
                return f"<msqrt>{inside}</msqrt>"
            case "exp":
                return f"<msup><mi>e</mi>{inside}</msup>"
            case "expm1":
                power = f"<msup><mi>e</mi>{inside}</msup>"
                return _fenced("(", _row(power, _operator("−"), "<mn>1</mn>"), ")")
            case "log1p":
                return _applied("ln", _row("<mn>1</mn>", _operator("+"), inside))
            case "relu":
                return _applied("max", _row("<mn>0</mn>", _operator(","), inside))
            case "clip":
                value, low, high = arguments
                raised = _applied("max", _row(value, _operator(","), low))
                return _applied("min", _row(raised, _operator(","), high))
            case name:
                return _applied(_NAMES.get(name, name), inside)

    def _choice(self, node: Choice) -> str:
        rows = []
        rest: Node = node
        while isinstance(rest, Choice):
            rows.append((rest.then, _row(self._before, self._truth(rest.condition), self._after)))
            rest = rest.otherwise
        rows.append((rest, self._otherwise))
        body = "".join(
            f'<mtr><mtd style="text-align:left">{self.written(value, SUM)}</mtd>'
            f'<mtd style="text-align:left;padding-left:1em">{when}</mtd></mtr>'
            for value, when in rows
        )
        # A brace that grows needs a mathematical font; a rounded border does not.
        return f'<mtable style="{_BRACE}">{body}</mtable>'

    def _truth(self, node: Truth) -> str:
        match node:
            case Comparison(relation, left, right):
                return _row(
                    self.written(left, SUM),
                    _operator(_RELATIONS[relation]),
                    self.written(right, SUM),
                )
            case Logic(joiner, left, right):
                sign = _operator("∧" if joiner == "and" else "∨")
                return _row(self._truth(left), sign, self._truth(right))


def _words(text: str) -> str:
    return f"<mtext>{escape(text).replace(' ', '&nbsp;')}</mtext>" if text else ""


def _applied(name: str, inside: str) -> str:
    return _row(f"<mi>{escape(name)}</mi>", _fenced("(", inside, ")"))


def symbol(name: str) -> str:
    """Return a parameter's name in MathML: a Greek letter, an index, or the word."""
    stem, index = split_symbol(name)
    shown = GREEK.get(stem, stem.replace("_", " "))
    letter = f"<mi>{escape(shown)}</mi>"
    return f"<msub>{letter}<mi>{escape(index)}</mi></msub>" if index else letter
