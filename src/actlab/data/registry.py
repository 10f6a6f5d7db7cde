"""The data sets that a plan can name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from actlab.data import arrays, digits, fashion_mnist, mnist, mnist1d
from actlab.data.dataset import Dataset
from actlab.data.targets import with_targets
from actlab.errors import DataError, unknown_name
from actlab.i18n import _


@dataclass(frozen=True)
class _Source:
    """How to open a data set; the shape of its images and the sizes of its pools without that."""

    image_shape: tuple[int, ...]
    pools: tuple[int, int]
    open: Callable[[Path | None], Dataset]


def _open_digits(directory: Path | None) -> Dataset:
    if directory is not None:
        raise DataError(
            _("digits comes with actlab and is read from no folder; leave out {folder}.").format(
                folder=directory
            )
        )
    return digits.open_digits()


def _open_mnist1d(directory: Path | None) -> Dataset:
    if directory is not None:
        raise DataError(
            _("mnist1d is made by its package and read from no folder; leave out {folder}.").format(
                folder=directory
            )
        )
    return mnist1d.open_mnist1d()


_SOURCES = {
    digits.NAME: _Source(digits.IMAGE_SHAPE, digits.POOL_SIZES, _open_digits),
    mnist.NAME: _Source(mnist.IMAGE_SHAPE, mnist.POOL_SIZES, mnist.open_mnist),
    fashion_mnist.NAME: _Source(
        fashion_mnist.IMAGE_SHAPE, fashion_mnist.POOL_SIZES, fashion_mnist.open_fashion_mnist
    ),
    mnist1d.NAME: _Source(mnist1d.SHAPE, mnist1d.POOL_SIZES, _open_mnist1d),
}

NAMES = tuple(_SOURCES)


def pool_sizes(name: str) -> tuple[int, int]:
    """Return the numbers of images in the (training, test) pools of the data set `name`.

    Nothing is loaded, but for an .npz file. Raises UnknownNameError for a name that no data set
    has.

    >>> pool_sizes("mnist")
    (60000, 10000)
    """
    return _source(name).pools


def image_shape(name: str) -> tuple[int, ...]:
    """Return the shape (channels, height, width) of the images of the data set `name`.

    Nothing is loaded, but for an .npz file. Raises UnknownNameError for a name that no data set
    has.

    >>> image_shape("digits")
    (1, 8, 8)
    """
    return _source(name).image_shape


@cache
def open_dataset(name: str, directory: str | None = None, targets: str | None = None) -> Dataset:
    """Return the data set `name`, or the one in the .npz file of that path, read and hashed once.

    With `targets`, a file of the user's, its labels are those.

    Raises UnknownNameError for a name that no data set has, DataError for files that are missing,
    cut short or altered.

    >>> open_dataset("digits").training_pool.images.shape
    (1400, 1, 8, 8)
    """
    dataset = _source(name).open(Path(directory) if directory is not None else None)
    return dataset if targets is None else with_targets(dataset, Path(targets))


def _source(name: str) -> _Source:
    if arrays.is_file(name):
        return _file_source(name)
    if name not in _SOURCES:
        raise unknown_name(_("data set"), name, NAMES)
    return _SOURCES[name]


def _file_source(name: str) -> _Source:
    """Return a file as a source; it is found by its own path, in no folder of data."""
    dataset = arrays.open_file(name)
    pools = (len(dataset.training_pool), len(dataset.test_pool))
    return _Source(dataset.training_pool.images.shape[1:], pools, lambda _directory: dataset)
