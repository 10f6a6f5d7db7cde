"""What the programs in faults_*.py and right_*.py are made of, and how one of them is checked."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import torch
from torch import Tensor

from actlab.checker.api import check, check_step
from actlab.checker.report import SEVERITIES, Report, Severity
from actlab.checker.rule import Situation

SEED = 20250301
C = TypeVar("C", "Fault", "Right")


@dataclass(frozen=True)
class Fault:
    """A program that someone wrote, with its fault (`fixed` False) and without."""

    code: str
    severity: Severity
    build: Callable[[bool], Situation]


@dataclass(frozen=True)
class Right:
    """A program that looks wrong and is right; `worst` is the most that may be said of it."""

    worst: Severity | None
    build: Callable[[], Situation]


def fault(code: str, severity: Severity) -> Callable[[Any], Any]:
    """Make a case of the decorated builder, which takes whether the fault is mended."""
    return lambda build: Fault(code, severity, build)


def right(worst: Severity | None = None) -> Callable[[Any], Any]:
    """Make a case of the decorated builder of a program without a fault."""
    return lambda build: Right(worst, build)


def cases_in(module: ModuleType, kind: type[C]) -> list[C]:
    """Return the cases of one kind that a module defines, in its order."""
    own = [value for value in vars(module).values() if isinstance(value, kind)]
    return [case for case in own if case.build.__module__ == module.__name__]


def report_on(build: Callable[[], Situation]) -> Report:
    """Build a program under a fixed seed and check it."""
    torch.manual_seed(SEED)
    s = build()
    if s.step is not None:
        return check_step(s.step, s.model, s.optimizer, s.task, s.evaluate)
    return check(s.model, s.loss, s.batch, s.task, s.optimizer)


def at_least(severity: Severity, wanted: Severity) -> bool:
    """Return whether `severity` is as bad as `wanted`, or worse."""
    return SEVERITIES.index(severity) <= SEVERITIES.index(wanted)


def assert_found(report: Report, code: str, severity: Severity) -> None:
    """Fail unless the report has a finding of `code`, as bad as `severity`, with all its parts."""
    matching = [f for f in report.findings if f.code == code]
    assert matching, f"{code} not found in:\n{report}"
    assert any(at_least(f.severity, severity) for f in matching), f"too mild:\n{report}"
    for found in report.findings:
        assert found.message
        assert found.proof
        assert found.why
        assert found.fix
        assert found.location.file is not None
        assert found.location.line is not None


def assert_no_worse(report: Report, worst: Severity | None) -> None:
    """Fail if the report says worse things than `worst`; None permits no finding but notes."""
    permitted = worst or "info"
    worse = [f for f in report.findings if not at_least(permitted, f.severity)]
    assert not worse, f"a false alarm:\n{report}"
    faults = [u for u in report.unchecked if "fault of actlab" in u.reason]
    assert not faults, f"{faults}"


def classes(count: int, *shape: int, samples: int = 16) -> tuple[Tensor, Tensor]:
    """Return noise of the given shape for each sample, and class indices."""
    return torch.randn(samples, *shape), torch.arange(samples) % count


def zero_one(*shape: int) -> Tensor:
    """Return zeros and ones, two thirds and one third."""
    count = 1
    for size in shape:
        count *= size
    return (torch.arange(count).reshape(shape) % 3 == 0).float()
