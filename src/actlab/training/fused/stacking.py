"""The weights of a population as one matrix: a row per trial, the parameters side by side."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from actlab.training.progress import StateDict


class Layout:
    """Which columns hold which parameter.

    A parameter that only some of the networks have (a learnt slope) has its columns in every row;
    they are 0, and stay so, in the rows of the others.

    >>> layout = Layout([nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2))])
    >>> layout.shapes, layout.width
    ({'0.weight': (2, 3), '0.bias': (2,)}, 8)
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        for model in models:
            for name, parameter in model.named_parameters():
                shape = self.shapes.setdefault(name, tuple(parameter.shape))
                if shape != tuple(parameter.shape):
                    raise ValueError(
                        f"{name} must have one shape in all networks of a population; found "
                        f"{shape} and {tuple(parameter.shape)}"
                    )
        self._sizes = [math.prod(shape) for shape in self.shapes.values()]
        self.width = sum(self._sizes)

    def stack(self, models: Sequence[nn.Module]) -> Tensor:
        """Return the parameters of the networks as a matrix (trials, width)."""
        return torch.stack([self._row(dict(model.named_parameters())) for model in models])

    def views(self, matrix: Tensor) -> dict[str, Tensor]:
        """Return each parameter of all trials, (trials, *shape), as a view of the matrix."""
        columns = torch.split(matrix, self._sizes, dim=1)
        return {
            name: torch.unflatten(column, 1, shape)
            for (name, shape), column in zip(self.shapes.items(), columns, strict=True)
        }

    def state_dict(self, row: Tensor, model: nn.Module) -> StateDict:
        """Return a row of the matrix as the state dict of `model`, in memory of its own."""
        of_row = self.views(row.unsqueeze(0))
        return {name: of_row[name][0].clone() for name in model.state_dict()}

    def _row(self, parameters: dict[str, nn.Parameter]) -> Tensor:
        known = next(iter(parameters.values()))
        return torch.cat(
            [
                parameters[name].detach().reshape(-1) if name in parameters else known.new_zeros(n)
                for name, n in zip(self.shapes, self._sizes, strict=True)
            ]
        )
