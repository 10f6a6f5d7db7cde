"""The page on a search without replicates: pictures, budgets, what it can and cannot say."""

from datetime import datetime
from gettext import NullTranslations
from pathlib import Path

from actlab import i18n
from actlab.files import write_text
from actlab.pages.kit import render_page
from actlab.records.unreplicated import TrialTable, UnreplicatedSummary
from actlab.studies.report.trial_pictures import Zooms, trial_pictures
from actlab.text import NO_BREAK, NOT_KNOWN, Formatter


def render_unreplicated(
    summary: UnreplicatedSummary,
    table: TrialTable,
    *,
    written: datetime,
    language: str = "en",
    zooms: Zooms | None = None,
    translations: NullTranslations | None = None,
) -> str:
    """Return the page in "en" or "ko"; the sentences of the summary stay as they are.

    `zooms` are parts of the pictures to offer besides a close-up and the whole.
    """
    messages = i18n.translation(language) if translations is None else translations
    form = Formatter(messages, NO_BREAK)
    values = {
        "summary": summary,
        "shown": lambda value: _shown(value, summary, form),
        "written": form.moment(written),
    }
    return render_page(
        "unreplicated.html",
        ("actlab.studies.report",),
        language,
        messages,
        values,
        scripts=("kit.js", "chart.js", "tabs.js", "figures.js", "save.js"),
        figures={figure.name: figure for figure in trial_pictures(table, form, zooms)},
    )


def _shown(value: float | None, summary: UnreplicatedSummary, form: Formatter) -> str:
    if value is None:
        return NOT_KNOWN
    return form.percent(value) if summary.is_accuracy else f"{value:#.4g}"


def write_unreplicated(
    path: Path,
    summary: UnreplicatedSummary,
    table: TrialTable,
    *,
    written: datetime,
    language: str,
    zooms: Zooms | None = None,
) -> Path:
    """Write the page in one step and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    page = render_unreplicated(summary, table, written=written, language=language, zooms=zooms)
    return write_text(path, page)
