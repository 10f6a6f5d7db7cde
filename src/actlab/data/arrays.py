"""A file of the user's as a data set, read without evaluating anything.

An .npz file holds `x` and `y`, one row per example, and `x_test` and `y_test` where there is a test
set. A table (.csv, .tsv, .parquet) is named with the column of its classes, as `table.csv:COLUMN`;
its other columns are the inputs. Without a test set a fifth of the rows, drawn at random but always
the same, is the test pool.
"""

import hashlib
import math
import os
import warnings
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.dataset import (
    Dataset,
    Division,
    DivisionKind,
    Examples,
    fingerprint_of,
    first_groups,
)
from actlab.data.received import is_there, opened
from actlab.data.tables import TABLES, Reading, frame_arrays, read_table
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import SplitSizes


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays in the .npz file at `path` by name, that of an .npy file by the file's.

    Raises DataError where there is no such file, or where it holds anything but plain arrays.
    """
    if not is_there(path):
        raise DataError(_("There is no file {path}.").format(path=path))
    try:
        with opened(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a file that Python 2 wrote is read
            _check_sizes(path, stream)
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.name: content}
            return {name: content[name] for name in content.files}
    except DataError:
        raise
    except Exception as error:  # what NumPy raises for bytes that are no arrays is any of a dozen
        raise DataError(
            _("{path} cannot be read as an .npz file of plain arrays: {error}.").format(
                path=path, error=str(error).rstrip(".")
            )
        ) from None


LARGEST_EXPANDED, MOST_EXPANDED = 1_000_000_000, 100
"""A file that expands to more bytes than the first, and by more than the second, is no data."""


def _check_sizes(path: Path, stream: IO[bytes]) -> None:
    """Raise DataError where arrays claim more than is there, or where little expands to a lot.

    It is looked at before anything of that size is allocated.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        _check_header(path, path.name, stream, size)
        stream.seek(0)
        return
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        expanded = sum(member.file_size for member in members)
        if expanded > LARGEST_EXPANDED and expanded > MOST_EXPANDED * size:
            message = _(
                "{path} would expand to {expanded} MB, more than {most} times its size. If that is "
                "meant, save it uncompressed (numpy.savez)."
            )
            millions = expanded // 1_000_000
            raise DataError(message.format(path=path, expanded=millions, most=MOST_EXPANDED))
        for member in members:
            with archive.open(member) as content:
                _check_header(path, member.filename, content, member.file_size)
    stream.seek(0)


def _check_header(path: Path, name: str, stream: IO[bytes], size: int) -> None:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, _order, kind = read(stream)
    claimed = math.prod(shape) * kind.itemsize
    if not 0 <= claimed <= size:
        message = _("{name} in {path} claims {claimed} bytes; {size} are there.")
        raise DataError(message.format(name=name, path=path, claimed=claimed, size=size))


SUFFIX = ".npz"
_TEST_SHARE = 0.2
_POOL_SEED = 0


def is_file(name: str) -> bool:
    """Return whether a plan's data set is a file.

    >>> is_file("shapes.npz"), is_file("table.csv:species"), is_file("mnist")
    (True, True, False)
    """
    return name.endswith(SUFFIX) or path_of(name).suffix in TABLES


def path_of(name: str) -> Path:
    """Return the path in a data set's name, without the column of a table.

    >>> path_of("table.csv:species").name
    'table.csv'
    """
    path, _colon, column = name.rpartition(":")
    return Path(path) if column and path.endswith(TABLES) else Path(name)


