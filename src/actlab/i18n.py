"""Messages in English and Korean, through gettext.

`_` translates into the language of the process; a page that is asked for in a language of its own
takes `translation(language).gettext`. A text that is defined once and shown later (a rule's
message) is marked with `N_` where it is defined and translated where it is shown.
"""

import gettext as _gettext
import os
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ko")

_LOCALE_FOLDER = Path(__file__).parent / "locale"


def process_language() -> str:
    """Return the language of this process: `$ACTLAB_LANG`, else the locale's, else English.

    >>> process_language() in LANGUAGES
    True
    """
    for variable in ("ACTLAB_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "")
        if value:
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"


@cache
def translation(language: str) -> _gettext.NullTranslations:
    """Return the messages of `language`; English ones are the source texts themselves."""
    return _gettext.translation("actlab", _LOCALE_FOLDER, languages=[language], fallback=True)


def _(message: str) -> str:
    """Translate `message` into the language of this process."""
    return translation(process_language()).gettext(message)


def ngettext(singular: str, plural: str, count: int) -> str:
    """Translate into the language of this process, in the form that `count` asks for."""
    return translation(process_language()).ngettext(singular, plural, count)


def N_(message: str) -> str:  # noqa: N802  gettext's own name for this marker
    """Mark `message` for extraction and return it unchanged."""
    return message
