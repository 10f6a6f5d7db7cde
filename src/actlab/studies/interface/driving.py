"""A study in a run folder, from wherever it stands to its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol as Interface

from actlab.errors import ActlabError
from actlab.records import Confirmation, Record, Stage, Verdict
from actlab.studies.confirm.confirmation import ask_for, confirm
from actlab.studies.confirm.stopping import stopping_rule
from actlab.studies.interface.self_check import self_checking
from actlab.studies.search.search import run_search
from actlab.studies.worker.live_progress import live_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from actlab.studies.executors.session import ExecutorFactory
    from actlab.studies.interface.verdicts import ClaimJudge
    from actlab.studies.run_folder import RunFolder
    from actlab.studies.search.shared_storage import SharedStorage


class Observer(Interface):
    """Somebody who wants to know how a study goes on."""

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Take the records of the search so far."""

    def on_replicates(self, stage: Stage, done: int, planned: int) -> None:
        """Take how many trainings of a stage of the confirmation are done."""


class _Begun:
    """Begins the check of the study with its first trials, so that these do not wait for it."""

    def __init__(self, observer: Observer, begin: Callable[[], None]) -> None:
        self._observer, self._begin = observer, begin

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Take the records of the search so far."""
        self._begin()
        self._observer.on_records(records, planned)


def bring_to_its_end(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory,
    claims: ClaimJudge | None = None,
    *,
    language: str,
    confirmation: Confirmation | None = None,
    storage: SharedStorage | None = None,
) -> Verdict | None:
    """Check, search, confirm where that was asked for, judge, draw; return the verdict if any.

    `confirmation` is asked for first, whether the search is done or not; `language` is the page's;
    trials of the search go to `storage` as well.
    All of it happens under one lock. A folder that was made for the study, and in which nothing
    could begin, is removed again. Raises ActlabError where data, device or folder are not what they
    must be; KeyboardInterrupt passes through with every record kept.
    """
    with folder.locked():
        try:
            if confirmation is not None:
                ask_for(folder, confirmation)
            with (
                live_progress(folder.progress_path),
                self_checking(folder, make_executor) as begin_check,
            ):
                run_search(folder, command, _Begun(observer, begin_check), make_executor, storage)
                confirm(folder, command, observer, make_executor, stopping_rule(folder))
        except ActlabError:
            folder.discard_if_unused()
            raise
        # What draws and judges is loaded only now: the first trial would wait for it.
        from actlab.studies.interface.pages import write_page
        from actlab.studies.interface.verdicts import write_verdict

        verdict = write_verdict(folder, claims)
        write_page(folder, folder.report_path, language, claims, verdict)
        return verdict
