"""Finding the call that made the first NaN or infinity of a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.location import Location
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.tensor_tests import readable
from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

LAYERS = ops.AFFINE | ops.NORMS | ops.ELEMENTWISE_ACTIVATIONS | ops.RECURRENT
_UNFILLED = frozenset({"empty", "empty_like", "empty_strided", "new_empty"})
_LIMIT = 4000


@dataclass(frozen=True)
class Flaw:
    """What is not finite, where that began, and how, in words."""

    what: str
    location: Location
    origin: str


def is_finite(tensor: Tensor) -> bool:
    """Return whether every number is finite; True for what holds no real numbers.

    >>> is_finite(torch.tensor([1.0, float("nan")]))
    False
    """
    if not readable(tensor) or not tensor.is_floating_point():
        return True
    with torch.no_grad():
        plain = tensor.detach()
        if bool(torch.isfinite(plain.sum(dtype=torch.float64 if plain.is_cpu else None))):
            return True
        return bool(torch.isfinite(plain).all())


def flaw_of(subject: Subject) -> Flaw | None:
    """Return the first flaw of a step: in an input, a layer, the loss, a parameter, a gradient."""
    for name, parameter in subject.parameters.items():
        if not is_finite(parameter):
            what = _("parameter {name}").format(name=name)
            return Flaw(what, Location(module=name), _("it was so before the step"))
    loss = subject.trace.value_of(subject.loss) if subject.loss is not None else None
    for value, what in _candidates(subject):
        if not is_finite(value.tensor):
            return _traced(value, what)
    if loss is not None and not is_finite(loss.tensor):
        return _traced(loss, _("the loss"))
    return _flaw_of_gradients(subject)


def _candidates(subject: Subject) -> Iterator[tuple[Value, str]]:
    for call in subject.trace.calls:
        if call.op in LAYERS and call.outputs and call.output.intact:
            place = call.module or call.op
            yield call.output, _("the output of {place}").format(place=place)


def _traced(value: Value, what: str) -> Flaw:
    """Walk back over calls that were given something that is not finite."""
    current = value
    for _step in range(_LIMIT):
        call = current.call
        if call is None:
            break
        guilty = next((v for v in call.inputs if v.intact and not is_finite(v.tensor)), None)
        if guilty is None or guilty.call is call:
            return Flaw(what, call.location, _of_call(call))
        current = guilty
    where = value.call.location if value.call is not None else Location()
    return Flaw(what, where, _("it was given to the step: the data hold NaN or infinity"))


def _of_call(call: Call) -> str:
    if call.op in _UNFILLED:
        return _("{op} made memory that nobody filled").format(op=call.op)
    return _("{op} made it of finite numbers").format(op=call.op)


def _flaw_of_gradients(subject: Subject) -> Flaw | None:
    for name, gradient in subject.gradients.items():
        if gradient is not None and not is_finite(gradient):
            return Flaw(
                _("the gradient of {name}").format(name=name),
                _place_of(subject, name),
                _("the loss is finite, its gradient is not"),
            )
    return None


def _place_of(subject: Subject, name: str) -> Location:
    for layer in subject.layers:
        if layer.name == name:
            return layer.call.location
    return Location(module=name.rpartition(".")[0] or None)
