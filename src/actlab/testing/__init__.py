"""For a user's pytest: a test that fails where an activation is misused."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from actlab.i18n import _

if TYPE_CHECKING:
    from actlab.checker.report import Report


def assert_no_misuse(
    model: Callable[..., Any],
    loss_fn: Callable[[Any, Any], Any] | None = None,
    batch: tuple[Any, Any] | None = None,
    task: str | None = None,
    optimizer: Any = None,
    *,
    ignore: str | Iterable[str] = (),
    strict: bool = False,
) -> "Report":
    """Check as `actlab.check` does, and raise AssertionError with the report on an error.

    Without a loss and a batch, the first argument is a step as `actlab.check_step` takes it: called
    without arguments, it returns the loss. With `strict`, warnings fail, too. Returns the report.

    >>> import torch
    >>> from torch import nn
    >>> batch = (torch.randn(8, 4), torch.randint(3, (8,)))
    >>> assert_no_misuse(nn.Linear(4, 3), nn.CrossEntropyLoss(), batch).errors
    ()
    """
    from actlab.checker import api  # pytest imports this module in every run of its own

    if loss_fn is None and batch is None:
        report = api.check_step(model, None, optimizer, task, ignore=ignore)
    else:
        report = api.check(model, loss_fn, batch, task, optimizer, ignore=ignore)  # type: ignore[arg-type]  # checked there
    bad = report.of_severity("error", "warning") if strict else report.errors
    if bad:
        raise AssertionError(_("activations are misused:") + f"\n{report}")
    return report
