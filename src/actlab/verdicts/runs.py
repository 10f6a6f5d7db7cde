"""What a table's columns mean: which is the candidate, the seed, the score, the block.

Long tables have a row per run; wide ones a row per seed and a column per candidate, or a row per
candidate and a column per seed. Exports of W&B,
MLflow, TensorBoard HParams and Optuna are long tables with names of their own (`metrics.accuracy`,
`hparams/seed`, `user_attrs_seed`) and a column that says how a run ended.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actlab.errors import DataError, unknown_name
from actlab.i18n import _
from actlab.text import printable
from actlab.verdicts.tables import Table, number_in

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
    r"(^|[_./ -])(loss|logloss|error|err|mse|rmse|mae|mape|nll|perplexity|ppl|bpb|bpc|wer|cer|fid|"
    r"regret|brier|time|runtime|duration|latency|seconds|cross[_ -]entropy)($|[_./ -])",
    re.IGNORECASE,
)
_PREFIXES = re.compile(
    r"^((params?|config|hparams?|hyperparameters|metrics?|summary|tags)[./]|(params|user_attrs)_)",
    re.I,
)
_ENDS = {
    **dict.fromkeys(("finished", "complete", "completed", "success", "terminated", "done"), "done"),
    **dict.fromkeys(("failed", "fail", "failure", "crashed", "error"), "failed"),
    **dict.fromkeys(("running", "pending", "waiting", "scheduled", "queued"), "unfinished"),
    **dict.fromkeys(("pruned", "killed", "preempting", "preempted", "stopped"), "unfinished"),
}
"""How a run ended, in the words of W&B, MLflow, Optuna and Ray."""

HIGHER_IS_BETTER = re.compile(
    r"(^|[_./ -])(score|acc|accuracy|precision|recall|f1|f_?beta|dice|iou|m?ap|auc|auroc|roc|r2|"
    r"psnr|ssim|bleu|rouge|meteor|rewards?|returns?|wins?|success|throughput|fps|mrr|ndcg|hits?|"
    r"top[_-]?\d+|kappa|mcc|correct|elo)($|[_./ @-])",
    re.IGNORECASE,
)
PROPORTION = re.compile(
    r"(^|[_./ -])(acc|accuracy|precision|recall|f1|auc|auroc|dice|iou)($|[_./ -])", re.IGNORECASE
)
_SEED_COLUMN = re.compile(
    r"(seed|run|rep|repeat|replicate|trial|split|#)?[ _.#-]*\d+(\.0)?", re.IGNORECASE
)
_SUMMARIES = {
    *("mean", "average", "avg", "median", "std", "stdev", "sd", "stderr", "sem", "var", "min"),
    *("max", "sum", "total", "count", "overall", "mean±std", "mean ± std"),
}
"""What a spreadsheet writes below its runs, in place of a seed."""

STEP_NAMES = ("step", "epoch", "iteration", "global_step", "_step")

_NO_KEY = {"", "nan", "<na>"}
_NO_SEED = {*_NO_KEY, "none", "null", "na", "n/a"}


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
    columns that were taken, and says "wide" for a table with a column per candidate. `left_out`
    counts runs that are no runs yet, or were ended from outside, by how they ended. `step` is the
    column of steps or epochs, where there is one.
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
    left_out: Mapping[str, int] = field(default_factory=dict)
    step: str | None = None


def runs_of(table: Table, columns: Columns, fails: "Fails | None" = None) -> Runs:
    """Return the runs of a table: which column is the candidate, the seed, the score, the block.

    Raises DataError where a column is missing, cannot be told by its name, or holds what it must
    not: text in the score, an empty candidate or seed.
    """
    for name in (columns.candidate, columns.seed, columns.score, columns.block, *columns.settings):
        if name is not None and name not in table.columns:
            raise unknown_name(_("column"), name, table.columns)
    _refuse_two_roles(columns)
    table, left_out = _ended(table, columns)
    given = {columns.candidate, columns.seed, columns.score, columns.block}
    score = columns.score or _by_name(table, SCORE_NAMES, given)
    candidate = columns.candidate or _by_name(table, CANDIDATE_NAMES, given)
    if columns.score is None and (candidate is None or score is None):
        wide = _wide(table, columns) if candidate is None else None
        wide = wide or _with_a_column_per_seed(table, columns, candidate)
        if wide is not None:
            return _with_failures(wide, fails)
    if score is None and candidate is not None:
        score = _only_number(table, {candidate, *given})
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
    taken = {candidate, score, columns.seed, columns.block}
    seed = columns.seed or _by_name(table, SEED_NAMES, taken)
    block = columns.block or _by_name(table, BLOCK_NAMES, {*taken, seed})
    if columns.block is None and block and len(set(map(str, table.columns[block]))) < 2:
        block = None
    found = Runs(
        source=table.source,
        metric=_PREFIXES.sub("", score),
        candidate=_keys(table, candidate),
        score=_scores(table, score),
        seed=_seeds(table, seed) if seed else None,
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
        left_out=left_out,
        step=_by_name(table, STEP_NAMES, {*taken, seed, block, *columns.settings}),
    )
    return _with_failures(found, fails)


def _refuse_two_roles(columns: Columns) -> None:
    asked = {
        _("candidate"): columns.candidate,
        _("seed"): columns.seed,
        _("score"): columns.score,
        _("block"): columns.block,
    }
    for (first, one), (second, other) in combinations(asked.items(), 2):
        if one is not None and one == other:
            message = _("Column {column} cannot be both the {first} and the {second}.")
            raise DataError(message.format(column=one, first=first, second=second))


def _ended(table: Table, columns: Columns) -> tuple[Table, dict[str, int]]:
    """Return the runs that ended by themselves, those that failed without a score.

    A column says how a run ended if its name and all of its values do.
    """
    asked = {columns.candidate, columns.seed, columns.score, columns.block, *columns.settings}
    for name, values in table.columns.items():
        if name in asked or name.strip().lower() not in ("state", "status"):
            continue
        ends = [str(value).strip().lower().removeprefix("trialstate.") for value in values]
        if not all(end in _ENDS for end in ends):
            continue
        kept = [place for place, end in enumerate(ends) if _ENDS[end] != "unfinished"]
        left = Counter(end for end in ends if _ENDS[end] == "unfinished")
        failed = {place for place in kept if _ENDS[ends[place]] == "failed"}
        if not kept:
            message = _("No run in {source} has ended; column {column} says: {ends}.")
            shown = ", ".join(f"{end} ({count})" for end, count in left.items())
            raise DataError(message.format(source=table.source, column=name, ends=shown))
        score = columns.score or _by_name(table, SCORE_NAMES)
        found = {
            key: [None if key == score and place in failed else column[place] for place in kept]
            for key, column in table.columns.items()
            if key != name
        }
        return replace(table, columns=found), dict(left)
    return table, {}


@dataclass(frozen=True)
class Fails:
    """A score worse than `bound` is a failed run; without a direction, by the metric's name."""

    bound: float
    higher_is_better: bool | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.bound):
            message = _("The bound of failures is a finite score; got {given}.")
            raise DataError(message.format(given=self.bound))


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


