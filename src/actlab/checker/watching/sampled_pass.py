"""One sampled pass: what the forward pass showed, and the gradients that arrive afterwards."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture.trace import tensors_in
from actlab.checker.watching.forward_sample import ForwardSample
from actlab.checker.watching.samplers import Stopwatch
from actlab.unit_statistics import root_mean_square

_ROWS = 16
"""Fewer samples than that say nothing about how much outputs differ."""


@dataclass(eq=False)
class SampledPass:
    """A sampled pass of a model, the `number`-th of its kind (from 1).

    `arrived` has the root mean square of each gradient that came by, `parameters` and `names` whose
    it is, all by the parameter's id. `answers` are the outputs, where they are known.
    """

    number: int
    forward: ForwardSample
    stopwatch: Stopwatch
    parameters: dict[int, Tensor] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    arrived: dict[int, Tensor] = field(default_factory=dict)
    answers: "Answers | None" = None
    _hooks: list[Callable[[], None]] = field(default_factory=list)

    def await_gradients(self, model: nn.Module) -> None:
        """Ask every trained parameter for its gradient when the backward pass comes by.

        Layers whose weights are computed from parameters (weight norm) are asked themselves.
        """
        for name, parameter in model.named_parameters():
            self._ask(parameter, name)
        for layer in self.forward.layers:
            self._ask(layer.weight, layer.call.module or layer.call.op)

    def note_answers(self, output: Any) -> None:
        """Note how much the model's first output differs, and ask for its gradient."""
        tensor = next((t for t in tensors_in(output) if _is_batch(t)), None)
        if tensor is None:
            return
        self.answers = answers = Answers(tensor.shape[0], _deviation(tensor.detach()))

        def note(gradient: Tensor) -> None:
            try:
                with self.stopwatch, torch.no_grad():
                    answers.cancelled = _cancelled(gradient)
            except Exception as error:  # the backward pass that is watched comes first
                self.forward.faults.add(f"{type(error).__name__}: {error}")

        untyped: Any = tensor
        self._hooks.append(untyped.register_hook(note).remove)

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


@dataclass(eq=False)
class Answers:
    """The outputs of a pass for `rows` samples: how much they differ, and whether gradients cancel.

    `spread` is the standard deviation over the samples, `cancelled` the size of the mean gradient
    relative to that of the gradients: 0 where the best constant is given.
    """

    rows: int
    spread: Tensor
    cancelled: Tensor | None = None

    def numbers(self) -> tuple[float, float] | None:
        """Return spread and cancellation; None where no gradient came."""
        if self.cancelled is None:
            return None
        spread, cancelled = numbers([self.spread, self.cancelled])
        return spread, cancelled


def _is_batch(tensor: Tensor) -> bool:
    """Return whether a tensor has a gradient, and a row for each of enough samples."""
    return tensor.requires_grad and tensor.ndim > 0 and tensor.shape[0] >= _ROWS


def _deviation(output: Tensor) -> Tensor:
    with torch.no_grad():
        return output.float().std(dim=0).mean()


def _cancelled(gradient: Tensor) -> Tensor:
    numbers = gradient.float()
    size = numbers.square().mean().sqrt()
    return numbers.mean(dim=0).square().mean().sqrt() / size.clamp(min=1e-30)


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
