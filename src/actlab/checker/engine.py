"""Running the rules over a step, and writing down what each of them said."""

from collections.abc import Iterable
from dataclasses import replace

from actlab.capture.location import Location
from actlab.checker.analysis.rule_scope import nothing_to_check
from actlab.checker.analysis.step import Step
from actlab.checker.report import Checked, Finding, Report, Unchecked, merged
from actlab.checker.rule import NotCheckable, Rule
from actlab.checker.settings import Settings, is_silenced
from actlab.i18n import _

_OF_EVERY_PASS = ("ACT1", "ACT2")
"""Rules on what a loss or a softmax reads: they hold for an evaluation as for a training step."""

_OF_TRAINING = frozenset({"ACT109", "ACT110", "ACT112"})
"""Of these, what ACT704 finds in an evaluation in its own words, or what only hurts gradients."""


def run_rules(
    rules: Iterable[type[Rule]], step: Step, settings: Settings, asked: Location
) -> Report:
    """Return the report of all rules on one captured step.

    `asked` is the line that asked for the check: the place of what has no line of its own.
    """
    blind = _blindness(step)
    findings: list[Finding] = []
    fine: list[Checked] = []
    unchecked: list[Unchecked] = []
    for kind in rules:
        if _left_out(kind.code, settings):
            unchecked.append(Unchecked(kind.code, kind.name, _("left out by the settings")))
            continue
        rule = kind(settings.limits.get(kind.code, {}))
        found, reason = _run(rule, step)
        reason = reason or (None if found else nothing_to_check(step, kind.looks_at))
        every_pass = kind.code.startswith(_OF_EVERY_PASS) and kind.code not in _OF_TRAINING
        if step.evaluation is not None and every_pass:
            later, unknown = _run(rule, step.evaluation)
            found += later
            if later or nothing_to_check(step.evaluation, kind.looks_at) is None:
                reason = unknown if nothing_to_check(step, kind.looks_at) else reason or unknown
        if not found:
            reason = blind or reason
        severity = settings.severity.get(kind.code)
        if severity is not None:
            found = [replace(finding, severity=severity) for finding in found]
        findings.extend(_placed(finding, asked) for finding in found)
        if reason is not None:
            unchecked.append(Unchecked(rule.code, rule.name, reason))
        elif not found:
            fine.append(Checked(rule.code, rule.name))
    silenced = [finding for finding in findings if is_silenced(finding)]
    loud = [finding for finding in findings if finding not in silenced]
    return Report(
        findings=merged(loud),
        fine=tuple(fine),
        unchecked=tuple(unchecked),
        ignored=merged(silenced),
        task=step.task,
        task_given=step.task_given,
        notes=tuple(step.notes),
    )


def _left_out(code: str, settings: Settings) -> bool:
    selected = settings.select is None or code in settings.select
    return code in settings.ignore or not selected


def _placed(finding: Finding, asked: Location) -> Finding:
    if finding.location.file is not None:
        return finding
    return replace(finding, location=replace(asked, module=finding.location.module))


def _blindness(step: Step) -> str | None:
    """Return why a rule without a finding has proven nothing about this step, None if it has."""
    if step.unseen:
        return _("the step ran where no call could be seen (another thread, or compiled code)")
    if any(loss.input.tensor.is_meta for loss in step.loss_calls):
        return _("the tensors hold no numbers (device meta): only where they came from was seen")
    return None


def _run(rule: Rule, step: Step) -> tuple[list[Finding], str | None]:
    found: list[Finding] = []
    try:
        for finding in rule.check(step):
            found.append(finding)  # noqa: PERF402  what came before an exception is kept
    except NotCheckable as reason:
        return found, str(reason)
    except Exception as error:  # a check never stops the user's program, whatever happens in it
        return found, _("a fault of actlab's own ({kind}: {text}); please report it").format(
            kind=type(error).__name__, text=error
        )
    return found, None
