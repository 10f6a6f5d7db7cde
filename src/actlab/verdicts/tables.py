"""Reading anybody's table of scores: files, frames, and which column says what.

Long tables have a row per run; wide ones a row per seed and a column per candidate. Exports of W&B,
MLflow and TensorBoard HParams are long tables with names of their own (`metrics.accuracy`).
"""

import csv
import io
import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError, unknown_name
from actlab.i18n import _

CANDIDATE_NAMES = (
    *("candidate", "activation", "method", "algorithm", "algo", "model", "variant", "arm"),
    *("optimizer", "optimiser", "learner", "classifier", "estimator", "config", "group"),
    *("treatment", "name"),
)
SEED_NAMES = (
    *("seed", "random_seed", "rng_seed", "random_state", "randomstate", "replicate", "repeat"),
    *("repetition", "rep", "seed_id"),
)
BLOCK_NAMES = ("block", "dataset", "data_set", "data", "task", "fold", "env", "environment", "game")
SCORE_NAMES = (
    *("score", "test_accuracy", "test_acc", "valid_accuracy", "val_accuracy", "valid_acc"),
    *("val_acc", "eval_accuracy", "accuracy", "acc", "f1", "auc", "roc_auc", "r2", "reward"),
    *("episode_return", "return", "test_loss", "val_loss", "valid_loss", "eval_loss", "loss"),
    *("error", "perplexity", "rmse", "mse", "mae", "value", "metric"),
)
LOWER_IS_BETTER = re.compile(
    r"(^|[_./ ])(loss|error|err|mse|rmse|mae|nll|perplexity|ppl|wer|cer|fid|regret|time|seconds)\b",
    re.IGNORECASE,
)
_PREFIXES = re.compile(
    r"^(params?|config|hparams?|hyperparameters|metrics?|summary|tags)[./]", re.I
)
_NOT_A_NUMBER = {"", "nan", "none", "null", "na", "n/a", "inf", "-inf", "+inf", "infinity"}


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


@dataclass(frozen=True)
class Columns:
    """Which column says what; None leaves it to the names. `settings` tell runs of a candidate."""

    candidate: str | None = None
    seed: str | None = None
    score: str | None = None
    block: str | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Runs:
    """A table of runs by candidate, seed and block, with what was understood of its columns.

    `seed` is None where the table has none. A score is NaN for a run that failed. `said` names the
    columns that were taken, and says "wide" for a table with a column per candidate.
    """

    source: str
    metric: str
    candidate: NDArray[np.str_]
    score: NDArray[np.float64]
    seed: NDArray[np.str_] | None = None
    block: NDArray[np.str_] | None = None
    setting: NDArray[np.str_] | None = None
    said: Mapping[str, str] = field(default_factory=dict)
    higher_is_better: bool | None = None


