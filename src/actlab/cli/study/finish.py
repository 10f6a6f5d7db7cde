"""What `run` and `resume` share: drive the study, write the report, say where it is."""

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actlab.cli.interrupts import stop_on_signals
from actlab.cli.output import print_json, say
from actlab.i18n import _
from actlab.records import Claim, Confirmation, Plan, Record, Verdict, best_record
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
    stop_on_signals()
    command = shlex.join(["actlab", *sys.argv[1:]])
    try:
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
    except KeyboardInterrupt:
        _say_interrupted(folder)
        raise
    # What words a verdict is loaded only now: the first trial would wait for it.
    from actlab.studies.confirm.verdict_text import wording
    from actlab.studies.interface.verdicts import verdict_summary
    from actlab.verdicts.text import summary as slot_summary

    if as_json:
        print_json(verdict_summary(folder, _claims, verdict))
        return
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
        print(f"{folder.plan().name} · {environment.precision} · {environment.device}")
    for line in _answer(folder):
        print(line)
    print(folder.report_path)


def _claims(
    plan: Plan, records: Sequence[Record], verdict: Verdict, words: Formatter
) -> tuple[Claim, ...]:
    """Return the published study's claims as this one judges them."""
    from actlab.case_study.claims import claims

    return claims(plan, records, verdict, words)


def _say_interrupted(folder: RunFolder) -> None:
    done, planned = len(folder.records()), folder.plan().trials
    again = len(folder.all_records()) - done
    if again:
        message = _(
            "Interrupted: {count} trainings of the confirmation are done and kept. "
            "Go on with: actlab study resume {path}"
        )
        say(message.format(count=again, path=folder.path))
        return
    say(
        _(
            "Interrupted: {done} of {planned} trials are done and kept. "
            "Go on with: actlab study resume {path}"
        ).format(done=done, planned=planned, path=folder.path)
    )


def _answer(folder: RunFolder) -> list[str]:
    records = folder.records()
    best, final = best_record(records), folder.final()
    if best is None or best.valid_accuracy is None or final is None:
        return [_("No trial completed; the report says why.")]
    form = process_formatter()
    return [
        _("Best of {count} trials: conv {conv}, fc {fc}, learning rate {rate}").format(
            count=len(records),
            conv=best.setting.conv_activation,
            fc=best.setting.fc_activation,
            rate=form.rate(best.setting.learning_rate),
        ),
        _("valid (trial) accuracy {valid}, test accuracy {test}").format(
            valid=form.percent(best.valid_accuracy), test=form.percent(final.test_accuracy)
        ),
    ]
