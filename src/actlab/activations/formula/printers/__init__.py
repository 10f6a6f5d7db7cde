"""Writing a tree in another language: the walk and the brackets, which every language shares."""

from abc import ABC, abstractmethod

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

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
"""How tightly a part binds; a part that binds less than its place asks for gets brackets."""


class Writer(ABC):
    """A language: what each kind of part reads in it. Methods with a binding return it second."""

    def written(self, node: Node, place: int = SUM) -> str:
        """Return the text of a part, in brackets where it binds less than its place asks for."""
        text, binding = self._bound(node)
        return self.bracketed(text) if binding < place else text

    def _bound(self, node: Node) -> tuple[str, int]:
        match node:
            case Number():
                return self.number(node), ATOM
            case Input():
                return self.letter("x"), ATOM
            case Constant(name):
                return self.constant(name), ATOM
            case Parameter(name):
                return self.parameter(name), ATOM
            case Negative(operand):
                return self.negative(self.written(operand, SIGN)), SIGN
            case Binary():
                return self.binary(node)
            case Call():
                return self.call(node)
            case Choice():
                return self.choice(node)

    def truth(self, node: Truth) -> str:
        """Return the text of a condition."""
        match node:
            case Comparison(relation, left, right):
                return self.compared(self.written(left), relation, self.written(right))
            case Logic(joiner, left, right):
                return self.joined(self.truth(left), joiner, self.truth(right))

    @abstractmethod
    def bracketed(self, text: str) -> str:
        """Return a text in brackets."""

    @abstractmethod
    def number(self, node: Number) -> str:
        """Return a literal."""

    @abstractmethod
    def letter(self, name: str) -> str:
        """Return the input's letter."""

    @abstractmethod
    def constant(self, name: str) -> str:
        """Return pi or e."""

    @abstractmethod
    def parameter(self, name: str) -> str:
        """Return a parameter's name."""

    @abstractmethod
    def negative(self, operand: str) -> str:
        """Return minus a text."""

    @abstractmethod
    def binary(self, node: Binary) -> tuple[str, int]:
        """Return two parts joined by an operator."""

    @abstractmethod
    def call(self, node: Call) -> tuple[str, int]:
        """Return a function of its arguments."""

    @abstractmethod
    def choice(self, node: Choice) -> tuple[str, int]:
        """Return a choice."""

    @abstractmethod
    def compared(self, left: str, relation: str, right: str) -> str:
        """Return two texts compared."""

    @abstractmethod
    def joined(self, left: str, joiner: str, right: str) -> str:
        """Return two conditions joined by "and" or "or"."""
