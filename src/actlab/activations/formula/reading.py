r"""From the way in which people write a formula to the formula language, as text; nothing is run.

Prefixes of libraries, `^`, products without a sign, `|x|`, Unicode, LaTeX, `lambda x:` and `f(x) =`
are rewritten; what is left is for the parser, which knows the words.

>>> normalised("0.5x(1+np.tanh(x))"), normalised(r"\frac{x}{1+e^{-x}}")
('0.5*x*(1+tanh(x))', '(x)/(1+exp(-x))')
"""

import re
from collections.abc import Callable

from actlab.activations.formula.parser import FormulaError, check_length, is_word
from actlab.i18n import _

_PREFIX = re.compile(
    r"(?<![\w.])(?P<library>np|numpy|torch|F|nn|jnp|jax|math|tf|keras|K|ops|scipy|special|sp|mx|tl)"
    r"(?:\.(?:nn|functional|special|numpy|scipy|math|ops|activations|keras|layers|linalg))*"
    r"\.(?=[A-Za-z_])"
)
_CONVENTIONS = {
    "torch": "torch",
    "F": "torch",
    "nn": "torch",
    "jax": "jax",
    "tf": "keras",
    "keras": "keras",
}
_METHOD = re.compile(r"(?<![\w.])([A-Za-z_]\w*)\.([a-z_]+)\(")
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambd", "μ": "mu", "ν": "nu", "ξ": "xi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ϕ": "phi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_UNICODE = {
    "·": "*", "⋅": "*", "×": "*", "∗": "*", "÷": "/", "−": "-", "–": "-", "⁄": "/", "∕": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "½": "(1/2)", "¼": "(1/4)", "⅓": "(1/3)", "′": "",
    "\u00a0": " ", "\u2009": " ", "⟨": "(", "⟩": ")", "［": "[", "（": "(", "）": ")", "π": " pi ",
    "ｘ": "x", "𝑥": "x", "𝜎": "σ", "𝛽": "β", "𝛼": "α", "ℯ": " e ",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ˣ", "0123456789-+x")
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ˣ]+")
_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?|[A-Za-z]\w*(?!\w|\s*\())")
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[<>=!]=|.))"
)
_KEYWORDS = {"and", "or", "if", "else", "not", "in", "is", "lambda", "for"}
_LAMBDA = re.compile(r"lambda\s+([A-Za-z_]\w*)\s*:\s*")
_DEFINITION = re.compile(r"[A-Za-z_σφΦ]\w*\s*\(\s*([A-Za-z_]\w*)[^()]*\)\s*:?=(?!=)\s*")
_ASSIGNMENT = re.compile(r"(?:y|f|g|out|return)\s*(?:=(?!=)|\s)\s*(?=\S)")


def normalised(text: str) -> str:
    """Return a formula in the words and signs of the language.

    Raises FormulaError where a bracket or a brace has no partner.
    """
    check_length(text)
    body = text.strip().strip("$").strip()
    body = re.sub(r"^return\s+", "", body).rstrip(";").strip()
    body, name = _without_definition(body)
    body = _PREFIX.sub(_convention, body).replace("()(", "(")
    body = _without_methods(body)
    if "\\" in body or "{" in body:
        body = _from_latex(body)
    for sign, word in _UNICODE.items():
        body = body.replace(sign, word)
    body = _POWER.sub(lambda m: f"**({m.group().translate(_SUPERSCRIPTS)})", body)
    body = _ROOT.sub(r" sqrt(\1)", body).replace("√", " sqrt")
    body = re.sub(r"σ(?=\s*\()", " sigmoid", body)
    body = re.sub(r"[ΦΦ](?=\s*\()", " Phi", body)
    for letter, word in _GREEK.items():
        body = body.replace(letter, f" {word} ")
    body = _without_bars(_without_raised_words(body.replace("^", "**")))
    body = _with_products(body)
    if name is not None and name != "x":
        body = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", "x", body)
    return body if body.replace(" ", "") != text.replace(" ", "") else text.strip()


