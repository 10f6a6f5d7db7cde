"""`actlab report`: write the page of a run folder again, in a language of choice."""

from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actlab.cli.judged import report_trials
from actlab.cli.output import print_json
from actlab.cli.study.options import Json, Language
from actlab.errors import ActlabError, unknown_name
from actlab.i18n import LANGUAGES, _, process_language, translation

if TYPE_CHECKING:
    from actlab.report import FindingText
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
        print(target)


def checked_language(given: str | None) -> str:
    """Return the page's language; raises UnknownNameError for one that has no translation."""
    if given is None:
        return process_language()
    if given not in LANGUAGES:
        raise unknown_name(_("language"), given, LANGUAGES)
    return given


def write_report(folder: "RunFolder", target: Path, language: str) -> None:
    """Write the page of a run folder to `target`."""
    if folder.plan().tasks is not None:
        from actlab.cli.tasks.page import write_tasks_report

        write_tasks_report(folder, target, language)
        return
    from actlab.cli.study.verdicts import verdict_of
    from actlab.report import ReportData, write
    from actlab.studies.summary import final_of_best, told_records

    environment = folder.environment()
    if environment is None:
        message = _("The study in {path} has not begun to train; there is nothing to draw yet.")
        raise ActlabError(message.format(path=folder.path))
    records = told_records(folder)
    replicates = tuple(r for r in folder.all_records() if r.stage == "confirm")
    data = ReportData(
        plan=folder.plan(),
        environment=environment,
        records=(*records, *replicates),
        final=final_of_best(folder, records),
        written=datetime.now(UTC),
        findings=_findings(folder, translation(language)),
        evaluation_order=_evaluation_order(translation(language)),
        verdict=verdict_of(folder, translation(language)),
    )
    try:
        write(target, data, language)
    except OSError as error:
        message = _("The page {path} cannot be written: {reason}. Choose another -o.")
        raise ActlabError(message.format(path=target, reason=error.strerror)) from None


def _findings(folder: "RunFolder", page: NullTranslations) -> "tuple[FindingText, ...] | None":
    from actlab.cli.study.self_check import pairs
    from actlab.report import FindingText

    found = folder.findings()
    if found is None:
        return None
    checked = len(pairs(folder.plan().space))
    return tuple(
        FindingText(
            code=finding["code"],
            severity=finding["severity"],
            message=f"{finding['message']}: {finding['proof']}",
            location=_shown_by(finding, checked, page),
        )
        for finding in found
    )


def _shown_by(finding: dict[str, Any], checked: int, page: NullTranslations) -> str:
    _ = page.gettext
    module, seen = finding["location"].get("module") or "", finding["activations"]
    if len(seen) == checked:
        names = _("every activation")
    else:
        names = ", ".join(conv if conv == fc else f"{conv} / {fc}" for conv, fc in seen)
    return _("{module}, with {activations}").format(module=module, activations=names)


def _evaluation_order(page: NullTranslations) -> str:
    _ = page.gettext
    return _(
        "Trials train side by side, one thread each, on data held in memory; max pooling comes "
        "before an activation that never decreases, which gives the same values."
    )
