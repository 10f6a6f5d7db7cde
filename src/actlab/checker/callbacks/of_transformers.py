"""A callback for the Hugging Face Trainer."""

# ruff: noqa: ARG002  the signatures are the library's

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from actlab.capture.eager import eager
from actlab.checker.callbacks.extras import base_class, show_nothing
from actlab.checker.watching.samplers import OnRequest
from actlab.checker.watching.summary import Summary
from actlab.checker.watching.watcher import Watch, to_stderr, watch


def transformers_watch(every: int = 100, show: Callable[[Summary], None] = to_stderr) -> Any:
    """Return a callback that watches the Trainer's model as `actlab.watch` does.

    The first training step and every `every`-th after it are recorded (of a step with gradient
    accumulation, its first pass); only in these steps the model has hooks, and runs uncompiled.
    `callback.watch` is the `Watch` of the last training, with `.findings` and `.summary`; `show` is
    given the summary at the end, in the first process only.

    Raises MissingExtraError where `transformers` is not installed, and WatchError for `every` below
    1 once a training starts.
    """
    base = base_class("transformers", ("transformers",), "TrainerCallback")
    return type("TransformersWatch", (_Events, base), {"__module__": __name__})(every, show)


class _Events:
    def __init__(self, every: int, show: Callable[[Summary], None]) -> None:
        super().__init__()
        self.every = every
        self.watch: Watch | None = None
        self._show = show
        self._sampler = OnRequest()
        self._step = ExitStack()

    def on_train_begin(
        self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any
    ) -> None:
        """Start to watch."""
        self._step.close()
        show = self._show if state.is_world_process_zero else show_nothing
        self.watch = watch(model, every=self.every, show=show, sampler=lambda: self._sampler)

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Attach the hooks if the step is due."""
        if self.watch is None or state.global_step % self.every:
            return
        self._step.enter_context(eager())
        self._sampler.wanted = True
        for hooks in self.watch.model_hooks:
            hooks.counts["training"] = state.global_step
            hooks.attach()
            self._step.callback(hooks.detach)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Take the hooks away again."""
        self._step.close()
        for hooks in self.watch.model_hooks if self.watch is not None else ():
            hooks.counts["training"] = state.global_step

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Show the summary."""
        self._step.close()
        if self.watch is not None and not self.watch.is_over:
            self.watch.stop()
