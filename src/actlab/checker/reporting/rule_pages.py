"""The documentation page of a rule, as Markdown, in the reader's language.

English pages are the docstrings of the rules; what a Korean page says in place of the first
sections is in `locale/ko/rules.toml`. Example and sources are the same in both.
"""

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import actlab
from actlab.checker.reporting.text import SEVERITY_WORDS
from actlab.checker.rule import Case, Rule, RulePage, page_of
from actlab.checker.rules import RULES
from actlab.errors import unknown_name
from actlab.i18n import N_, _, process_language

_WHAT, _WHY = "What it does", "Why is this bad?"
TITLES = {
    _WHAT: N_("What it does"),
    _WHY: N_("Why is this bad?"),
    "Example": N_("Example"),
    "Use instead": N_("Use instead"),
    "Sources": N_("Sources"),
}
"""The headings of a page, as the docstrings have them."""


def rule(code: str) -> type[Rule]:
    """Return the rule of a code or a name; UnknownNameError where there is none."""
    for known in RULES:
        if code.upper() == known.code or code.lower() == known.name:
            return known
    raise unknown_name(_("rule"), code, [known.code for known in RULES])


def page(code: str) -> RulePage:
    """Return the page of a rule in the language of the process."""
    found = page_of(rule(code))
    translated = in_korean().get(found.code) if process_language() == "ko" else None
    if translated is None:
        return found
    sections = {**found.sections, _WHAT: translated["what"], _WHY: translated["why"]}
    return replace(found, sections=sections)


def summary(kind: type[Rule]) -> str:
    """Return in one sentence what a rule reports, in the language of the process."""
    translated = in_korean().get(kind.code) if process_language() == "ko" else None
    if translated is not None:
        return str(translated["summary"])
    return (kind.__doc__ or "").strip().splitlines()[0]


@cache
def in_korean() -> dict[str, dict[str, Any]]:
    """Return the Korean texts by the code of their rule: `summary`, `what` and `why`."""
    path = Path(actlab.__file__).parent / "locale" / "ko" / "rules.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def markdown(found: RulePage, cases: bool = False) -> str:
    """Return a page as Markdown; with `cases`, the rule's first faulty and clean program."""
    severity = _("Severity: {severity}").format(severity=_(SEVERITY_WORDS[found.severity]))
    parts = [f"# {found.code} {found.name}", f"*{severity}*"]
    parts += [f"## {_(TITLES[title])}\n\n{body}" for title, body in found.sections.items()]
    if found.thresholds:
        limits = "\n".join(f"- `{name}`: {value:g}" for name, value in found.thresholds.items())
        parts.append("## " + _("Thresholds") + f"\n\n{limits}")
    if cases:
        kind = rule(found.code)
        parts += [_shown(_("Reported"), kind.faulty[0])]
        parts += [_shown(_("Not reported"), kind.clean[0])]
    return "\n\n".join(parts) + "\n"


def _shown(title: str, case: Case) -> str:
    source = case.code.strip().replace("def _", "def ", 1)
    return f"## {title}\n\n```python\n{source}\n```"
