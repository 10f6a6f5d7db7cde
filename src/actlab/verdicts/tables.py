"""Reading anybody's table: files, frames, exports. What its columns mean, `runs` finds out."""

import ast
import csv
import errno
import io
import json
import math
import os
import re
import stat
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from actlab.errors import DataError, missing_extra, reason_of
from actlab.files import parse_json
from actlab.i18n import _
from actlab.text import printable
from actlab.verdicts.mlruns import columns_of_folder

_DECIMAL_COMMA = re.compile(r"[-+−]?\d*,\d+([eE][-+]?\d+)?\s*%?")


@dataclass(frozen=True)
class Table:
    """The columns of a table by name, of one length; `source` says where it is from.

    `higher_is_better` is None where the table itself does not say.
    """

    source: str
    columns: Mapping[str, Sequence[Any]]
    higher_is_better: bool | None = None

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return len(next(iter(self.columns.values()), ()))


def read_table(given: Any) -> Table:
    """Return the table in a file, on standard input ("-"), in a frame or a mapping of columns.

    By the ending: .parquet; .jsonl, .ndjson and .json; .tsv; anything else is a table of
    comma-, semicolon- or tab-separated values. Columns of objects, {"seed": 1}, are taken apart.
    Raises DataError for what is no table.
    """
    if isinstance(given, Table):
        return given
    if not isinstance(given, str | os.PathLike):
        return _checked(_in_memory(given))
    if str(given) == "-":
        return _checked(_text_table(sys.stdin.buffer.read(), _("standard input"), ""))
    path = Path(given)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _checked(_parquet(path))
    try:
        if path.is_dir():
            return _checked(_folder(path))
        content = _content(path)
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        raise _unreadable(path, error) from None
    return _checked(_text_table(content, str(path), path.suffix.lower()))


def _content(path: Path) -> bytes:
    """Return what is in a file or comes through a pipe; a device has no end."""
    with path.open("rb") as stream:
        if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, _("it is no regular file"))
        return stream.read()


def _folder(path: Path) -> Table:
    columns = columns_of_folder(path)
    if not columns:
        message = _(
            "{path} is a folder without runs of MLflow. A study's own verdict is "
            "actlab.open({path}).verdict()"
        )
        raise DataError(message.format(path=repr(str(path))))
    return Table(str(path), columns)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = reason_of(error) if isinstance(error, OSError) else str(error).splitlines()[0]
    message = _("The table {path} cannot be read: {reason}.")
    return DataError(message.format(path=path, reason=reason.rstrip(".")))


def _in_memory(given: Any) -> Table:
    """Return the table in a frame of pandas, Polars or Arrow, or in a mapping of columns."""
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        names = [str(name) for name in given.columns]
        _refuse_twice(names, _("the data frame"))
        cells = given.astype(object).where(given.notna(), None)
        columns = {name: cells.iloc[:, place].tolist() for place, name in enumerate(names)}
        return Table(_("the data frame"), columns)
    if hasattr(given, "to_pydict"):
        _refuse_twice(given.column_names, _("the data frame"))
        return Table(_("the data frame"), given.to_pydict())
    if hasattr(given, "to_dict") and hasattr(given, "schema"):
        return Table(_("the data frame"), given.to_dict(as_series=False))
    if isinstance(given, Mapping):
        return Table(_("the table"), _of_mapping(given, _("the table")))
    message = _(
        "A table of scores is a path, a data frame or a mapping of columns; {given} is a {type}."
    )
    raise DataError(message.format(given=repr(given)[:60], type=type(given).__name__))


def _of_mapping(given: Mapping[Any, Any], source: str) -> dict[str, list[Any]]:
    """Return the columns of a mapping; one of mappings has the rows' names as keys."""
    if given and all(isinstance(column, Mapping) for column in given.values()):
        keys = dict.fromkeys(key for column in given.values() for key in column)
        found = {str(name): [column.get(key) for key in keys] for name, column in given.items()}
        return {"index": list(keys), **found}
    for name, column in given.items():
        if isinstance(column, str | bytes) or not hasattr(column, "__iter__"):
            message = _("Column {name} of {source} is no list of values but {given}.")
            raise DataError(message.format(name=name, source=source, given=repr(column)[:40]))
    return {str(name): list(column) for name, column in given.items()}