@cache
def open_file(name: str) -> Dataset:
    """Return the data set in a file: arrays, or a table with the column of its classes.

    Images of whole pixels (uint8) are normalised as those of mnist are; floating-point inputs, of
    any shape, and whole numbers (token ids) are taken as they are. Classes are numbered in the
    order of their names, `class_names` says which is which.

    An .npz file may say more: `task` (regression and multilabel have numbers for targets), `fill`
    (missing numbers are filled in later), `scale` (inputs are standardised later), and for each row
    `group`, `time` or `split` (train, valid, test).

    Raises DataError for a file that is missing, holds objects, or whose content does not fit.
    """
    path = path_of(name)
    found = _arrays(path) if path.suffix == SUFFIX else _table(path, name)
    task = str(found["task"]) if "task" in found else ""
    fill = str(found["fill"]) if "fill" in found else None
    inputs = [_inputs(found[x], x, path, fill) for x in ("x", "x_test") if x in found]
    for x, y, given in zip(("x", "x_test"), ("y", "y_test"), inputs, strict=False):
        _check_rows(given, found[y], x, y, path)
    names: tuple[str, ...] = ()
    numbered: Sequence[NDArray[Any]]
    if task in ("regression", "multilabel"):
        numbered = [_numbers(found[y], y, path, task) for y in ("y", "y_test") if y in found]
    else:
        labels = [_column(found[y], y, path) for y in ("y", "y_test") if y in found]
        numbered, names = _numbered(labels, path)
    pools = [Examples(x, y) for x, y in zip(inputs, numbered, strict=True)]
    pools, division = _divided(pools, found, path)
    training, test = pools
    if training.images.shape[1:] != test.images.shape[1:]:
        message = _("In {path} the rows of x and of x_test must have one shape; got {x}, {test}.")
        shapes = training.images.shape[1:], test.images.shape[1:]
        raise DataError(message.format(path=path, x=shapes[0], test=shapes[1]))
    return Dataset(
        name=name,
        training_pool=training,
        test_pool=test,
        pixel_maximum=255 if training.images.dtype == np.uint8 else None,
        classes=len(names) or training.labels.shape[1],
        fingerprint=_fingerprint(training, test, found, division),
        class_names=names,
        division=division,
        fill=fill,
        scale="scale" in found,
        is_own=True,
    )


def _fingerprint(
    training: Examples, test: Examples, found: dict[str, NDArray[Any]], division: Division | None
) -> str:
    """Return the hash of rows and labels, and of what else decides on what is trained."""
    content = fingerprint_of(training, test)
    options = [f"{name}={found[name]}" for name in ("task", "fill", "scale") if name in found]
    if division is not None:
        options += [division.kind, *map(str, division.keys.tolist())]
    if not options:
        return content
    return hashlib.sha256("\n".join((content, *options)).encode()).hexdigest()


def _divided(
    pools: list[Examples], found: dict[str, NDArray[Any]], path: Path
) -> tuple[list[Examples], Division | None]:
    """Return the training and the test pool, and how the training pool is divided further."""
    kinds: tuple[DivisionKind, ...] = ("group", "time", "split")
    kind = next((one for one in kinds if one in found), None)
    if len(pools) == 2:
        return pools, None if kind is None else Division(kind, found[kind])
    (everything,) = pools
    held_out = max(1, round(_TEST_SHARE * len(everything)))
    generator = np.random.default_rng(_POOL_SEED)
    if kind is None:
        order = generator.permutation(len(everything))
        return [everything.take(order[held_out:]), everything.take(order[:held_out])], None
    keys = found[kind]
    if kind == "group":
        test = np.isin(keys, first_groups(keys, held_out, generator))
    elif kind == "time":
        order = np.argsort(keys, kind="stable")
        test = np.zeros(len(keys), dtype=bool)
        test[order[len(order) - held_out :]] = True
    else:
        _check_given(keys, path)
        test = keys == "test"
    kept, apart = np.flatnonzero(~test), np.flatnonzero(test)
    return [everything.take(kept), everything.take(apart)], Division(kind, keys[kept])


def _check_given(keys: NDArray[Any], path: Path) -> None:
    there = set(keys.tolist())
    usual, full = {"train", "valid", "test"}, {"train", "valid_epoch", "valid_trial", "test"}
    if there not in (usual, full):
        message = _("{path}: split must say train, valid or test of each row; it says {names}.")
        names = ", ".join(map(str, sorted(there, key=str)[:6]))
        raise DataError(message.format(path=path, names=names))


def _numbers(given: NDArray[Any], name: str, path: Path, task: str) -> NDArray[np.float32]:
    """Return targets that are numbers, a column each."""
    if given.dtype.kind not in "buif":
        message = _("{path}: for the task {task} {name} must hold numbers; got {dtype}.")
        raise DataError(message.format(path=path, task=task, name=name, dtype=given.dtype))
    found = given.astype(np.float32)
    if found.ndim == 1:
        found = found[:, np.newaxis]
    lost = ~np.isfinite(found)
    if bool(lost.any()):
        message = _("{path}: {name} must be finite; row {row} is not.")
        row = int(np.argwhere(lost)[0][0])
        raise DataError(message.format(path=path, name=name, row=row))
    if found.ndim != 2:
        message = _(
            "{path}: {name} must have a number or a row of numbers per example; got shape {shape}. "
            "Targets of another shape (a mask, a sequence) train by a function of your own "
            "(actlab.study(train=...))."
        )
        raise DataError(message.format(path=path, name=name, shape=given.shape))
    if task == "multilabel" and not bool(((found == 0) | (found == 1)).all()):
        row = int(np.argwhere((found != 0) & (found != 1))[0][0])
        message = _("{path}: for the task multilabel {name} must hold 0 and 1; row {row} does not.")
        raise DataError(message.format(path=path, name=name, row=row))
    return found


