"""A population of networks as one network; its weights are one matrix with a row per trial."""

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from actlab.sequences import sequence_layers
from actlab.training.fused.layers import fuse
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

    def spared(self, names: Sequence[Collection[str]], weights: Tensor) -> Tensor | None:
        """Return where a row of `weights` holds a parameter that its trial names, or None."""
        if not any(names):
            return None
        found = torch.zeros_like(weights, dtype=torch.bool)
        views = self.views(found)
        for row, own in enumerate(names):
            for name in own:
                views[name][row] = True
        return found

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


class FusedNetwork(nn.Module):
    """T networks of the same layers, with activations and weights of their own.

    `weights` is a matrix (T, width), one row per network; what one row says does not reach
    another's outputs or gradients.

    >>> networks = [nn.Sequential(nn.Linear(3, 2), nn.ReLU()) for _ in range(4)]
    >>> FusedNetwork(networks, Layout(networks))(torch.randn(1, 5, 3)).shape
    torch.Size([4, 5, 2])
    """

    def __init__(self, models: Sequence[nn.Module], layout: Layout) -> None:
        super().__init__()
        self._layout = layout
        self.weights = nn.Parameter(layout.stack(models))
        by_layer = zip(*map(sequence_layers, models), strict=True)
        self._layers = nn.ModuleList(
            fuse(named[0][0], [layer for _name, layer in named]) for named in by_layer
        )
        self.to(self.weights.device)

    def forward(self, images: Tensor) -> Tensor:
        """Apply all networks to images (T, N, ...), or (1, N, ...) that all of them see.

        Returns the outputs, (T, N, O).
        """
        weights = self._layout.views(self.weights)
        values = images
        for layer in self._layers:
            values = layer(values, weights)
        return values

    @contextmanager
    def holding(self, weights: Tensor) -> Iterator[None]:
        """Have other weights for a while, in the same memory."""
        own = self.weights.detach().clone()
        with torch.no_grad():
            self.weights.copy_(weights)
            try:
                yield
            finally:
                self.weights.copy_(own)
