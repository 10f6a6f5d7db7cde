"""Checking what a command line names: a model by its address, a loss by its name."""

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.addresses import Loaded, as_program, load, user_code
from actlab.capture.reruns import quiet
from actlab.checker.api import called, check_batch
from actlab.checker.captured_step import CheckError
from actlab.checker.report import Report
from actlab.checker.targets import checked_task, infer_task
from actlab.errors import DataError, unknown_name
from actlab.i18n import _

_NOISE_SAMPLES, _DATA_SAMPLES = 32, 64
_IDS = 100
"""Ids are drawn below this number, and below the smallest Embedding."""
_TARGET_NAMES = ("y", "Y", "labels", "targets", "target", "label")
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

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class _Named:
    """What an address gave: a model, and with it perhaps a loss and a batch."""

    model: Callable[..., Any]
    loss: Callable[..., Any] | None
    batch: Any


def check_address(
    address: str,
    *,
    loss: str | None = None,
    task: str | None = None,
    shapes: Sequence[str] = (),
    arrays: Arrays | None = None,
    arguments: Mapping[str, str] | None = None,
    ignore: str | Iterable[str] = (),
) -> Report:
    """Return the report on the model at `address` with a loss by name or address.

    What the address names is called with `arguments`, each a Python literal or else a text. The
    batch is made of `arrays` by their names, else what the address returns with the model, else
    noise of `shapes`, one per input, with targets made up to fit the task, from which no rule on
    targets concludes. Without a loss the usual one of the task is taken: binary cross entropy on
    logits where the model's outputs leave [0, 1], on probabilities where they do not. Raises
    CheckError where something is missing or does not fit, DataError where the arrays are no batch.
    """
    checked_task(task)
    with as_program(address, CheckError, [address.rpartition(":")[0]]):
        loaded = load(address)
        named = _named(loaded, address, arguments or {})
        loss_fn = _loss(loss, loaded) if loss is not None else named.loss
        batch: Any = named.batch
        if arrays is not None:
            batch, computes_loss = _batch_of(arrays, named.model, loss_fn is None)
            loss_fn = _loss_of_output if computes_loss else loss_fn
        made_up = batch is None
        if batch is None:
            x = _noise(shapes, named.model, address)
            batch = (x, _made_up_target(named.model, x, task, loss_fn))
        if loss_fn is None:
            guessed = _LOSS_OF_TASK.get(task or infer_task(batch[1]) or "", "CrossEntropyLoss")
            if guessed == "BCELoss" and _leaves_unit(named.model, batch[0]):
                guessed = "BCEWithLogitsLoss"
            loss_fn = _loss(guessed, loaded)
        return check_batch(
            named.model, loss_fn, batch, task, ignore=ignore, files=loaded.files, made_up=made_up
        )


def _named(loaded: Loaded, address: str, arguments: Mapping[str, str]) -> _Named:
    thing = loaded.thing
    if not isinstance(thing, nn.Module):
        thing = _built(thing, address, arguments)
    elif arguments:
        raise CheckError(
            _("{target} is a model already: --set has nothing to set.").format(target=address)
        )
    parts = thing if isinstance(thing, tuple) else (thing,)
    model = parts[0]
    if not callable(model) or len(parts) > 3:
        raise CheckError(
            _("{target} must give a model, or (model, loss), or (model, loss, (x, y)).").format(
                target=address
            )
        )
    loss, batch = (*parts[1:], None, None)[:2]
    return _Named(model, loss, batch)


def _built(thing: Any, address: str, arguments: Mapping[str, str]) -> Any:
    if not callable(thing):
        raise CheckError(
            _("{target} must be a model, a class or a function; it is {kind}.").format(
                target=address, kind=type(thing).__name__
            )
        )
    with user_code(address, CheckError):
        parameters = dict(inspect.signature(thing).parameters)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    for name in arguments:
        if name not in parameters and not takes_any:
            raise unknown_name(_("argument of {target}").format(target=address), name, parameters)
    missing = [
        name
        for name, each in parameters.items()
        if each.default is each.empty
        and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
        and name not in arguments
    ]
    if missing:
        raise CheckError(
            _(
                "{target} needs {names}: give {options}, or name a function without arguments "
                "that returns the model."
            ).format(
                target=address,
                names=", ".join(missing),
                options=" ".join(f"--set {name}=VALUE" for name in missing),
            )
        )
    with user_code(address, CheckError):
        return thing(**{name: _value(text) for name, text in arguments.items()})


