"""From a run folder to its verdict: reads the records, hands them over, writes what came out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from gettext import NullTranslations
from typing import Any

from actlab.files import write_bytes
from actlab.i18n import process_language, translation
from actlab.records import FORMAT_VERSION, Claim, Plan, Record, Verdict, jsonable
from actlab.studies.confirm.candidate_settings import chance_level, chosen_settings
from actlab.studies.confirm.replicates import stopped_early
from actlab.studies.interface.costs import known_costs, measure_costs
from actlab.studies.interface.stopping import stopping_rule
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.importance import importance
from actlab.studies.summary import summary
from actlab.studies.trials import rows_overlap
from actlab.text import Formatter
from actlab.verdicts import Beside, Replication, document, judge

ClaimJudge = Callable[[Plan, Sequence[Record], Verdict, Formatter], tuple[Claim, ...]]
"""Judges somebody's claims by a study: its plan, its records and its verdict."""


def verdict_of(
    folder: RunFolder,
    translations: NullTranslations | None = None,
    claims: ClaimJudge | None = None,
) -> Verdict | None:
    """Return what the replicates in a run folder support; None before there is one.

    Sentences are in the language of `translations`, without them in that of the process.
    """
    told = replication_of(folder)
    if not any(record.stage == "confirm" for record in told.records):
        return None
    plan = folder.plan()
    language = translations or translation(process_language())
    verdict = judge(
        plan,
        told,
        margin=plan.margin,
        beside=Beside(
            costs=known_costs(folder), importance=importance(plan, told.records, told.chance)
        ),
        translations=language,
    )
    if claims is None:
        return verdict
    return replace(verdict, claims=claims(plan, told.records, verdict, Formatter(language)))


def replication_of(folder: RunFolder) -> Replication:
    """Return what a run folder holds for its verdict: records, chosen settings, test figures."""
    plan = folder.plan()
    return Replication(
        records=folder.all_records(),
        chosen=chosen_settings(folder),
        chance=chance_level(folder),
        train_rows=plan.data.splits.train,
        evaluation_rows=plan.data.splits.valid_trial,
        rows_overlap=rows_overlap(plan, folder.environment()),
        test_accuracies={
            final.identity: final.test_accuracy for final in folder.replicate_finals()
        },
        stopped=stopped_early(folder, stopping_rule(folder)),
    )


def judged_summary(folder: RunFolder, claims: ClaimJudge | None = None) -> dict[str, Any]:
    """Return the document of `actlab study show --json`, the verdict included."""
    verdict = verdict_of(folder, claims=claims)
    return {**summary(folder), "verdict": document(verdict) if verdict else None}


def write_verdict(folder: RunFolder, claims: ClaimJudge | None = None) -> Verdict | None:
    """Judge the replicates and write `verdict.json`; None, and no file, where there are none."""
    if not any(record.stage == "confirm" for record in folder.all_records()):
        return None
    measure_costs(folder)
    verdict = verdict_of(folder, claims=claims)
    if verdict is not None:
        _write(folder, verdict)
    return verdict


def _write(folder: RunFolder, verdict: Verdict) -> None:
    plain = jsonable({"format_version": FORMAT_VERSION, **document(verdict)})
    text = json.dumps(plain, allow_nan=False, ensure_ascii=False, indent=2)
    write_bytes(folder.verdict_path, text.encode() + b"\n")
