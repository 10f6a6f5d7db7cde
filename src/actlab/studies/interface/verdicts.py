"""From a run folder to its verdict: reads the records, hands them over, writes what came out."""

import json
from collections.abc import Callable, Sequence
from gettext import NullTranslations
from typing import Any

from actlab.errors import RunFolderError
from actlab.files import parse_json, read_regular
from actlab.i18n import _, process_language, translation
from actlab.records import (
    FORMAT_VERSION,
    Claim,
    Metric,
    Plan,
    Record,
    ScoreVerdict,
    Verdict,
    best_record,
    jsonable,
)
from actlab.studies.confirm.candidate_settings import chance_level, chosen_settings
from actlab.studies.confirm.judging import ExtraInputs, judge
from actlab.studies.confirm.replicates import stopped_early
from actlab.studies.confirm.replication import Replication
from actlab.studies.confirm.stopping import stopping_rule
from actlab.studies.confirm.verdict_text import document
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
    return judge(plan, replication, margin=margin_of(plan, replication), extra=extra)


def margin_of(plan: Plan, replication: Replication) -> float:
    """Return the largest difference that does not matter.

    Of a score without bounds for which nobody chose one, half a percent of the search's best.
    """
    if plan.training.measured.perfect is not None or plan.margin != Plan.margin:
        return plan.margin
    best = best_record(tuple(r for r in replication.records if r.stage == "search"))
    size = abs(best.valid_metric or 0.0) if best is not None else 0.0
    return plan.margin * size or plan.margin


def score_verdicts(folder: RunFolder) -> dict[str, ScoreVerdict]:
    """Return the verdict of every slot as one on scores; none before there are replicates."""
    verdict = verdict_of(folder)
    if verdict is None:
        return {}
    return {
        slot.slot: ScoreVerdict(
            source=f"{folder.path}: {slot.slot}",
            metric=verdict.metric or Metric("valid_trial_accuracy", True, verdict.margin, True),
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
        measured=plan.training.measured,
        train_rows=plan.data.splits.train,
        evaluation_rows=plan.data.splits.valid_trial,
        rows_overlap=rows_overlap(plan, folder.environment()),
        test_accuracies={
            final.identity: found
            for final in folder.replicate_finals()
            for found in (final.test_accuracy, final.test_score)
            if found is not None
        },
        stopped=stopped_early(folder, stopping_rule(folder)),
    )


def verdict_summary(
    folder: RunFolder, claims: ClaimJudge | None = None, verdict: Verdict | None = None
) -> dict[str, Any]:
    """Return the document of `actlab study show --json`; `verdict` where it is known."""
    verdict = verdict or verdict_of(folder)
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
        folder.write_file(folder.verdict_path, text.encode() + b"\n")
    return verdict


def _document(folder: RunFolder, verdict: Verdict, claims: ClaimJudge | None) -> dict[str, Any]:
    translations = translation(process_language())
    return document(verdict, claims_of(folder, verdict, claims, translations), translations)


def measure_costs(folder: RunFolder) -> None:
    """Measure the time of every activation relative to a copy, unless that was done before."""
    from actlab.activations import facts
    from actlab.networks.candidate_names import is_code, of_catalogue

    if folder.costs_path.exists():
        return
    lists = folder.plan().space.by_slot.values()
    functions = {name: of_catalogue(name) for names in lists for name in names if not is_code(name)}
    found = {
        name: facts.cost(function).forward_ratio
        for name, function in functions.items()
        if function is not None and function.kind == "scalar"
    }
    folder.write_file(folder.costs_path, json.dumps(found, indent=2).encode() + b"\n")


def known_costs(folder: RunFolder) -> dict[str, float]:
    """Return the costs by activation; none before they were measured."""
    if not folder.costs_path.exists():
        return {}
    try:
        found = parse_json(read_regular(folder.costs_path))
        return {str(name): float(cost) for name, cost in found.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        message = _("{path} is not what actlab wrote: the file has been altered. Delete it.")
        raise RunFolderError(message.format(path=folder.costs_path)) from None
