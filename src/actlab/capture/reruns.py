"""Running the model again, on other inputs: noise, other samples, longer sequences.

Every probe runs without gradients, in evaluation mode and from the same random state, and leaves
the model as it found it. A probe that the model does not survive answers None.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from actlab.capture.recorder import recording
from actlab.capture.restore import Keeper, random_state_kept
from actlab.capture.trace import Call, Trace, Value

Transform = Callable[[Tensor], Tensor]

USER_ENDS = (Exception, SystemExit)
"""How the user's code may end while it is run on a check's behalf: `sys.exit` ends no check."""


@dataclass(frozen=True, eq=False)
class Run:
    """How the model is run: `forward(inputs)` on the inputs of the captured step, then the loss."""

    forward: Callable[[Any], Any]
    inputs: Any
    modules: tuple[nn.Module, ...] = ()
    loss: Callable[[Any], Any] | None = None


@dataclass(frozen=True, eq=False)
class Rerun:
    """What came out of a probe: its trace, and the model's output."""

    trace: Trace
    output: Any

    def counterpart(self, call: Call, original: Trace) -> Call | None:
        """Return the call that is to this run what `call` is to the original."""
        wanted = _signature(call)
        ordinal = sum(1 for c in original.calls[: call.index] if _signature(c) == wanted)
        same = [c for c in self.trace.calls if _signature(c) == wanted]
        return same[ordinal] if ordinal < len(same) else None


def _signature(call: Call) -> tuple[Any, ...]:
    inner = call.trail.lines[: call.trail.inner]
    return (call.op, call.module, *((line.code, line.number) for line in inner))


class Reruns:
    """The reruns of one captured step; each is run once, when a rule first asks for it."""

    def __init__(self, run: Run | None, samples: int | None) -> None:
        self._run = run
        self._samples = samples

    @property
    def possible(self) -> bool:
        """Return whether the model can be run again at all."""
        return self._run is not None

    @cached_property
    def noise(self) -> Rerun | None:
        """Return a run on noise of the inputs' own mean, deviation and range of integers."""
        generator = torch.Generator().manual_seed(20250301)
        return self.rerun(lambda tensor: _noise_like(tensor, generator), with_loss=True)

    @cached_property
    def same(self) -> Rerun | None:
        """Return a run on the very inputs of the step, in evaluation mode."""
        return self.rerun(lambda tensor: tensor)

    @cached_property
    def others_changed(self) -> Rerun | None:
        """Return a run in which every sample but the first is another one."""
        samples = self._samples
        if samples is None or samples < 2:
            return None

        def change(tensor: Tensor) -> Tensor:
            if tensor.ndim == 0 or tensor.shape[0] != samples:
                return tensor
            changed = _noise_like(tensor, torch.Generator().manual_seed(7))
            changed[0] = tensor[0]
            return changed

        return self.rerun(change)

    def scaled(self, factor: float) -> Rerun | None:
        """Return a run on the inputs times `factor`; integers stay as they are."""

        def scale(tensor: Tensor) -> Tensor:
            return tensor * factor if tensor.is_floating_point() else tensor

        return self.rerun(scale)

    def longer(self, dim: int, size: int) -> Rerun | None:
        """Return a run on inputs whose dimension `dim` is doubled where it has `size` elements."""

        def lengthen(tensor: Tensor) -> Tensor:
            if tensor.ndim <= dim or tensor.shape[dim] != size:
                return tensor
            return torch.cat((tensor, tensor), dim)

        return self.rerun(lengthen)

    def rerun(self, transform: Transform, with_loss: bool = False) -> Rerun | None:
        """Return a run on the step's inputs after `transform`; None where that fails."""
        run = self._run
        if run is None:
            return None
        with quiet(run.modules), torch.no_grad():
            try:
                inputs = mapped(run.inputs, transform)
                with recording(names_of=run.modules[0] if run.modules else None) as trace:
                    output = run.forward(inputs)
                    if with_loss and run.loss is not None:
                        self._loss(run.loss, output)
            except USER_ENDS:  # a probe asks for what the model need not be able to do
                return None
        return Rerun(trace, output)

    @staticmethod
    def _loss(loss: Callable[[Any], Any], output: Any) -> None:
        try:
            loss(output)
        except USER_ENDS:  # the model's half of the run is still good
            return


@contextmanager
def quiet(modules: tuple[nn.Module, ...]) -> Iterator[None]:
    """Put modules into evaluation mode for the block, without warnings; restore everything."""
    keeper = Keeper()
    for module in modules:
        keeper.remember(module)
    with random_state_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for module in modules:
                for part in module.modules():
                    part.training = False
            yield
        finally:
            keeper.restore()


def mapped(item: Any, transform: Transform, depth: int = 0) -> Any:
    """Return a copy of nested inputs with every tensor replaced by a transformed copy."""
    if isinstance(item, Tensor):
        return transform(item.detach().clone())
    if depth < 4:
        if isinstance(item, dict):
            return {key: mapped(part, transform, depth + 1) for key, part in item.items()}
        if isinstance(item, tuple) and hasattr(item, "_fields"):
            return type(item)(*(mapped(part, transform, depth + 1) for part in item))
        if isinstance(item, (tuple, list)):
            return type(item)(mapped(part, transform, depth + 1) for part in item)
    return item


def _noise_like(tensor: Tensor, generator: torch.Generator) -> Tensor:
    if tensor.dtype is torch.bool or tensor.numel() == 0 or tensor.layout is not torch.strided:
        return tensor
    if tensor.is_floating_point():
        numbers = tensor.detach().float()
        spread = float(numbers.std()) if numbers.numel() > 1 else 0.0
        noise = torch.randn(tensor.shape, generator=generator) * (spread or 1.0)
        return (noise + float(numbers.mean())).to(tensor.device, tensor.dtype)
    if tensor.is_complex():
        return tensor
    low, high = int(tensor.min()), int(tensor.max())
    drawn = torch.randint(low, high + 1, tensor.shape, generator=generator)
    return drawn.to(tensor.device, tensor.dtype)


def same_rows(value: Value, other: Value, samples: int) -> bool | None:
    """Return whether the rows of the first sample agree; None where there are no such rows."""
    first, second = value.tensor, other.tensor
    if first.shape != second.shape or first.ndim == 0 or first.shape[0] % samples:
        return None
    rows = first.shape[0] // samples
    a, b = first[:rows].detach().double(), second[:rows].detach().double()
    scale = float(a.abs().max()) + 1e-12
    return bool(((a - b).abs() <= 1e-4 * scale).all() | torch.isnan(a).any())
