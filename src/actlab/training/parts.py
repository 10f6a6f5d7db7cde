"""The parts of a training beyond AdamW at a constant rate: optimiser, schedule, augmentation."""

import inspect
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from actlab.errors import ActlabError, unknown_name
from actlab.i18n import _

OptimiserOf = Callable[[list[dict[str, Any]], float], torch.optim.Optimizer]
ScheduleOf = Callable[[torch.optim.Optimizer], Any]


@dataclass(frozen=True)
class Parts:
    """What a training is done with; the defaults are AdamW, a constant rate, and nothing else.

    `optimiser` takes groups of parameters and the rate, `schedule` an optimiser; it is stepped
    after every epoch. `augmentation` changes a batch of inputs, with torch's generator. `clip`
    bounds the norm of all gradients together.
    """

    optimiser: OptimiserOf | None = None
    schedule: ScheduleOf | None = None
    augmentation: Callable[[Tensor], Tensor] | None = None
    clip: float | None = None


USUAL = Parts()


def optimiser_of(
    model: nn.Module, parts: Parts, rate: float, decay: float, undecayed: Collection[str] = ()
) -> torch.optim.Optimizer:
    """Return the optimiser of a training; parameters named in `undecayed` have no weight decay.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.PReLU())
    >>> found = optimiser_of(model, Parts(), 0.1, 0.01, undecayed=("1.weight",))
    >>> [(len(group["params"]), group["weight_decay"]) for group in found.param_groups]
    [(2, 0.01), (1, 0.0)]
    """
    named = list(model.named_parameters())
    groups: list[dict[str, Any]] = [
        {"params": [value for name, value in named if name not in undecayed]}
    ]
    spared = [value for name, value in named if name in undecayed]
    if spared:
        groups.append({"params": spared, "weight_decay": 0.0})
    if parts.optimiser is None:
        # On a GPU the number of steps stays there, so that a step can be recorded as a graph.
        on_gpu = any(value.is_cuda for _name, value in named)
        return torch.optim.AdamW(groups, lr=rate, weight_decay=decay, fused=True, capturable=on_gpu)
    return parts.optimiser(groups, rate)


def optimiser_by_name(name: str, decay: float) -> OptimiserOf:
    """Return what makes an optimiser of torch.optim by its name, in any case: `sgd`, `RMSprop`.

    The weight decay of the protocol is given to those that take one; sgd has momentum 0.9. Raises
    UnknownNameError for another name.

    >>> made = optimiser_by_name("sgd", 0.01)([{"params": [nn.Parameter(torch.zeros(1))]}], 0.1)
    >>> type(made).__name__, made.defaults["momentum"], made.defaults["weight_decay"]
    ('SGD', 0.9, 0.01)
    """
    known = {
        key.lower(): kind
        for key, kind in vars(torch.optim).items()
        if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer)
    }
    if name.lower() not in known:
        raise unknown_name(_("optimiser"), name, sorted(known))
    kind: Any = known[name.lower()]
    options: dict[str, Any] = {}
    taken = inspect.signature(kind).parameters
    if "weight_decay" in taken:
        options["weight_decay"] = decay
    if kind is torch.optim.SGD:
        options["momentum"] = 0.9

    def made(groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
        optimiser: torch.optim.Optimizer = kind(groups, lr=rate, **options)
        return optimiser

    return made


def schedule_by_name(name: str, epochs: int | None) -> ScheduleOf | None:
    """Return what makes a schedule: `constant` (none), or `cosine`, down to 0 in `epochs`.

    Raises ActlabError for cosine without a limit of epochs, UnknownNameError for another name.
    """
    if name == "constant":
        return None
    if name != "cosine":
        raise unknown_name(_("schedule"), name, ("constant", "cosine"))
    if epochs is None:
        raise ActlabError(
            _("The schedule cosine falls to 0 in protocol.max_epochs epochs; give that number.")
        )
    return lambda optimiser: torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)


def batches(order: Tensor, size: int, dim: int = 0) -> Sequence[Tensor]:
    """Return an order in batches; a last one of a single row joins the one before it.

    A single row has no spread, which batch normalisation divides by.

    >>> [len(batch) for batch in batches(torch.arange(65), 32)]
    [32, 33]
    """
    parts = list(torch.split(order, size, dim=dim))
    if len(parts) > 1 and size > 1 and parts[-1].shape[dim] == 1:
        parts[-2:] = [torch.cat(parts[-2:], dim=dim)]
    return parts
