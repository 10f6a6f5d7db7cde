"""The page of a verdict on scores: one offline file that judges again what is dropped on it."""

from collections.abc import Mapping
from typing import Any

from actlab.errors import VerdictError
from actlab.i18n import _, translation
from actlab.pages.kit import render_page
from actlab.pages.words import group_words
from actlab.records import ScoreVerdict
from actlab.stats.multiplicity import quadrature
from actlab.verdicts.document import method_line, metric_line, notices_of, wording_of
from actlab.verdicts.judge import Judged
from actlab.verdicts.runs import CANDIDATE_NAMES, SCORE_NAMES, SEED_NAMES
from actlab.verdicts.scores import Scores
from actlab.verdicts.text import remarks, summary

MOST_SCORES = 200_000
"""A page holds all scores; more than these make no page."""


def render_scores(judged: Judged, language: str) -> str:
    """Return the page of a verdict with its scores, in a language.

    Raises VerdictError for a table of more than 200,000 scores, and for one run per candidate and
    block, which the page's t tests within a block cannot judge.
    """
    if judged.verdict.overall.unit == "blocks" and not judged.verdict.blocks:
        message = _(
            "The page compares within blocks, and {source} has one run per candidate in each. Take "
            "--format markdown, latex or json."
        )
        raise VerdictError(message.format(source=judged.verdict.source))
    verdict, count = judged.verdict, sum(table.values.size for table in judged.tables.values())
    if count > MOST_SCORES:
        message = _("A page holds at most {most} scores; the table has {count}.")
        raise VerdictError(message.format(most=f"{MOST_SCORES:,}", count=f"{count:,}"))
    messages = translation(language)
    wording = wording_of(verdict, messages)
    lines = (metric_line(verdict, wording), method_line(verdict, wording))
    values = {
        "title": messages.gettext("Verdict on scores"),
        "source": verdict.source,
        "margin": f"{verdict.metric.margin:.12g}",
        "answer": summary(verdict.overall, wording),
        "lines": (*remarks(verdict.overall, wording), *lines, *notices_of(verdict, wording)),
    }
    return render_page(
        "scores.html",
        ("actlab.verdicts",),
        language,
        messages,
        values,
        styles=("report.css", "verdict.css", "scores.css"),
        scripts=("rule.js", "scores.js"),
        data={"scores": _data(judged, verdict, language)},
    )


def rule_inputs() -> dict[str, list[float]]:
    """Return the nodes and weights that the page integrates by, as Python does."""
    nodes, weights = quadrature()
    return {"nodes": nodes.tolist(), "weights": weights.tolist()}


def table_data(table: Scores) -> dict[str, Any]:
    """Return a table as the page's script has it: null for a run that failed, or was not."""
    trained = table.trained
    return {
        "candidates": list(table.candidates),
        "values": [
            [float(value) if ok else None for value, ok in zip(row, oks, strict=True)]
            for row, oks in zip(table.values, trained, strict=True)
        ],
        "ran": table.ran.tolist(),
        "paired": table.paired,
    }


def _data(judged: Judged, verdict: ScoreVerdict, language: str) -> Mapping[str, Any]:
    messages = translation(language)
    gettext = messages.gettext
    limits = judged.question.limits if judged.question.resolution is not None else None
    return {
        "tables": {name: table_data(table) for name, table in judged.tables.items()},
        "higherIsBetter": verdict.metric.higher_is_better,
        "baseline": verdict.baseline,
        "resolution": judged.question.resolution,
        "limits": list(limits) if limits else None,
        "quadrature": rule_inputs(),
        "groups": group_words(messages),
        "names": {"candidate": CANDIDATE_NAMES, "seed": SEED_NAMES, "score": SCORE_NAMES},
        "words": {
            "best": gettext("the best"),
            "noTable": gettext("This is no table with a line per run."),
            "noNumber": gettext("A score is a number; this is none: {given}"),
            "oneCandidate": gettext("To compare takes two candidates."),
            "noColumns": gettext("Choose the columns of candidate and score."),
            "twoScores": gettext("{candidate} has two scores with seed {seed}."),
        },
    }