_CHAINED = re.compile(r"\)\.([a-z_]+)\(")
_RAISED = re.compile(r"(?<![\w.])([a-z]+)\s*\*\*\s*(?:\((-?\d+)\)|(-?\d+))\s*(?=\()")
_INVERSES = {"sinh": "asinh", "tan": "atan"}


_METHODS = frozenset({"clamp", "clip", "pow", "reciprocal", "rsqrt", "square"})
"""Methods of tensors that are no words of the language."""


def _without_methods(text: str) -> str:
    """Return x.clamp(0, 1) as clamp(x, 0, 1), and relu(x).square() as square(relu(x))."""
    text = _METHOD.sub(r"\2(\1, ", text).replace(", )", ")")
    match = _CHAINED.search(text)
    while match is not None:
        start = _opening(text, match.start())
        if start is None or not (is_word(match[1]) or match[1] in _METHODS):
            return text
        start -= len(re.search(r"[\w]*$", text[:start]).group())  # type: ignore[union-attr]  # it may be empty
        inside = text[start : match.start() + 1]
        text = f"{text[:start]}{match[1]}({inside}, {text[match.end() :]}".replace(", )", ")")
        match = _CHAINED.search(text)
    return text


def _opening(text: str, closing: int) -> int | None:
    """Return the place of the bracket that the one at `closing` closes."""
    depth = 0
    for place in range(closing, -1, -1):
        depth += {")": 1, "(": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _without_raised_words(text: str) -> str:
    """Return sin**2(x) as (sin(x))**2, and tan**-1(x), which is the inverse, as atan(x)."""
    match = _RAISED.search(text)
    while match is not None:
        word, power = match[1], match[2] or match[3]
        if int(power) < 0:
            if power != "-1" or word not in _INVERSES:
                return text
            text = f"{text[: match.start()]}{_INVERSES[word]}{text[match.end() :]}"
        else:
            closing = _closing(text, match.end())
            if closing is None or not is_word(word):
                return text
            inside = text[match.end() : closing + 1]
            text = f"{text[: match.start()]}({word}{inside})**{power}{text[closing + 1 :]}"
        match = _RAISED.search(text)
    return text


def _closing(text: str, opening: int) -> int | None:
    """Return the place of the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    return None


def _convention(match: re.Match[str]) -> str:
    """Return what stands for a library's prefix: its name, where conventions differ."""
    library = _CONVENTIONS.get(match["library"])
    return "" if library is None else f"{library}__"


def _without_definition(text: str) -> tuple[str, str | None]:
    """Return the right-hand side of `lambda x:`, `f(x) =` or `y =`, and the name of its input."""
    for pattern in (_LAMBDA, _DEFINITION):
        match = pattern.match(text)
        if match:
            return text[match.end() :], match.group(1)
    match = _ASSIGNMENT.match(text)
    if match and "=" in match.group():
        return text[match.end() :], None
    return text, None


def _without_bars(text: str) -> str:
    """Return |x| as abs(x): a bar opens where a value may begin, and closes after one."""
    if "|" not in text:
        return text
    found, opened = "", 0
    for character in text:
        if character != "|":
            found += character
            continue
        before = found.rstrip()[-1:]
        ends_value = before.isalnum() or before in (")", "_")
        if opened and ends_value:
            found, opened = found + ")", opened - 1
        else:
            found, opened = found + ("*abs(" if ends_value else "abs("), opened + 1
    if opened:
        raise FormulaError(1, _('the bars "|" do not come in pairs.'))
    return found


def _with_products(text: str) -> str:
    """Return the text with a sign between factors: 2x, x sigmoid(x), (1+x)(1-x), 0.5x(1+x)."""
    found = ""
    before: str | None = None
    for match in _TOKEN.finditer(text):
        part = match.group().strip()
        if not part:
            continue
        kind = match.lastgroup or "sign"
        starts = kind == "number" or part == "(" or (kind == "name" and part not in _KEYWORDS)
        if starts and before is not None and _multiplies(before, part):
            found += "*"
        elif _needs_space(found, part):
            found += " "
        found += part
        ends = kind in ("number", "name") or part == ")"
        before = part if ends and part not in _KEYWORDS else None
    return found


def _needs_space(found: str, part: str) -> bool:
    words = found[-1:].isalnum() and (part[0].isalnum() or part[0] == "_")
    return words or part in _KEYWORDS or found.endswith(tuple(f" {word}" for word in _KEYWORDS))


def _multiplies(before: str, part: str) -> bool:
    if part != "(":
        # A name before a number is an index: p1, x2. A word before a value is a product.
        return True
    if before == ")" or before[0].isdigit() or before[0] == ".":
        return True
    return not is_word(before) and (len(before) == 1 or before in _GREEK.values())


def _from_latex(text: str) -> str:
    return _Latex(text).read()


_COMMANDS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=",
    "geq": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "pi": " pi ", "land": " and ",
    "wedge": " and ", "lor": " or ", "vee": " or ", "lvert": "|", "rvert": "|", "vert": "|",
    "lbrace": "(", "rbrace": ")", "{": "(", "}": ")", ",": " ", ";": " ", ":": " ", "!": "",
    " ": " ", "quad": " ", "qquad": " ", "displaystyle": "", "limits": "", "mathopen": "",
}  # fmt: skip
_LATEX_WORDS = {
    "ln": "log", "log": "log", "exp": "exp", "sin": "sin", "cos": "cos", "tan": "tan",
    "arctan": "atan", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "max": "max", "min": "min",
    "Phi": "Phi",
}  # fmt: skip
_NAMED_BY = ("operatorname", "mathrm", "text", "mathsf", "mathbf", "mathit", "textrm", "textit")


