"""Writing the page: beside its place first, then renamed, so that no reader sees half of it."""

from gettext import NullTranslations
from pathlib import Path

from actlab.files import write_text
from actlab.studies.report.inputs import ReportData
from actlab.studies.report.page import render


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
    return write_text(path, text)
