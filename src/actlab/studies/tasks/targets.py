"""Whether a target fits a task, and the form in which a network is trained on it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError
from actlab.i18n import _, ngettext
from actlab.records import OutputLayer, TargetScale, TaskName


def check_target(task: TaskName, target: NDArray[Any], classes: int | None = None) -> None:
    """Raise DataError with every fault of a target, and do nothing where it fits.

    >>> check_target("binary", np.array([0, 1, 1]))
    """
    faults = target_faults(task, target, classes)
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        message = _("The target does not fit the task {task}:").format(task=task)
        raise DataError(f"{message}\n{lines}")


def target_faults(
    task: TaskName, target: NDArray[Any], classes: int | None = None
) -> tuple[str, ...]:
    """Return a sentence for each way in which a target does not fit a task.

    `target` has one row per sample; `classes` is how many there are, where that is known.

    >>> target_faults("regression", np.array([2.0, 2.0]))
    ('every target is 2.0: there is nothing to learn.',)
    """
    if not (np.issubdtype(target.dtype, np.number) or target.dtype == np.bool_):
        message = _("targets must be numbers; got {dtype}. Number the classes from 0.")
        return (message.format(dtype=target.dtype),)
    if np.issubdtype(target.dtype, np.complexfloating):
        return (_("targets must be real numbers; got complex ones."),)
    if target.ndim == 0 or target.size == 0:
        return (
            _("there must be at least one target; got shape {shape}.").format(shape=target.shape),
        )
    not_finite = _not_finite(target)
    if task in {"binary", "multiclass"}:
        return (*not_finite, *_class_faults(task, target, classes))
    columns = target.reshape(len(target), -1)
    shape = _shape_faults(task, target)
    if task == "regression":
        return (*not_finite, *shape, *_constant_columns(columns))
    return (*not_finite, *shape, *_yes_or_no_faults(task, columns))


def _not_finite(target: NDArray[Any]) -> tuple[str, ...]:
    lost = ~np.isfinite(target.astype(np.float64))
    count = int(lost.sum())
    if count == 0:
        return ()
    first = int(np.argwhere(lost)[0][0])
    message = ngettext(
        "{count} target is NaN or infinite (row {row}); leave such rows out or fill them in.",
        "{count} targets are NaN or infinite (the first in row {row}); "
        "leave such rows out or fill them in.",
        count,
    )
    return (message.format(count=count, row=first),)


def _class_faults(task: TaskName, target: NDArray[Any], classes: int | None) -> tuple[str, ...]:
    if target.ndim == 2 and target.shape[1] > 1:
        return (_rows_of_classes(target),)
    if target.ndim > 2:
        message = _("classes must be one number per sample; got shape {shape}.")
        return (message.format(shape=target.shape),)
    labels = target[np.isfinite(target.astype(np.float64))]
    faults = []
    if bool((labels != np.floor(labels)).any()):
        faults.append(_("classes must be whole numbers; some have a fraction."))
    known = 2 if task == "binary" else classes
    outside = (labels < 0) | (labels >= known if known is not None else False)
    if bool(outside.any()):
        message = _("classes must be numbered from 0 to {last}; {values} lie outside.")
        last = _("the number of classes - 1") if known is None else known - 1
        faults.append(message.format(last=last, values=_some(labels[outside])))
    if len(np.unique(labels)) == 1:
        message = _("every sample is of class {value}: one class only, nothing to tell apart.")
        faults.append(message.format(value=labels.flat[0]))
    return tuple(faults)


def _rows_of_classes(target: NDArray[Any]) -> str:
    if _zero_one(target):
        if bool((target.sum(axis=1) == 1).all()):
            return _(
                "each row has a single 1 (one-hot); give the position of the 1 as the class, "
                "target.argmax(axis=1)."
            )
        return _(
            "rows have several ones or none (multi-hot); classes that may hold at once are the "
            "task multilabel."
        )
    message = _("classes must be one number per sample; got shape {shape}.")
    return message.format(shape=target.shape)


def _shape_faults(task: TaskName, target: NDArray[Any]) -> tuple[str, ...]:
    columns = 1 if target.ndim == 1 else target.shape[1]
    if target.ndim > 2:
        message = _("targets must be one row of numbers per sample; got shape {shape}.")
        return (message.format(shape=target.shape),)
    if task == "probability" and columns != 1:
        message = _(
            "the task probability has one number per sample; got {columns}. "
            "Several at once are the task multilabel."
        )
        return (message.format(columns=columns),)
    if task == "multilabel" and columns == 1:
        return (
            _(
                "the task multilabel has a column of 0 and 1 per class; got one column. "
                "A single one is the task probability."
            ),
        )
    return ()


def _constant_columns(columns: NDArray[Any]) -> tuple[str, ...]:
    faults = []
    for number, column in enumerate(columns.T):
        values = np.unique(column[np.isfinite(column.astype(np.float64))])
        if len(values) != 1:
            continue
        if columns.shape[1] == 1:
            message = _("every target is {value}: there is nothing to learn.")
        else:
            message = _("every target of column {column} is {value}: there is nothing to learn.")
        faults.append(message.format(column=number, value=values[0]))
    return tuple(faults)


def _yes_or_no_faults(task: TaskName, columns: NDArray[Any]) -> tuple[str, ...]:
    numbers = columns.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    outside = finite[(finite < 0) | (finite > 1)]
    if outside.size:
        message = _("targets must lie between 0 and 1; {values} lie outside.")
        return (message.format(values=_some(outside)),)
    if task == "multilabel" and bool(((finite > 0) & (finite < 1)).any()):
        return (_("targets of a label must be 0 or 1; some lie between."),)
    return _constant_columns(columns)


def _zero_one(target: NDArray[Any]) -> bool:
    return bool(((target == 0) | (target == 1)).all())


def _some(values: NDArray[Any]) -> str:
    """Return the first few distinct values, as text."""
    distinct = np.unique(values)
    shown = ", ".join(f"{value:g}" for value in distinct[:3])
    return shown if len(distinct) <= 3 else shown + ", ..."


def as_target(task: TaskName, target: NDArray[Any]) -> NDArray[Any]:
    """Return a target that fits `task` as classes (int64) or rows of numbers (float32).

    >>> as_target("regression", np.array([1, 2])).tolist()
    [[1.0], [2.0]]
    """
    if task in {"binary", "multiclass"}:
        return target.reshape(len(target)).astype(np.int64)
    return target.reshape(len(target), -1).astype(np.float32)


def output_count(task: TaskName, target: NDArray[Any]) -> int:
    """Return how many outputs a network needs for a target that fits `task`.

    >>> output_count("multiclass", np.array([0, 4, 2]))
    5
    """
    if task == "binary":
        return 2
    if task == "multiclass":
        return int(target.max()) + 1
    return 1 if target.ndim == 1 else int(target.shape[1])


Numbers = NDArray[np.float64]


def fit_scale(output: OutputLayer, training_target: NDArray[np.float32]) -> TargetScale:
    """Return how the target of a regression is scaled; mean and deviation of these rows alone.

    The deviation is that of the rows themselves (divided by their number). Raises DataError for
    a target that has none.

    >>> layer = OutputLayer("regression", "none", "mse", "standardised")
    >>> fit_scale(layer, np.array([[1.0], [5.0]], dtype=np.float32))
    TargetScale(mean=3.0, deviation=2.0, sigmoid=False)
    """
    sigmoid = output.head == "sigmoid_transformed"
    if output.target != "standardised":
        return TargetScale(sigmoid=sigmoid)
    rows = training_target.astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean, deviation = float(rows.mean()), float(rows.std())
    if not (np.isfinite(deviation) and deviation > 0):
        raise DataError(
            _(
                "A target must be finite and must vary to be standardised; over the training rows "
                "its mean is {mean} and its deviation {deviation}."
            ).format(mean=mean, deviation=deviation)
        )
    return TargetScale(mean, deviation, sigmoid)


def to_training(scale: TargetScale, target: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the target that the network is trained on, in float32.

    sigmoid(y) = 1 / (1 + exp(-y)), in float32 as the network's own: exactly 1 from 16.7 on.

    >>> to_training(TargetScale(3.0, 2.0), np.array([[1.0], [5.0]], dtype=np.float32)).tolist()
    [[-1.0], [1.0]]
    """
    centred = (target.astype(np.float64) - scale.mean) / scale.deviation
    scaled: NDArray[np.float32] = centred.astype(np.float32)
    if not scale.sigmoid:
        return scaled
    with np.errstate(over="ignore"):
        return np.float32(1.0) / (np.float32(1.0) + np.exp(-scaled))


def to_original(scale: TargetScale, output: NDArray[np.float32]) -> Numbers:
    """Return predictions in the original units, in float64; the way back of `to_training`.

    logit(p) = ln(p) - ln(1 - p). An output that float32 rounded to exactly 0 or 1 is taken back
    to minus or plus infinity, since nothing says which number it was.

    >>> to_original(TargetScale(3.0, 2.0, sigmoid=True), np.array([[0.5], [1.0]])).tolist()
    [[3.0], [inf]]
    """
    values = output.astype(np.float64)
    if scale.sigmoid:
        with np.errstate(divide="ignore"):
            values = np.log(values) - np.log1p(-values)
    return values * scale.deviation + scale.mean
