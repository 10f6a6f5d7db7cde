"""Checking a whole program as it is, at its first backward passes."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor, nn, optim

from actlab.addresses import as_program, candidates, ending_of
from actlab.capture.location import Location
from actlab.capture.program import PassWatch, StartedProgram, alive
from actlab.capture.trace import Trace
from actlab.checker.captured_step import CheckError, Program, captured_pass
from actlab.checker.engine import run_rules
from actlab.checker.report import Checked, Report, Unchecked, merged
from actlab.checker.rules import RULES
from actlab.checker.settings import Settings, settings_here
from actlab.checker.targets import Targets, checked_task
from actlab.errors import ActlabError
from actlab.i18n import _


class _StoppedError(BaseException):
    """Raised in the place of the last backward pass that is watched, through the program."""


def check_program(
    program: StartedProgram,
    *,
    task: str | None = None,
    ignore: str | Iterable[str] = (),
    steps: int = 1,
    goes_on: Callable[[Report], bool] = lambda report: False,  # noqa: ARG005
    apart: bool = True,
) -> Report:
    """Run a program as it is, and return the report on its first `steps` backward passes.

    `goes_on(report)` is asked in the place of the last of these passes. Where it says no, the
    program is stopped there by an exception; else it goes on to its end, as if nothing had been,
    and what it raises passes. With `apart`, what it prints goes to standard error.

    Raises CheckError where the program ends before a backward pass.
    """
    if steps < 1:
        raise CheckError(_("--steps must be at least 1; got {given}.").format(given=steps))
    check = _Check(program, checked_task(task), settings_here(ignore, RULES), steps, goes_on)
    if not apart:
        _run(program, check)
    else:
        with as_program(program.name, CheckError):
            _run(program, check)
    return check.report()


class _Check:
    """The passes of one program that were looked at so far."""

    def __init__(
        self,
        program: StartedProgram,
        task: str | None,
        settings: Settings,
        steps: int,
        goes_on: Callable[[Report], bool],
    ) -> None:
        self.program = program
        self.is_over = False
        self.fault: Exception | None = None
        self._task = task
        self._settings = settings
        self._steps = steps
        self._goes_on = goes_on
        self._reports: list[Report] = []
        self.watch = PassWatch(self._on_pass)

    def _on_pass(self, trace: Trace, loss: Tensor, place: Location) -> None:
        try:
            self._look(trace, loss, place)
        except Exception as error:
            self.fault = error
            raise _StoppedError from None

    def _look(self, trace: Trace, loss: Tensor, place: Location) -> None:
        self._reports.append(pass_report(trace, loss, place, self._task, self._settings))
        if len(self._reports) < self._steps:
            return
        self.watch.end()
        self.is_over = True
        if not self._goes_on(self.report()):
            raise _StoppedError

    @property
    def begun(self) -> bool:
        return bool(self._reports)

    def report(self) -> Report:
        """Return what was found in all passes."""
        report = together(self._reports)
        lines = self.program.backward_lines()
        if len(self._reports) >= lines:
            return report
        note = _(
            "The program takes backward passes at {lines} places, and {count} was looked at: "
            "--steps {lines} looks at more."
        ).format(lines=lines, count=len(self._reports))
        return replace(report, notes=(*report.notes, note))


def _run(program: StartedProgram, check: _Check) -> None:
    try:
        with check.watch:
            check.program.run()
    except _StoppedError:
        if check.fault is not None:
            raise check.fault from None
        return
    except (ActlabError, KeyboardInterrupt):
        raise
    except BaseException as error:
        if check.is_over:
            raise
        if not check.begun:
            raise CheckError(_ended(program, ending_of(program.name, error))) from None
    if not check.begun:
        text = _("{what} ended without a backward pass.").format(what=program.name)
        raise CheckError(_ended(program, text))


def _ended(program: StartedProgram, text: str) -> str:
    """Return why nothing was checked, and what in the program could be."""
    text += " " + _("Nothing was checked: a check looks at the first backward pass.")
    found = candidates(Path(program.name)) if program.name.endswith(".py") else ()
    if not found:
        return text
    return f"{text} " + _("What is in it can be checked by name: {names}.").format(
        names=", ".join(found)
    )


def pass_report(
    trace: Trace, loss: Tensor, place: Location, task: str | None, settings: Settings
) -> Report:
    """Return the report on the step that leads to a backward pass, taken at `place`."""
    began = time.perf_counter()
    modules = tuple({id(root.module): root.module for root in trace.roots}.values())
    program = Program(
        run=lambda model_done: loss,  # noqa: ARG005  it ran already
        model=None,
        modules=modules,
        targets=Targets(),
        optimizer=_optimizer_of(modules),
    )
    with captured_pass(program, trace, loss, task) as step:
        report = run_rules(RULES, step, settings, place)
    return replace(report, seconds=time.perf_counter() - began)


def _optimizer_of(modules: Sequence[nn.Module]) -> optim.Optimizer | None:
    """Return the optimizer that has parameters of these modules."""
    known = {id(parameter) for module in modules for parameter in module.parameters()}
    for optimizer in alive(optim.Optimizer):
        groups = getattr(optimizer, "param_groups", ())
        if any(id(parameter) in known for group in groups for parameter in group["params"]):
            return optimizer
    return None


def together(reports: Sequence[Report]) -> Report:
    """Return one report on several steps.

    A rule is fine where it was so in one step and found nothing in any, and not checked where no
    step could be.
    """
    if len(reports) == 1:
        return reports[0]
    findings = merged(found for report in reports for found in report.findings)
    silenced = merged(found for report in reports for found in report.ignored)
    found_codes = {found.code for found in (*findings, *silenced)}
    fine = {item.code: item for report in reports for item in report.fine}
    unchecked = {item.code: item for report in reports for item in report.unchecked}
    clear = {code for code in fine if code not in found_codes}
    by_code: Callable[[Checked | Unchecked], str] = lambda item: item.code  # noqa: E731
    return Report(
        findings=findings,
        fine=tuple(sorted((fine[code] for code in clear), key=by_code)),
        unchecked=tuple(
            sorted((u for code, u in unchecked.items() if code not in clear), key=by_code)
        ),
        ignored=silenced,
        task=next((report.task for report in reports if report.task is not None), None),
        task_given=any(report.task_given for report in reports),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
        seconds=sum(report.seconds for report in reports),
    )
