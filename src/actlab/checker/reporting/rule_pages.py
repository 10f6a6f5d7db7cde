"""The documentation page of a rule, as Markdown."""

from actlab.checker.rule import Case, Rule, RulePage, page_of
from actlab.checker.rules import RULES
from actlab.errors import unknown_name
from actlab.i18n import _


def rule(code: str) -> type[Rule]:
    """Return the rule of a code or a name; UnknownNameError where there is none."""
    for known in RULES:
        if code.upper() == known.code or code.lower() == known.name:
            return known
    raise unknown_name(_("rule"), code, [known.code for known in RULES])


def page(code: str) -> RulePage:
    """Return the page of a rule, taken from its docstring."""
    return page_of(rule(code))


def markdown(found: RulePage, cases: bool = False) -> str:
    """Return a page as Markdown; with `cases`, the rule's first faulty and clean program."""
    parts = [f"# {found.code} {found.name}", f"*Severity: {found.severity}*"]
    parts += [f"## {title}\n\n{body}" for title, body in found.sections.items()]
    if found.thresholds:
        limits = "\n".join(f"- `{name}`: {value:g}" for name, value in found.thresholds.items())
        parts.append(f"## Thresholds\n\n{limits}")
    if cases:
        kind = rule(found.code)
        parts += [_shown("Reported", kind.faulty[0])]
        parts += [_shown("Not reported", kind.clean[0])]
    return "\n\n".join(parts) + "\n"


def _shown(title: str, case: Case) -> str:
    source = case.code.strip().replace("def _", "def ", 1)
    return f"## {title}\n\n```python\n{source}\n```"
