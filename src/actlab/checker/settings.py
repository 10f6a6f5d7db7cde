"""Which rules run and with which thresholds: `[tool.actlab.check]` in the nearest pyproject.toml.

[tool.actlab.check]
ignore = ["ACT110"]

[tool.actlab.check.limits.ACT301]
outside_share = 0.1

[tool.actlab.check.severity]
ACT204 = "info"
"""

import linecache
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from actlab.capture.location import Location
from actlab.checker.report import SEVERITIES, Finding, Severity
from actlab.checker.rule import Rule
from actlab.errors import ActlabError, nearest, unknown_name
from actlab.files import parse_toml
from actlab.i18n import _

_KEYS = ("ignore", "select", "limits", "severity")


class SettingsError(ActlabError):
    """A `[tool.actlab.check]` table that cannot be used."""


@dataclass(frozen=True)
class Settings:
    """Codes to leave out, codes to run alone (None: all), thresholds and severities by code."""

    ignore: frozenset[str] = frozenset()
    select: frozenset[str] | None = None
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    severity: Mapping[str, Severity] = field(default_factory=dict)


def settings_here(ignore: str | Iterable[str], rules: Collection[type[Rule]]) -> Settings:
    """Return the settings of the present folder, with these codes left out besides.

    Raises SettingsError for a file that cannot be used, UnknownNameError for a code of no rule.
    """
    settings = nearest_settings(Path.cwd(), rules)
    return replace(settings, ignore=settings.ignore | checked_codes(ignore, rules))


def nearest_settings(start: Path, rules: Collection[type[Rule]]) -> Settings:
    """Return the settings of the nearest pyproject.toml from `start` upwards that has any.

    Raises SettingsError where the file is not TOML or the table has something unknown in it.
    """
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            return read_settings(path, rules)
    return Settings()


def read_settings(path: Path, rules: Collection[type[Rule]]) -> Settings:
    """Return the settings in one pyproject.toml; every fault in them is named at once."""
    try:
        document = parse_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            _("{path} must be a TOML file: {error}.").format(path=path, error=error)
        ) from None
    table: Any = document
    for name in ("tool", "actlab", "check"):
        table = table.get(name, {}) if isinstance(table, dict) else table
    faults = list(_faults(table, {rule.code: rule for rule in rules}))
    if faults:
        lines = "\n".join(f"  - {fault}" for fault in faults)
        heading = _("[tool.actlab.check] in {path} cannot be used:").format(path=path)
        raise SettingsError(f"{heading}\n{lines}")
    select = table.get("select")
    return Settings(
        ignore=frozenset(table.get("ignore", ())),
        select=None if select is None else frozenset(select),
        limits={code: dict(limits) for code, limits in table.get("limits", {}).items()},
        severity=dict(table.get("severity", {})),
    )


def _faults(table: Any, rules: Mapping[str, type[Rule]]) -> Iterable[str]:
    if not isinstance(table, dict):
        yield _("it must be a table")
        return
    for key in table:
        if key not in _KEYS:
            near = nearest(key, _KEYS) or ", ".join(_KEYS)
            yield _('unknown key "{key}" (known: {near})').format(key=key, near=near)
    for key in ("ignore", "select"):
        codes = table.get(key, [])
        if not isinstance(codes, list):
            yield _('"{key}" must be a list of codes').format(key=key)
            continue
        yield from (_unknown_code(str(code), rules) for code in codes if str(code) not in rules)
    yield from _limit_faults(table.get("limits", {}), rules)
    severities = table.get("severity", {})
    if not isinstance(severities, dict):
        yield _('"severity" must be a table')
        return
    for code, severity in severities.items():
        if code not in rules:
            yield _unknown_code(code, rules)
        if severity not in SEVERITIES:
            yield _('severity of {code} must be one of {known}, not "{given}"').format(
                code=code, known=", ".join(SEVERITIES), given=severity
            )


def _limit_faults(limits: Any, rules: Mapping[str, type[Rule]]) -> Iterable[str]:
    if not isinstance(limits, dict):
        yield _('"limits" must be a table')
        return
    for code, given in limits.items():
        if code not in rules:
            yield _unknown_code(code, rules)
            continue
        known = rules[code].thresholds
        if not isinstance(given, dict):
            yield _('"limits" must be a table')
            continue
        for name, value in given.items():
            if name not in known:
                yield _('{code} has no threshold "{name}" (it has: {known})').format(
                    code=code, name=name, known=", ".join(known) or _("none")
                )
            elif isinstance(value, bool) or not isinstance(value, (int, float)):
                yield _('threshold "{name}" of {code} must be a number').format(
                    name=name, code=code
                )


def _unknown_code(code: Any, rules: Mapping[str, type[Rule]]) -> str:
    return str(unknown_name(_("rule"), str(code), rules))


def checked_codes(codes: str | Iterable[str], rules: Collection[type[Rule]]) -> frozenset[str]:
    """Return the codes of `ignore=`; UnknownNameError for one that no rule has."""
    given = codes.replace(",", " ").split() if isinstance(codes, str) else list(codes)
    known = {rule.code for rule in rules}
    for code in given:
        if code not in known:
            raise unknown_name(_("rule"), str(code), known)
    return frozenset(given)


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
