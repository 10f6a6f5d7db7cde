"""A study in a run folder, from wherever it stands to its verdict."""

from typing import Protocol as Interface

from actlab.errors import ActlabError
from actlab.records import Confirmation, Record, Stage, Verdict
from actlab.studies.confirm.confirmation import ask_for, confirm
from actlab.studies.confirm.stopping import stopping_rule
from actlab.studies.executors.session import ExecutorFactory
from actlab.studies.interface.pages import write_page
from actlab.studies.interface.self_check import self_checking
from actlab.studies.interface.verdicts import ClaimJudge, write_verdict
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.search import run_search


class Observer(Interface):
    """Somebody who wants to know how a study goes on."""

    def on_records(self, records: tuple[Record, ...], planned: int) -> None:
        """Take the records of the search so far."""

    def on_replicates(self, stage: Stage, done: int, planned: int) -> None:
        """Take how many trainings of a stage of the confirmation are done."""


def bring_to_its_end(
    folder: RunFolder,
    command: str,
    observer: Observer,
    make_executor: ExecutorFactory,
    claims: ClaimJudge | None = None,
    *,
    language: str,
    confirmation: Confirmation | None = None,
) -> Verdict | None:
    """Check, search, confirm where that was asked for, judge, draw; return the verdict if any.

    `confirmation` is asked for first, whether the search is done or not; `language` is the page's.
    All of it happens under one lock. A folder that was made for the study, and in which nothing
    could begin, is removed again. Raises ActlabError where data, device or folder are not what they
    must be; KeyboardInterrupt passes through with every record kept.
    """
    with folder.locked():
        try:
            if confirmation is not None:
                ask_for(folder, confirmation)
            with self_checking(folder, make_executor):
                run_search(folder, command, observer, make_executor)
                confirm(folder, command, observer, make_executor, stopping_rule(folder))
        except ActlabError:
            folder.discard_if_unused()
            raise
        verdict = write_verdict(folder, claims)
        write_page(folder, folder.report_path, language, claims, verdict)
        return verdict
