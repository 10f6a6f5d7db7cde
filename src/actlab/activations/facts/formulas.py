"""Formulas that are not in the catalogue, in the form that the measurements ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from actlab.activations.formula import parse

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PastedFormula:
    """A formula with values for its parameters; see `protocol.Measurable`."""

    formula: str
    values: Mapping[str, float] = field(default_factory=dict)
    name: str = "formula"

    def __post_init__(self) -> None:
        parse(self.formula).check(dict(self.values))

    def module(self) -> nn.Module:
        """Return a module that computes the formula as it is written."""
        from actlab.activations.modules.formula import FormulaModule

        return FormulaModule(self.formula, self.values)
