"""Secrets struck out of what is kept: passwords and tokens of addresses and options."""

import re

STRUCK = "***"
_NAMES = (
    r"(?:pass(?:word|wd)?|pwd|secret|token|signature|credentials?|auth"
    r"|(?:api|access|account|private)[-_]?key)"
)
_USER_OF_URL = re.compile(
    r"(?<=://)(?:[^\s'\"/?#@:]*:(?!\d*[/?#])[^\s'\"]*|[^\s'\"/?#]*)(?=@)",
)
"""What stands before the last @ of an authority; a password may itself hold an @ or a slash."""
_VALUE = re.compile(
    rf"(?i)((?:[?&;]|(?:^|(?<=\s))(?:--?)?)[\w-]*{_NAMES}[\w-]*=|[?&;](?:sig|key)="
    rf"|(?:^|(?<=\s))--?[\w-]*{_NAMES}[\w-]*\s+|\b(?:bearer|basic)\s+)"
    r"('[^']*'|\"[^\"]*\"|[^\s&;'\"]+)"
)
_TOKEN = re.compile(r"\b(?:hf_|gh[opsur]_|github_pat_|glpat-|sk-|xox[abp]-|AKIA)[A-Za-z0-9_-]{16,}")
"""Tokens that are known by how they begin."""


def without_secrets(text: str) -> str:
    """Return a command line or an address with user, password and tokens struck out.

    >>> without_secrets("run --executor ray://me:hunter2@host:1?token=abc&x=1 --api-key k3y -v")
    'run --executor ray://***@host:1?token=***&x=1 --api-key *** -v'
    """
    return _TOKEN.sub(STRUCK, _VALUE.sub(rf"\1{STRUCK}", _USER_OF_URL.sub(STRUCK, text)))
