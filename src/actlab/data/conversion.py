"""Data of the user's in whatever form, as plain arrays that an .npz file can hold.

    table      a path (.csv, .tsv, .parquet) or a pandas DataFrame, with the column of its target
    arrays     (x, y), (x, y, x_test, y_test), or an .npz file with these
    images     a folder with a folder of pictures per class
    datasets   anything with a length and numbered items (x, y), a DataLoader, or a dataset of
               Hugging Face, whose column of inputs is the only one beside the target

Nothing is fitted here: what is filled in or scaled is computed from the training rows of each
split, later.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.data.arrays import read_arrays
from actlab.data.tables import (
    FILLS,
    TABLES,
    Arrays,
    Reading,
    as_texts,
    frame_arrays,
    frame_inputs,
    read_table,
)
from actlab.errors import DataError, missing_extra, unknown_name
from actlab.i18n import _

_NAMES = ("x", "y", "x_test", "y_test")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def as_arrays(data: Any, reading: Reading) -> Arrays:
    """Return what a study is to see of `data`, by name; see `actlab.data.arrays.open_file`.

    Raises DataError for what cannot be read, with the column and the row that is at fault.
    """
    if reading.fill is not None and reading.fill not in FILLS:
        raise unknown_name(_("way to fill"), reading.fill, FILLS)
    found = _read(data, reading)
    for name in ("group", "time", "split"):
        given = getattr(reading, name)
        if given is not None and name not in found:
            if isinstance(given, str):
                message = _("{name}={given} names a column, but the data is no table.")
                raise DataError(message.format(name=name, given=repr(given)))
            found[name] = np.asarray(given)
        if name in found and len(found[name]) != len(found["x"]):
            message = _("{name} must have a value per row, {rows}; it has {count}.")
            rows, count = len(found["x"]), len(found[name])
            raise DataError(message.format(name=name, rows=rows, count=count))
    if sum(name in found for name in ("group", "time", "split")) > 1:
        raise DataError(_("Split by group, by time, or as given: only one of them."))
    for name in ("x", "y", "x_test", "y_test"):
        if name in found:
            found[name] = _plain(found[name], name)
    if reading.task is not None:
        found["task"] = np.array(reading.task)
    if reading.fill is not None:
        found["fill"] = np.array(reading.fill)
    if reading.scale:
        found["scale"] = np.array(1)
    return found


def _read(data: Any, reading: Reading) -> Arrays:
    if isinstance(data, str | Path):
        path = Path(data)
        if path.is_dir():
            return _images(path, reading)
        if path.suffix == ".npz":
            return read_arrays(path)
        if path.suffix in TABLES:
            return frame_arrays(read_table(path), str(path), reading)
        message = _(
            "Data must be an .npz file, a table ({tables}) or a folder of images; got {path}."
        )
        raise DataError(message.format(tables=", ".join(TABLES), path=path))
    kind = type(data)
    if kind.__module__.startswith("pandas") and hasattr(data, "columns"):
        return frame_arrays(data, _("the table"), reading)
    if kind.__module__.startswith("datasets."):
        return _hugging_face(data, reading)
    if hasattr(data, "dataset") and hasattr(data, "batch_size"):
        return _items(data.dataset)
    if isinstance(data, Mapping):
        known = {
            name: np.asarray(data[name])
            for name in (*_NAMES, "group", "time", "split")
            if name in data
        }
        if "x" not in known or "y" not in known:
            message = _(
                "A dictionary of data must have x and y; it has {names}. A network with several "
                "inputs takes them joined in one x, or trains by a function of its own (train=)."
            )
            raise DataError(message.format(names=", ".join(map(str, data)) or _("none")))
        return known
    if isinstance(data, Sequence) and not isinstance(data, str):
        if len(data) not in (2, 4):
            message = _("data must be (x, y) or (x, y, x_test, y_test); it has {count} parts.")
            raise DataError(message.format(count=len(data)))
        if hasattr(data[0], "columns"):
            return _frames(data, reading)
        return {
            name: as_texts(np.asarray(_numpy(part)))
            for name, part in zip(_NAMES, data, strict=False)
        }
    if hasattr(data, "__getitem__") and hasattr(data, "__len__"):
        return _items(data)
    message = _(
        "data must be arrays, a table, a path, a dataset with numbered items or a DataLoader; it "
        "is {kind}."
    )
    raise DataError(message.format(kind=kind.__name__))


def _frames(parts: Sequence[Any], reading: Reading) -> Arrays:
    """Return inputs that are DataFrames, and their targets; categories are those of all rows."""
    x, y = parts[0], as_texts(np.asarray(_numpy(parts[1])))
    if len(parts) == 2:
        return frame_inputs(x, _("the table"), reading) | {"y": y}
    together = import_module("pandas").concat([x, parts[2]], ignore_index=True)
    found = frame_inputs(together, _("the table"), reading)
    extra = next((part for part in ("group", "time", "split") if part in found), None)
    if extra is not None:
        message = _("Rows for the test are given already; {part}= is for data in one table.")
        raise DataError(message.format(part=extra))
    y_test = as_texts(np.asarray(_numpy(parts[3])))
    inputs = found["x"]
    return {"x": inputs[: len(x)], "y": y, "x_test": inputs[len(x) :], "y_test": y_test}


def _numpy(part: Any) -> Any:
    """Return a tensor as an array; anything else as it is."""
    return part.detach().cpu().numpy() if hasattr(part, "detach") else part


def _plain(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.dtype.hasobject:
        message = _(
            "data must be arrays of numbers; {name} holds objects. Rows of different lengths are "
            "padded to one; a network with several inputs takes them joined in one x."
        )
        raise DataError(message.format(name=name))
    return array


# Folders of images, datasets


def _images(folder: Path, reading: Reading) -> Arrays:
    parts = {
        name: folder / name
        for name in ("train", "valid", "val", "test")
        if (folder / name).is_dir()
    }
    if "train" in parts and "test" in parts:
        x, y = _pictures_of(parts["train"], reading)
        x_test, y_test = _pictures_of(parts["test"], reading)
        return {"x": x, "y": y, "x_test": x_test, "y_test": y_test}
    x, y = _pictures_of(folder, reading)
    return {"x": x, "y": y}


def _pictures_of(folder: Path, reading: Reading) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    try:
        image = import_module("PIL.Image")
    except ImportError:
        raise missing_extra("pillow") from None
    classes = sorted(part for part in folder.iterdir() if part.is_dir())
    paths = [
        (path, part.name)
        for part in classes
        for path in sorted(part.rglob("*"))
        if path.suffix.lower() in _PICTURES
    ]
    if not paths:
        message = _("{folder} must have a folder of pictures per class; there are none.")
        raise DataError(message.format(folder=folder))
    pictures, sizes = [], set()
    for path, _label in paths:
        try:
            with image.open(path) as opened:
                picture = opened.convert("L" if opened.mode in ("1", "L") else "RGB")
                if reading.size is not None:
                    picture = picture.resize((reading.size, reading.size))
                pictures.append(
                    np.atleast_3d(np.asarray(picture, dtype=np.uint8)).transpose(2, 0, 1)
                )
        except OSError as error:
            message = _("The picture {path} cannot be read: {error}.")
            raise DataError(message.format(path=path, error=str(error).rstrip("."))) from None
        sizes.add(pictures[-1].shape)
    if len(sizes) > 1:
        message = _(
            "Pictures must have one size and kind; {folder} has {sizes}. Make them one size with "
            "--size N (size=N)."
        )
        shown = ", ".join(map(str, sorted(sizes)[:4]))
        raise DataError(message.format(folder=folder, sizes=shown))
    return np.stack(pictures), np.array([label for _path, label in paths])


def _hugging_face(data: Any, reading: Reading) -> Arrays:
    if isinstance(data, Mapping):  # a DatasetDict
        if "train" not in data:
            message = _("A dictionary of datasets must have the part train; it has {names}.")
            raise DataError(message.format(names=", ".join(map(str, data))))
        found = _hugging_face(data["train"], reading)
        held_out = next((name for name in ("test", "validation") if name in data), None)
        if held_out is not None:
            test = _hugging_face(data[held_out], reading)
            found |= {"x_test": test["x"], "y_test": test["y"]}
        return found
    names = list(data.column_names)
    target = reading.target if isinstance(reading.target, str) else "label"
    if target not in names:
        raise unknown_name(_("column"), target, names)
    inputs = [name for name in names if name != target]
    numeric = [
        name for name in inputs if name in ("input_ids", "image", "img", "x", "pixel_values")
    ]
    chosen = numeric[:1] or inputs
    columns = [_stacked(data[name][:], name) for name in chosen]
    if len(columns) == 1:
        x = columns[0]
    else:
        x = np.stack([column.astype(np.float32) for column in columns], axis=1)
    labels = np.asarray(data[target][:])
    feature = data.features[target]
    if hasattr(feature, "names"):
        labels = np.array([feature.names[int(label)] for label in labels])
    return {"x": x, "y": labels}


def _stacked(column: Any, name: str) -> NDArray[Any]:
    rows = [_pixels(row) for row in column]
    if rows and rows[0].dtype.kind not in "buif":
        message = _(
            "The column {column} must hold numbers of one length per row (token ids, pixels); it "
            "holds {kind}. Tokenise texts first, and pad them."
        )
        raise DataError(message.format(column=name, kind=rows[0].dtype))
    if len({row.shape for row in rows}) > 1:
        message = _("The rows of {column} must have one length; pad them to one.")
        raise DataError(message.format(column=name))
    found = np.stack(rows)
    if found.dtype == np.uint8 and found.ndim == 4 and found.shape[-1] in (1, 3, 4):
        return found.transpose(0, 3, 1, 2)
    return found


def _pixels(row: Any) -> NDArray[Any]:
    """Return a row as an array; of a picture of Pillow's with its channels last, one too."""
    found = np.asarray(_numpy(row))
    return found[..., np.newaxis] if hasattr(row, "getbands") and found.ndim == 2 else found


def _items(dataset: Any) -> Arrays:
    """Return the items (x, y) of a dataset with numbered items, each read once."""
    count: Callable[[], int] | None = getattr(dataset, "__len__", None)
    if count is None or not hasattr(dataset, "__getitem__"):
        message = _(
            "A dataset must have a length and numbered items, so that it can be split; an iterable "
            "one has neither. Put its items in a list first."
        )
        raise DataError(message)
    pairs = [dataset[number] for number in range(len(dataset))]
    if not pairs or not isinstance(pairs[0], tuple | list) or len(pairs[0]) != 2:
        message = _(
            "Each item of the dataset must be a pair (x, y) of numbers; the first is {kind}. A "
            "network with several inputs takes them joined in one x, or trains by a function of "
            "its own (train=)."
        )
        kind = type(pairs[0]).__name__ if pairs else _("none")
        raise DataError(message.format(kind=kind))
    x = _stacked([pair[0] for pair in pairs], "x")
    y = np.stack([np.asarray(_numpy(pair[1])) for pair in pairs])
    return {"x": x, "y": as_texts(y)}
