"""A function of the catalogue with all that can be done with it: facts, picture, module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from actlab.activations.catalogue.entry import Entry
from actlab.activations.recognised import recognised
from actlab.errors import UnknownNameError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from actlab.activations.catalogue.declared import Facts
    from actlab.activations.drawing.picture import Picture


def facts(thing: Any, **parameters: float) -> Facts:
    """Return what is true of an activation: of a name, a function, a module or a callable.

    What the catalogue has is looked up, or measured from its formula for other parameters; anything
    else is run in float64 and measured, with the nearest function of the catalogue as `nearest`.
    Raises MeasurementError where it cannot be measured.

    >>> facts("silu").min_y
    -0.2784645427610738
    >>> from torch import nn
    >>> facts(nn.LeakyReLU(0.2)).df0_left
    0.2
    """
    from actlab.activations.facts import of

    try:
        return of(recognised(thing).bind(**parameters))
    except UnknownNameError:
        if isinstance(thing, str) or parameters:
            raise
    from actlab.activations.facts.callables import facts_of_callable

    return facts_of_callable(thing)


@dataclass(frozen=True)
class Function(Entry):
    """An activation function: an entry of the catalogue that measures, draws and builds itself."""

    @property
    def facts(self) -> Facts:
        """Return what is true of the function with these parameter values.

        >>> from actlab.activations import get
        >>> get("sigmoid").facts.max_abs_grad
        0.25
        """
        from actlab.activations.facts import of

        return of(self)

    def plot(self) -> Picture:
        """Return a picture of f and f' with kinks, minimum and range marked.

        A notebook shows it; `save(path)` writes HTML, PNG or SVG.

        >>> from actlab.activations import get
        >>> get("silu").plot().functions[0].range_text
        '[−0.2785, ∞)'
        """
        from actlab.activations.drawing.picture import picture

        return picture([self])

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value:g}" for name, value in self.values.items())
        return f"<Function {self.name}: {self.formula}{f' with {values}' if values else ''}>"

    def _repr_html_(self) -> str:
        from actlab.activations.drawing.picture import described

        return described(self)

    def module(
        self,
        *,
        channels: int | None = None,
        channel_dim: int = 1,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        **values: float,
    ) -> nn.Module:
        """Return a module that applies the function, with its gradient, in any float dtype.

        `channels` gives every learnable parameter one value per channel, in dimension `channel_dim`
        of the input; without it a layer shares one value. `dtype` and `device` are those of the
        parameters.

        >>> from actlab.activations import get
        >>> get("prelu").module(channels=64).weight.shape
        torch.Size([64])
        """
        from actlab.activations.modules import build

        bound = self.bind(**values)
        return build(bound, channels=channels, channel_dim=channel_dim, dtype=dtype, device=device)
