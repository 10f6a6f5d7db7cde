"""Conditions on facts: "smooth and not monotonic and lipschitz <= 1.1".

Python's own parser reads the text; of what it yields only names of facts, numbers, words,
comparisons, and, or, not are accepted, and nothing is ever run. A fact that a function does not
have makes a comparison neither true nor false, and so does its negation.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actlab.activations.catalogue.declared import SCALAR_FACTS, SMOOTHNESS_ORDER
from actlab.activations.function import Function
from actlab.errors import ActlabError, nearest
from actlab.i18n import _

_RELATIONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_WORDS: Mapping[str, Any] = {
    "inf": math.inf,
    "true": True,
    "false": False,
    "True": True,
    "False": False,
}
_LISTS = ("fixed_points", "kinks")
_KEYS = (
    *(fact for fact in SCALAR_FACTS if fact not in _LISTS),
    "smooth",
    "lipschitz",
    "learnable",
    "name",
    "kind",
)
_MAX_CHARACTERS = 500


class QueryError(ActlabError):
    """A condition that cannot be read."""


def select(functions: Sequence[Function], where: str) -> tuple[Function, ...]:
    """Return the functions that satisfy the condition."""
    tree = _parse(where)
    return tuple(function for function in functions if _truth(tree, facts_of(function)) is True)


def facts_of(function: Function) -> dict[str, Any]:
    """Return what a condition can ask of a function: the declared facts and three words more."""
    declared = function.declared.facts() if function.declared else None
    facts = {fact: getattr(declared, fact, None) for fact in SCALAR_FACTS}
    broken = facts["smoothness"] == "discontinuous"
    return {
        **facts,
        "smooth": None if declared is None else facts["smoothness"] == "Cinf",
        "lipschitz": math.inf if broken else facts["max_abs_grad"],
        "learnable": function.learnable,
        "name": function.name,
        "kind": function.kind,
    }


def _parse(where: str) -> ast.expr:
    try:
        if len(where) > _MAX_CHARACTERS:
            raise ValueError
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", SyntaxWarning
            )  # told as what it leads to, if to anything
            tree = ast.parse(where.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise QueryError(
            _('The condition "{where}" cannot be read; write for example "{example}".').format(
                where=where, example="smooth and not monotonic and lipschitz <= 1.1"
            )
        ) from None
    _check(tree)
    return tree


def _check(node: ast.AST) -> None:
    """Refuse everything that is not part of a condition, whatever the functions' facts are."""
    match node:
        case ast.BoolOp(values=values):
            parts: Sequence[ast.AST] = values
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            parts = (operand,)
        case ast.Compare(left=left, ops=relations, comparators=rights):
            if not all(type(relation) in _RELATIONS for relation in relations):
                raise QueryError(_("Facts are compared with <, <=, >, >=, == or !=."))
            parts = (left, *rights)
        case ast.Name(id=name):
            _check_name(name)
            return
        case ast.Constant(value=int() | float() | str()):
            return
        case _:
            raise QueryError(
                _("A condition has facts, numbers, comparisons, and, or, not; no {part}.").format(
                    part=ast.unparse(node)
                )
            )
    for part in parts:
        _check(part)


def _check_name(name: str) -> None:
    if name in (*_KEYS, *_WORDS, *SMOOTHNESS_ORDER, *_MONOTONIC):
        return
    near = nearest(name, _KEYS)
    hint = (
        _('Did you mean "{near}"?').format(near=near)
        if near
        else _("Choose one of: {names}.").format(names=", ".join(sorted(_KEYS)))
    )
    raise QueryError(_('There is no fact "{name}".').format(name=name) + f" {hint}")


_MONOTONIC = (
    "strictly_increasing",
    "non_decreasing",
    "strictly_decreasing",
    "non_increasing",
    "non_monotonic",
)


def _truth(node: ast.expr, facts: Mapping[str, Any]) -> bool | None:
    """Return whether the condition holds, None where a missing fact leaves it open."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            truths = [_truth(value, facts) for value in values]
            return False if False in truths else (None if None in truths else True)
        case ast.BoolOp(values=values):
            truths = [_truth(value, facts) for value in values]
            return True if True in truths else (None if None in truths else False)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            truth = _truth(operand, facts)
            return None if truth is None else not truth
        case ast.Compare(left=left, ops=relations, comparators=rights):
            values_in_order = [_value(side, facts) for side in (left, *rights)]
            truths = [
                _compare(relation, before, after)
                for relation, before, after in zip(
                    relations, values_in_order, values_in_order[1:], strict=False
                )
            ]
            return False if False in truths else (None if None in truths else True)
    value = _value(node, facts)
    if value is None:
        return None
    return value != "non_monotonic" if isinstance(value, str) else bool(value)


def _value(node: ast.expr, facts: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return facts.get(name, _WORDS.get(name, name))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, facts)
            return -value if isinstance(value, int | float) else None
        case _:
            return _truth(node, facts)


def _compare(relation: ast.cmpop, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    if left in SMOOTHNESS_ORDER and right in SMOOTHNESS_ORDER:
        left, right = SMOOTHNESS_ORDER.index(left), SMOOTHNESS_ORDER.index(right)
    try:
        return _RELATIONS[type(relation)](left, right)
    except TypeError:
        return None
