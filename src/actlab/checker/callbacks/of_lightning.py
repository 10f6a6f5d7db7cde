"""A callback for Lightning's Trainer."""

# ruff: noqa: ARG002  the signatures are the library's

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from actlab.capture.trace import tensors_in
from actlab.checker.callbacks.extras import base_class, show_nothing
from actlab.checker.watching.summary import Summary
from actlab.checker.watching.watcher import Watch, to_stderr, watch

_PLACES = ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks")


def lightning_watch(every: int = 100, show: Callable[[Summary], None] = to_stderr) -> Any:
    """Return a callback that watches a LightningModule as `actlab.watch` does.

    The first training batch and every `every`-th after it are recorded, from the start of the
    batch to its first backward pass. `callback.watch` is the `Watch` of the last fit, with
    `.findings` and `.summary`; `show` is given the summary at the end, in the first process only.

    Raises MissingExtraError where neither `lightning` nor `pytorch_lightning` is installed, and
    WatchError for `every` below 1 once a fit starts.
    """
    base = base_class("lightning", _PLACES, "Callback")
    return type("LightningWatch", (_Hooks, base), {"__module__": __name__})(every, show)


class _Hooks:
    """The events of a fit. A LightningModule is not always called, so the batch is what counts."""

    def __init__(self, every: int, show: Callable[[Summary], None]) -> None:
        super().__init__()
        self.every = every
        self.watch: Watch | None = None
        self._show = show
        self._output: Any = None
        self._listening = ExitStack()

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start to watch."""
        show = self._show if trainer.is_global_zero else show_nothing
        self.watch = watch(pl_module, every=self.every, show=show)

    def on_train_batch_start(
        self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch, and record it if it is due."""
        for hooks in self._model_hooks():
            hooks.begin()
            if hooks.is_recording:
                self._note_outputs(pl_module)

    def on_before_backward(self, trainer: Any, pl_module: Any, loss: Any) -> None:
        """Stop to record, and wait for the gradients."""
        self._listening.close()
        for hooks in self._model_hooks():
            hooks.end(self._output)
        self._output = None

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop to record where no backward pass came."""
        self._listening.close()
        self._output = None
        for hooks in self._model_hooks():
            hooks.end()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Show the summary."""
        self._stop()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Show what was seen until then, and let the exception go its way."""
        self._stop()

    def _note_outputs(self, pl_module: Any) -> None:
        """Keep the last answer of the module, or of a part of it, until the backward pass."""

        def note(_module: Any, _args: Any, output: Any) -> None:
            tensors = tuple(tensors_in(output))
            if any(tensor.requires_grad and tensor.ndim > 0 for tensor in tensors):
                self._output = output

        for module in (pl_module, *pl_module.children()):
            self._listening.callback(module.register_forward_hook(note).remove)

    def _model_hooks(self) -> Any:
        return self.watch.model_hooks if self.watch is not None else ()

    def _stop(self) -> None:
        self._listening.close()
        self._output = None
        if self.watch is not None and not self.watch.is_over:
            self.watch.stop()
