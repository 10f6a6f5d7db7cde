"""A tree typeset: in LaTeX, and in MathML, which a page shows without fetching anything."""

from abc import abstractmethod
from html import escape

from actlab.activations.formula.nodes import Binary, Call, Choice, Node, Number
from actlab.activations.formula.printers import ATOM, POWER, PRODUCT, SUM, Writer

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
_SHOWN_AS = {"log": "ln", "log1p": "ln", "atan": "arctan", "asinh": "arsinh", "sigmoid": "σ"}
_LATEX_RELATIONS = {"<": "<", "<=": r"\le", ">": ">", ">=": r"\ge", "==": "=", "!=": r"\ne"}
_RELATIONS = {"<": "<", "<=": "≤", ">": ">", ">=": "≥", "==": "=", "!=": "≠"}
_BRACE = "border-left:1.5px solid;border-radius:0.7em 0 0 0.7em;padding-left:0.5em"


def latex(tree: Node) -> str:
    """Return the tree in LaTeX, without dollar signs."""
    return _Latex().written(tree)


def mathml(tree: Node, *, otherwise: str = "otherwise", condition: str = "if {condition}") -> str:
    """Return a `math` element; the two phrases are those of a choice, in the page's language.

    >>> from actlab.activations.formula import parse
    >>> mathml(parse("x**2").tree)
    '<math display="block"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    """
    body = _MathML(condition, otherwise).written(tree)
    return f'<math display="block">{_row(body)}</math>'


def shown_number(text: str) -> str:
    """Return a literal as people read it: at most 10 digits, no trailing zeros.

    >>> shown_number("1.6732632423543772848170429916717"), shown_number("2.0")
    ('1.673263242', '2')
    """
    return f"{float(text):.10g}"


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


def symbol(name: str) -> str:
    """Return a parameter's name in MathML: a Greek letter, an index, or the word."""
    stem, index = split_symbol(name)
    shown = GREEK.get(stem, stem.replace("_", " "))
    letter = f"<mi>{escape(shown)}</mi>"
    return f"<msub>{letter}<mi>{escape(index)}</mi></msub>" if index else letter


def _factors(node: Node) -> list[Node]:
    """Return the factors of a product, from left to right."""
    if isinstance(node, Binary) and node.operator == "*":
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def _needs_dot(factor: Node) -> bool:
    """Return whether a factor needs a dot before it: it begins with a number."""
    head = factor
    while isinstance(head, Binary) and head.operator in ("*", "**"):
        head = head.left
    return isinstance(head, Number)


