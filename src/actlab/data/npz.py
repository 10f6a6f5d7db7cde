"""Reading plain arrays from an .npz or .npy file; nothing in it is evaluated."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError
from actlab.i18n import _


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays in the .npz file at `path` by name, that of an .npy file by the file's.

    Raises DataError where there is no such file, or where it holds anything but plain arrays.
    """
    if not path.is_file():
        raise DataError(_("There is no file {path}.").format(path=path))
    try:
        with path.open("rb") as stream:
            content = np.load(stream, allow_pickle=False)
            if isinstance(content, np.ndarray):
                return {path.name: content}
            return {name: content[name] for name in content.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError, AttributeError) as error:
        raise DataError(
            _("{path} cannot be read as an .npz file of plain arrays: {error}.").format(
                path=path, error=str(error).rstrip(".")
            )
        ) from None
