"""Comments that silence a rule on a line: `# actlab: ignore[ACT101]`, or `# actlab: ignore`."""

import linecache
import re

from actlab.capture.location import Location
from actlab.checker.report import Finding

_COMMENT = re.compile(r"#\s*actlab:\s*ignore(?:\[(?P<codes>[^\]]*)\])?", re.IGNORECASE)


def codes_ignored_on(line: str) -> frozenset[str] | None:
    """Return the codes that a source line silences, an empty set for all of them, None for none.

    >>> sorted(codes_ignored_on("x = f(x)  # actlab: ignore[ACT101, ACT204]"))
    ['ACT101', 'ACT204']
    >>> codes_ignored_on("x = f(x)  # actlab: ignore")
    frozenset()
    >>> codes_ignored_on("x = f(x)") is None
    True
    """
    match = _COMMENT.search(line)
    if match is None:
        return None
    codes = match.group("codes")
    return frozenset(codes.replace(",", " ").split()) if codes is not None else frozenset()


def is_silenced(finding: Finding) -> bool:
    """Return whether a comment on the finding's line, or on the one that ran it, silences it."""
    place = finding.location
    caller = place.called_from
    return _silences(place, finding.code) or (
        caller is not None and _silences(caller, finding.code)
    )


def _silences(location: Location, code: str) -> bool:
    if location.file is None or location.line is None:
        return False
    codes = codes_ignored_on(linecache.getline(location.file, location.line))
    return codes is not None and (not codes or code in codes)
