"""From the text of a formula to its tree, without ever running any of it.

Python's own parser reads the text (`ast`, mode "eval"); of what it yields only the nodes, functions
and constants listed here are accepted, within limits of length, depth and size.
"""

import ast
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from actlab.activations.formula.nodes import (
    Arithmetic,
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
    Relation,
    Truth,
    depends_on_input,
    inserted,
    literal,
    number,
    parameter_names,
    walk,
)
from actlab.errors import ActlabError, nearest
from actlab.i18n import N_, _


@dataclass(frozen=True)
class Word:
    """A function of the language: the least and the greatest number of arguments it takes."""

    name: str
    least: int = 1
    greatest: int = 1


WORDS: dict[str, Word] = {
    word.name: word
    for word in (
        Word("abs"),
        Word("floor"),
        Word("sign"),
        Word("sqrt"),
        Word("exp"),
        Word("expm1"),
        Word("log"),
        Word("log1p"),
        Word("erf"),
        Word("sin"),
        Word("cos"),
        Word("tan"),
        Word("atan"),
        Word("sinh"),
        Word("cosh"),
        Word("tanh"),
        Word("asinh"),
        Word("sigmoid"),
        Word("softplus"),
        Word("relu"),
        Word("clip", 3, 3),
        Word("max", 2, 8),
        Word("min", 2, 8),
        Word("where", 3, 3),
    )
}

SPELLINGS: dict[str, str] = {
    "absolute": "abs",
    "arcsinh": "asinh",
    "fabs": "abs",
    "fmax": "max",
    "fmin": "min",
    "arctan": "atan",
    "clamp": "clip",
    "clamp_max": "min",
    "clamp_min": "max",
    "clip_by_value": "clip",
    "expit": "sigmoid",
    "ln": "log",
    "logistic": "sigmoid",
    "maximum": "max",
    "minimum": "min",
    "sgn": "sign",
}
"""Other names of the same functions, as NumPy, SciPy, torch or a paper spells them."""

_JOINERS: dict[str, Literal["and", "or"]] = {"logical_and": "and", "logical_or": "or"}
_SYNONYMS = {"alpha": "negative_slope", "leak": "negative_slope", "slope": "negative_slope"}
"""Other names of parameters: TensorFlow's leaky_relu(x, alpha=0.2)."""

CONSTANTS: dict[str, Literal["pi", "e"]] = {"pi": "pi", "e": "e"}

INPUT = "x"

MAX_CHARACTERS = 500
MAX_DEPTH = 40
MAX_NODES = 600

_ARITHMETIC: dict[type[ast.operator], Arithmetic] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
}
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_NO_PLACE = N_("this has no place in a formula")
_FORBIDDEN: dict[type[ast.AST], str] = {
    ast.Subscript: N_("indexing is not part of a formula"),
    ast.Lambda: N_("a formula defines no functions; write only the expression in x"),
    ast.NamedExpr: N_("a formula assigns nothing; write only the expression in x"),
    ast.Starred: N_("arguments are written one by one"),
    ast.Tuple: N_("a formula has one value; remove the comma"),
    ast.List: N_("a formula has one value; remove the square brackets"),
    ast.JoinedStr: N_("a formula holds no text"),
}
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,29}")


class FormulaError(ActlabError):
    """A formula that cannot be read; `position` is the character (from 1) where the fault is."""

    def __init__(self, position: int, reason: str) -> None:
        self.position = position
        place = _("The formula cannot be read at character {position}:")
        super().__init__(f"{place.format(position=position)} {reason}")


@dataclass(frozen=True)
class Macro:
    """A function that stands for a tree in x and `parameters`, in the order of its arguments.

    A parameter without a value (None) has to be given.
    """

    tree: Node
    parameters: Mapping[str, float | None]


def parse_tree(
    text: str,
    parameters: Iterable[str] | None = None,
    macros: Mapping[str, Macro] | None = None,
    *,
    any_input: bool = False,
) -> Node:
    """Return the tree of `text`; `parameters` are the names it may use (None: any).

    `macros` are further functions. With `any_input` a formula without x that has one name alone is
    one in that name.
    """
    _check_text(text)
    allowed = None if parameters is None else tuple(parameters)
    tree = _Reader(text, allowed, macros or {}).read()
    if not depends_on_input(tree):
        names = parameter_names(tree)
        if any_input and len(names) == 1:
            _check_input_name(names[0])
            return inserted(tree, {names[0]: Input()})
        raise FormulaError(1, _('it does not contain the input, which is written "x".'))
    return tree


