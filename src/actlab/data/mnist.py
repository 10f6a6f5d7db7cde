"""MNIST: 60,000 training and 10,000 test images of 28 x 28 pixels, from four IDX files.

Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits, 1998.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actlab.data.dataset import Dataset, Examples, fingerprint_of
from actlab.data.idx import read_idx
from actlab.errors import DataError
from actlab.i18n import _

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


@dataclass(frozen=True)
class Original:
    """A file on the mirrors: its name there and the SHA-256 of its bytes."""

    name: str
    sha256: str


def download(original: Original, folder: Path) -> Path:
    """Fetch `original` into `folder` from the first mirror that has it, and return its path.

    Raises DataError where no mirror can be reached or none has the right bytes.
    """
    import pooch

    reasons = []
    for mirror in MIRRORS:
        try:
            return Path(
                pooch.retrieve(
                    mirror + original.name,
                    known_hash=f"sha256:{original.sha256}",
                    fname=original.name,
                    path=folder,
                    progressbar=True,
                )
            )
        # OSError covers what requests raises and a folder that cannot be written; pooch raises
        # ValueError for a wrong checksum and removes the file.
        except (OSError, ValueError) as error:
            reasons.append(f"{mirror}: {error}")
    raise DataError(
        _(
            "The file {name} could not be downloaded ({reasons}). Fetch the four MNIST files "
            "yourself and name their folder with --data-dir."
        ).format(name=original.name, reasons="; ".join(reasons))
    )


NAME = "mnist"
IMAGE_SHAPE = (1, 28, 28)
POOL_SIZES = (60_000, 10_000)
DIRECTORY_VARIABLE = "ACTLAB_DATA"


@dataclass(frozen=True)
class _File:
    """One file: its name, the MD5 of its plain content, the SHA-256 of the compressed original."""

    name: str
    md5: str
    compressed_sha256: str


_TRAIN_IMAGES = _File(
    "train-images-idx3-ubyte",
    "6bbc9ace898e44ae57da46a324031adb",
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
)
_TRAIN_LABELS = _File(
    "train-labels-idx1-ubyte",
    "a25bea736e30d166cdddb491f175f624",
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
)
_TEST_IMAGES = _File(
    "t10k-images-idx3-ubyte",
    "2646ac647ad5339dbf082846283269ea",
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
)
_TEST_LABELS = _File(
    "t10k-labels-idx1-ubyte",
    "27ae3e4e09519cfbb04c329615203637",
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
)
_FILES = (_TRAIN_IMAGES, _TRAIN_LABELS, _TEST_IMAGES, _TEST_LABELS)


def open_mnist(directory: Path | None) -> Dataset:
    """Return MNIST from `directory`, or where None from wherever it is found.

    That is `$ACTLAB_DATA`, else the user's cache, to which what is missing is downloaded. A folder
    that somebody named and that lacks a file is an error, never a download.

    Raises DataError for a file that is missing, cut short or altered.
    """
    named = directory or _directory_of(os.environ)
    paths = _paths_in(named) if named is not None else _cached_paths()
    training = _pool(paths, _TRAIN_IMAGES, _TRAIN_LABELS)
    test = _pool(paths, _TEST_IMAGES, _TEST_LABELS)
    return Dataset(
        name=NAME,
        training_pool=training,
        test_pool=test,
        pixel_maximum=255,
        classes=10,
        fingerprint=fingerprint_of(training, test),
    )


def found_at(directory: Path | None = None) -> Path | None:
    """Return the folder from which `open_mnist` would read without a download, or None."""
    named = directory or _directory_of(os.environ)
    folder = named if named is not None else cache_folder()
    return folder if all(_path_in(folder, file) for file in _FILES) else None


def cache_folder() -> Path:
    """Return the folder of the user's cache in which downloaded files are kept."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("actlab", appauthor=False)) / NAME


def _directory_of(variables: Mapping[str, str]) -> Path | None:
    value = variables.get(DIRECTORY_VARIABLE, "")
    return Path(value) if value else None


def _path_in(folder: Path, file: _File) -> Path | None:
    candidates = (folder / f"{file.name}.gz", folder / file.name)
    return next((path for path in candidates if path.is_file()), None)


def _paths_in(folder: Path) -> dict[str, Path]:
    found = {file.name: _path_in(folder, file) for file in _FILES}
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise DataError(
            _(
                "The folder {folder} must hold the four MNIST files, plain or as .gz; it lacks "
                "{missing}. Put them there, or leave out the data directory and "
                "${variable} to have them downloaded."
            ).format(folder=folder, missing=", ".join(missing), variable=DIRECTORY_VARIABLE)
        )
    return {name: path for name, path in found.items() if path is not None}


def _cached_paths() -> dict[str, Path]:
    folder = cache_folder()
    return {
        file.name: _path_in(folder, file)
        or download(Original(f"{file.name}.gz", file.compressed_sha256), folder)
        for file in _FILES
    }


def _pool(paths: dict[str, Path], images: _File, labels: _File) -> Examples:
    return Examples(
        images=read_idx(paths[images.name], images.md5)[:, np.newaxis],
        labels=read_idx(paths[labels.name], labels.md5).astype(np.int64),
    )
