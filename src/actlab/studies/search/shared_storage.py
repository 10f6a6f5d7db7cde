"""A study in a database that several people look at: Optuna's storage by URL, beside the records.

Like `study.db` it is a projection of `records.jsonl`: written where a search pauses or ends, read
by nothing in actlab. Only what is not there yet is added, by Optuna's own interface.
"""

import hashlib
from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from actlab.errors import ActlabError, missing_extra
from actlab.i18n import _
from actlab.records import Environment, Plan, Record
from actlab.studies.search.import_trials import storage_url
from actlab.studies.search.optuna_study import STATES
from actlab.studies.search.projection import ATTRIBUTES
from actlab.studies.search.sampling import distributions

OWNER = "actlab study"
"""The attribute of a study in a storage that says which run folder it is the projection of."""

CONNECT_SECONDS = 10
"""How long a server may take to answer."""

_EXTRAS = {
    "MySQLdb": "mysql",
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "pymysql": "mysql",
}


def shared_storage(url: str | None) -> "SharedStorage | None":
    """Return the storage of a URL, None without one; raises ActlabError as SharedStorage does."""
    return None if url is None else SharedStorage(url)


class SharedStorage:
    """An Optuna storage by its URL; raises ActlabError where it cannot be opened."""

    def __init__(self, url: str) -> None:
        address = storage_url(url)
        backend = address.get_backend_name()
        self._shown = address.render_as_string(hide_password=True)
        limit = {"connect_timeout": CONNECT_SECONDS} if backend in ("postgresql", "mysql") else {}
        try:
            self._storage = optuna.storages.RDBStorage(
                address.render_as_string(hide_password=False),
                engine_kwargs={"connect_args": limit, "poolclass": NullPool},
            )
        except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError) as error:
            raise self._refused(error) from None

    def check(self, plan: Plan, environment: Environment | None) -> None:
        """Raise ActlabError where the storage has a study of that name that is another one."""
        try:
            self._study(plan, environment)
        except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
            raise self._refused(error) from None

    def write(self, plan: Plan, environment: Environment, records: Sequence[Record]) -> None:
        """Add the trials of a search that are not there yet, as far as their numbers have no gap.

        Raises SQLAlchemyError or optuna's OptunaError where the server is gone, ActlabError where
        the study there is another one.
        """
        study = self._study(plan, environment)
        if study is None:
            higher = plan.training.measured.higher_is_better
            study = optuna.create_study(
                study_name=plan.name,
                storage=self._storage,
                direction="maximize" if higher else "minimize",
            )
            study.set_user_attr(OWNER, _owner(environment))
        there = len(study.get_trials(deepcopy=False))
        by_number = {record.number: record for record in records}
        while there in by_number:
            study.add_trial(_trial(plan, by_number[there]))
            there += 1

    def _study(self, plan: Plan, environment: Environment | None) -> optuna.Study | None:
        if plan.name not in optuna.get_all_study_names(self._storage):
            return None
        study = optuna.load_study(study_name=plan.name, storage=self._storage)
        if environment is None or study.user_attrs.get(OWNER) != _owner(environment):
            message = _(
                'The storage {url} has another study of the name "{name}". Give the plan another '
                "name."
            )
            raise ActlabError(message.format(url=self._shown, name=plan.name))
        return study

    def _refused(self, error: Exception) -> ActlabError:
        library = getattr(error, "name", None) if isinstance(error, ImportError) else None
        cause = error.__cause__
        if isinstance(cause, ImportError):
            library = cause.name
        if library is not None:
            return missing_extra(library, _EXTRAS.get(library.split(".")[0]))
        message = _("The storage {url} cannot be used: {reason}")
        reason = (str(cause or error).splitlines() or [type(error).__name__])[0]
        return ActlabError(message.format(url=self._shown, reason=reason))


def _owner(environment: Environment) -> str:
    """Return what tells one run folder from another, wherever it is moved."""
    text = f"{environment.started} {environment.fingerprint} {environment.command}"
    return hashlib.sha256(text.encode()).hexdigest()


def _trial(plan: Plan, record: Record) -> FrozenTrial:
    state = STATES[record.outcome]
    return create_trial(
        state=state,
        value=record.valid_metric if state is TrialState.COMPLETE else None,
        params=record.setting.parameters,
        distributions=distributions(plan.space),
        user_attrs={key: getattr(record, key) for key in ATTRIBUTES},
        intermediate_values={n: e.valid_metric for n, e in enumerate(record.curve, start=1)},
    )
