"""What the measuring code asks of a function; the catalogue's and pasted ones answer alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import nn


class Measurable(Protocol):
    """A scalar function of x that can be measured.

    `formula` is an expression of `actlab.activations.formula` in x and the names of `values`, the
    numbers that its parameters have. `module()` builds what is shipped; only hazards and cost call
    it. `actlab.activations.Function` is one; `facts.pasted(text, **values)` makes another.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  a field

    @property
    def formula(self) -> str: ...  # noqa: D102  a field

    @property
    def values(self) -> Mapping[str, float]: ...  # noqa: D102  a field

    def module(self) -> nn.Module: ...  # noqa: D102  see above
