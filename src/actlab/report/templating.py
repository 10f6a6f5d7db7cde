"""What all pages share: templates with escaping on, and a file that is whole or not there."""

from gettext import NullTranslations
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def environment(messages: NullTranslations, *packages: str) -> Environment:
    """Return the templates of `packages`, looked for in that order, in a page's language.

    Values are escaped, and a name that a template misspells is an error.
    """
    found = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    found.install_gettext_translations(messages, newstyle=False)  # type: ignore[attr-defined]  # added by the extension
    return found


def write_text(path: Path, text: str) -> Path:
    """Write a page beside its place, rename it, and return the path.

    Raises OSError where the folder is missing or cannot be written.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