def _check_input_name(name: str) -> None:
    """Raise FormulaError for a letter and a number, which more likely lost a sign between them."""
    match = re.match(r"([A-Za-z])([2-9])", name)
    if match is not None:
        letter, digit = match.groups()
        reason = _('"{name}" may lack a sign; write {power} for a power, {product} for a product.')
        power, product = f"{letter}**{digit}", f"{letter}*{digit}"
        raise FormulaError(1, reason.format(name=name, power=power, product=product))


def is_word(name: str) -> bool:
    """Return whether a name is a function of the language, a constant or a word of conditions."""
    return SPELLINGS.get(name, name) in WORDS or name in CONSTANTS


def check_length(text: str) -> None:
    """Raise FormulaError for a text that is empty or too long to be read."""
    if not text.strip():
        raise FormulaError(1, _('it is empty; write an expression in x, as in "x*sigmoid(x)".'))
    if len(text) > MAX_CHARACTERS:
        reason = _("it has {given} characters; at most {limit} are read.")
        raise FormulaError(MAX_CHARACTERS + 1, reason.format(given=len(text), limit=MAX_CHARACTERS))


def _check_text(text: str) -> None:
    check_length(text)
    _check_brackets(text)


def _check_brackets(text: str) -> None:
    opened: list[int] = []
    for position, character in enumerate(text, start=1):
        if character == "(":
            opened.append(position)
        elif character == ")":
            if not opened:
                raise FormulaError(position, _("this bracket closes nothing; remove it."))
            opened.pop()
        elif character in "#\0\n\r;" or "\ud800" <= character <= "\udfff":
            reason = _('the character "{character}" has no place in a formula.')
            raise FormulaError(position, reason.format(character=repr(character)[1:-1]))
        if len(opened) > MAX_DEPTH:
            raise FormulaError(position, _too_deep())
    if opened:
        raise FormulaError(opened[-1], _('this bracket is never closed; add ")".'))


def _too_deep() -> str:
    return _("it is nested more than {limit} deep.").format(limit=MAX_DEPTH)