class _Typesetter(Writer):
    """What typesetting is in any language; a language spells the pieces."""

    def binary(self, node: Binary) -> tuple[str, int]:
        left, right = node.left, node.right
        match node.operator:
            case "+" | "-" as sign:
                place = SUM if sign == "+" else PRODUCT
                return self.sum(self.written(left), sign, self.written(right, place)), SUM
            case "*":
                parts = _factors(node)
                # A choice at the end has a brace of its own.
                shown = [
                    self.written(
                        part, SUM if part is parts[-1] and isinstance(part, Choice) else POWER
                    )
                    for part in parts[1:]
                ]
                dots = [_needs_dot(part) for part in parts[1:]]
                first = self.written(parts[0], PRODUCT)
                return self.product(first, list(zip(dots, shown, strict=True))), PRODUCT
            case "/":
                return self.fraction(self.written(left), self.written(right)), ATOM
            case "**":
                base = self.written(left, ATOM)
                if isinstance(left, Call) and left.function not in ("sqrt", "abs"):
                    base = self.bracketed(base)
                return self.power(base, self.written(right)), POWER

    def call(self, node: Call) -> tuple[str, int]:
        arguments = [self.written(argument) for argument in node.arguments]
        inside = self.listed(arguments)
        match node.function:
            case "abs":
                return self.fenced("|", inside, "|"), ATOM
            case "sqrt":
                return self.root(inside), ATOM
            case "exp":
                return self.exponential(inside), POWER
            case "expm1":
                less = self.sum(self.exponential(inside), "-", self.digits("1"))
                return self.bracketed(less), ATOM
            case "log1p":
                return self.applied("log", self.sum(self.digits("1"), "+", inside)), ATOM
            case "relu":
                return self.applied("max", self.listed([self.digits("0"), inside])), ATOM
            case "clip":
                value, low, high = arguments
                raised = self.applied("max", self.listed([value, low]))
                return self.applied("min", self.listed([raised, high])), ATOM
            case name:
                return self.applied(name, inside), ATOM

    def choice(self, node: Choice) -> tuple[str, int]:
        rows = []
        rest: Node = node
        while isinstance(rest, Choice):
            rows.append((self.written(rest.then), self.truth(rest.condition)))
            rest = rest.otherwise
        return self.cases(rows, self.written(rest)), SUM

    def number(self, node: Number) -> str:
        return self.digits(shown_number(node.text))

    def bracketed(self, text: str) -> str:
        return self.fenced("(", text, ")")

    @abstractmethod
    def digits(self, text: str) -> str: ...
    @abstractmethod
    def fenced(self, left: str, inside: str, right: str) -> str: ...
    @abstractmethod
    def sum(self, left: str, sign: str, right: str) -> str: ...
    @abstractmethod
    def product(self, first: str, others: list[tuple[bool, str]]) -> str: ...
    @abstractmethod
    def fraction(self, top: str, bottom: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def root(self, inside: str) -> str: ...
    @abstractmethod
    def exponential(self, power: str) -> str: ...
    @abstractmethod
    def listed(self, arguments: list[str]) -> str: ...
    @abstractmethod
    def applied(self, name: str, inside: str) -> str: ...
    @abstractmethod
    def cases(self, rows: list[tuple[str, str]], otherwise: str) -> str: ...


class _Latex(_Typesetter):
    def digits(self, text: str) -> str:
        return text

    def letter(self, name: str) -> str:
        return name

    def constant(self, name: str) -> str:
        return r"\pi" if name == "pi" else "e"

    def parameter(self, name: str) -> str:
        letter, index = split_symbol(name)
        if letter in GREEK:
            letter = rf"\{letter}"
        elif len(letter) > 1:
            letter = rf"\mathrm{{{letter.replace('_', ' ').replace(' ', chr(92) + ' ')}}}"
        return rf"{letter}_{{{index}}}" if index else letter

    def negative(self, operand: str) -> str:
        return f"-{operand}"

    def fenced(self, left: str, inside: str, right: str) -> str:
        return rf"\left{left}{inside}\right{right}"

    def sum(self, left: str, sign: str, right: str) -> str:
        return f"{left} {sign} {right}"

    def product(self, first: str, others: list[tuple[bool, str]]) -> str:
        return first + "".join((r" \cdot " if dot else r" \, ") + text for dot, text in others)

    def fraction(self, top: str, bottom: str) -> str:
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def root(self, inside: str) -> str:
        return rf"\sqrt{{{inside}}}"

    def exponential(self, power: str) -> str:
        return f"e^{{{power}}}"

    def listed(self, arguments: list[str]) -> str:
        return ", ".join(arguments)

    def applied(self, name: str, inside: str) -> str:
        command = r"\sigma" if name == "sigmoid" else _NAMED.get(name, rf"\operatorname{{{name}}}")
        return command + self.fenced("(", inside, ")")

    def cases(self, rows: list[tuple[str, str]], otherwise: str) -> str:
        lines = [rf"{value} & \text{{if }} {truth}" for value, truth in rows]
        lines.append(rf"{otherwise} & \text{{otherwise}}")
        body = r" \\ ".join(lines)
        return rf"\begin{{cases}} {body} \end{{cases}}"

    def compared(self, left: str, relation: str, right: str) -> str:
        return f"{left} {_LATEX_RELATIONS[relation]} {right}"

    def joined(self, left: str, joiner: str, right: str) -> str:
        word = r"\land" if joiner == "and" else r"\lor"
        return f"{self.bracketed(left)} {word} {self.bracketed(right)}"


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _operator(sign: str) -> str:
    return f"<mo>{escape(sign)}</mo>"


def _words(text: str) -> str:
    return f"<mtext>{escape(text).replace(' ', '&nbsp;')}</mtext>" if text else ""


class _MathML(_Typesetter):
    def __init__(self, condition: str, otherwise: str) -> None:
        before, _brace, after = condition.partition("{condition}")
        self._before, self._after = (_words(before), _words(after))
        self._otherwise = f"<mtext>{escape(otherwise)}</mtext>"

    def digits(self, text: str) -> str:
        return f"<mn>{text}</mn>"

    def letter(self, name: str) -> str:
        return f"<mi>{name}</mi>"

    def constant(self, name: str) -> str:
        return f"<mi>{'π' if name == 'pi' else 'e'}</mi>"

    def parameter(self, name: str) -> str:
        return symbol(name)

    def negative(self, operand: str) -> str:
        return _row(_operator("−"), operand)

    def fenced(self, left: str, inside: str, right: str) -> str:
        return _row(_operator(left), inside, _operator(right))

    def sum(self, left: str, sign: str, right: str) -> str:
        return _row(left, _operator("−" if sign == "-" else sign), right)

    def product(self, first: str, others: list[tuple[bool, str]]) -> str:
        space = '<mspace width="0.17em"/>'
        return _row(
            first,
            *(part for dot, text in others for part in (_operator("·") if dot else space, text)),
        )

    def fraction(self, top: str, bottom: str) -> str:
        return f"<mfrac>{_row(top)}{_row(bottom)}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def root(self, inside: str) -> str:
        return f"<msqrt>{inside}</msqrt>"

    def exponential(self, power: str) -> str:
        return f"<msup><mi>e</mi>{power}</msup>"

    def listed(self, arguments: list[str]) -> str:
        return _row(_operator(",").join(arguments))

    def applied(self, name: str, inside: str) -> str:
        return _row(f"<mi>{escape(_SHOWN_AS.get(name, name))}</mi>", self.bracketed(inside))

    def cases(self, rows: list[tuple[str, str]], otherwise: str) -> str:
        shown = [(value, _row(self._before, truth, self._after)) for value, truth in rows]
        body = "".join(
            f'<mtr><mtd style="text-align:left">{value}</mtd>'
            f'<mtd style="text-align:left;padding-left:1em">{when}</mtd></mtr>'
            for value, when in [*shown, (otherwise, self._otherwise)]
        )
        # A brace that grows needs a mathematical font; a rounded border does not.
        return f'<mtable style="{_BRACE}">{body}</mtable>'

    def compared(self, left: str, relation: str, right: str) -> str:
        return _row(left, _operator(_RELATIONS[relation]), right)

    def joined(self, left: str, joiner: str, right: str) -> str:
        return _row(left, _operator("∧" if joiner == "and" else "∨"), right)