def _value(text: str) -> Any:
    """Return what a text says in Python, the text itself where it says nothing.

    >>> _value("(3, 0.5)"), _value("gelu")
    ((3, 0.5), 'gelu')
    """
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


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
        return _OfPrediction(losses[full]())
    if full in functions:
        return _OfPrediction(functions[full])
    raise unknown_name(_("loss"), name, [*losses, *functions, *_SHORT, "file.py:loss"])


class _OfPrediction:
    """One of torch's losses, of the part of a model's output that is the prediction."""

    def __init__(self, loss: Callable[..., Any]) -> None:
        self._loss = loss
        self.__name__ = getattr(loss, "__name__", type(loss).__name__)

    def __call__(self, output: Any, target: Any) -> Any:
        prediction = _prediction_in(output)
        return self._loss(output if prediction is None else prediction, target)


def _prediction_in(output: Any) -> Tensor | None:
    """Return the tensor that a model predicts by, None where there is none.

    Of several it is the one called `logits`, else the first.
    """
    if isinstance(output, Tensor):
        return output
    parts = output if isinstance(output, Mapping) else getattr(output, "__dict__", {})
    logits = parts.get("logits")
    if isinstance(logits, Tensor):
        return logits
    several = list(output.values()) if isinstance(output, Mapping) else output
    if isinstance(several, (tuple, list)) and several and isinstance(several[0], Tensor):
        return several[0]
    return None


def _loss_of_output(output: Any, _target: Any) -> Any:
    """Return the loss that a model computes itself, as those of Hugging Face do."""
    return output["loss"]