class _Reader:
    """One reading of one text."""

    def __init__(
        self, text: str, parameters: tuple[str, ...] | None, macros: Mapping[str, Macro]
    ) -> None:
        self._macros = macros
        stripped = text.lstrip()
        self._offset = len(text) - len(stripped)
        self._text = stripped.rstrip()
        self._bytes = self._text.encode()
        self._parameters = parameters

    def read(self) -> Node:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                body = ast.parse(self._text, mode="eval").body
        except SyntaxError as error:
            raise self._syntax(error) from None
        except (RecursionError, MemoryError, ValueError):
            raise FormulaError(1 + self._offset, _too_deep()) from None
        tree = self._number(body, 1)
        if sum(1 for _part in walk(tree)) > MAX_NODES:
            reason = _("it has more than {limit} parts.")
            raise FormulaError(1, reason.format(limit=MAX_NODES))
        return tree

    def _syntax(self, error: SyntaxError) -> FormulaError:
        last = len(self._text)
        ended = not error.offset or (error.lineno or 1) > 1
        position = last if ended else min(max(error.offset or 1, 1), last)
        around = self._text[max(position - 2, 0) : position + 1]
        if re.search(r"\d[A-Za-z(]|\)[A-Za-z0-9(]", around):
            reason = _("a product is written with *, as in 2*x.")
        elif "=" in self._text and not re.search(r"[<>=!]=", self._text):
            reason = _('write only the right-hand side, without "=".')
        else:
            reason = _("this is not a complete expression in x.")
        return FormulaError(position + self._offset, reason)

    def _fault(self, node: ast.AST, reason: str) -> FormulaError:
        column = len(self._bytes[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        return FormulaError(column + 1 + self._offset, reason)

    def _number(self, node: ast.expr, depth: int) -> Node:
        """Read a part that is a number; a truth in its place counts as 1 or 0."""
        if depth > MAX_DEPTH:
            raise self._fault(node, _too_deep())
        match node:
            case ast.Constant():
                return self._literal(node)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return Negative(self._number(operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self._number(operand, depth + 1)
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                return Choice(self._truth(node, depth), number(1), number(0))
            case ast.BinOp(left=left, op=operator, right=right):
                sign = self._arithmetic(node, operator)
                # The left side of a long sum is a sum itself, and no deeper for a reader.
                chained = isinstance(left, ast.BinOp) and sign in ("+", "-", "*")
                before = self._number(left, depth if chained else depth + 1)
                return Binary(sign, before, self._number(right, depth + 1))
            case ast.Call():
                return self._call(node, depth)
            case ast.IfExp(test=test, body=then, orelse=otherwise):
                return Choice(
                    self._truth(test, depth + 1),
                    self._number(then, depth + 1),
                    self._number(otherwise, depth + 1),
                )
            case ast.Compare() | ast.BoolOp():
                return Choice(self._truth(node, depth), number(1), number(0))
            case ast.Attribute(attr=attribute):
                raise self._fault(node, _attribute(attribute))
        reason = _FORBIDDEN.get(type(node), _NO_PLACE)
        raise self._fault(node, _(reason) + ".")

    def _truth(self, node: ast.expr, depth: int) -> Truth:
        if depth > MAX_DEPTH:
            raise self._fault(node, _too_deep())
        match node:
            case ast.Compare(left=left, ops=relations, comparators=rights):
                return self._comparison(node, (left, *rights), relations, depth)
            case ast.BoolOp(op=joiner, values=values):
                operator: Literal["and", "or"] = "and" if isinstance(joiner, ast.And) else "or"
                truth = self._truth(values[0], depth + 1)
                for value in values[1:]:
                    truth = Logic(operator, truth, self._truth(value, depth + 1))
                return truth
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr() as sign, left=left, right=right):
                joined: Literal["and", "or"] = "and" if isinstance(sign, ast.BitAnd) else "or"
                return Logic(joined, self._truth(left, depth + 1), self._truth(right, depth + 1))
            case ast.Call(func=ast.Name(id=name), args=[left, right]) if name in _JOINERS:
                pair = (self._truth(left, depth + 1), self._truth(right, depth + 1))
                return Logic(_JOINERS[name], *pair)
        raise self._fault(node, _("a condition is a comparison, as in x > 0."))

    def _comparison(
        self, node: ast.AST, sides: tuple[ast.expr, ...], relations: list[ast.cmpop], depth: int
    ) -> Truth:
        numbers = [self._number(side, depth + 1) for side in sides]
        truth: Truth | None = None
        for left, relation, right in zip(numbers, relations, numbers[1:], strict=False):
            if type(relation) not in _RELATIONS:
                raise self._fault(node, _("numbers are compared with <, <=, >, >=, == or !=."))
            link = Comparison(_RELATIONS[type(relation)], left, right)
            truth = link if truth is None else Logic("and", truth, link)
        assert truth is not None, "ast.Compare has at least one relation"
        return truth

    def _literal(self, node: ast.Constant) -> Number:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._fault(node, _("only real numbers may stand here."))
        if isinstance(value, int):
            text = str(value)
        else:
            source = ast.get_source_segment(self._text, node) or repr(value)
            text = source.replace("_", "")
        try:
            rounded = float(value)
        except OverflowError:
            rounded = float("inf")
        if rounded == float("inf"):
            raise self._fault(node, _("this number is too large."))
        return Number(rounded, text)

    def _name(self, node: ast.AST, name: str) -> Node:
        name = _without_library(name)
        if name == INPUT:
            return Input()
        if name in CONSTANTS:
            return Constant(CONSTANTS[name])
        word = SPELLINGS.get(name, name)
        if word in WORDS:
            reason = _('"{name}" is a function; write {name}(x).')
            raise self._fault(node, reason.format(name=name))
        known = None if self._parameters is None else {INPUT, *CONSTANTS, *self._parameters}
        if known is not None and name not in known:
            raise self._fault(node, _unknown(_("There is no name"), name, known))
        if not _IDENTIFIER.fullmatch(name):
            reason = _('"{name}" cannot name a parameter; use letters and digits.')
            raise self._fault(node, reason.format(name=name))
        return Parameter(name)

    def _arithmetic(self, node: ast.BinOp, operator: ast.operator) -> Arithmetic:
        if type(operator) in _ARITHMETIC:
            return _ARITHMETIC[type(operator)]
        if isinstance(operator, ast.BitXor):
            raise self._fault(node, _("a power is written with **, as in x**2."))
        raise self._fault(node, _("the operators are +, -, *, / and **."))

    def _call(self, node: ast.Call, depth: int) -> Node:
        match node.func:
            case ast.Name(id=written):
                given = self._known_as(written)
                name = SPELLINGS.get(given, given)
            case ast.Attribute(attr=attribute):
                raise self._fault(node, _attribute(attribute))
            case _:
                raise self._fault(node, _("only a function of the language can be called."))
        if name == "clip" and len(node.args) + len(node.keywords) in (2, 3):
            return self._clip(node, depth)
        plain = name in WORDS and len(node.args) == 1 and not node.keywords
        if given in self._macros and not plain:
            return self._macro(node, given, depth)
        if name not in WORDS:
            near = nearest(given, [*WORDS, *SPELLINGS, *self._macros])
            known = [near] if near else WORDS
            raise self._fault(node, _unknown(_("There is no function"), given, known))
        if node.keywords:
            raise self._fault(node, _("arguments are written without names."))
        word = WORDS[name]
        if not word.least <= len(node.args) <= word.greatest:
            reason = _("{name} takes {least} to {greatest} arguments, {given} are given.")
            if word.least == word.greatest:
                reason = _("the number of arguments of {name} is {least}, not {given}.")
            raise self._fault(
                node,
                reason.format(
                    name=given, least=word.least, greatest=word.greatest, given=len(node.args)
                ),
            )
        if name == "where":
            condition, then, otherwise = node.args
            return Choice(
                self._truth(condition, depth + 1),
                self._number(then, depth + 1),
                self._number(otherwise, depth + 1),
            )
        return Call(name, tuple(self._number(argument, depth + 1) for argument in node.args))

    def _known_as(self, name: str) -> str:
        """Return a function's name without its library, unless that has another convention."""
        if name in self._macros or name in WORDS:
            return name
        plain = _without_library(name)
        lower = plain.casefold()
        for spelling in (name.casefold(), plain, lower):
            if spelling in self._macros or SPELLINGS.get(spelling, spelling) in WORDS:
                return spelling
        return plain

    def _clip(self, node: ast.Call, depth: int) -> Node:
        """Read clip(x, low, high), with names for the bounds and one of them left out."""
        bounds: dict[str, ast.expr] = dict(zip(("min", "max"), node.args[1:], strict=False))
        for keyword in node.keywords:
            bounds[(keyword.arg or "").removeprefix("a_").split("_")[0]] = keyword.value
        given = {name: value for name, value in bounds.items() if not _is_none(value)}
        if not node.args or not given or set(given) - {"min", "max"}:
            raise self._fault(node, _("clip is written clip(x, low, high)."))
        numbers = {name: self._number(value, depth + 1) for name, value in given.items()}
        x = self._number(node.args[0], depth + 1)
        if len(numbers) == 2:
            return Call("clip", (x, numbers["min"], numbers["max"]))
        return Call("max" if "min" in numbers else "min", (x, *numbers.values()))

    def _macro(self, node: ast.Call, name: str, depth: int) -> Node:
        """Read a function that stands for a formula, with its parameters after x."""
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        keywords.pop("inplace", None)
        approximate = keywords.pop("approximate", None)
        if isinstance(approximate, ast.Constant):
            name = "gelu_tanh" if approximate.value in (True, "tanh") else "gelu"
        macro = self._macros[name]
        names = list(macro.parameters)
        if not node.args or len(node.args) > 1 + len(names):
            reason = _("{name} takes {least} to {greatest} arguments, {given} are given.")
            least = 1 + sum(value is None for value in macro.parameters.values())
            if least == 1 + len(names):
                reason = _("the number of arguments of {name} is {least}, not {given}.")
            raise self._fault(
                node,
                reason.format(
                    name=name, least=least, greatest=1 + len(names), given=len(node.args)
                ),
            )
        given = {n: v for n, v in macro.parameters.items() if v is not None}
        trees: dict[str, Node] = {n: literal(value) for n, value in given.items()}
        written = dict(zip(names, node.args[1:], strict=False))
        for spelling, value in keywords.items():
            keyword = spelling if spelling in names else _SYNONYMS.get(spelling or "", spelling)
            if keyword not in names:
                valid = names or ["x"]
                raise self._fault(node, _unknown(_("There is no name"), keyword or "*", valid))
            written[keyword] = value
        trees |= {n: self._number(value, depth + 1) for n, value in written.items()}
        if set(trees) != set(names):
            reason = _("the number of arguments of {name} is {least}, not {given}.")
            count = len(node.args) + len(node.keywords)
            raise self._fault(node, reason.format(name=name, least=1 + len(names), given=count))
        return inserted(macro.tree, trees, self._number(node.args[0], depth + 1))


def _without_library(name: str) -> str:
    library, sign, rest = name.partition("__")
    return rest if library and sign and rest else name


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _attribute(attribute: str) -> str:
    word = SPELLINGS.get(attribute, attribute)
    if word in WORDS:
        return _("nothing is looked up with a dot; write {name}(x).").format(name=word)
    near = nearest(word, WORDS)
    reason = _("nothing is looked up with a dot; a formula calls only its own functions.")
    return f"{reason} {_did_you_mean(near)}" if near else reason


def _unknown(what: str, given: str, valid: Iterable[str]) -> str:
    names = sorted(valid)
    near = nearest(given, [*names, *(SPELLINGS if "tanh" in names else ())])
    hint = (
        _did_you_mean(near) if near else _("Choose one of: {names}.").format(names=", ".join(names))
    )
    return f'{what} "{given}". {hint}'


def _did_you_mean(near: str) -> str:
    return _('Did you mean "{near}"?').format(near=near)
