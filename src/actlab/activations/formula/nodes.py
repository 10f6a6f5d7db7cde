"""The parts of a formula: a small tree of frozen values, and walks over it.

A tree is either a number or a truth (a comparison, or comparisons joined by "and" and "or"); truths
stand only where a choice is made, which the parser guarantees.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Arithmetic = Literal["+", "-", "*", "/", "**"]
Relation = Literal["<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True, slots=True)
class Number:
    """A literal; `text` is its decimal form as written, so that no digit is lost to rounding."""

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Input:
    """The input of the function, written x."""


@dataclass(frozen=True, slots=True)
class Constant:
    """pi or e."""

    name: Literal["pi", "e"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named number that is given when the formula is evaluated."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus the operand."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two numbers joined by an arithmetic operator."""

    operator: Arithmetic
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language applied to its arguments."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A truth: how two numbers compare."""

    relation: Relation
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    """A truth: two truths joined by "and" or "or"."""

    operator: Literal["and", "or"]
    left: "Truth"
    right: "Truth"


@dataclass(frozen=True, slots=True)
class Choice:
    """`then` where the condition holds, `otherwise` elsewhere."""

    condition: "Truth"
    then: "Node"
    otherwise: "Node"


Truth = Comparison | Logic
Node = Number | Input | Constant | Parameter | Negative | Binary | Call | Choice


def number(value: float) -> Number:
    """Return the literal of a whole or fractional value.

    >>> number(2).text
    '2'
    """
    text = str(int(value)) if float(value).is_integer() else repr(float(value))
    return Number(float(value), text)


def literal(value: float) -> Node:
    """Return a node of any finite value; a negative one is minus a literal, so that it prints well.

    >>> literal(-0.5)
    Negative(operand=Number(value=0.5, text='0.5'))
    """
    return Negative(number(-value)) if value < 0 else number(value)


def children(node: Node | Truth) -> tuple[Node | Truth, ...]:
    """Return the parts that a node is made of, in the order in which they are written."""
    match node:
        case Negative(operand):
            return (operand,)
        case Binary(_, left, right) | Comparison(_, left, right):
            return (left, right)
        case Logic(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case Choice(condition, then, otherwise):
            return (condition, then, otherwise)
        case _:
            return ()


def label(node: Node | Truth) -> str:
    """Return what tells a node from others of its kind, but for its parts."""
    match node:
        case Number(_, text):
            return text
        case Constant(name) | Parameter(name) | Call(name, _):
            return name
        case Binary(sign, _, _) | Logic(sign, _, _) | Comparison(sign, _, _):
            return sign
        case _:
            return ""


def walk(node: Node | Truth) -> Iterator[Node | Truth]:
    """Yield the node and everything below it, each parent before its children."""
    yield node
    for child in children(node):
        yield from walk(child)


def substituted(node: Node, values: Mapping[str, float]) -> Node:
    """Return the tree with each parameter that `values` names replaced by its value."""
    return inserted(node, {name: literal(value) for name, value in values.items()})


_RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _settled(condition: Truth) -> bool | None:
    """Return whether a comparison of two literals holds, None for any other condition."""
    match condition:
        case Comparison(relation, Number(left), Number(right)):
            return _RELATIONS[relation](left, right)
        case _:
            return None


def _with_parts(node: Node, of_node: Callable[[Node], Node]) -> Node:
    """Return a sign, a sum or product, or a call, with `of_node` of each of its parts."""
    match node:
        case Negative(operand):
            return Negative(of_node(operand))
        case Binary(sign, left, right):
            return Binary(sign, of_node(left), of_node(right))
        case Call(function, arguments):
            return Call(function, tuple(of_node(argument) for argument in arguments))
        case _:
            return node


def inserted(node: Node, given: Mapping[str, Node], x: Node | None = None) -> Node:
    """Return the tree with parameters replaced by other trees, and the input by x.

    A choice between two literals is made.
    """

    def of_node(part: Node) -> Node:
        match part:
            case Parameter(name) if name in given:
                return given[name]
            case Input() if x is not None:
                return x
            case Choice(condition, then, otherwise):
                asked = of_truth(condition)
                holds = _settled(asked)
                if holds is not None:
                    return of_node(then if holds else otherwise)
                return Choice(asked, of_node(then), of_node(otherwise))
            case _:
                return _with_parts(part, of_node)

    def of_truth(part: Truth) -> Truth:
        match part:
            case Comparison(relation, left, right):
                return Comparison(relation, of_node(left), of_node(right))
            case Logic(joiner, first, second):
                return Logic(joiner, of_truth(first), of_truth(second))

    return of_node(node)


def without_roots_of_squares(node: Node) -> Node:
    """Return the tree with |u| for sqrt(u^2) and sqrt(u u), as they are for real u.

    As written such a root has no derivative where u is 0, and its kink is hidden.

    >>> without_roots_of_squares(Call("sqrt", (Binary("**", Input(), number(2)),)))
    Call(function='abs', arguments=(Input(),))
    """

    def of_node(part: Node) -> Node:
        match part:
            case Call("sqrt", (Binary("**", inner, Number(2)),)):
                return Call("abs", (of_node(inner),))
            case Call("sqrt", (Binary("*", inner, other),)) if inner == other:
                return Call("abs", (of_node(inner),))
            case Binary("**", Binary("**", inner, Number(2)), Number(0.5)):
                return Call("abs", (of_node(inner),))
            case Binary("**", Binary("*", inner, other), Number(0.5)) if inner == other:
                return Call("abs", (of_node(inner),))
            case Choice(condition, then, otherwise):
                return Choice(condition, of_node(then), of_node(otherwise))
            case _:
                return _with_parts(part, of_node)

    return of_node(node)


def depends_on_input(node: Node | Truth) -> bool:
    """Return whether the input occurs anywhere below the node."""
    return any(isinstance(part, Input) for part in walk(node))


def parameter_names(node: Node | Truth) -> tuple[str, ...]:
    """Return the parameters below the node, each once, in order of appearance."""
    return tuple(dict.fromkeys(part.name for part in walk(node) if isinstance(part, Parameter)))
