"""What `run` and `resume` share: drive the study, write the report, say where it is."""

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actlab.cli.output import print_json, print_path
from actlab.i18n import _, process_language, translation
from actlab.pages.words import in_metric, setting_words
from actlab.records import (
    Claim,
    Confirmation,
    FinalFigure,
    Plan,
    Record,
    StudyMetric,
    Verdict,
    best_record,
)
from actlab.studies.coverage import coverage_line
from actlab.studies.executors.session import ExecutorFactory
from actlab.studies.interface.driving import bring_to_its_end
from actlab.studies.interface.progress import StudyProgress
from actlab.studies.run_folder import RunFolder
from actlab.text import Formatter, process_formatter

if TYPE_CHECKING:
    from actlab.studies.search.shared_storage import SharedStorage


def finish(
    folder: RunFolder,
    make_executor: ExecutorFactory,
    page_language: str,
    *,
    as_json: bool,
    confirmation: Confirmation | None = None,
    storage: "SharedStorage | None" = None,
) -> None:
    """Drive the study to its end and print the answer, the report's path last."""
    if folder.plan().tasks is not None:
        from actlab.cli.tasks.finish import finish_tasks

        finish_tasks(folder, make_executor, page_language, as_json=as_json)
        return
    command = shlex.join(["actlab", *sys.argv[1:]])
    with StudyProgress(folder) as progress:
        verdict = bring_to_its_end(
            folder,
            command,
            progress,
            make_executor,
            _claims,
            language=page_language,
            confirmation=confirmation,
            storage=storage,
        )
    # What words a verdict is loaded only now: the first trial would wait for it.
    from actlab.studies.confirm.verdict_text import wording
    from actlab.studies.interface.constant import warnings_of
    from actlab.studies.interface.verdicts import verdict_summary
    from actlab.verdicts.text import summary as slot_summary

    if as_json:
        print_json(verdict_summary(folder, _claims, verdict))
        return
    began = folder.environment()
    if began is not None:
        for line in warnings_of(folder.plan(), began, folder.records(), verdict):
            print(line)
    if verdict is not None:
        how = wording(verdict, process_formatter())
        for slot in verdict.slots:
            print(f"{slot.slot}: {slot_summary(slot, how)}")
    else:
        message = _(
            "No verdict: nothing was trained again on other seeds, so the order of these trials "
            "may be chance. Judge them with: actlab study confirm {path}"
        )
        print(message.format(path=folder.path))
    environment = folder.environment()
    if environment is not None:
        parts = [folder.plan().name, environment.precision, environment.device]
        if environment.coverage is not None:
            form = Formatter(translation(process_language()))
            parts.append(coverage_line(environment.coverage, form))
        print(" · ".join(parts))
    for line in _answer(folder):
        print(line)
    print_path(folder.report_path)


def _claims(
    plan: Plan, records: Sequence[Record], verdict: Verdict, words: Formatter
) -> tuple[Claim, ...]:
    """Return the published study's claims as this one judges them."""
    from actlab.case_study.claims import claims

    return claims(plan, records, verdict, words)


def _figures(valid: float, final: FinalFigure, measured: StudyMetric) -> str:
    """Return what the best trial reached, in the metric of the study."""
    if measured.in_percent and final.test_accuracy is not None:
        return _("valid (trial) accuracy {valid}, test accuracy {test}").format(
            valid=in_metric(valid, measured), test=in_metric(final.test_accuracy, measured)
        )
    found = f"{measured.name} {in_metric(valid, measured)}"
    if final.test_score is not None:
        found += ", " + _("on test {test}").format(test=in_metric(final.test_score, measured))
    return found


def _answer(folder: RunFolder) -> list[str]:
    records = folder.records()
    best, final = best_record(records), folder.final()
    if best is None or best.valid_metric is None or final is None:
        return [_("No trial completed; the report says why.")]
    form = process_formatter()
    return [
        _("Best of {count} trials: {activations}, learning rate {rate}").format(
            count=len(records),
            activations=setting_words(best.setting, translation(process_language())),
            rate=form.rate(best.setting.learning_rate),
        ),
        _figures(best.valid_metric, final, folder.plan().training.measured),
    ]
