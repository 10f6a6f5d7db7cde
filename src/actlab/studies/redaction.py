"""Secrets struck out of what is kept: passwords and tokens of addresses and options."""

import re

STRUCK = "***"
_NAMES = r"(?:pass(?:word|wd)?|secret|token|api[-_]?key|access[-_]?key|credentials?|auth)"
_USER_OF_URL = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_VALUE = re.compile(
    rf"(?i)((?:[?&;]|(?:^|(?<=\s))(?:--?)?)[\w-]*{_NAMES}[\w-]*=|(?:^|(?<=\s))--?[\w-]*{_NAMES}"
    r"[\w-]*\s+)('[^']*'|\"[^\"]*\"|[^\s&;'\"]+)"
)


def without_secrets(text: str) -> str:
    """Return a command line or an address with user, password and tokens struck out.

    >>> without_secrets("run --executor ray://me:hunter2@host:1?token=abc&x=1 --api-key k3y -v")
    'run --executor ray://***@host:1?token=***&x=1 --api-key *** -v'
    """
    return _VALUE.sub(rf"\1{STRUCK}", _USER_OF_URL.sub(STRUCK, text))
