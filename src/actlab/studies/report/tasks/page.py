"""The page of a run of tasks: its rows, then the figures, then the template, with escaping on."""

import math
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path

from actlab import i18n
from actlab.files import write_text
from actlab.pages.kit import render_page
from actlab.pages.words import outcome_word
from actlab.records import Claim, ClaimOutcome
from actlab.studies.report.tasks.figures import galleries
from actlab.studies.report.tasks.rows import (
    Spread,
    TasksData,
    layer_label,
    setting_label,
    task_rows,
)
from actlab.studies.report.verdict.context import ClaimLook, claim_looks
from actlab.text import NO_BREAK, NOT_KNOWN, Formatter


@dataclass(frozen=True)
class ProtocolClaims:
    """The claims under one protocol, as the template of claims reads them."""

    protocol: str
    found: tuple[Claim, ...]
    outcomes: dict[ClaimOutcome, ClaimLook]

    def claims(self) -> tuple[Claim, ...]:
        """Return the claims by number."""
        return tuple(sorted(self.found, key=lambda claim: claim.number))


def render_tasks(
    data: TasksData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the page in "en" or "ko"; `translations` replaces the messages of the language."""
    messages = i18n.translation(language) if translations is None else translations
    form = Formatter(messages, NO_BREAK)
    rows = task_rows(data)
    drawn = galleries(data, rows, form)
    looks = claim_looks(form)
    values = {
        "data": data,
        "plan": data.plan,
        "form": form,
        "rows": rows,
        "protocols": _protocols(data),
        "galleries": drawn,
        "claims": [ProtocolClaims(name, found, looks) for name, found in data.claims.items()],
        "layer_label": lambda layer: layer_label(layer, form),
        "setting_label": lambda setting: setting_label(setting, form),
        "figure": lambda task, value: _figure(task, value, form),
        "interval": lambda task, spread: _interval(task, spread, form),
        "written": form.moment(data.written),
        "outcome_word": lambda outcome: outcome_word(outcome, messages),
    }
    return render_page(
        "tasks.html",
        ("actlab.studies.report.tasks", "actlab.studies.report"),
        language,
        messages,
        values,
        styles=("report.css", "verdict.css"),
        scripts=("kit.js", "chart.js", "figures.js", "save.js"),
        figures={
            figure.name: figure
            for found in drawn.values()
            for gallery in found
            for row in gallery.rows
            for figure in row
        },
    )


def write_tasks(
    path: Path,
    data: TasksData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
) -> Path:
    """Write the page in one step and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    return write_text(path, render_tasks(data, language, translations=translations))


def _protocols(data: TasksData) -> list[str]:
    assert data.plan.tasks is not None, "the page is that of a run of tasks"
    return list(dict.fromkeys(setting.protocol for setting in data.plan.tasks.settings))


def _figure(task: str, value: float | None, form: Formatter) -> str:
    """Write a metric: an error with four decimals, an accuracy in percent."""
    if value is None:
        return NOT_KNOWN
    if task != "regression":
        return form.percent(value)
    return form.loss(value)


def _interval(task: str, spread: Spread, form: Formatter) -> str:
    """Write an interval; no accuracy lies outside 0 to 1, no error below 0."""
    if spread.low is None or spread.high is None:
        return ""
    highest = math.inf if task == "regression" else 1.0
    ends = (max(spread.low, 0.0), min(spread.high, highest))
    return " … ".join(_figure(task, end, form) for end in ends)
