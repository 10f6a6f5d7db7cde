r"""From the way in which people write a formula to the formula language, as text; nothing is run.

Prefixes of libraries, `^`, products without a sign, `|x|`, Unicode, LaTeX, `f(x) =` and what
programs write around a formula are rewritten; the parser, which knows the words, reads the rest.

>>> normalised("0.5x(1+np.tanh(x))"), normalised(r"\frac{x}{1+e^{-x}}")
('0.5*x*(1+tanh(x))', '(x)/(1+exp(-x))')
"""

import re
from collections.abc import Callable

from actlab.activations.formula.parser import CONSTANTS, FormulaError, check_length, is_word
from actlab.activations.formula.program_text import closing, without_program
from actlab.i18n import _

_PREFIX = re.compile(
    r"(?<![\w.])(?P<library>np|numpy|torch|F|nn|jnp|jax|lax|math|cmath|tf|keras|K|ops|scipy|special"
    r"|sympy|sp|mx|tl|nnx|flax|linen)"
    r"(?:\.(?:nn|functional|special|numpy|scipy|math|ops|activations|keras|layers|linalg|lax|core|linen|nnx))*"
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
    "·": "*", "⋅": "*", "×": "*", "∗": "*", "∙": "*", "•": "*", "⨯": "*",
    "÷": "/", "−": "-", "–": "-", "⁄": "/", "∕": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "½": "(1/2)", "¼": "(1/4)", "⅓": "(1/3)",
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
_DEFINITION = re.compile(r"[A-Za-z_σφΦ][\w*-]*['′]?\s*\(\s*([A-Za-z_]\w*)[^()]*\)\s*:?=(?!=)\s*")
_GIVEN = re.compile(
    r"\s*(?:[,;]|\b(?:with|where|for|and)\b)\s*(?:with|where|for)?\s*([A-Za-z_]\w*)\s*=\s*"
    r"(-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\.?$"
)
_PRIMED = re.compile(r"[\w)]\s*['′]\s*\(")
_POSITIVE = re.compile(r"(?:_\{?\+\}?|⁺(?![⁰¹²³⁴⁵⁶⁷⁸⁹ˣ]))")
_ASSIGNMENT = re.compile(r"(?:(?:const|let|var|auto)\s+)?[A-Za-z_]\w*\s*:?=(?!=)\s*(?=\S)")


def normalised(text: str) -> str:
    """Return a formula in the words and signs of the language.

    Raises FormulaError where a bracket or a brace has no partner.
    """
    check_length(text)
    body = re.sub(r"^\\[(\[]|\\[)\]]$", "", text.strip().strip("$").strip()).strip()
    body, name = without_program(body)
    body, name = _without_definition(body, name)
    body = _PREFIX.sub(_convention, body)
    body = _without_methods(body)
    if "\\" in body or "{" in body:
        body, name = _without_definition(_from_latex(body).strip(), name)
    primed = _PRIMED.search(body)
    if primed is not None:
        raise FormulaError(primed.start() + 1, _("a derivative is not written with a prime."))
    body = _without_positive_parts(_without_square_brackets(body))
    for sign, word in _UNICODE.items():
        body = body.replace(sign, word)
    body = _POWER.sub(lambda m: f"**({m.group().translate(_SUPERSCRIPTS)})", body)
    body = _ROOT.sub(r" sqrt(\1)", body).replace("√", " sqrt")
    body = re.sub(r"σ(?=\s*\()", " sigmoid", body)
    body = re.sub(r"[ΦΦ](?=\s*\()", " Phi", body)
    for letter, word in _GREEK.items():
        body = body.replace(letter, f" {word} ")
    body = _with_given_numbers(body)
    body = _without_bars(_without_raised_words(body.replace("^", "**")))
    body = _with_products(_with_brackets(body))
    if name is not None and name != "x":
        body = re.sub(rf"(?<![\w.]){re.escape(name)}(?!\w)", "x", body)
    return body if body.replace(" ", "") != text.replace(" ", "") else text.strip()


def _with_given_numbers(text: str) -> str:
    """Return a formula with the numbers that are given after it, as in "..., alpha = 0.1"."""
    match = _GIVEN.search(text)
    while match is not None:
        before = text[: match.start()]
        if before.count("(") != before.count(")"):
            return text  # it is an argument
        name = re.compile(rf"(?<![\w.]){match[1]}(?!\w)")
        if match[1] == "x" or not name.search(before):
            return text
        text = name.sub(f"({match[2]})", before)
        match = _GIVEN.search(text)
    return text


def _without_square_brackets(text: str) -> str:
    """Return square brackets as round ones, where they hold a part and index nothing."""
    found, opened = "", list[bool]()
    for character in text:
        if character == "[":
            before = re.search(r"(\w*|\))\s*$", found)
            ended = before.group(1) if before else ""
            opened.append(not ended or ended.isdigit() or is_word(ended))
        if character == "[" and opened[-1]:
            found += "("
        elif character == "]" and opened and opened.pop():
            found += ")"
        else:
            found += character
    return found


def _without_positive_parts(text: str) -> str:
    """Return (u)_+, and u with a plus above it, as relu(u)."""
    match = _POSITIVE.search(text)
    while match is not None:
        before = text[: match.start()].rstrip()
        start = _opening(before, len(before) - 1) if before.endswith(")") else None
        if start is None:
            word = re.search(r"[A-Za-z]\w*$", before)
            if word is None:
                return text
            start = word.start()
        text = f"{before[:start]} relu({before[start:]}){text[match.end() :]}"
        match = _POSITIVE.search(text)
    return text


_CHAINED = re.compile(r"\)\.([a-z_]+)\(")
_RAISED = re.compile(r"(?<![\w.])([a-z]+)\s*\*\*\s*(?:\((-?\d+)\)|(-?\d+))\s*(?=\()")
_INVERSES = {"sinh": "asinh", "tan": "atan"}


_METHODS = frozenset(
    {
        *("add", "clamp", "clip", "div", "mul", "neg", "pow", "reciprocal", "rsqrt", "square"),
        "sub",
    }
)
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
            end = closing(text, match.end())
            if end is None or not is_word(word):
                return text
            inside = text[match.end() : end + 1]
            text = f"{text[: match.start()]}({word}{inside})**{power}{text[end + 1 :]}"
        match = _RAISED.search(text)
    return text


def _convention(match: re.Match[str]) -> str:
    """Return what stands for a library's prefix: its name, where conventions differ."""
    library = _CONVENTIONS.get(match["library"])
    return "" if library is None else f"{library}__"


def _without_definition(text: str, name: str | None) -> tuple[str, str | None]:
    """Return the right-hand side of `f(x) =` or `y =`, and the name of its input."""
    match = _DEFINITION.match(text)
    if match:
        return text[match.end() :], match.group(1)
    match = _ASSIGNMENT.match(text)
    return (text[match.end() :] if match else text), name


_BARE = re.compile(r"(?<![\w.])([A-Za-z]\w*)\s+((?:\d+\.?\d*\s?\*?\s?)?[A-Za-z]\w*)(?!\s*\()(?!\w)")


def _with_brackets(text: str) -> str:
    """Return tanh x as tanh(x), and sin 2x as sin(2x)."""

    def written(match: re.Match[str]) -> str:
        word, given = match.groups()
        plain = given.lstrip("0123456789. *")
        called = is_word(word) and word not in CONSTANTS and plain not in _KEYWORDS
        return f"{word}({given})" if called and not is_word(plain) else match.group()

    return _BARE.sub(written, text)


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
_NAMED_BY = ("operatorname", "mathrm", "text", "mathsf", "mathit", "textrm", "textit", "texttt")


_SIZED = re.compile(r"[bB]igg?[lmr]?")
_SPACING = re.compile(r"(?<!\\)\\(?:[,;:!>]|(?:q?quad|(?:neg)?thinspace)(?![A-Za-z]))")


class _Latex:
    """One reading of one LaTeX text."""

    def __init__(self, text: str) -> None:
        self._text = _SPACING.sub(" ", text.replace("\n", " "))
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
        if character in "^_":
            given = self._argument().strip()
            if given == "+":
                return "_+"
            return f"**({given})" if character == "^" else "_" + re.sub(r"\W", "", given)
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
        if name in ("left", "right") or _SIZED.fullmatch(name):
            return self._delimiter()
        if name in ("mathbb", "mathbf", "mathds", "mathbbm", "boldsymbol"):
            return self._indicator()
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

    def _indicator(self) -> str:
        """Return a bold 1 or I with its condition as a choice; another letter is itself."""
        letter = self._raw_argument().strip()
        if letter not in ("1", "I"):
            return f" {letter} "
        while self._text[self._at : self._at + 1] in ("_", " "):
            self._at += 1
        for opening, end in (("{", "}"), ("[", "]"), ("(", ")"), (r"\{", r"\}")):
            if self._text.startswith(opening, self._at):
                self._at += len(opening)
                return f" where({self.read(end)}, 1, 0)"
        return letter

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
        if rest.startswith("_"):
            self._at = self._text.index("_", self._at) + 1
            index = re.sub(r"\W", "", self._argument())
            word += index if word == "log" else f"_{index}"
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
