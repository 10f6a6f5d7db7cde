"""A formula as a module, word for word as it is written."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from actlab.activations.formula import TorchBackend, parse


class FormulaModule(nn.Module):
    """Evaluates a formula in torch; nothing is made safer than it is written.

    >>> import torch
    >>> FormulaModule("x*tanh(x)", {})(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """

    def __init__(self, formula: str, values: Mapping[str, float]) -> None:
        super().__init__()
        self.expression = parse(formula, parameters=values)
        self.values = dict(values)

    def forward(self, x: Tensor) -> Tensor:
        """Return f(x) in the shape and dtype of x."""
        result: Tensor = self.expression.evaluate(TorchBackend(), x, **self.values)
        return result

    def extra_repr(self) -> str:
        """Return the formula and its parameters."""
        given = "".join(f", {name}={value:g}" for name, value in self.values.items())
        return f"{self.expression.text}{given}"
