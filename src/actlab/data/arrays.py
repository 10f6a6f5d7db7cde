"""Arrays in a file as a data set, read without evaluating anything.

The file holds `x` and `y`, one row per example, and `x_test` and `y_test` where there is a test
set. Without one a fifth of the rows, drawn at random but always the same, is the test pool.
"""

import math
import zipfile
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.errors import DataError
from actlab.i18n import _
from actlab.records import SplitSizes


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays in the .npz file at `path` by name, that of an .npy file by the file's.

    Raises DataError where there is no such file, or where it holds anything but plain arrays.
    """
    if not path.is_file():
        raise DataError(_("There is no file {path}.").format(path=path))
    try:
        _check_sizes(path)
        with path.open("rb") as stream:
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


def _check_sizes(path: Path) -> None:
    """Raise DataError where arrays claim more than is there, or where little expands to a lot.

    It is looked at before anything of that size is allocated.
    """
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            _check_header(path, path.name, stream, path.stat().st_size)
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        expanded = sum(member.file_size for member in members)
        if expanded > LARGEST_EXPANDED and expanded > MOST_EXPANDED * path.stat().st_size:
            message = _(
                "{path} would expand to {expanded} MB, more than {most} times its size. If that is "
                "meant, save it uncompressed (numpy.savez)."
            )
            millions = expanded // 1_000_000
            raise DataError(message.format(path=path, expanded=millions, most=MOST_EXPANDED))
        for member in members:
            with archive.open(member) as stream:
                _check_header(path, member.filename, stream, member.file_size)


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

    >>> is_file("shapes.npz"), is_file("mnist")
    (True, False)
    """
    return name.endswith(SUFFIX)


@cache
def open_arrays(path: Path) -> Dataset:
    """Return the data set in the .npz file at `path`.

    Images of whole pixels (uint8) are normalised as those of mnist are; floating-point inputs, of
    any shape, are taken as they are. Labels are the classes 0 ... K - 1.

    Raises DataError for a file that is missing, holds objects, or whose arrays do not fit.
    """
    arrays = _arrays(path)
    everything = _examples(arrays, "x", "y", path)
    if "x_test" in arrays:
        training, test = everything, _examples(arrays, "x_test", "y_test", path)
        if training.images.shape[1:] != test.images.shape[1:]:
            message = _(
                "In {path} the rows of x and of x_test must have one shape; got {x}, {test}."
            )
            shapes = training.images.shape[1:], test.images.shape[1:]
            raise DataError(message.format(path=path, x=shapes[0], test=shapes[1]))
    else:
        order = np.random.default_rng(_POOL_SEED).permutation(len(everything))
        held_out = max(1, round(_TEST_SHARE * len(everything)))
        training, test = everything.take(order[held_out:]), everything.take(order[:held_out])
    return Dataset(
        name=str(path),
        training_pool=training,
        test_pool=test,
        pixel_maximum=255 if training.images.dtype == np.uint8 else None,
        classes=int(max(training.labels.max(), test.labels.max())) + 1,
        fingerprint=fingerprint_of(training, test),
    )


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


def _examples(arrays: dict[str, NDArray[Any]], x: str, y: str, path: Path) -> Examples:
    faults = tuple(_faults(arrays[x], arrays[y], x, y))
    if faults:
        raise DataError(
            _("{path} cannot be trained on: {faults}").format(path=path, faults=" ".join(faults))
        )
    inputs = arrays[x] if arrays[x].dtype == np.uint8 else arrays[x].astype(np.float32)
    return Examples(images=inputs, labels=arrays[y].astype(np.int64))


def _faults(inputs: NDArray[Any], labels: NDArray[Any], x: str, y: str) -> list[str]:
    if inputs.ndim < 2 or labels.ndim != 1 or len(inputs) != len(labels) or len(inputs) < 2:
        message = _("{x} must have a row per example and {y} a class per row; got {xs} and {ys}.")
        return [message.format(x=x, y=y, xs=inputs.shape, ys=labels.shape)]
    faults = []
    if inputs.dtype != np.uint8 and not (
        np.issubdtype(inputs.dtype, np.floating) and np.isfinite(inputs).all()
    ):
        faults.append(
            _("{x} must hold pixels (uint8) or finite floating-point numbers; got {dtype}.").format(
                x=x, dtype=inputs.dtype
            )
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0:
        faults.append(
            _("{y} must hold classes, whole numbers from 0; got {dtype}, lowest {low}.").format(
                y=y, dtype=labels.dtype, low=labels.min()
            )
        )
    return faults