def _by_name(
    table: Table, names: tuple[str, ...], taken: Collection[str | None] = ()
) -> str | None:
    """Return the column with the first of these names, bare or behind a prefix.

    A column "name" counts only where names come back: every run of an export has one of its own.
    """
    bare: dict[str, str] = {}
    for column in table.columns:
        key = re.sub(r"[ \-/.]", "_", _PREFIXES.sub("", column.strip()).lower())
        if column not in taken:
            bare.setdefault(key, column)
    for name in (name for name in names if name in bare):
        column = bare[name]
        if name != "name" or len({*map(str, table.columns[column])}) < table.rows:
            return column
    return None


_ROWS = ("index", "", "unnamed:_0", "run", "trial", "no", "#", "id")
"""What the column of a wide table is called that numbers its rows."""


def _only_number(table: Table, taken: Collection[str | None]) -> str | None:
    """Return the one column that can hold scores, whatever its name; None where that is not one."""
    keys = (*SEED_NAMES, *BLOCK_NAMES, *CANDIDATE_NAMES, *_ROWS)
    left = [
        name
        for name, values in table.columns.items()
        if name not in taken
        and re.sub(r"[ \-/.]", "_", _PREFIXES.sub("", name.strip()).lower()) not in keys
        and _is_numeric(values)
    ]
    return left[0] if len(left) == 1 else None


