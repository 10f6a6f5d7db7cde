"""One sampled pass: what the forward pass showed, and the gradients that arrive afterwards."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from actlab.checker.watching.forward_sample import ForwardSample
from actlab.checker.watching.samplers import Stopwatch
from actlab.unit_statistics import root_mean_square


@dataclass(eq=False)
class SampledPass:
    """A sampled pass of a model, the `number`-th of its kind (from 1).

    `arrived` has the root mean square of each gradient that came by, `parameters` and `names` whose
    it is, all by the parameter's id.
    """

    number: int
    forward: ForwardSample
    stopwatch: Stopwatch
    parameters: dict[int, Tensor] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    arrived: dict[int, Tensor] = field(default_factory=dict)
    _hooks: list[Callable[[], None]] = field(default_factory=list)

    def await_gradients(self, model: nn.Module) -> None:
        """Ask every trained parameter for its gradient when the backward pass comes by.

        Layers whose weights are computed from parameters (weight norm) are asked themselves.
        """
        for name, parameter in model.named_parameters():
            self._ask(parameter, name)
        for layer in self.forward.layers:
            self._ask(layer.weight, layer.call.module or layer.call.op)

    def _ask(self, tensor: Tensor, name: str) -> None:
        if not tensor.requires_grad or id(tensor) in self.parameters:
            return
        key = id(tensor)
        self.parameters[key], self.names[key] = tensor, name

        def note(gradient: Tensor) -> None:
            try:
                with self.stopwatch:
                    self.arrived[key] = _size(gradient)
            except Exception as error:  # the backward pass that is watched comes first
                self.forward.faults.add(f"{type(error).__name__}: {error}")

        untyped: Any = tensor
        self._hooks.append(untyped.register_hook(note).remove)

    def close(self) -> None:
        """Stop waiting for gradients."""
        while self._hooks:
            self._hooks.pop()()

    @property
    def is_complete(self) -> bool:
        """Return whether nothing more is to be waited for."""
        return bool(self.arrived) or not self._hooks


def _size(gradient: Tensor) -> Tensor:
    with torch.no_grad():
        if gradient.is_sparse:
            values = gradient.coalesce().values()
            share = values.numel() / max(gradient.numel(), 1)
            return root_mean_square(values) * math.sqrt(share)
        return root_mean_square(gradient)


def numbers(tensors: Iterable[Tensor]) -> list[float]:
    """Return scalars as floats, fetched from the device at once.

    >>> numbers([torch.tensor(1.0), torch.tensor(2.0)])
    [1.0, 2.0]
    """
    scalars = [tensor.detach().float().reshape(()) for tensor in tensors]
    if not scalars:
        return []
    if len({scalar.device for scalar in scalars}) > 1:
        scalars = [scalar.cpu() for scalar in scalars]
    found: list[float] = torch.stack(scalars).tolist()
    return found
