"""Tables as arrays: a target column, and inputs that are numbers or made so on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from actlab.data.received import is_there, opened
from actlab.errors import DataError, missing_extra, unknown_name
from actlab.i18n import _
from actlab.records import StudyTask

Arrays = dict[str, NDArray[Any]]
TABLES = (".csv", ".tsv", ".parquet")
Fill = Literal["median", "mean"]
FILLS: tuple[Fill, ...] = ("median", "mean")


@dataclass(frozen=True)
class Reading:
    """How data of the user's is read.

    `target` is the column of a table; `encode` turns columns of categories into columns of 0 and 1;
    `fill` says what stands for missing numbers, `scale` that inputs are standardised: both with the
    numbers of the training rows. Rows of one `group` stay in one split; rows in the order of `time`
    are split in that order; `split` says which split a row is in (train, valid, test). The three
    are columns of a table, or arrays. Pictures are made `size` pixels high and wide.
    """

    target: str | Sequence[str] | None = None
    task: StudyTask | None = None
    encode: bool = False
    fill: str | None = None
    scale: bool = False
    group: Any = None
    time: Any = None
    split: Any = None
    size: int | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether nothing is asked for but a target column."""
        others = (self.task, self.fill, self.group, self.time, self.split, self.size)
        asked = self.encode or self.scale or any(one is not None for one in others)
        return not asked and (self.target is None or isinstance(self.target, str))


def read_table(path: Path) -> Any:
    """Return a table as a DataFrame; raises DataError where it cannot be read."""
    pandas = _pandas()
    if not is_there(path):
        raise DataError(_("There is no file {path}.").format(path=path))
    try:
        with opened(path) as stream:
            if path.suffix == ".parquet":
                return pandas.read_parquet(stream)
            return pandas.read_csv(stream, sep="\t" if path.suffix == ".tsv" else ",")
    except ImportError:
        raise missing_extra("pyarrow") from None
    except (ValueError, OSError) as error:
        message = _("{path} cannot be read as a table: {error}.")
        raise DataError(message.format(path=path, error=str(error).rstrip("."))) from None


def _pandas() -> Any:
    try:
        return import_module("pandas")
    except ImportError:
        raise missing_extra("pandas") from None


def frame_arrays(table: Any, name: str, reading: Reading) -> Arrays:
    """Return inputs and target of a DataFrame that is called `name`, and what splits its rows.

    Raises DataError with the column and the row that is at fault.
    """
    targets = [reading.target] if isinstance(reading.target, str) else list(reading.target or ())
    lacking = [column for column in targets if column not in table.columns]
    if lacking:
        raise unknown_name(_("column"), lacking[0], [str(title) for title in table.columns])
    if not targets:
        message = _(
            "{path} must be given with the column of its target (--target COLUMN); it has {names}."
        )
        raise DataError(message.format(path=name, names=", ".join(map(str, table.columns))))
    for column in targets:
        if bool(table[column].isna().to_numpy().any()):
            message = _("The column {column} of {path} must not have gaps; row {row} is empty.")
            row = int(table[column].isna().to_numpy().argmax())
            raise DataError(message.format(column=column, path=name, row=row))
    labels = [table[column].to_numpy() for column in targets]
    y = as_texts(labels[0]) if len(labels) == 1 else np.stack(labels, axis=1)
    return frame_inputs(table, name, reading, targets) | {"y": y}


def frame_inputs(table: Any, name: str, reading: Reading, targets: Sequence[str] = ()) -> Arrays:
    """Return the inputs of a DataFrame, all columns but its `targets`, and what splits its rows.

    Raises DataError with the column and the row that is at fault.
    """
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        message = _("{path} has two columns with the name {column}. Give each a name of its own.")
        raise DataError(message.format(path=name, column=twice[0]))
    found: Arrays = {}
    apart = list(targets)
    for part in ("group", "time", "split"):
        given = getattr(reading, part)
        if isinstance(given, str):
            if given not in table.columns:
                raise unknown_name(_("column"), given, [str(title) for title in table.columns])
            found[part] = _coded(table[given], part)
            apart.append(given)
    columns = [
        _column(table[title], str(title), name, reading)
        for title in table.columns
        if title not in apart
    ]
    if not columns:
        raise DataError(_("{path} has no column beside its target.").format(path=name))
    return found | {"x": np.concatenate(columns, axis=1, dtype=np.float32)}


def _coded(column: Any, part: str) -> NDArray[Any]:
    """Return a column of groups, times or splits as numbers or texts."""
    if part == "time":
        ordered: NDArray[Any] = column.rank(method="first").to_numpy(dtype=np.float64)
        return ordered
    texts: NDArray[Any] = column.astype(str).to_numpy().astype(np.str_)
    return texts


def _column(values: Any, title: str, name: str, reading: Reading) -> NDArray[np.float32]:
    """Return a column of inputs as one of numbers, or of a 0 and 1 per category."""
    types = _pandas().api.types
    gaps = values.isna().to_numpy()
    if types.is_datetime64_any_dtype(values) or types.is_timedelta64_dtype(values):
        message = _(
            "The column {column} of {path} holds dates. Make numbers of them (days since the "
            "first, the month), leave the column out, or split by it: --split-by time:{column} "
            "(time={column!r})."
        )
        raise DataError(message.format(column=title, path=name))
    if not types.is_numeric_dtype(values):
        if not reading.encode:
            message = _(
                "The column {column} of {path} must hold numbers; row {row} holds {value}. "
                "Encode categories as columns of 0 and 1 with --encode (encode=True), or leave the "
                "column out."
            )
            row = int((~gaps).argmax())
            value = repr(str(values.iloc[row]))
            raise DataError(message.format(column=title, path=name, row=row, value=value))
        texts = values.astype(str).to_numpy()
        kinds = sorted(set(texts[~gaps].tolist()))
        if len(kinds) > _MOST_KINDS:
            message = _(
                "The column {column} of {path} has {count} different texts: too many to encode. "
                "Leave the column out."
            )
            raise DataError(message.format(column=title, path=name, count=len(kinds)))
        # A gap is no category: all its columns are 0.
        return np.stack([(texts == kind) & ~gaps for kind in kinds], axis=1).astype(np.float32)
    if bool(gaps.any()) and reading.fill is None:
        message = _(
            "The column {column} of {path} must not have gaps; row {row} is empty. Fill gaps with "
            "--fill median (fill='median'), or leave such rows out."
        )
        raise DataError(message.format(column=title, path=name, row=int(gaps.argmax())))
    numbers: NDArray[np.float32] = values.to_numpy(dtype=np.float32, na_value=np.nan)
    return numbers.reshape(-1, 1)


_MOST_KINDS = 200


def as_texts(array: NDArray[Any]) -> NDArray[Any]:
    """Return texts in an array of objects, as pandas has them, as texts."""
    if array.dtype.hasobject and all(isinstance(value, str) for value in array.ravel()):
        return array.astype(np.str_)
    return array
