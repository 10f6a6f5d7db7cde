"""Which task a target array poses, why, and what else it might be."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import TaskName
from actlab.studies.tasks.targets import target_faults

MANY = 50
"""From so many distinct whole numbers on, a column is taken for amounts rather than classes."""

_LARGE = 10.0
"""A target whose mean or deviation is beyond it, or 0.1, should be standardised all the more."""


@dataclass(frozen=True)
class Alternative:
    """Another task that the same numbers could pose, and when they do."""

    task: TaskName
    when: str


@dataclass(frozen=True)
class Suggestion:
    """The task of a target array, its reasons, and what stands in the way of training on it.

    `outputs` is how many outputs the network needs; `prepare` says what to do with the array
    first, in order; the texts are in the language of the process.
    """

    task: TaskName
    outputs: int
    reasons: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()
    prepare: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def suggest(target: NDArray[Any]) -> Suggestion:
    """Return which task a target array poses, from its shape, its dtype and its values.

    Raises DataError for an array that holds no targets.

    >>> suggest(np.array([0, 3, 9, 4, 1, 2, 5, 6, 8, 7])).task
    'multiclass'
    >>> suggest(np.array([[1, 0, 1], [0, 1, 1]])).task
    'multilabel'
    """
    if target.ndim == 0 or target.size == 0:
        message = _("A target array needs one row per sample; got shape {shape}.")
        raise DataError(message.format(shape=target.shape))
    if target.ndim > 2:
        message = _(
            "A target array must have one number or one row of numbers per sample; got shape "
            "{shape}. Targets per pixel or per time step are the same tasks, asked at each place."
        )
        raise DataError(message.format(shape=target.shape))
    if target.dtype.kind in "US":
        return _of_names(target)
    if target.dtype.kind not in "buif":
        message = _("A target array must hold numbers or class names; got dtype {dtype}.")
        raise DataError(message.format(dtype=target.dtype))
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    finite = target[np.isfinite(target.astype(np.float64)).reshape(len(target), -1).all(axis=1)]
    if len(finite) == 0:
        raise DataError(_("A target array needs finite numbers; every row has NaN or infinity."))
    return _of_rows(target, finite) if target.ndim == 2 else _of_column(target, finite)


def _of_names(target: NDArray[Any]) -> Suggestion:
    if target.ndim == 2 and target.shape[1] > 1:
        raise DataError(_("Class names must be one per sample; encode several as columns of 0/1."))
    names = np.unique(target)
    task: TaskName = "binary" if len(names) == 2 else "multiclass"
    faults = target_faults(task, np.searchsorted(names, target.ravel()))
    return Suggestion(
        task,
        len(names),
        (_("It holds {count} distinct names, one per sample.").format(count=len(names)),),
        prepare=(_("Number the names from 0: numpy.unique(y, return_inverse=True)[1]."),),
        faults=faults,
    )


def _of_rows(target: NDArray[Any], finite: NDArray[Any]) -> Suggestion:
    columns = target.shape[1]
    numbers = finite.astype(np.float64)
    row_sums = numbers.sum(axis=1)
    within = bool(((numbers >= 0) & (numbers <= 1)).all())
    if bool(((numbers == 0) | (numbers == 1)).all()):
        if bool((row_sums == 1).all()):
            return _one_hot(target, columns)
        reason = _(
            "Each row is {columns} answers of yes or no, and some rows have several or none."
        )
        return Suggestion(
            "multilabel",
            columns,
            (reason.format(columns=columns),),
            faults=target_faults("multilabel", target),
        )
    if within and bool(np.allclose(row_sums, 1.0, atol=1e-4)):
        return Suggestion(
            "multiclass",
            columns,
            (_("Each row is {columns} shares that sum to 1.").format(columns=columns),),
            prepare=(_("Give the shares themselves to cross_entropy; it takes them as targets."),),
            faults=_shared(target),
        )
    reason = _("Each row is {columns} real numbers.").format(columns=columns)
    alternatives: tuple[Alternative, ...] = ()
    if within:
        when = _("if each is the probability of a yes; then sigmoid and BCE take them as they are")
        alternatives = (Alternative("multilabel", when),)
    return Suggestion(
        "regression",
        columns,
        (reason,),
        alternatives,
        (_standardise(finite),),
        target_faults("regression", target),
    )


def _one_hot(target: NDArray[Any], columns: int) -> Suggestion:
    reason = _("Each row has a single 1 among {columns} columns (one-hot).")
    classes = target_faults("multiclass", target.argmax(axis=1)) if _finite(target) else ()
    task: TaskName = "binary" if columns == 2 else "multiclass"
    return Suggestion(
        task,
        columns,
        (reason.format(columns=columns),),
        (Alternative("multilabel", _("if other rows may have several ones, or none")),),
        (_("Give the position of the 1 as the class: y.argmax(axis=1)."),),
        faults=_shared(target) + classes,
    )


def _of_column(target: NDArray[Any], finite: NDArray[Any]) -> Suggestion:
    values = np.unique(finite)
    whole = bool((values == np.floor(values)).all())
    if set(values.tolist()) <= {0, 1}:
        return _yes_or_no(target)
    if target.dtype.kind in "ui" and len(values) == 2:
        return _two_values(target, values)
    if not whole:
        return _real(target, finite)
    return _whole(target, finite, values)


def _yes_or_no(target: NDArray[Any]) -> Suggestion:
    reason = _("It holds 0 and 1 only, one per sample.")
    two = _("with two outputs and class numbers (int64); the same answer with twice the outputs")
    one = _("with one output and float targets; the same answer with half the outputs")
    if target.dtype.kind == "f":
        alternatives = (Alternative("binary", two),)
        return Suggestion(
            "probability", 1, (reason,), alternatives, faults=target_faults("probability", target)
        )
    alternatives = (Alternative("probability", one),)
    return Suggestion("binary", 2, (reason,), alternatives, faults=target_faults("binary", target))


def _two_values(target: NDArray[Any], values: NDArray[Any]) -> Suggestion:
    low, high = values.tolist()
    reason = _("It holds two values only, {low} and {high}.").format(low=low, high=high)
    prepare = _("Number the classes 0 and 1: (y == {high}).astype(int).").format(high=high)
    numbered = (target == high).astype(np.int64)
    alternative = Alternative("regression", _("if they are amounts that happen to be two"))
    faults = target_faults("binary", numbered)
    return Suggestion("binary", 2, (reason,), (alternative,), (prepare,), faults)


def _real(target: NDArray[Any], finite: NDArray[Any]) -> Suggestion:
    low, high = float(finite.min()), float(finite.max())
    reason = _("It holds real numbers from {low} to {high}.").format(
        low=f"{low:g}", high=f"{high:g}"
    )
    reasons = [reason]
    alternatives = []
    if low >= 0:
        reasons.append(_("None is negative: a ReLU head is possible where they stay raw."))
    if low >= 0 and high <= 1:
        when = _("if each is the probability of a yes; then sigmoid and BCE take them as they are")
        alternatives.append(Alternative("probability", when))
    return Suggestion(
        "regression",
        1,
        tuple(reasons),
        tuple(alternatives),
        (_standardise(finite),),
        target_faults("regression", target),
    )


def _whole(target: NDArray[Any], finite: NDArray[Any], values: NDArray[Any]) -> Suggestion:
    """Tell classes from amounts: classes are few, numbered without gaps, and whole by dtype."""
    low, high, count = int(values[0]), int(values[-1]), len(values)
    gaps = high - low + 1 - count
    shown = {"count": count, "low": low, "high": high}
    found = _("It holds {count} distinct whole numbers from {low} to {high}").format(**shown)
    if target.dtype.kind in "ui" and gaps == 0 and low in {0, 1} and count <= MANY:
        reasons = (_("{found}, without a gap, as classes are numbered.").format(found=found),)
        shift = _("Number the classes from 0: y - 1.")
        return Suggestion(
            "multiclass",
            count,
            reasons,
            (Alternative("regression", _("if they are counts or grades: 3 lies between 2 and 4")),),
            (shift,) if low == 1 else (),
            target_faults("multiclass", target - low),
        )
    why = _("many different ones") if count > MANY else _("with gaps")
    if count <= MANY and gaps == 0:
        why = _("as floating-point numbers") if target.dtype.kind == "f" else _("not from 0 or 1")
    reason = _("{found}, {why}: amounts rather than classes.").format(found=found, why=why)
    renumber = _("if each number is the name of a class; number them from 0 first")
    return Suggestion(
        "regression",
        1,
        (reason,),
        (Alternative("multiclass", renumber),),
        (_standardise(finite),),
        target_faults("regression", target),
    )


def _standardise(finite: NDArray[Any]) -> str:
    numbers = finite.astype(np.float64)
    mean, deviation = float(numbers.mean()), float(numbers.std())
    text = _("Standardise with mean {mean} and deviation {deviation} of the training rows.").format(
        mean=f"{mean:.4g}", deviation=f"{deviation:.4g}"
    )
    far = abs(mean) > _LARGE or not 1 / _LARGE <= deviation <= _LARGE
    return text + " " + _("Raw, they would train badly.") if far else text


def _finite(target: NDArray[Any]) -> bool:
    return bool(np.isfinite(target.astype(np.float64)).all())


def _shared(target: NDArray[Any]) -> tuple[str, ...]:
    """Return the faults that do not depend on what the columns mean."""
    if _finite(target):
        return ()
    return target_faults("regression", target)[:1]