def read_table(given: Any) -> Table:
    """Return the table in a file, on standard input ("-"), in a DataFrame or a mapping of columns.

    By the ending: .parquet; .jsonl, .ndjson and .json; .tsv; anything else is a table of
    comma-, semicolon- or tab-separated values. Raises DataError for what is no table.
    """
    if isinstance(given, Table):
        return given
    if hasattr(given, "columns") and hasattr(given, "iloc"):
        columns = {str(name): given[name].tolist() for name in given.columns}
        return _checked(Table(_("the data frame"), columns))
    if isinstance(given, Mapping):
        return _checked(Table(_("the table"), {str(k): list(v) for k, v in given.items()}))
    if str(given) == "-":
        return _checked(_text_table(sys.stdin.buffer.read(), _("standard input"), ""))
    path = Path(given)
    if path.suffix == ".parquet":
        return _checked(_parquet(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        message = _("The table {path} cannot be read: {reason}.")
        raise DataError(message.format(path=path, reason=error.strerror)) from None
    return _checked(_text_table(content, str(path), path.suffix.lower()))


def _parquet(path: Path) -> Table:
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        message = _("Reading {path} needs pyarrow: pip install pyarrow, or write a CSV.")
        raise DataError(message.format(path=path)) from None
    try:
        found = parquet.read_table(path)
    except (OSError, arrow.ArrowException) as error:
        message = _("The table {path} cannot be read: {reason}.")
        reason = str(error).splitlines()[0]
        raise DataError(message.format(path=path, reason=reason)) from None
    return Table(str(path), {name: found.column(name).to_pylist() for name in found.column_names})


def _text_table(content: bytes, source: str, suffix: str) -> Table:
    try:
        text = content.decode(
            "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        )
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = _("{source} is no text: a table of scores is CSV, TSV, JSON lines or Parquet.")
        raise DataError(message.format(source=source))
    if not text.strip():
        raise DataError(
            _("{source} is empty; a table of scores has a line per run.").format(source=source)
        )
    if suffix in (".jsonl", ".ndjson", ".json") or text.lstrip()[:1] in ("{", "["):
        return _json_table(text, source)
    return _separated(text, source, suffix)


def _json_table(text: str, source: str) -> Table:
    try:
        if text.lstrip().startswith("["):
            rows = json.loads(text)
        else:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        message = _("{source} is not JSON lines: {reason} in line {line}.")
        raise DataError(
            message.format(source=source, reason=error.msg, line=error.lineno)
        ) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        message = _("{source} must have one JSON object per run.")
        raise DataError(message.format(source=source))
    flat = [_flat(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return Table(source, {name: [row.get(name) for row in flat] for name in names})


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return an object without objects in it: {"params": {"lr": 1}} becomes {"params.lr": 1}."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _separated(text: str, source: str, suffix: str) -> Table:
    head = text.split("\n", 1)[0]
    separators = "\t" if suffix == ".tsv" else ",;\t"
    separator = max(separators, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        header = [name.strip() for name in next(reader)]
        rows = [row for row in reader if row]
    except csv.Error as error:
        message = _("{source} is no table of separated values: {reason}.")
        raise DataError(message.format(source=source, reason=error)) from None
    if len(header) < 2:
        message = _(
            "{source} has one column; a table of scores has columns for candidate, seed and score, "
            "separated by commas, semicolons or tabs."
        )
        raise DataError(message.format(source=source))
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        message = _("{source} has two columns of the name {names}; give each its own.")
        raise DataError(message.format(source=source, names=", ".join(twice)))
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            message = _("{source} has {given} values in line {line}, and {expected} columns.")
            raise DataError(
                message.format(source=source, given=len(row), line=number, expected=len(header))
            )
    return Table(
        source,
        dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
        if rows
        else dict.fromkeys(header, ()),
    )


def _checked(table: Table) -> Table:
    if not table.rows:
        raise DataError(
            _("{source} has no rows; a table of scores has one per run.").format(
                source=table.source
            )
        )
    return table


def runs_of(table: Table, columns: Columns, fails: "Fails | None" = None) -> Runs:
    """Return the runs of a table: which column is the candidate, the seed, the score, the block.

    Raises DataError where a column is missing, cannot be told by its name, or holds what it must
    not: text in the score, an empty candidate or seed.
    """
    for given in (columns.candidate, columns.seed, columns.score, columns.block, *columns.settings):
        if given is not None and given not in table.columns:
            raise unknown_name(_("column"), given, table.columns)
    score = columns.score or _by_name(table, SCORE_NAMES)
    candidate = columns.candidate or _by_name(table, CANDIDATE_NAMES)
    if candidate is None and columns.score is None:
        wide = _wide(table, columns)
        if wide is not None:
            return _with_failures(wide, fails)
    if score is None or candidate is None:
        missing = _("candidate") if candidate is None else _("score")
        option = "--candidate" if candidate is None else "--score"
        message = _(
            "Which column of {source} is the {what}? Say it with {option}. Its columns: {names}."
        )
        raise DataError(
            message.format(
                source=table.source, what=missing, option=option, names=", ".join(table.columns)
            )
        )
    seed = columns.seed or _by_name(table, SEED_NAMES)
    block = columns.block or _by_name(table, BLOCK_NAMES)
    if columns.block is None and block and len(set(map(str, table.columns[block]))) < 2:
        block = None
    found = Runs(
        source=table.source,
        metric=_PREFIXES.sub("", score),
        candidate=_keys(table, candidate),
        score=_scores(table, score),
        seed=_keys(table, seed) if seed else None,
        block=_keys(table, block) if block else None,
        setting=_settings(table, columns.settings),
        said={
            name: column
            for name, column in (
                ("candidate", candidate),
                ("seed", seed),
                ("score", score),
                ("block", block),
            )
            if column
        },
        higher_is_better=table.higher_is_better,
    )
    return _with_failures(found, fails)


@dataclass(frozen=True)
class Fails:
    """A score worse than `bound` is a failed run; without a direction, by the metric's name."""

    bound: float
    higher_is_better: bool | None = None


def direction_of(runs: Runs, given: bool | None) -> bool:
    """Return whether higher is better: as given, as the table says, or by the metric's name."""
    if given is None:
        given = runs.higher_is_better
    return LOWER_IS_BETTER.search(runs.metric) is None if given is None else given


def _with_failures(runs: Runs, fails: Fails | None) -> Runs:
    if fails is None:
        return runs
    higher = direction_of(runs, fails.higher_is_better)
    worse = runs.score < fails.bound if higher else runs.score > fails.bound
    scores = np.where(worse, np.nan, runs.score)
    return Runs(**{**vars(runs), "score": scores})


def _by_name(table: Table, names: tuple[str, ...]) -> str | None:
    """Return the column with the first of these names, bare or behind a prefix.

    A column "name" counts only where names come back: every run of an export has one of its own.
    """
    bare: dict[str, str] = {}
    for column in table.columns:
        bare.setdefault(re.sub(r"[ \-]", "_", _PREFIXES.sub("", column).strip().lower()), column)
    for name in (name for name in names if name in bare):
        column = bare[name]
        if name != "name" or len({*map(str, table.columns[column])}) < table.rows:
            return column
    return None


def _wide(table: Table, columns: Columns) -> Runs | None:
    """Return the runs of a table with a column per candidate; None where it is not one."""
    seed = columns.seed or _by_name(table, (*SEED_NAMES, "index", ""))
    block = columns.block or _by_name(table, BLOCK_NAMES)
    if _by_name(table, ("step", "epoch", "iteration", "global_step", "_step")):
        message = _(
            "{source} holds curves over steps, not one score per run. Export the table of runs, "
            "with a column for the final score."
        )
        raise DataError(message.format(source=table.source))
    names = [name for name in table.columns if name not in (seed, block)]
    numeric = [name for name in names if _is_numeric(table.columns[name])]
    if len(numeric) < 2 or len(numeric) < len(names):
        return None
    count = table.rows
    scores = np.concatenate([_scores(table, name) for name in numeric])
    seeds = _keys(table, seed) if seed else np.arange(count).astype(np.str_)
    return Runs(
        source=table.source,
        metric=_("score"),
        candidate=np.repeat(np.array(numeric, dtype=np.str_), count),
        score=scores,
        seed=np.tile(seeds, len(numeric)),
        block=np.tile(_keys(table, block), len(numeric)) if block else None,
        said={
            "candidate": "wide",
            **({"seed": seed} if seed else {}),
            **({"block": block} if block else {}),
        },
    )


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(_number(value) is not None for value in values)


def _number(value: Any) -> float | None:
    """Return a score: NaN for one that is missing or not finite, None for what is no number."""
    if value is None:
        return math.nan
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else math.nan
    text = str(value).strip()
    if text.lower() in _NOT_A_NUMBER:
        return math.nan
    try:
        found = float(text.removesuffix("%"))
    except ValueError:
        return None
    return found if math.isfinite(found) else math.nan


def _scores(table: Table, column: str) -> NDArray[np.float64]:
    found = [_number(value) for value in table.columns[column]]
    if None in found:
        place = found.index(None)
        message = _(
            "The score of a run is a number; {given} stands in column {column} of {source}, row "
            "{row}. Choose the column with --score; a run that failed has NaN or nothing."
        )
        given = repr(table.columns[column][place])
        raise DataError(
            message.format(given=given, column=column, source=table.source, row=place + 1)
        )
    return np.array(found, dtype=np.float64)


def _keys(table: Table, column: str) -> NDArray[np.str_]:
    values = table.columns[column]
    for place, value in enumerate(values):
        if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
            message = _(
                "Every run needs its {column}; it is missing in row {row} of {source}. Fill it in, "
                "or leave the row out."
            )
            raise DataError(message.format(column=column, row=place + 1, source=table.source))
    keys = {value: _key(value) for value in set(values)}
    return np.array([keys[value] for value in values], dtype=np.str_)


def _key(value: Any) -> str:
    """Return a candidate or seed as text; a seed that a frame made 1.0 of is 1 again."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value).strip()
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text


def _settings(table: Table, columns: Iterable[str]) -> NDArray[np.str_] | None:
    names = tuple(columns)
    if not names:
        return None
    parts = zip(*(table.columns[name] for name in names), strict=True)
    texts = [", ".join(f"{n}={_key(v)}" for n, v in zip(names, row, strict=True)) for row in parts]
    return np.array(texts, dtype=np.str_)
