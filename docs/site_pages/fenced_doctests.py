"""A griffe extension: doctests in docstrings become blocks of code on the page."""

import re
from typing import Any

import griffe

_DOCTEST = re.compile(r"(?:^>>>.*(?:\n(?!\s*$).+)*\n?)+", re.MULTILINE)
"""Lines from a prompt to the next blank one."""


class FencedDoctests(griffe.Extension):
    """Fences every doctest, so that its output is not read as Markdown."""

    def on_object(self, *, obj: griffe.Object, **_others: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    r"""Return a docstring with its doctests in fences.

    >>> fenced("One.\n\n>>> 1 + 1\n2\n")
    'One.\n\n```pycon\n>>> 1 + 1\n2\n```\n'
    """
    return _DOCTEST.sub(lambda found: f"```pycon\n{found.group().rstrip()}\n```\n", text)