def _with_a_column_per_seed(table: Table, columns: Columns, candidate: str | None) -> Runs | None:
    """Return the runs of a table with a row per candidate and a column per seed, if it is one."""
    scores = [name for name in table.columns if _SEED_COLUMN.fullmatch(name.strip())]
    others = [name for name in table.columns if name not in scores]
    names = candidate or (others[0] if len(others) == 1 else None)
    if len(scores) < 2 or names is None or others != [names]:
        return None
    if columns.seed or columns.block or not all(_is_numeric(table.columns[n]) for n in scores):
        return None
    return Runs(
        source=table.source,
        metric=_("score"),
        candidate=np.tile(_keys(table, names), len(scores)),
        score=np.concatenate([_scores(table, name) for name in scores]),
        seed=np.repeat(np.array(scores, dtype=np.str_), table.rows),
        said={"candidate": names, "seed": f"{scores[0]} … {scores[-1]}"},
    )


def _wide(table: Table, columns: Columns) -> Runs | None:
    """Return the runs of a table with a column per candidate; None where it is not one."""
    seed = columns.seed or _by_name(table, (*SEED_NAMES, *_ROWS))
    block = columns.block or _by_name(table, BLOCK_NAMES)
    if _by_name(table, STEP_NAMES):
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
    seeds = _seeds(table, seed) if seed else np.arange(count).astype(np.str_)
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
    return all(number_in(value) is not None for value in values)


def _scores(table: Table, column: str) -> NDArray[np.float64]:
    values = table.columns[column]
    if all(type(value) in (str, float) for value in values):
        try:
            found = np.array(values, dtype=np.float64)
        except ValueError:
            pass
        else:
            found[~np.isfinite(found)] = np.nan
            return found
    numbers = [number_in(value) for value in values]
    if None in numbers:
        place = numbers.index(None)
        message = _(
            "The score of a run is a number; {given} stands in column {column} of {source}, row "
            "{row}. Choose the column with --score; a run that failed has NaN or nothing."
        )
        given = repr(values[place])
        raise DataError(
            message.format(given=given, column=column, source=table.source, row=place + 1)
        )
    return np.array(numbers, dtype=np.float64)


def _keys(table: Table, column: str, missing: Collection[str] = _NO_KEY) -> NDArray[np.str_]:
    values = table.columns[column]
    try:
        different = set(values)
    except TypeError:
        message = _("Column {column} of {source} holds lists; it must name one thing in each row.")
        raise DataError(message.format(column=column, source=table.source)) from None
    keys = {value: _key(value) for value in different}
    absent = {value for value, key in keys.items() if value is None or key.lower() in missing}
    if absent:
        place = next(place for place, value in enumerate(values) if value in absent)
        message = _(
            "Every run needs its {column}; it is missing in row {row} of {source}. Fill it in, "
            "or leave the row out."
        )
        raise DataError(message.format(column=column, row=place + 1, source=table.source))
    return np.array([keys[value] for value in values], dtype=np.str_)


def _seeds(table: Table, column: str) -> NDArray[np.str_]:
    found = _keys(table, column, _NO_SEED)
    for place, name in enumerate(found):
        if name.lower() in _SUMMARIES:
            message = _(
                "Row {row} of {source} is no run: column {column} says {given}. Leave out rows of "
                "means and totals."
            )
            raise DataError(
                message.format(row=place + 1, source=table.source, column=column, given=name)
            )
    return found


def _key(value: Any) -> str:
    """Return a candidate or seed as text; a seed that a frame made 1.0 of is 1 again."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = printable(str(value).strip())
    return text.removesuffix(".0") if re.fullmatch(r"-?\d+\.0", text) else text


def _settings(table: Table, columns: Iterable[str]) -> NDArray[np.str_] | None:
    names = tuple(columns)
    if not names:
        return None
    parts = zip(*(table.columns[name] for name in names), strict=True)
    texts = [", ".join(f"{n}={_key(v)}" for n, v in zip(names, row, strict=True)) for row in parts]
    return np.array(texts, dtype=np.str_)
