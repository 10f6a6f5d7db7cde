"""The page on somebody's search: tables of budgets and sentences, with escaping on."""

from datetime import datetime
from gettext import NullTranslations
from importlib import resources
from pathlib import Path

from markupsafe import Markup

from actlab import i18n
from actlab.files import write_text
from actlab.pages.templating import environment
from actlab.pages.theme import style_variables
from actlab.records.judgement import Judgement
from actlab.text import NOT_KNOWN, Formatter


def render_judged(
    judgement: Judgement,
    *,
    written: datetime,
    language: str = "en",
    translations: NullTranslations | None = None,
) -> str:
    """Return the page in "en" or "ko"; the sentences of the judgement stay as they are."""
    messages = i18n.translation(language) if translations is None else translations
    templates = environment(messages, "actlab.studies.report.unreplicated", "actlab.pages")
    css = resources.files("actlab.pages").joinpath("assets", "report.css")
    return templates.get_template("judged.html").render(
        language=language,
        judged=judgement,
        shown=lambda value: NOT_KNOWN if value is None else f"{value:#.4g}",
        written=Formatter(messages).moment(written),
        styles=Markup(style_variables() + css.read_text(encoding="utf-8")),
    )


def write_judged(path: Path, judgement: Judgement, *, written: datetime, language: str) -> Path:
    """Write the page beside its place, rename it, and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    return write_text(path, render_judged(judgement, written=written, language=language))
