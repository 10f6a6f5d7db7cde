"""How large the gradients of the layers are while a network learns."""

import math
from types import TracebackType
from typing import Self

import torch
from torch import Tensor, nn

from actlab.records import LayerGradients


class GradientTrace:
    """While open, takes the norm of each layer's weight gradient in the steps of the first epochs.

    `steps` is the number of steps in an epoch. Nothing that the network learns changes.

    >>> layer = nn.Linear(2, 1, bias=False)
    >>> with GradientTrace(nn.Sequential(layer), steps=1) as trace:
    ...     layer(torch.tensor([[3.0, 4.0]])).sum().backward()
    >>> trace.layers()
    (LayerGradients(layer='0', norms=(5.0,)),)
    """

    def __init__(self, model: nn.Module, steps: int, epochs: int = 10) -> None:
        self._steps, self._epochs = steps, epochs
        self._weights = {
            name: module.weight
            for name, module in model.named_modules()
            if isinstance(getattr(module, "weight", None), nn.Parameter) and module.weight.ndim > 1
        }
        self._norms: dict[str, list[Tensor]] = {name: [] for name in self._weights}
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> Self:
        for name, weight in self._weights.items():

            def take(parameter: Tensor, norms: list[Tensor] = self._norms[name]) -> None:
                if len(norms) < self._steps * self._epochs and parameter.grad is not None:
                    norms.append(parameter.grad.detach().norm())

            self._handles.append(weight.register_post_accumulate_grad_hook(take))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def layers(self) -> tuple[LayerGradients, ...]:
        """Return the mean norm per epoch of every layer, from the input to the output."""
        return tuple(
            LayerGradients(name, tuple(self._means(norms))) for name, norms in self._norms.items()
        )

    def _means(self, norms: list[Tensor]) -> list[float | None]:
        if not norms:
            return []
        epochs = torch.split(torch.stack(norms).double(), self._steps)
        means = [float(epoch.mean()) for epoch in epochs]
        return [mean if math.isfinite(mean) else None for mean in means]
