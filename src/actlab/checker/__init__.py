"""The misuse checker: one step is captured as it runs, and rules look at what was captured.

How a rule is added:

1. Write `rules/<the_fault>.py` (the name is the fault, not the cure) with one subclass of
   `rule.Rule`: `code`, `name` (kebab case), `severity` (the worst that it reports), `thresholds`,
   and a docstring with the sections `## What it does`, `## Why is this bad?`, `## Example`,
   `## Use instead`, `## Sources`. It is the rule's page: `actlab check --explain CODE` and docs.
2. `check(self, step)` yields `self.found(...)` for each fault. It reads the `Step` only:
   `step.trace` (calls, values), `step.loss_calls`, `step.activations`, `step.layers`,
   `step.gradients`, `step.range_of(value)`, `step.targets`, `step.reruns`.
   It raises `NotCheckable("why")` where nobody can tell; findings yielded before that are kept.
   It returns without a finding where all is well, and where it has nothing to look at.
   `self.limits["name"]` is a threshold with the user's setting applied.
3. Give it `faulty` and `clean` cases: builders that return a `Situation`. Tests run them, and the
   documentation prints the first two. A faulty case names the severity that is to be found.
4. Add the class to the list in `rules/__init__.py`. A rule that cannot be imported stops the run.
5. `python docs/rules/generate.py` writes its page.

Messages go through `_("... {name} ...").format(name=...)`; `fix` is a line of code.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "check": "actlab.checker.api",
    "check_step": "actlab.checker.api",
    "Finding": "actlab.checker.report",
    "Location": "actlab.capture.location",
    "Report": "actlab.checker.report",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'actlab.checker' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