def _parquet(path: Path) -> Table:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise missing_extra("pyarrow") from None
    try:
        # One file, not a data set of many: names of folders would become columns.
        found = parquet.ParquetFile(path).read()
        _refuse_twice(found.column_names, str(path))
        columns = {name: found.column(name).to_pylist() for name in found.column_names}
    except (OSError, arrow.ArrowException, ValueError) as error:
        raise _unreadable(path, error) from None
    return Table(str(path), columns)


def _text_table(content: bytes, source: str, suffix: str) -> Table:
    try:
        text = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = _(
            "{source} is no text in UTF-8: a table of scores is CSV, TSV, JSON lines, saved as "
            "UTF-8, or Parquet."
        )
        raise DataError(message.format(source=source))
    if not text.strip():
        raise _empty(source)
    if suffix in (".jsonl", ".ndjson", ".json") or text.lstrip()[:1] in ("{", "["):
        return _json_table(text, source)
    return _separated(text, source, suffix)


def _json_table(text: str, source: str) -> Table:
    """Return a list of objects, an object per line, or one object of columns or rows."""
    try:
        document = json.loads(text)
    except RecursionError:
        document = None
    except ValueError as whole:
        document = _json_lines(text, source, whole)
    if isinstance(document, dict):
        columns = _of_document(document, source)
        if columns is not None:
            return Table(source, columns)
        document = [document]
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        message = _("{source} must have one JSON object per run.")
        raise DataError(message.format(source=source))
    return Table(source, _of_rows(document))


def _json_lines(text: str, source: str, whole: ValueError) -> list[Any]:
    if text.lstrip().startswith("["):
        raise _no_json(source, whole, getattr(whole, "lineno", 1)) from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows += [parse_json(line)] if line.strip() else []
        except ValueError as error:
            raise _no_json(source, error, number) from None
    return rows


def _no_json(source: str, error: Exception, line: int) -> DataError:
    message = _("{source} is not JSON lines: {reason} in line {line}.")
    reason = getattr(error, "msg", str(error))
    return DataError(message.format(source=source, reason=reason, line=line))


def _of_document(document: Mapping[str, Any], source: str) -> dict[str, list[Any]] | None:
    """Return the columns of one JSON object; None where it is a row of its own.

    TensorBoard writes header and rows, pandas columns and data, or a column per key.
    """
    for names, rows in (("header", "rows"), ("columns", "data")):
        head, body = document.get(names), document.get(rows)
        if isinstance(head, list) and isinstance(body, list):
            header = [str(name) for name in head]
            _refuse_twice(header, source)
            lists = [row if isinstance(row, list) else [row] for row in body]
            _refuse_ragged(lists, header, source, first=1)
            return _transposed(header, lists)
    if all(isinstance(column, dict | list) for column in document.values()):
        return _of_mapping(document, source)
    return None


