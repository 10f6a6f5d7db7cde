"""Writing the page: beside its place first, then renamed, so that no reader sees half of it."""

from gettext import NullTranslations
from pathlib import Path

from actlab.report.inputs import ReportData
from actlab.report.page import render


def write(
    path: Path,
    data: ReportData,
    language: str = "en",
    *,
    translations: NullTranslations | None = None,
) -> Path:
    """Write the report of a study to `path` and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    text = render(data, language, translations=translations)
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
