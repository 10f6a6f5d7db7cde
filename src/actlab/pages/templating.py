"""What all pages share: templates with escaping on, and a file that is whole or not there."""

from gettext import NullTranslations

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
