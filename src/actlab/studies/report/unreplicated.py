"""The page on a search without replicates: budgets, what its trials can and cannot say."""

from datetime import datetime
from gettext import NullTranslations
from pathlib import Path

from actlab import i18n
from actlab.files import write_text
from actlab.pages.kit import render_page
from actlab.records.unreplicated import UnreplicatedSummary
from actlab.text import NOT_KNOWN, Formatter


def render_unreplicated(
    summary: UnreplicatedSummary,
    *,
    written: datetime,
    language: str = "en",
    translations: NullTranslations | None = None,
) -> str:
    """Return the page in "en" or "ko"; the sentences of the summary stay as they are."""
    messages = i18n.translation(language) if translations is None else translations
    values = {
        "summary": summary,
        "shown": lambda value: NOT_KNOWN if value is None else f"{value:#.4g}",
        "written": Formatter(messages).moment(written),
    }
    return render_page("unreplicated.html", ("actlab.studies.report",), language, messages, values)


def write_unreplicated(
    path: Path, summary: UnreplicatedSummary, *, written: datetime, language: str
) -> Path:
    """Write the page in one step and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    return write_text(path, render_unreplicated(summary, written=written, language=language))
