"""`actlab report` on somebody else's search: what its trials can say and what they cannot."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from actlab.cli.output import print_json
from actlab.errors import ActlabError, writing
from actlab.i18n import _, translation

if TYPE_CHECKING:
    from actlab.records.unreplicated import TrialTable, UnreplicatedSummary


def report_trials(
    path: Path | None,
    storage: str | None,
    study: str | None,
    output: Path | None,
    language: str,
    *,
    as_json: bool,
) -> None:
    """Judge the trials of a CSV file, an Optuna storage or the published study."""
    from actlab.verdicts.unreplicated import summarise_trials

    table = _trials(path, storage, study)
    summary = summarise_trials(table, translation(language))
    if output is not None:
        _write(output, summary, table, language)
    if as_json:
        print_json({"report": str(output) if output else None, **asdict(summary)})
    elif output is not None:
        print(output)
    else:
        _print(summary)


def _write(
    output: Path, summary: "UnreplicatedSummary", table: "TrialTable", language: str
) -> None:
    from actlab.case_study.published_results import is_published
    from actlab.studies.report.trial_pictures import PUBLISHED_ZOOMS
    from actlab.studies.report.unreplicated import write_unreplicated

    zooms = PUBLISHED_ZOOMS if is_published(table) else None
    with writing(output, "-o"):
        write_unreplicated(
            output, summary, table, written=datetime.now(UTC), language=language, zooms=zooms
        )


def _trials(path: Path | None, storage: str | None, study: str | None) -> "TrialTable":
    from actlab.case_study.published_results import PUBLISHED_STUDY, published_trials
    from actlab.studies.search import import_trials

    if path is not None and (storage or study):
        raise ActlabError(_("Give either the path of a study or --storage and --study, not both."))
    if path is not None:
        return import_trials.trials_of_csv(path)
    if storage is None and study == PUBLISHED_STUDY:
        return published_trials()
    if storage is None or study is None:
        message = _(
            "Give the folder of a study, a table of trials (a .csv file), or a study of an Optuna "
            "storage by both --storage URL and --study NAME. The 120 trials of the published "
            "study are: --study published"
        )
        raise ActlabError(message)
    return import_trials.trials_of_storage(storage, study)


def _print(summary: "UnreplicatedSummary") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for found in summary.parameters:
        table = Table(title=found.parameter, box=None)
        expected = _("best expected of {count}").format(count=found.equal_budget)
        for heading in ("", _("trials"), _("completed"), _("best"), _("median"), expected):
            table.add_column(heading)
        for choice in found.choices:
            numbers = (choice.best, choice.median, choice.expected_best)
            cells = ("" if number is None else f"{number:#.4g}" for number in numbers)
            table.add_row(choice.name, str(choice.trials), str(choice.completed), *cells)
        console.print(table)
        console.print()
    for title, sentences in (
        (_("What these trials can say"), summary.can),
        (_("What they cannot say"), summary.cannot),
    ):
        console.print(title, style="bold")
        for sentence in sentences:
            console.print(f"- {sentence}", highlight=False)
