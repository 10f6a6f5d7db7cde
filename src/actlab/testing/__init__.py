"""For a user's own pytest: a test that fails where an activation is misused."""

from collections.abc import Callable, Iterable
from typing import Any

from actlab.checker import Report, check
from actlab.i18n import _


def assert_no_misuse(
    model: Callable[..., Any],
    loss_fn: Callable[[Any, Any], Any],
    batch: tuple[Any, Any],
    task: str | None = None,
    optimizer: Any = None,
    *,
    ignore: str | Iterable[str] = (),
    strict: bool = False,
) -> Report:
    """Check as `actlab.check` does, and raise AssertionError with the report on an error.

    With `strict`, warnings fail, too. Returns the report.

    >>> import torch
    >>> from torch import nn
    >>> batch = (torch.randn(8, 4), torch.randint(3, (8,)))
    >>> assert_no_misuse(nn.Linear(4, 3), nn.CrossEntropyLoss(), batch).errors
    ()
    """
    report: Report = check(model, loss_fn, batch, task, optimizer, ignore=ignore)
    bad = report.of_severity("error", "warning") if strict else report.errors
    if bad:
        raise AssertionError(_("activations are misused:") + f"\n{report}")
    return report
