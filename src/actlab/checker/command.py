"""Checking what a command line names: a model by its address, a loss by its name."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.addresses import Loaded, as_program, load, user_code
from actlab.capture.reruns import quiet
from actlab.checker.api import check_batch
from actlab.checker.captured_step import CheckError
from actlab.checker.report import Report
from actlab.checker.targets import checked_task, infer_task
from actlab.errors import unknown_name
from actlab.i18n import _

_SAMPLES = 32
_SHORT = {
    "ce": "CrossEntropyLoss", "bce": "BCELoss", "bce_logits": "BCEWithLogitsLoss",
    "bce_with_logits": "BCEWithLogitsLoss", "nll": "NLLLoss", "mse": "MSELoss", "l1": "L1Loss",
    "mae": "L1Loss", "huber": "HuberLoss", "kl": "KLDivLoss",
}  # fmt: skip
_LOSS_OF_TASK = {
    "regression": "MSELoss", "probability": "BCELoss", "binary": "CrossEntropyLoss",
    "multiclass": "CrossEntropyLoss", "multilabel": "BCELoss",
}  # fmt: skip
_TASK_OF_LOSS = {
    "CrossEntropyLoss": "multiclass", "NLLLoss": "multiclass", "cross_entropy": "multiclass",
    "nll_loss": "multiclass", "BCELoss": "multilabel", "BCEWithLogitsLoss": "multilabel",
    "binary_cross_entropy": "multilabel", "binary_cross_entropy_with_logits": "multilabel",
    "MultiLabelSoftMarginLoss": "multilabel",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Program:
    model: Callable[..., Any]
    loss: Callable[..., Any] | None
    batch: Any


def run_target(
    target: str,
    *,
    loss: str | None,
    task: str | None,
    shape: str | None,
    batch: tuple[Any, Any] | None,
    ignore: str | Iterable[str] = (),
) -> Report:
    """Return the report on the model at `target` with a loss by name or address.

    The batch is `batch` (arrays x and y), else what the target returns beside the model, else
    noise of `shape` with targets made up to fit the task, from which no rule on targets concludes.
    Raises CheckError where something is missing or does not fit.
    """
    checked_task(task)
    with as_program(target, CheckError, [target.rpartition(":")[0]]):
        loaded = load(target)
        program = _program(loaded, target)
        given = _tensors(batch) if batch is not None else program.batch
        made_up = given is None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            x = _noise(shape, target) if given is None else given[0]
        loss_fn = _loss(loss, loaded) if loss is not None else program.loss
        y = given[1] if given is not None else _made_up_target(program.model, x, task, loss_fn)
        if loss_fn is None:
            usual = _LOSS_OF_TASK.get(task or infer_task(y) or "", "CrossEntropyLoss")
            loss_fn = _loss(usual, loaded)
        return check_batch(
            program.model, loss_fn, (x, y), task, ignore=ignore, files=loaded.files, made_up=made_up
        )


def _program(loaded: Loaded, target: str) -> _Program:
    thing = loaded.thing
    if not isinstance(thing, nn.Module):
        thing = _built(thing, target)
    parts = thing if isinstance(thing, tuple) else (thing,)
    model = parts[0]
    if not callable(model) or len(parts) > 3:
        raise CheckError(
            _("{target} must give a model, or (model, loss), or (model, loss, (x, y)).").format(
                target=target
            )
        )
    return _Program(
        model,
        parts[1] if len(parts) > 1 else None,
        parts[2] if len(parts) > 2 else None,
    )


def _built(thing: Any, target: str) -> Any:
    if not callable(thing):
        raise CheckError(
            _("{target} must be a model, a class or a function; it is {kind}.").format(
                target=target, kind=type(thing).__name__
            )
        )
    needed = [
        name
        for name, parameter in inspect.signature(thing).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD,
                               parameter.KEYWORD_ONLY)
    ]  # fmt: skip
    if needed:
        raise CheckError(
            _(
                "{target} must be callable without arguments, but it needs {names}: write a "
                "function without arguments that returns the model."
            ).format(target=target, names=", ".join(needed))
        )
    with user_code(target, CheckError):
        return thing()


def _loss(name: str, loaded: Loaded) -> Callable[..., Any]:
    if ":" in name:
        thing = load(name if not name.startswith(":") else loaded.module_address + name).thing
        with user_code(name, CheckError):
            loss: Callable[..., Any] = thing() if isinstance(thing, type) else thing
        return loss
    full = _SHORT.get(name.lower(), name)
    losses = {n: getattr(nn, n) for n in dir(nn) if n.endswith("Loss")}
    functions = {n: getattr(F, n) for n in dir(F) if n.endswith("loss") or "entropy" in n}
    if full in losses:
        known: Callable[..., Any] = losses[full]()
        return known
    if full in functions:
        function: Callable[..., Any] = functions[full]
        return function
    raise unknown_name(_("loss"), name, [*losses, *functions, *_SHORT])


def _tensors(batch: tuple[Any, Any]) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(np.ascontiguousarray(part)) for part in batch)
    return _plain(x), _plain(y)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor.long()


def _noise(shape: str | None, target: str) -> Tensor:
    if shape is None:
        raise CheckError(
            _(
                "A batch is needed: give --input-shape or --data, or let {target} return (model, "
                "loss, (x, y))."
            ).format(target=target)
        )
    kind, _colon, sizes = shape.rpartition(":")
    try:
        numbers = [int(size) for size in sizes.replace("x", ",").split(",") if size.strip()]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1 or kind not in ("", "float", "long"):
        raise CheckError(
            _('--input-shape must look like 1,28,28 or long:16; got "{shape}".').format(shape=shape)
        )
    if kind == "long":
        return torch.randint(0, 100, (_SAMPLES, *numbers))
    return torch.randn(_SAMPLES, *numbers)


def _made_up_target(model: Callable[..., Any], x: Tensor, task: str | None, loss_fn: Any) -> Tensor:
    """Return targets of the shape that the model's output asks for."""
    modules = (model,) if isinstance(model, nn.Module) else ()
    advice = _("It was given an input of shape {shape}.").format(shape=tuple(x.shape))
    with user_code(_("The model"), CheckError, advice=advice), quiet(modules), torch.no_grad():
        output = model(x)
    if isinstance(output, (tuple, list)):
        output = output[0]
    if not isinstance(output, Tensor):
        raise CheckError(
            _(
                "Targets can be made up for a tensor only; the model returns {kind}: use --data."
            ).format(kind=type(output).__name__)
        )
    name = getattr(loss_fn, "__name__", type(loss_fn).__name__)
    assumed = task or _TASK_OF_LOSS.get(name) or ("multiclass" if loss_fn is None else "regression")
    return _target_for(assumed, output)


def _target_for(task: str, output: Tensor) -> Tensor:
    if task in ("multiclass", "binary") and output.ndim >= 2:
        counted = torch.arange(output[:, 0].numel()).reshape(output[:, 0].shape)
        return counted % output.shape[1]
    if task in ("multilabel", "probability"):
        counted = torch.arange(output.numel()).reshape(output.shape)
        return ((counted % 3 == 0) | (counted % 5 == 0)).float()
    return torch.linspace(0.05, 0.95, output.numel()).reshape(output.shape)
