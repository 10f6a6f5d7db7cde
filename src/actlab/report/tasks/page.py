"""The page of a run of tasks: its rows, then the template, with escaping on."""

from collections.abc import Sequence
from gettext import NullTranslations
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from actlab import i18n
from actlab.report.formatting import NOT_KNOWN, Formatter
from actlab.report.tasks.inputs import TasksData
from actlab.report.tasks.rows import mean, task_rows
from actlab.report.theme import style_variables
from actlab.report.words import outcome_word


def render_tasks(
    data: TasksData, language: str = "en", *, translations: NullTranslations | None = None
) -> str:
    """Return the page in "en" or "ko"; `translations` replaces the messages of the language."""
    messages = i18n.translation(language) if translations is None else translations
    environment = Environment(
        loader=PackageLoader("actlab.report.tasks"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(messages, newstyle=False)  # type: ignore[attr-defined]  # added by the extension
    return environment.get_template("tasks.html").render(_context(data, language, messages))


def write_tasks(
    path: Path,
    data: TasksData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
) -> Path:
    """Write the page beside its place, rename it, and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    text = render_tasks(data, language, translations=translations)
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _context(data: TasksData, language: str, translations: NullTranslations) -> dict[str, Any]:
    form = Formatter(translations)
    return {
        "language": language,
        "data": data,
        "plan": data.plan,
        "form": form,
        "rows": task_rows(data),
        "spread": lambda task, values: _spread(task, values, form),
        "written": form.moment(data.written),
        "outcome_word": lambda outcome: outcome_word(outcome, translations),
        "styles": Markup(style_variables() + _asset("report.css")),
    }


def _spread(task: str, values: Sequence[float], form: Formatter) -> str:
    """Return mean and, of several seeds, lowest and highest."""
    centre = mean(values)
    if centre is None:
        return NOT_KNOWN
    shown = [f"{v:.4f}" if task == "regression" else form.percent(v) for v in _of(values, centre)]
    return shown[0] if len(values) == 1 else f"{shown[0]} ({shown[1]} … {shown[2]})"


def _of(values: Sequence[float], centre: float) -> tuple[float, float, float]:
    return centre, min(values), max(values)


def _asset(name: str) -> str:
    return resources.files("actlab.report").joinpath("assets", name).read_text(encoding="utf-8")
