"""The two public functions: `check` for a model with its loss, `check_step` for any step."""

import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from actlab.addresses import is_user, place_of
from actlab.capture.frames import caller
from actlab.capture.location import Location
from actlab.capture.restore import referred_to
from actlab.checker.analysis.step import Step
from actlab.checker.captured_step import (
    CheckError,
    Program,
    captured,
    failing_call,
    story,
)
from actlab.checker.engine import run_rules
from actlab.checker.report import Report
from actlab.checker.rule import Rule
from actlab.checker.rules import RULES
from actlab.checker.settings import settings_here
from actlab.checker.targets import Targets, checked_task
from actlab.i18n import _


def check(
    model: Callable[..., Any],
    loss_fn: Callable[[Any, Any], Any],
    batch: tuple[Any, Any],
    task: str | None = None,
    optimizer: Any = None,
    *,
    ignore: str | Iterable[str] = (),
    rules: Sequence[type[Rule]] = RULES,
) -> Report:
    """Run one step of `model` and `loss_fn` on `batch` and report misuse of activations.

    `batch` is (x, y). A tuple x is passed to the model as `*x`, a dictionary as `**x`; y and the
    model's whole output go to `loss_fn(output, y)`. `task` is one of the five tasks, "critic" or
    "ranking"; it is inferred from y where it is None. `ignore` has codes of rules to leave out;
    `rules` are those that look, such as `(*actlab.checker.rules.RULES, MyRule)`.

    The model, its gradients, the batch and all random states are afterwards as they were.

    Raises CheckError where the model or the loss does not run on the batch, and UnknownNameError
    for an unknown task or code.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    >>> batch = (torch.randn(8, 4), torch.randint(3, (8,)))
    >>> check(net, nn.CrossEntropyLoss(), batch).codes
    ('ACT101',)
    """
    return check_batch(model, loss_fn, batch, task, optimizer, ignore=ignore, rules=rules)


def check_batch(
    model: Callable[..., Any],
    loss_fn: Callable[[Any, Any], Any],
    batch: tuple[Any, Any],
    task: str | None = None,
    optimizer: Any = None,
    *,
    ignore: str | Iterable[str] = (),
    rules: Sequence[type[Rule]] = RULES,
    files: tuple[str, ...] = (),
    made_up: bool = False,
) -> Report:
    """Do what `check` does; `files` hold the model's source, `made_up` targets say nothing."""
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise CheckError(
            _("The batch must be a pair (x, y); got {kind}.").format(kind=type(batch).__name__)
        )
    for name, part in (("model", model), ("loss_fn", loss_fn)):
        if not callable(part):
            raise CheckError(
                _("{name} must be callable; got {kind}.").format(
                    name=name, kind=type(part).__name__
                )
            )
    x, y = batch
    modules = tuple(part for part in (model, loss_fn) if isinstance(part, nn.Module))

    def run(model_done: Callable[[Any], None]) -> Any:
        output = called(model, x)
        model_done(output)
        return loss_fn(output, y)

    program = Program(
        run=run,
        model=model if isinstance(model, nn.Module) else None,
        modules=modules or referred_to(model, nn.Module),
        targets=Targets.of(y, made_up),
        inputs=x,
        forward=lambda inputs: called(model, inputs),
        loss=lambda output: loss_fn(output, y),
        optimizer=optimizer,
        files=files,
    )
    return _report(program, task, ignore, rules)


def check_step(
    step: Callable[[], Any],
    model: nn.Module | None = None,
    optimizer: Any = None,
    task: str | None = None,
    evaluate: Callable[[], Any] | None = None,
    *,
    ignore: str | Iterable[str] = (),
    rules: Sequence[type[Rule]] = RULES,
) -> Report:
    """Run `step()` once, which returns the scalar loss, and report misuse of activations.

    For models that compute their own loss, GANs, distillation, reinforcement learning. The modules
    that the step uses are found as it runs; `model` names the one whose parts are meant by the
    paths in the report. `evaluate()` is run once after it: predictions, thresholds and metrics on
    the same model, whose contract with the loss is checked, too. `task`, `ignore`, `rules` and what
    is raised are as in `check`.

    >>> import torch
    >>> from torch.nn import functional as F
    >>> net = torch.nn.Linear(4, 3)
    >>> x, y = torch.randn(8, 4), torch.randint(3, (8,))
    >>> check_step(lambda: F.cross_entropy(net(x).softmax(1), y)).codes
    ('ACT101',)
    """
    for name, part in (("step", step), ("evaluate", evaluate)):
        if not callable(part) and not (name == "evaluate" and part is None):
            raise CheckError(
                _("{name} must be callable; got {kind}.").format(
                    name=name, kind=type(part).__name__
                )
            )
    modules = (model,) if model is not None else ()
    parts = (step, evaluate or step)
    found = {
        id(module): module for part in parts for module in (*modules, *referred_to(part, nn.Module))
    }
    program = Program(
        run=lambda model_done: step(),  # noqa: ARG005  a step knows no border
        model=model,
        modules=tuple(found.values()),
        targets=Targets(),
        optimizer=optimizer,
        evaluate=evaluate,
        training=(
            optimizer,
            *(one for part in parts for one in referred_to(part, Optimizer, LRScheduler)),
        ),
    )
    return _report(program, task, ignore, rules)


def called(model: Callable[..., Any], x: Any) -> Any:
    """Return a model's output: a tuple is given as `*x`, a mapping as `**x`."""
    if isinstance(x, tuple):
        return model(*x)
    if isinstance(x, Mapping):
        return model(**x)
    return model(x)


def _report(
    program: Program, task: str | None, ignore: str | Iterable[str], rules: Sequence[type[Rule]]
) -> Report:
    started = time.perf_counter()
    asked = Location(program.files[0], 1) if program.files else caller()
    task = checked_task(task)
    settings = settings_here(ignore, {*RULES, *rules})
    with captured(program, task) as step:
        report = run_rules(rules, step, settings, asked)
        if step.error is not None:
            report = _of_stopped_step(report, step)
    return replace(report, seconds=time.perf_counter() - started)


def _of_stopped_step(report: Report, step: Step) -> Report:
    """Return the report where a rule explains what stopped the step; raise CheckError otherwise."""
    assert step.error is not None
    text = story(step)
    failed = failing_call(step)
    frames = traceback.extract_tb(step.error.__traceback__)
    inner = [(f.filename, f.lineno) for f in frames if is_user(f.filename)][-1:]
    places = {place_of(step.error), *inner}  # a rule's own cases lie in files of actlab's
    if failed is not None:
        places.add((str(failed.location.file), failed.location.line))
    explained = any(
        finding.severity != "info" and (finding.location.file, finding.location.line) in places
        for finding in report.findings
    )
    if not explained:
        raise CheckError(text) from None
    return replace(report, notes=(text, *report.notes))
