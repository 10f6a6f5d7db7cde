"""Trials that somebody else's search left: an Optuna storage, or a table in a CSV file.

Read only: a SQLite file is opened so that nothing can be written to it (SQLite itself may lay its
-wal and -shm files next to one that is written ahead), and one that is missing is an error.
"""

import csv
import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import optuna
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from actlab.errors import ActlabError, DataError, unknown_name
from actlab.i18n import _
from actlab.records.unreplicated import TrialRow, TrialTable
from actlab.verdicts.tables import Table

VALUE_COLUMNS = ("valid_trial_accuracy", "valid_accuracy", "value")
"""What the column of values of a CSV file may be called."""

_RATE, _ACTIVATION = "learning_rate", "_activation"
"""How the parameters of a run folder's own table end."""


def trials_of_csv(path: Path) -> TrialTable:
    """Read a table with a column of values and one column per parameter.

    Of a run folder's own table the parameters are its setting. Raises DataError where the file is
    no such table.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = _("The table {path} cannot be read: {reason}.")
        raise DataError(message.format(path=path, reason=error)) from None
    return TrialTable(str(path), rows_of(text, str(path)))


def trials_of_storage(storage: str, study: str) -> TrialTable:
    """Read the trials of a study from an Optuna storage (a URL, or a SQLite file's path).

    Raises ActlabError where it cannot be reached, has no such study, or the study has several
    objectives.
    """
    source, maximize, trials = _ended_trials(storage, study)
    return TrialTable(source=source, rows=tuple(map(_row, trials)), maximize=maximize)


def table_of_storage(storage: str, study: str) -> Table:
    """Read the trials of a study as a table of runs: parameters, user attributes, `value`.

    A trial that failed has no value; one that was pruned or is running is left out. Raises
    ActlabError as `trials_of_storage` does.
    """
    source, maximize, trials = _ended_trials(storage, study)
    runs = [trial for trial in trials if trial.state is not TrialState.PRUNED]
    rows = [{**trial.user_attrs, **trial.params, "value": trial.value} for trial in runs]
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    return Table(source, columns, higher_is_better=maximize)


def _ended_trials(storage: str, study: str) -> tuple[str, bool, list[FrozenTrial]]:
    """Return what the study is called for people, its direction, and its trials that ended."""
    url = storage_url(storage)
    shown = url.render_as_string(hide_password=True)
    try:
        opened = optuna.storages.RDBStorage(
            _read_only(url).render_as_string(hide_password=False), skip_table_creation=True
        )
        names = optuna.get_all_study_names(opened)
        if study not in names:
            raise unknown_name(_("study"), study, names)
        found = optuna.load_study(study_name=study, storage=opened)
        directions, trials = found.directions, found.get_trials(deepcopy=False)
    except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, ValueError) as error:
        message = _("The storage {url} cannot be read: {reason}")
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ActlabError(message.format(url=shown, reason=reason)) from None
    if len(directions) > 1:
        message = _("Only studies with one objective can be judged; {study} has {count}.")
        raise ActlabError(message.format(study=study, count=len(directions)))
    source = _("the study {study} in {url}").format(study=study, url=shown)
    maximize = directions[0] is optuna.study.StudyDirection.MAXIMIZE
    return source, maximize, [trial for trial in trials if trial.state.is_finished()]


DRIVERS = {"postgresql": "psycopg", "mysql": "pymysql"}
"""What speaks to a server whose address names no driver, where it is installed."""


def storage_url(storage: str) -> URL:
    """Return the address of a storage; without a scheme it is the path of a SQLite file.

    >>> storage_url("study.db").render_as_string()
    'sqlite:///study.db'

    Raises ActlabError for what is none.
    """
    try:
        storage.encode()  # a surrogate has no place in an address
        if "://" not in storage:
            return URL.create("sqlite", database=storage)
        url = make_url(storage)
        driver = DRIVERS.get(url.drivername)
        if driver is None or find_spec(driver) is None:
            return url
        return url.set(drivername=f"{url.drivername}+{driver}")
    except (ArgumentError, ValueError):  # a port that is no number is the latter
        message = _("{given} is no address of a storage; one looks like sqlite:///study.db")
        raise ActlabError(message.format(given=ascii(storage)[1:-1])) from None


def _read_only(url: URL) -> URL:
    if url.get_backend_name() != "sqlite" or not url.database:
        return url
    path = Path(url.database)
    try:
        is_there = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        is_there = False
    if not is_there:
        raise ActlabError(_("There is no storage {path}.").format(path=ascii(str(path))[1:-1]))
    address = f"file:{quote(str(path.resolve()))}"
    return url.set(database=address, query={"mode": "ro", "uri": "true"})


def _row(trial: FrozenTrial) -> TrialRow:
    numbers = {
        name: float(value)
        for name, value in trial.params.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    value = trial.value if trial.state is TrialState.COMPLETE else None
    return TrialRow(
        number=trial.number,
        choices={name: str(v) for name, v in trial.params.items() if name not in numbers},
        numbers=numbers,
        value=value if value is not None and math.isfinite(value) else None,
    )


def rows_of(text: str, source: str) -> tuple[TrialRow, ...]:
    """Read the trials of a CSV text; `source` says whose, for errors."""
    reader = csv.DictReader(text.splitlines())
    columns = reader.fieldnames or []
    value = next((name for name in VALUE_COLUMNS if name in columns), None)
    if value is None:
        message = _("A table of trials needs a column of values named {names}; {source} has none.")
        raise DataError(message.format(names=", ".join(VALUE_COLUMNS), source=source))
    own = [name for name in columns if name == _RATE or name.endswith(_ACTIVATION)]
    parameters = (
        own
        if _RATE in own and len(own) > 1
        else [name for name in columns if name not in (value, "number")]
    )
    try:
        return tuple(
            _table_row(place, line, value, parameters) for place, line in enumerate(reader)
        )
    except (ValueError, TypeError):
        message = _("{source} is no table of trials: a value in it is not a number.")
        raise DataError(message.format(source=source)) from None


def _table_row(place: int, line: dict[str, str], value: str, parameters: Sequence[str]) -> TrialRow:
    given = {name: line[name] for name in parameters if line.get(name)}
    numbers = {name: found for name, text in given.items() if (found := _number(text)) is not None}
    return TrialRow(
        number=int(line.get("number") or place),
        choices={name: text for name, text in given.items() if name not in numbers},
        numbers=numbers,
        value=float(line[value]) if line[value] else None,
    )


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None
