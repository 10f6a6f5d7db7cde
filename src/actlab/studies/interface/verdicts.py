"""From a run folder to its verdict: reads the records, hands them over, writes what came out."""

import json
from collections.abc import Callable, Sequence
from gettext import NullTranslations
from typing import Any

from actlab.files import write_bytes
from actlab.i18n import process_language, translation
from actlab.records import (
    FORMAT_VERSION,
    Claim,
    Metric,
    Plan,
    Record,
    ScoreVerdict,
    Verdict,
    jsonable,
)
from actlab.studies.confirm.candidate_settings import chance_level, chosen_settings
from actlab.studies.confirm.judging import ExtraInputs, judge
from actlab.studies.confirm.replicates import stopped_early
from actlab.studies.confirm.replication import Replication
from actlab.studies.confirm.verdict_text import document
from actlab.studies.interface.costs import known_costs, measure_costs
from actlab.studies.interface.stopping import stopping_rule
from actlab.studies.run_folder import RunFolder
from actlab.studies.search.importance import importance
from actlab.studies.summary import summary
from actlab.studies.trials import rows_overlap
from actlab.text import Formatter

ClaimJudge = Callable[[Plan, Sequence[Record], Verdict, Formatter], tuple[Claim, ...]]
"""Judges somebody's claims by a study: its plan, its records and its verdict."""


def verdict_of(folder: RunFolder) -> Verdict | None:
    """Return what the replicates in a run folder support; None before there is one."""
    replication = replication_of(folder)
    if not any(record.stage == "confirm" for record in replication.records):
        return None
    plan = folder.plan()
    extra = ExtraInputs(
        costs=known_costs(folder),
        importance=importance(plan, replication.records, replication.chance),
    )
    return judge(plan, replication, margin=plan.margin, extra=extra)


def score_verdicts(folder: RunFolder) -> dict[str, ScoreVerdict]:
    """Return the verdict of every slot as one on scores; none before there are replicates."""
    verdict = verdict_of(folder)
    if verdict is None:
        return {}
    return {
        slot.slot: ScoreVerdict(
            source=f"{folder.path}: {slot.slot}",
            metric=Metric("valid_trial_accuracy", True, verdict.margin, in_percent=True),
            pairing="paired",
            overall=slot,
        )
        for slot in verdict.slots
    }


def claims_of(
    folder: RunFolder,
    verdict: Verdict | None,
    claims: ClaimJudge | None,
    translations: NullTranslations | None = None,
) -> tuple[Claim, ...]:
    """Return the claims as judged by a study, in the language of `translations` or the process."""
    if claims is None or verdict is None:
        return ()
    words = Formatter(translations or translation(process_language()))
    return claims(folder.plan(), folder.all_records(), verdict, words)


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


def verdict_summary(folder: RunFolder, claims: ClaimJudge | None = None) -> dict[str, Any]:
    """Return the document of `actlab study show --json`, the verdict included."""
    verdict = verdict_of(folder)
    return {**summary(folder), "verdict": _document(folder, verdict, claims) if verdict else None}


def write_verdict(folder: RunFolder, claims: ClaimJudge | None = None) -> Verdict | None:
    """Judge the replicates and write `verdict.json`; None, and no file, where there are none."""
    if not any(record.stage == "confirm" for record in folder.all_records()):
        return None
    measure_costs(folder)
    verdict = verdict_of(folder)
    if verdict is not None:
        found = {"format_version": FORMAT_VERSION, **_document(folder, verdict, claims)}
        text = json.dumps(jsonable(found), allow_nan=False, ensure_ascii=False, indent=2)
        write_bytes(folder.verdict_path, text.encode() + b"\n")
    return verdict


def _document(folder: RunFolder, verdict: Verdict, claims: ClaimJudge | None) -> dict[str, Any]:
    translations = translation(process_language())
    return document(verdict, claims_of(folder, verdict, claims, translations), translations)