def _batch_of(arrays: Arrays, model: Any, may_have_loss: bool) -> tuple[tuple[Any, Any], bool]:
    """Return (x, y) of arrays by name, and whether the model computes the loss of y itself."""
    lengths = {name: array.shape[:1] for name, array in arrays.items()}
    if len(arrays) < 2:
        raise DataError(
            _("The data must have an input and a target at least; it has {names}.").format(
                names=", ".join(arrays) or _("none")
            )
        )
    if (
        len(set(lengths.values())) > 1
        or not next(iter(lengths.values()), ())
        or 0 in next(iter(lengths.values()))
    ):
        raise DataError(
            _("All arrays must have equally many rows, at least one; got {shapes}.").format(
                shapes=", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            )
        )
    taken = _parameters_of(model)
    target = _target_name(list(arrays), taken)
    tensors = {name: _tensor(array[:_DATA_SAMPLES]) for name, array in arrays.items()}
    y = tensors[target]
    if target in taken and may_have_loss and set(tensors) <= set(taken):
        return (tensors, y), True
    inputs = {name: tensor for name, tensor in tensors.items() if name != target}
    if len(inputs) == 1:
        return (next(iter(inputs.values())), y), False
    return (inputs if set(inputs) <= set(taken) else tuple(inputs.values()), y), False


def _target_name(names: list[str], taken: Sequence[str]) -> str:
    """Return which array is the target: by its name, else the one that the model does not take."""
    for name in _TARGET_NAMES:
        if name in names:
            return name
    rest = [name for name in names if name not in taken]
    return rest[0] if len(rest) == 1 else names[-1]


def _parameters_of(model: Any) -> list[str]:
    """Return the names of what a model's forward pass takes."""
    forward = model.forward if isinstance(model, nn.Module) else model
    try:
        found = inspect.signature(forward).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in found if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _tensor(array: NDArray[Any]) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if tensor.is_floating_point():
        return tensor.float()
    return tensor if tensor.dtype is torch.bool else tensor.long()


_SHAPE = re.compile(r"(?:(\w+)=)?(?:(float|long|bool):)?(\d+(?:[,x]\d+)*)")


def _noise(shapes: Sequence[str], model: Any, address: str) -> Any:
    """Return an input of each shape: one tensor, several in a tuple, or named ones in a mapping."""
    if not shapes:
        raise CheckError(
            _(
                "A batch is needed: give --input-shape or --data, or let {target} return "
                "(model, loss, (x, y))."
            ).format(target=address)
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = [_noise_of(shape, model) for shape in shapes]
    if all(name is not None for name, _tensor in found):
        return {str(name): tensor for name, tensor in found}
    tensors = tuple(tensor for _name, tensor in found)
    return tensors[0] if len(tensors) == 1 else tensors


def _noise_of(shape: str, model: Any) -> tuple[str | None, Tensor]:
    match = _SHAPE.fullmatch(shape.strip())
    sizes = [int(size) for size in re.split("[,x]", match[3])] if match else [0]
    if match is None or 0 in sizes:
        raise CheckError(
            _(
                "--input-shape must look like 1,28,28, or long:16 for ids, or mask=bool:16 by "
                'name; got "{given}".'
            ).format(given=shape)
        )
    kind = match[2] or "float"
    size = (_NOISE_SAMPLES, *sizes)
    try:
        if kind == "long":
            return match[1], torch.randint(0, min(_IDS, *_vocabularies(model), _IDS), size)
        noise = torch.randn(size)
    except (RuntimeError, OverflowError, TypeError, MemoryError) as error:  # too large
        raise CheckError(
            _("An input of shape {shape} does not fit into memory.").format(shape=size)
        ) from error
    return match[1], noise > 0 if kind == "bool" else noise


def _vocabularies(model: Any) -> list[int]:
    parts = model.modules() if isinstance(model, nn.Module) else ()
    return [part.num_embeddings for part in parts if isinstance(part, nn.Embedding)]


def _made_up_target(model: Callable[..., Any], x: Any, task: str | None, loss_fn: Any) -> Tensor:
    """Return targets of the shape that the model's output asks for."""
    modules = (model,) if isinstance(model, nn.Module) else ()
    with user_code(_("The model"), CheckError, advice=_advice(model, x)):  # noqa: SIM117
        with quiet(modules), torch.no_grad():
            output = called(model, x)
    prediction = _prediction_in(output)
    if prediction is None:
        raise CheckError(
            _(
                "Targets can be made up for a tensor only; the model returns {kind}: use --data."
            ).format(kind=type(output).__name__)
        )
    name = getattr(loss_fn, "__name__", type(loss_fn).__name__)
    assumed = task or _TASK_OF_LOSS.get(name) or ("multiclass" if loss_fn is None else "regression")
    return _target_for(assumed, prediction)


def _leaves_unit(model: Callable[..., Any], x: Any) -> bool:
    """Return whether a model's predictions are not all in [0, 1], and so no probabilities."""
    modules = (model,) if isinstance(model, nn.Module) else ()
    with user_code(_("The model"), CheckError), quiet(modules), torch.no_grad():
        prediction = _prediction_in(called(model, x))
    if prediction is None or not prediction.is_floating_point():
        return False
    return bool(((prediction < 0) | (prediction > 1)).any())


def _advice(model: Any, x: Any) -> str:
    """Return what to do where a model does not run on noise."""
    tensors = x.values() if isinstance(x, Mapping) else x if isinstance(x, tuple) else (x,)
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
    text = _("It was given an input of shape {shape}.").format(shape=shapes)
    needed = _parameters_of(model)
    if _vocabularies(model) and all(tensor.is_floating_point() for tensor in tensors):
        text += " " + _("It has an Embedding, which takes ids: --input-shape long:16.")
    elif len(needed) > 1:
        text += " " + _("It takes {names}: give an --input-shape for each that it needs.").format(
            names=", ".join(needed)
        )
    return text


def _target_for(task: str, output: Tensor) -> Tensor:
    if task in ("multiclass", "binary") and output.ndim >= 2:
        counted = torch.arange(output[:, 0].numel()).reshape(output[:, 0].shape)
        return counted % output.shape[1]
    if task in ("multilabel", "probability"):
        counted = torch.arange(output.numel()).reshape(output.shape)
        return ((counted % 3 == 0) | (counted % 5 == 0)).float()
    return torch.linspace(0.05, 0.95, output.numel()).reshape(output.shape)