def _of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    flat = [_flat(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return an object without objects in it: {"params": {"lr": 1}} becomes {"params.lr": 1}."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _empty(source: str) -> DataError:
    message = _("{source} is empty; a table of scores has a line per run.")
    return DataError(message.format(source=source))


def _separated(text: str, source: str, suffix: str) -> Table:
    lines = text.lstrip("\r\n").split("\n")
    comments = _comments(lines)
    head, text = lines[comments], "\n".join(lines[comments:])
    separators = "\t" if suffix == ".tsv" and "\t" in head else ",;\t"
    separator = max(separators, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        message = _("{source} is no table of separated values: {reason}.")
        raise DataError(message.format(source=source, reason=error)) from None
    if not rows:
        raise _empty(source)
    header = [name.strip() for name in rows.pop(0)]
    if len(header) < 2:
        message = _(
            "{source} has one column; a table of scores has columns for candidate, seed and score, "
            "separated by commas, semicolons or tabs."
        )
        raise DataError(message.format(source=source))
    _refuse_twice(header, source)
    _refuse_ragged(rows, header, source, first=2 + comments)
    columns = _transposed(header, rows)
    if separator == ",":
        return Table(source, columns)
    return Table(source, {name: _with_points(column) for name, column in columns.items()})


def _comments(lines: Sequence[str]) -> int:
    """Return how many lines before the header are remarks: they begin with # and have no columns.

    >>> _comments(["# exported by hand", "#", "method,seed,score"]), _comments(["#,method,score"])
    (2, 0)
    """
    first = next((n for n, line in enumerate(lines) if not line.lstrip().startswith("#")), 0)
    remarks = lines[:first]
    columns = max(map(lines[first].count, ",;\t"))
    return first if all(max(map(line.count, ",;\t")) < columns for line in remarks) else 0


def _with_points(column: list[Any]) -> list[Any]:
    """Return numbers with a decimal comma as numbers with a point: 0,93 where ; separates."""
    if not any("," in value for value in column):
        return column
    return [
        value.replace(",", ".") if _DECIMAL_COMMA.fullmatch(value.strip()) else value
        for value in column
    ]


def _transposed(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    return {name: list(column) for name, column in zip(header, columns, strict=True)}


def _refuse_twice(header: Sequence[str], source: str) -> None:
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        message = _("{source} has two columns of the name {names}; give each its own.")
        raise DataError(message.format(source=source, names=", ".join(twice)))


def _refuse_ragged(
    rows: Sequence[Sequence[Any]], header: Sequence[str], source: str, first: int
) -> None:
    for number, row in enumerate(rows, start=first):
        if len(row) != len(header):
            message = _("{source} has {given} values in line {line}, and {expected} columns.")
            raise DataError(
                message.format(source=source, given=len(row), line=number, expected=len(header))
            )


def _checked(table: Table) -> Table:
    """Return a table of columns of one length, with columns of objects taken apart."""
    lengths = {name: len(column) for name, column in table.columns.items()}
    if len(set(lengths.values())) > 1:
        message = _("The columns of {source} have different lengths: {lengths}.")
        shown = ", ".join(f"{name} ({length})" for name, length in lengths.items())
        raise DataError(message.format(source=table.source, lengths=shown))
    if not table.rows:
        raise DataError(
            _("{source} has no rows; a table of scores has one per run.").format(
                source=table.source
            )
        )
    columns: dict[str, Sequence[Any]] = {}
    for name, column in table.columns.items():
        objects = _objects(column)
        found = {name: column} if objects is None else _of_rows([{name: one} for one in objects])
        columns |= {key: values for key, values in found.items() if objects is None or key != name}
    named = {printable(name): column for name, column in columns.items()}
    return Table(table.source, named, table.higher_is_better)


def _objects(column: Sequence[Any]) -> list[Mapping[str, Any]] | None:
    """Return the objects that are all of a column, {} for none; None for another column.

    A frame that was written as CSV has them as Python writes a dict.
    """
    first = next((value for value in column if value is not None and value != ""), None)
    if not (isinstance(first, Mapping) or (isinstance(first, str) and first.startswith("{"))):
        return None
    found: list[Mapping[str, Any]] = []
    for value in column:
        one = {} if value is None or value == "" else value
        one = _object_in(one) if isinstance(one, str) else one
        if not isinstance(one, Mapping):
            return None
        found.append(one)
    return found


def _object_in(text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError:
        pass
    try:
        # A failed run's nan is a name to Python; 1e999 is what inf is read as; np.float64(0.5).
        words = re.sub(r"(?<=[\s:\[,])(-?)(nan|inf)(?=[\s,}\]])", _constant, text)
        return ast.literal_eval(re.sub(r"\bnp\.\w+\(([^()]*)\)", r"\1", words))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _constant(found: re.Match[str]) -> str:
    return "None" if found[2] == "nan" else f"{found[1]}1e999"


def number_in(value: Any) -> float | None:
    """Return a score: NaN for one that is missing or not finite, None for what is no number.

    >>> number_in("93.5 %"), number_in("good"), number_in(True), number_in(None)
    (93.5, None, None, nan)
    """
    if value is None:
        return math.nan
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        try:
            found = float(value)
        except OverflowError:
            return math.nan
        return found if math.isfinite(found) else math.nan
    text = str(value).strip().replace("−", "-")
    if text.lower() in _NOT_A_NUMBER:
        return math.nan
    try:
        found = float(text.removesuffix("%"))
    except ValueError:
        return None
    return found if math.isfinite(found) else math.nan


_NOT_A_NUMBER = {"", "nan", "none", "null", "na", "n/a", "<na>", "-", "inf", "-inf", "+inf"}
