"""Evaluating a tree with a backend: the same walk for numpy, mpmath and torch."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol

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

RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Backend(Protocol):
    """What a kind of number has to offer; values are whatever the backend computes with."""

    def input(self, x: Any) -> Any:
        """Return the input as the backend computes with it."""

    def number(self, literal: Number) -> Any:
        """Return a literal."""

    def constant(self, name: str) -> Any:
        """Return pi or e."""

    def divide(self, left: Any, right: Any) -> Any:
        """Return left / right; inf or NaN where right is 0, as IEEE has it."""

    def power(self, left: Any, right: Any) -> Any:
        """Return left ** right; NaN where that is no real number."""

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """Return a function of the language, other than `where`."""

    def both(self, left: Any, right: Any) -> Any:
        """Return where both truths hold."""

    def either(self, left: Any, right: Any) -> Any:
        """Return where at least one of two truths holds."""

    def choose(self, condition: Any, then: Callable[[], Any], otherwise: Callable[[], Any]) -> Any:
        """Return `then` where the condition holds, `otherwise` elsewhere."""

    def result(self, value: Any, x: Any) -> Any:
        """Return the outcome with the shape and type of the input."""


def evaluate(tree: Node, backend: Backend, x: Any, parameters: Mapping[str, Any]) -> Any:
    """Return the value of the tree at x, computed by the backend."""
    point = backend.input(x)

    def value(node: Node) -> Any:
        match node:
            case Input():
                return point
            case Number():
                return backend.number(node)
            case Constant(name):
                return backend.constant(name)
            case Parameter(name):
                return parameters[name]
            case Negative(operand):
                return -value(operand)
            case Binary(sign, left, right):
                return _binary(backend, sign, value(left), value(right))
            case Call(function, arguments):
                return backend.call(function, tuple(value(argument) for argument in arguments))
            case Choice(condition, then, otherwise):
                return backend.choose(
                    truth(condition), lambda: value(then), lambda: value(otherwise)
                )

    def truth(node: Truth) -> Any:
        match node:
            case Comparison(relation, left, right):
                return RELATIONS[relation](value(left), value(right))
            case Logic(joiner, left, right):
                join = backend.both if joiner == "and" else backend.either
                return join(truth(left), truth(right))

    return backend.result(value(tree), point)


def _binary(backend: Backend, sign: str, left: Any, right: Any) -> Any:
    match sign:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "/":
            return backend.divide(left, right)
        case _:
            return backend.power(left, right)
