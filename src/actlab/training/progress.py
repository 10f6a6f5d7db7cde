"""Where a training stands between two epochs, and its bytes between two segments."""

import io
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from actlab.records import Epoch, Protocol

StateDict = dict[str, Tensor]

_FORMAT = 1


@dataclass
class Progress:
    """The epochs so far and the weights of the best one; `seconds` is the time spent training.

    `learnt` holds the learnable parameters of the activations at the start and after every epoch,
    where a probe asks for them.
    """

    curve: list[Epoch] = field(default_factory=list)
    best_epoch: int | None = None
    best_weights: StateDict = field(default_factory=dict)
    seconds: float = 0.0
    learnt: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, epoch: Epoch, model: nn.Module, better: Callable[[float, float], bool]) -> None:
        """Append an epoch; keep the model's weights where it is strictly the best so far."""
        if self.append(epoch, better):
            self.best_weights = copy_weights(model)

    def append(self, epoch: Epoch, better: Callable[[float, float], bool]) -> bool:
        """Append an epoch and return whether it is strictly the best so far."""
        self.curve.append(epoch)
        self.seconds += epoch.seconds
        if self.diverged:
            return False
        best = None if self.best_epoch is None else self.curve[self.best_epoch - 1]
        improved = best is None or better(epoch.valid_metric, best.valid_metric)
        if improved:
            self.best_epoch = len(self.curve)
        return improved

    @property
    def diverged(self) -> bool:
        """Return whether a loss of the last epoch was not a finite number."""
        last = self.curve[-1] if self.curve else None
        return last is not None and (last.train_loss is None or last.valid_loss is None)

    def ended(self, protocol: Protocol) -> bool:
        """Return whether no further epoch is to be trained: patience, limit or divergence."""
        epochs = len(self.curve)
        if protocol.max_epochs is not None and epochs >= protocol.max_epochs:
            return True
        return self.diverged or epochs - (self.best_epoch or 0) >= protocol.patience


def copy_weights(model: nn.Module) -> StateDict:
    """Return a copy of the model's state dict that later steps do not change."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def weights_to_bytes(weights: StateDict) -> bytes:
    """Return a state dict as the bytes of a file that `torch.load(weights_only=True)` reads."""
    return _to_bytes({name: value.cpu() for name, value in weights.items()})


def weights_from_bytes(content: bytes) -> StateDict:
    """Return the state dict in the bytes of a weights file; nothing in it is evaluated."""
    weights: StateDict = _from_bytes(content)
    return weights


def save(
    progress: Progress,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    schedule: Any = None,
) -> bytes:
    """Return everything that the rest of a training depends on, as bytes."""
    return _to_bytes(
        {
            "format": _FORMAT,
            "curve": [astuple(epoch) for epoch in progress.curve],
            "best_epoch": progress.best_epoch,
            "best_weights": progress.best_weights,
            "seconds": progress.seconds,
            "learnt": progress.learnt,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": None if schedule is None else schedule.state_dict(),
        }
    )


def restore(
    state: bytes, model: nn.Module, optimiser: torch.optim.Optimizer, schedule: Any = None
) -> Progress:
    """Put model and optimiser where `save` found them, and return the progress."""
    saved = _from_bytes(state)
    if saved.get("format") != _FORMAT:
        raise ValueError(
            f"a training's state must have format {_FORMAT}, not {saved.get('format')}"
        )
    model.load_state_dict(saved["model"])
    optimiser.load_state_dict(saved["optimiser"])
    if schedule is not None:
        schedule.load_state_dict(saved["schedule"])
    return Progress(
        curve=[Epoch(*values) for values in saved["curve"]],
        best_epoch=saved["best_epoch"],
        best_weights=saved["best_weights"],
        seconds=saved["seconds"],
        learnt=saved["learnt"],
    )


def _to_bytes(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def _from_bytes(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