def shared_sizes(pools: tuple[int, int]) -> SplitSizes:
    """Return split sizes for (training, test) pools: the training pool shared out, the test whole.

    60 % are for training, 15 % to stop by, 25 % to compare by.

    >>> shared_sizes((1000, 200))
    SplitSizes(train=600, valid_epoch=150, valid_trial=250, test=200)
    """
    training, test = pools
    train, epoch = round(0.6 * training), round(0.15 * training)
    return SplitSizes(train, epoch, training - train - epoch, test)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    found = read_arrays(path)
    needed = ["x", "y"]
    if "x_test" in found or "y_test" in found:
        needed += ["x_test", "y_test"]
    missing = [name for name in needed if name not in found]
    if missing:
        message = _("{path} must have the arrays {missing}; it has {names}.")
        names = ", ".join(found) or _("none")
        raise DataError(message.format(path=path, missing=", ".join(missing), names=names))
    return found


def _table(path: Path, name: str) -> dict[str, NDArray[Any]]:
    """Return inputs and classes of a table; raises DataError with the column that is at fault."""
    column = name[len(str(path)) + 1 :]
    return frame_arrays(read_table(path), str(path), Reading(target=column or None))


def _inputs(given: NDArray[Any], name: str, path: Path, fill: str | None = None) -> NDArray[Any]:
    if given.dtype == np.uint8:
        return given
    if given.dtype.kind in "iu":
        return given.astype(np.int64)
    if given.dtype.kind not in "fb":
        message = _("{path}: {name} must hold numbers; got {dtype}.")
        raise DataError(message.format(path=path, name=name, dtype=given.dtype))
    inputs = given.astype(np.float32)
    lost = ~np.isfinite(inputs) if fill is None else np.isinf(inputs)
    if bool(lost.any()):
        message = _(
            "{path}: {name} must be finite; {count} values are NaN or infinite, the first in row "
            "{row}. Fill gaps with --fill median (fill='median'), or leave such rows out."
        )
        row = int(np.argwhere(lost)[0][0])
        raise DataError(message.format(path=path, name=name, count=int(lost.sum()), row=row))
    return inputs


def _check_rows(inputs: NDArray[Any], labels: NDArray[Any], x: str, y: str, path: Path) -> None:
    if inputs.ndim < 2 or labels.ndim < 1 or len(inputs) != len(labels) or len(inputs) < 2:
        message = _(
            "{path}: {x} must have a row per example and {y} a class per row; got {xs} and {ys}."
        )
        raise DataError(message.format(path=path, x=x, y=y, xs=inputs.shape, ys=labels.shape))


def _column(labels: NDArray[Any], name: str, path: Path) -> NDArray[Any]:
    """Return classes as one per row: of a single column, or of one-hot rows."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "biuf":
        ones = bool(((labels == 0) | (labels == 1)).all()) and bool((labels.sum(axis=1) == 1).all())
        if ones:
            classes: NDArray[Any] = labels.argmax(axis=1)
            return classes
    if labels.ndim != 1:
        message = _(
            "{path}: {name} must hold one class per row; got shape {shape}. Several answers of yes "
            "or no are the task multilabel, several numbers the task regression (--task)."
        )
        raise DataError(message.format(path=path, name=name, shape=labels.shape))
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not bool(whole.all()):
            row = int(np.argwhere(~whole)[0][0])
            message = _(
                "{path}: {name} must hold classes; row {row} holds {value}. Numbers to be "
                "predicted are the task regression: --task regression (task='regression')."
            )
            raise DataError(message.format(path=path, name=name, row=row, value=labels[row]))
    return labels


def _numbered(
    columns: list[NDArray[Any]], path: Path
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return classes numbered from 0 in the order of their names, the same in every pool."""
    together = np.concatenate(columns)
    names, numbers = np.unique(together, return_inverse=True)
    if len(names) < 2:
        message = _("{path}: every row is of class {value}; there is nothing to tell apart.")
        raise DataError(message.format(path=path, value=names[0]))
    if together.dtype.kind in "iuf" and len(names) > max(50, len(together) / 4):
        message = _(
            "{path}: y holds {count} distinct numbers in {rows} rows: amounts rather than classes. "
            "Predict them with --task regression (task='regression')."
        )
        raise DataError(message.format(path=path, count=len(names), rows=len(together)))
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(numbers.astype(np.int64), ends), tuple(str(name) for name in names)
