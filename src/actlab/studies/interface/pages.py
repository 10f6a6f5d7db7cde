"""The page of a study, from what its run folder holds."""

import shlex
from datetime import UTC, datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from actlab.checker.reporting.rule_pages import page as rule_page
from actlab.errors import writing
from actlab.i18n import LANGUAGES, translation
from actlab.records import Record, Verdict
from actlab.studies.estimate import confirmation_trainings
from actlab.studies.executors.dispatch import worker_count
from actlab.studies.interface.constant import warnings_of
from actlab.studies.interface.verdicts import ClaimJudge, claims_of, verdict_of
from actlab.studies.report import FindingText, NextStep, ReportData, write
from actlab.studies.run_folder import RunFolder
from actlab.studies.summary import final_of_best

SEEDS = 10
"""With how many seeds a page proposes to confirm a search."""


def write_page(
    folder: RunFolder,
    target: Path,
    language: str,
    claims: ClaimJudge | None = None,
    verdict: Verdict | None = None,
) -> None:
    """Write the page of the study in a run folder to `target`; `verdict` where it is known.

    Raises ActlabError for a study that has not begun, or where `target` cannot be written.
    """
    data = report_data(folder, language, claims, verdict)
    second = next(other for other in LANGUAGES if other != language)
    other = report_data(folder, second, claims, data.verdict)
    with writing(target, "-o"):
        write(target, data, language, other=(second, other))


def report_data(
    folder: RunFolder,
    language: str,
    claims: ClaimJudge | None = None,
    verdict: Verdict | None = None,
) -> ReportData:
    """Return what the page of the study in a run folder shows, in any state of the study.

    Raises RunFolderError for a study that has not begun.
    """
    environment = folder.known_environment()
    records = folder.records()
    verdict = verdict or verdict_of(folder)
    replicates = tuple(r for r in folder.all_records() if r.stage == "confirm")
    return ReportData(
        plan=folder.plan(),
        environment=environment,
        records=(*records, *replicates),
        final=final_of_best(folder, records),
        written=datetime.now(UTC),
        findings=_findings(folder, translation(language)),
        evaluation_order=_evaluation_order(translation(language)),
        verdict=verdict,
        claims=claims_of(folder, verdict, claims, translation(language)),
        next_step=_next_step(folder, records, verdict),
        warnings=warnings_of(folder.plan(), environment, records, verdict),
    )


def _next_step(
    folder: RunFolder, records: tuple[Record, ...], verdict: Verdict | None
) -> NextStep | None:
    """Return the command that goes on from here; None where nothing more would be learnt."""
    plan, path = folder.plan(), shlex.quote(str(folder.path))
    if len(records) < plan.trials:
        left = plan.trials - len(records)
        command = f"actlab study resume {path}"
        return NextStep("resume", command, left, worker_count(plan, left))
    if verdict is None:
        seeds, trainings = SEEDS, confirmation_trainings(plan, SEEDS)
    else:
        more = [
            row.more_seeds for slot in verdict.slots for row in slot.candidates if row.more_seeds
        ]
        if not more and any(
            row.group == "unclear" for slot in verdict.slots for row in slot.candidates
        ):
            more = [verdict.seeds]  # how many would decide cannot be told: as many again
        if not more:
            return None
        names = len({row.setting for slot in verdict.slots for row in slot.candidates})
        seeds = verdict.seeds + min(more)
        trainings = names * min(more)
    command = f"actlab study confirm {path} --seeds {seeds}"
    return NextStep("confirm", command, trainings, worker_count(plan, trainings), seeds)


def _findings(folder: RunFolder, page: NullTranslations) -> tuple[FindingText, ...] | None:
    found = folder.findings()
    if found is None:
        return None
    checked = len(folder.plan().space.rounds)
    return tuple(
        FindingText(
            code=finding["code"],
            severity=finding["severity"],
            message=f"{finding['message']}: {finding['proof']}",
            location=_shown_by(finding, checked, page),
            page=tuple(rule_page(finding["code"]).sections.items()),
        )
        for finding in found
    )


def _shown_by(finding: dict[str, Any], checked: int, page: NullTranslations) -> str:
    _ = page.gettext
    module, seen = finding["location"].get("module") or "", finding["activations"]
    if len(seen) == checked:
        names = _("every activation")
    else:
        names = ", ".join(" / ".join(dict.fromkeys(chosen)) for chosen in seen)
    return _("{module}, with {activations}").format(module=module, activations=names)


def _evaluation_order(page: NullTranslations) -> str:
    _ = page.gettext
    return _(
        "Trials train side by side, one thread each, on data held in memory; max pooling comes "
        "before an activation that never decreases, which gives the same values."
    )
