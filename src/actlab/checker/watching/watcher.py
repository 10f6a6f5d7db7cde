"""`actlab.watch`: the checker over a whole training."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from torch import nn

from actlab.checker.report import Finding
from actlab.checker.rules import RULES
from actlab.checker.rules.training.dead_units import SaturatedUnits
from actlab.checker.settings import Settings, nearest_settings
from actlab.checker.watching.deduplicated import DeduplicatedFindings
from actlab.checker.watching.history import PassHistory
from actlab.checker.watching.model_hooks import ModelHooks
from actlab.checker.watching.sampled_pass import SampledPass
from actlab.checker.watching.samplers import EveryNth, Sampler, Sparing
from actlab.checker.watching.summary import Summary, Watched, summary_of
from actlab.errors import ActlabError
from actlab.i18n import _

DEFAULT_INTERVAL = 100
MOST_TIME = 0.03


class WatchError(ActlabError):
    """Something that cannot be watched was given, or an interval that is none."""


def to_stderr(summary: Summary) -> None:
    """Print a summary for people, where it does not mix with a program's results."""
    print(f"\n{summary}", file=sys.stderr)


class Watch:
    """A running or finished watch; `actlab.watch` makes one.

    `summary` is what was seen so far, `findings` what the rules made of it. The watch shows itself
    as text and in a notebook; `to_pandas()` gives its tables. `is_over` tells whether it ended.
    """

    def __init__(
        self,
        models: tuple[nn.Module, ...],
        *,
        every: int,
        sampler: Callable[[], Sampler],
        show: Callable[[Summary], None],
        settings: Settings,
    ) -> None:
        self.every = every
        self.is_over = False
        self._show = show
        self._watched = tuple(
            _watched(model, name, sampler(), settings) for model, name in _named(models)
        )

    @property
    def model_hooks(self) -> tuple[ModelHooks, ...]:
        """Return the model_hooks, for callbacks that know better than a hook when a step begins."""
        return tuple(item.hooks for item in self._watched)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what the rules found so far, the worst first."""
        return self.summary.findings

    @property
    def summary(self) -> Summary:
        """Return what was seen so far."""
        return summary_of(self._watched, self.every)

    def __enter__(self) -> Self:
        for item in self._watched:
            item.hooks.attach()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take every hook away and show the summary; what the program raised goes its way."""
        for item in self._watched:
            item.hooks.detach()
        self.is_over = True
        self._show(self.summary)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain dictionaries and lists, ready for JSON."""
        return self.summary.to_dict()

    def to_pandas(self, table: Any = "activations") -> Any:
        """Return a table of the summary as a DataFrame; needs pandas."""
        return self.summary.to_pandas(table)

    def __str__(self) -> str:
        return str(self.summary)

    def _repr_html_(self) -> str:
        return self.summary._repr_html_()


def watch(
    *models: nn.Module,
    every: int = DEFAULT_INTERVAL,
    show: Callable[[Summary], None] = to_stderr,
    sampler: Callable[[], Sampler] | None = None,
) -> Watch:
    """Watch one or more models while they train: use it in a `with` statement.

    The first pass of each model and every `every`-th after it are recorded: which units are dead
    or saturated, how gradients and activations change with depth, what is not finite, what slopes
    became. The other passes cost a counter. With an interval of 100 or more, a pass that is due is
    passed over while recording took more than 3 % of the time so far; a shorter one is kept to the
    letter. Each threshold that is crossed gives one Python
    warning (`MisuseWarning`) on the line of the activation; at the end `show` is given the
    `Summary`, which by default is printed to standard error. `sampler` makes another chooser of
    passes than every `every`-th. The program itself is never stopped,
    and every hook is gone after the block, also when it ends in an exception.

    Thresholds are those of the rules ACT501 to ACT505 and ACT508, with `[tool.actlab.check]`
    applied. Passes without gradients are recorded until one with gradients comes. Compiled
    models run uncompiled in the passes that are recorded; give the compiled model, not the
    original.

    Raises WatchError for no model, for what is no module, and for `every` below 1.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> with watch(net, every=2, show=lambda summary: None) as seen:
    ...     for _step in range(5):
    ...         net(torch.randn(16, 4)).sum().backward()
    >>> seen.summary.models[0].sampled, seen.findings
    (3, ())
    """
    if not models:
        raise WatchError(_("watch takes at least one model: watch(model)."))
    for model in models:
        if not isinstance(model, nn.Module):
            raise WatchError(
                _("What is watched must be a torch.nn.Module; got {kind}.").format(
                    kind=type(model).__name__
                )
            )
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise WatchError(
            _("every must be a whole number of passes, at least 1; got {given}.").format(
                given=every
            )
        )
    return Watch(
        models,
        every=every,
        sampler=sampler or (lambda: _sampler(every)),
        show=show,
        settings=nearest_settings(Path.cwd(), RULES),
    )


def _sampler(every: int) -> Sampler:
    return EveryNth(every) if every < DEFAULT_INTERVAL else Sparing(every, MOST_TIME)


def _watched(model: nn.Module, name: str, sampler: Sampler, settings: Settings) -> Watched:
    limits = SaturatedUnits(settings.limits.get(SaturatedUnits.code, {})).limits
    history = PassHistory(model, limits["samples"])
    deduplicated = DeduplicatedFindings(settings)

    def on_pass(done: SampledPass) -> None:
        deduplicated.add(history.add(done))

    return Watched(
        ModelHooks(model, name, sampler, limits["slope"], on_pass), history, deduplicated
    )


def _named(models: tuple[nn.Module, ...]) -> Iterator[tuple[nn.Module, str]]:
    kinds = [type(getattr(model, "_orig_mod", model)).__name__ for model in models]
    for place, (model, kind) in enumerate(zip(models, kinds, strict=True)):
        number = kinds[: place + 1].count(kind)
        yield model, kind if kinds.count(kind) == 1 else f"{kind} {number}"
