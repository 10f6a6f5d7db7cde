"""How data of the user's own enter a plan: as an .npz file that any process can open."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actlab.data import pool_sizes, shared_sizes
from actlab.errors import DataError
from actlab.files import write_bytes
from actlab.i18n import _

UserData = Path | str | Sequence[Any]
"""The path of an .npz file, or the arrays (x, y) or (x, y, x_test, y_test)."""

_NAMES = ("x", "y", "x_test", "y_test")


def data_overrides(data: UserData, folder: Path) -> dict[str, Any]:
    """Return what own data lay over a plan; arrays are written to `data.npz` in `folder` first.

    They are split by shares, since the sizes that fit a preset's data say nothing for them.
    Raises DataError for what cannot be trained on.
    """
    path = Path(data) if isinstance(data, str | Path) else _written(data, folder)
    name = str(path.resolve())
    return {"name": "own", "data": {"name": name, "splits": vars(shared_sizes(pool_sizes(name)))}}


def _written(data: Sequence[Any], folder: Path) -> Path:
    if len(data) not in (2, 4):
        message = _("data must be (x, y) or (x, y, x_test, y_test); it has {count} parts.")
        raise DataError(message.format(count=len(data)))
    arrays = {name: np.asarray(part) for name, part in zip(_NAMES, data, strict=False)}
    content = io.BytesIO()
    try:
        np.savez(content, allow_pickle=False, **arrays)
    except ValueError:
        message = _("data must be arrays of numbers; {name} holds objects.")
        objects = next(name for name, array in arrays.items() if array.dtype.hasobject)
        raise DataError(message.format(name=objects)) from None
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / "data.npz", content.getvalue())
    return folder / "data.npz"
