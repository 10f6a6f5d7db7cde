"""The page of a study, from what its run folder holds."""

from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from actlab.errors import ActlabError, writing
from actlab.i18n import _, translation
from actlab.studies.interface.self_check import pairs
from actlab.studies.interface.verdicts import ClaimJudge, claims_of, verdict_of
from actlab.studies.report import FindingText, ReportData, write
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best


def write_page(
    folder: RunFolder, target: Path, language: str, claims: ClaimJudge | None = None
) -> None:
    """Write the page of the study in a run folder to `target`.

    Raises ActlabError for a study that has not begun, or where `target` cannot be written.
    """
    environment = folder.environment()
    if environment is None:
        message = _("The study in {path} has not begun to train; there is nothing to draw yet.")
        raise ActlabError(message.format(path=folder.path))
    records = folder.records()
    verdict = verdict_of(folder)
    replicates = tuple(r for r in folder.all_records() if r.stage == "confirm")
    data = ReportData(
        plan=folder.plan(),
        environment=environment,
        records=(*records, *replicates),
        final=final_of_best(folder, records),
        written=datetime.now(UTC),
        findings=_findings(folder, translation(language)),
        evaluation_order=_evaluation_order(translation(language)),
        verdict=verdict,
        claims=claims_of(folder, verdict, claims, translation(language)),
    )
    with writing(target, "-o"):
        write(target, data, language)


def _findings(folder: RunFolder, page: NullTranslations) -> tuple[FindingText, ...] | None:
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
