"""Fashion-MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels, from four IDX files.

They are read from a folder that is named, from Debian's package dataset-fashion-mnist, or from the
user's cache; nothing is downloaded.

Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747.
"""

from pathlib import Path

import numpy as np

from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.data.idx import read_idx
from actlab.errors import DataError
from actlab.i18n import _

NAME = "fashion_mnist"
IMAGE_SHAPE = (1, 28, 28)
POOL_SIZES = (60_000, 10_000)
PACKAGE = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts the files."""

CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
"""The files, and the MD5 of their plain content."""


def open_fashion_mnist(directory: Path | None, package: Path = PACKAGE) -> Dataset:
    """Return Fashion-MNIST from `directory`, or where None from wherever it is found.

    Raises DataError where it is nowhere, and for a file that is missing, cut short or altered.
    """
    folder = directory or _found(package)
    if folder is None:
        message = _(
            "Fashion-MNIST is not on this machine: install Debian's package dataset-fashion-mnist, "
            "or put its four IDX files into a folder and name that with --data-dir."
        )
        raise DataError(message)
    missing = [name for name in _MD5 if _path_in(folder, name) is None]
    if missing:
        message = _(
            "The folder {folder} must hold the four Fashion-MNIST files, plain or as .gz; it lacks "
            "{missing}."
        )
        raise DataError(message.format(folder=folder, missing=", ".join(missing)))
    training, test = _pool(folder, "train"), _pool(folder, "t10k")
    return Dataset(
        name=NAME,
        training_pool=training,
        test_pool=test,
        pixel_maximum=255,
        classes=len(CLASSES),
        fingerprint=fingerprint_of(training, test),
    )


def _found(package: Path) -> Path | None:
    import platformdirs

    cache = Path(platformdirs.user_cache_dir("actlab", appauthor=False)) / NAME
    return next((place for place in (cache, package) if place.is_dir()), None)


def _path_in(folder: Path, name: str) -> Path | None:
    candidates = (folder / f"{name}.gz", folder / name)
    return next((path for path in candidates if path.is_file()), None)


def _pool(folder: Path, part: str) -> Examples:
    names = (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    paths = [_path_in(folder, name) or folder / name for name in names]
    images, labels = (read_idx(path, _MD5[name]) for path, name in zip(paths, names, strict=True))
    return Examples(images[:, np.newaxis], labels.astype(np.int64))
