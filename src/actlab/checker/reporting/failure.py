"""Telling in one sentence why a step did not run."""

import traceback

from torch import Tensor

from actlab.capture.frames import is_user
from actlab.capture.trace import Call, Value
from actlab.checker.analysis.step import Subject
from actlab.checker.captured_step import failing_call, first_line
from actlab.i18n import _

_CLASS_LOSSES = ("cross_entropy", "nll_loss")


def story(subject: Subject) -> str:
    """Return which part of the step raised, what it said, where, and what to do."""
    error = subject.error
    assert error is not None
    call = failing_call(subject)
    text = _("{part} raised {kind}: {message}").format(
        part=_part(subject, call), kind=type(error).__name__, message=first_line(error).rstrip(".")
    )
    place = place_of(error)
    if place is not None:
        text += _(", at {file}:{line}").format(file=place[0], line=place[1])
    advice = _advice(call) or _("It must run on this batch before it can be checked")
    return f"{text}. {advice}."


def _part(subject: Subject, call: Call | None) -> str:
    if subject.border is not None:
        return _("The loss")
    if subject.probes.possible and subject.targets.tensors:
        return _("The model")
    if call is not None and not subject.in_loss_code(call):
        return _("The model")
    return _("The step")


def place_of(error: BaseException) -> tuple[str, int | None] | None:
    """Return the innermost line of the user's own program that an exception passed."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if is_user(frame.filename):
            return frame.filename, frame.lineno
    return None


def _advice(call: Call | None) -> str:
    """Return what to do about the usual mistakes with targets, "" for others."""
    if call is None or len(call.inputs) < 2:
        return ""
    given, target = call.argument("input", 0), call.argument("target", 1)
    if isinstance(given, (dict, tuple)) and given:
        return _(
            "A loss takes one tensor, but the model returned {kind}: give the part that is meant, "
            "as in lambda out, y: loss_fn(out[{key!r}], y)"
        ).format(kind=type(given).__name__, key=next(iter(given)) if isinstance(given, dict) else 0)
    if not isinstance(given, Value) or not isinstance(target, Value):
        return ""
    prediction, wanted = given.tensor, target.tensor
    if call.op in _CLASS_LOSSES:
        return _class_target_advice(call.op, prediction, wanted)
    if call.op in ("bce", "bce_logits", "mse_loss", "l1_loss") and not wanted.is_floating_point():
        return _("{loss} needs floating-point targets, but they are {dtype}: use y.float()").format(
            loss=call.op, dtype=_dtype(wanted)
        )
    if prediction.shape != wanted.shape and call.op in ("bce", "bce_logits"):
        return _(
            "Predictions and targets must have one shape, but they have {given} and {wanted}"
        ).format(given=tuple(prediction.shape), wanted=tuple(wanted.shape))
    return ""


def _class_target_advice(loss: str, prediction: Tensor, target: Tensor) -> str:
    if target.is_floating_point() and target.shape != prediction.shape:
        return _(
            "{loss} needs class indices of dtype int64, but the targets are {dtype} of shape "
            "{shape}: use y.long()"
        ).format(loss=loss, dtype=_dtype(target), shape=tuple(target.shape))
    if not target.is_floating_point() and target.numel() and prediction.ndim >= 2:
        low, high = int(target.min()), int(target.max())
        classes = prediction.shape[1]
        if low < 0 or high >= classes:
            return _(
                "Class indices must be 0 to {last}, but the targets run from {low} to {high}"
            ).format(last=classes - 1, low=low, high=high)
        if str(target.dtype) not in ("torch.int64", "torch.uint8"):
            return _("{loss} needs class indices of dtype int64: use y.long()").format(loss=loss)
    return ""


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")