class _Latex:
    """One reading of one LaTeX text."""

    def __init__(self, text: str) -> None:
        self._text = text.replace("\n", " ")
        self._at = 0

    def read(self, end: str = "") -> str:
        """Return what is written up to `end`, which is passed."""
        found = ""
        while self._at < len(self._text):
            if end and self._text.startswith(end, self._at):
                self._at += len(end)
                return found
            found += self._part(found)
        if end:
            raise FormulaError(len(self._text), _('"{end}" is missing.').format(end=end))
        return found

    def _part(self, before: str) -> str:
        character = self._text[self._at]
        self._at += 1
        if character == "\\":
            return self._command()
        if character == "{":
            return f"({self.read('}')})"
        if character in "^_" and before.rstrip().endswith("e") and character == "^":
            raised = self._argument()
            return f"**({raised})"
        if character == "^":
            return f"**({self._argument()})"
        if character == "_":
            return "_" + re.sub(r"\W", "", self._argument())
        if character == "e" and self._text[self._at :].lstrip().startswith("^"):
            self._at = self._text.index("^", self._at) + 1
            return f" exp({self._argument()})"
        return " and " if character == "&" else character

    def _argument(self) -> str:
        """Return the next group in braces, or the next sign."""
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        if self._text[self._at : self._at + 1] == "{":
            self._at += 1
            return self.read("}")
        if self._at >= len(self._text):
            raise FormulaError(len(self._text), _("this is not a complete expression in x."))
        return self._part("")

    def _command(self) -> str:
        match = re.compile(r"[A-Za-z]+|.").match(self._text, self._at)
        if match is None:
            raise FormulaError(self._at, _("this is not a complete expression in x."))
        self._at = match.end()
        name = match.group()
        special: dict[str, Callable[[], str]] = {
            "frac": self._fraction,
            "dfrac": self._fraction,
            "tfrac": self._fraction,
            "sqrt": self._root,
            "begin": self._cases,
        }
        if name in special:
            return special[name]()
        if name in ("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr"):
            return self._delimiter()
        if name in _NAMED_BY:
            return self._applied(re.sub(r"[\s\\]", "", self._raw_argument()))
        if name in _COMMANDS:
            return _COMMANDS[name]
        if name == "sigma" and self._text[self._at :].lstrip().startswith(("(", "\\left", "\\big")):
            return self._applied("sigmoid")
        if name in _LATEX_WORDS:
            return self._applied(_LATEX_WORDS[name])
        spelled = {"lambda": "lambd", "varepsilon": "epsilon", "varphi": "phi"}.get(name, name)
        if spelled in _GREEK.values():
            return f" {spelled} "
        raise FormulaError(
            self._at, _('"{name}" is a LaTeX command that is not known here.').format(name=name)
        )

    def _raw_argument(self) -> str:
        start = self._text.index("{", self._at) if "{" in self._text[self._at :] else self._at
        end = self._text.find("}", start)
        if end < 0:
            raise FormulaError(start, _('"{end}" is missing.').format(end="}"))
        self._at = end + 1
        return self._text[start + 1 : end]

    def _delimiter(self) -> str:
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        sign = self._text[self._at : self._at + 1]
        self._at += 1
        if sign == "\\":
            return self._command()
        return {"[": "(", "]": ")", "{": "(", "}": ")", ".": ""}.get(sign, sign)

    def _applied(self, word: str) -> str:
        """Return a function's name; where no bracket follows it takes the next part alone."""
        rest = self._text[self._at :].lstrip()
        if rest.startswith(("(", "\\left", "\\big", "\\Big")):
            return f" {word}"
        if rest.startswith(("[", "\\{", "{")):
            self._at = self._text.index(rest[0], self._at) + (2 if rest[0] == "\\" else 1)
            return f" {word}({self.read({'[': ']', '{': '}'}.get(rest[0], chr(92) + '}'))})"
        if rest.startswith("^"):
            self._at = self._text.index("^", self._at) + 1
            power = self._argument()
            return f" ({word}({self._argument_of_word()}))**({power})"
        return f" {word}({self._argument_of_word()})"

    def _argument_of_word(self) -> str:
        while self._text[self._at : self._at + 1] == " ":
            self._at += 1
        if self._text[self._at : self._at + 1] == "(":
            self._at += 1
            return self.read(")")
        return self._argument()

    def _fraction(self) -> str:
        top = self._argument()
        return f"({top})/({self._argument()})"

    def _root(self) -> str:
        degree = None
        if self._text[self._at : self._at + 1] == "[":
            self._at += 1
            degree = self.read("]")
        inside = self._argument()
        return f" sqrt({inside})" if degree is None else f"({inside})**(1/({degree}))"

    def _cases(self) -> str:
        if self._raw_argument() != "cases":
            raise FormulaError(self._at, _('only "cases" is read of LaTeX environments.'))
        end = self._text.find(r"\end{cases}", self._at)
        if end < 0:
            raise FormulaError(self._at, _('"{end}" is missing.').format(end=r"\end{cases}"))
        rows = [row for row in self._text[self._at : end].split(r"\\") if row.strip()]
        self._at = end + len(r"\end{cases}")
        pairs = [[_Latex(cell).read() for cell in self._cells(row)] for row in rows]
        *conditional, last = pairs
        found = last[0]
        for value, *condition in reversed(conditional):
            if not condition:
                raise FormulaError(self._at, _("a row of cases has a value, & and a condition."))
            found = f"where({condition[0]}, {value}, {found})"
        return f" {found}"

    @staticmethod
    def _cells(row: str) -> list[str]:
        value, _sign, condition = row.partition("&")
        plain = re.sub(r"\\(?:text|mathrm)\{\s*(?:if|for|when|where)?\s*\}", "", condition)
        plain = re.sub(r"\\text\{\s*(?:if|for|when)\s+([^}]*)\}", r"\1", plain)
        plain = re.sub(r"^\s*(?:\\?,\s*)?(?:if|for|when)\s", " ", plain).rstrip(" ,.")
        if re.search(r"otherwise|else", plain) or not plain.strip():
            return [value.rstrip(" ,")]
        return [value.rstrip(" ,"), plain]
