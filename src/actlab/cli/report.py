"""`actlab report`: write the page of a run folder again, in a language of choice."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from actlab.cli.output import print_json, print_path
from actlab.cli.study.options import Json, Language
from actlab.cli.unreplicated import report_trials
from actlab.errors import unknown_name
from actlab.i18n import LANGUAGES, _, process_language

if TYPE_CHECKING:
    from actlab.studies.run_folder import RunFolder

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE.html", help=_("Where to write the page.")),
]

Source = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR|TRIALS.csv",
        help=_("The folder that actlab study run made, or a table of trials."),
    ),
]
Storage = Annotated[
    str | None, typer.Option(metavar="URL", help=_("The Optuna storage of somebody's study."))
]
StudyName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help=_("Its name in the storage; published: the author's 120 trials.")
    ),
]


def report(
    path: Source = None,
    *,
    storage: Storage = None,
    study: StudyName = None,
    output: Output = None,
    language: Language = None,
    json: Json = False,
) -> None:
    """Draw the page of a finished, running or interrupted study from its records.

    Of a search that has no run folder, say what its trials can say and what they cannot.
    """
    from actlab.studies.run_folder import RunFolder

    page_language = checked_language(language)
    if path is None or storage or study or path.suffix == ".csv":
        report_trials(path, storage, study, output, page_language, as_json=json)
        return
    folder = RunFolder.open(path)
    target = output or folder.report_path
    write_report(folder, target, page_language)
    if json:
        print_json({"report": str(target), "language": page_language})
    else:
        print_path(target)


def checked_language(given: str | None) -> str:
    """Return the page's language; raises UnknownNameError for one that has no translation."""
    if given is None:
        return process_language()
    if given not in LANGUAGES:
        raise unknown_name(_("language"), given, LANGUAGES)
    return given


def write_report(folder: "RunFolder", target: Path, language: str) -> None:
    """Write the page of a run folder, of a study or of a run of tasks, to `target`."""
    if folder.plan().tasks is not None:
        from actlab.case_study.claim_rows import claims_of, published_results
        from actlab.i18n import translation
        from actlab.studies.tasks.page_data import write_tasks_report

        claims_by_protocol = claims_of(folder, translation(language))
        published = published_results(folder.plan())
        write_tasks_report(folder, target, language, claims_by_protocol, published)
        return
    from actlab.case_study.claims import claims
    from actlab.studies.interface.pages import write_page

    write_page(folder, target, language, claims)
