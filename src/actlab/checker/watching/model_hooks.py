"""The hooks of a watched model: counting its passes, and recording a few of them.

They cost a pass that is not recorded two calls of Python. They never raise into the program: what
goes wrong inside is written down, and they fall silent.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from actlab.capture.eager import eager
from actlab.checker.watching.forward_sample import ForwardSample, sampled_forward
from actlab.checker.watching.sampled_pass import SampledPass
from actlab.checker.watching.samplers import Sampler, Stopwatch
from actlab.i18n import _

Kind = Literal["training", "inference"]


class Hook:
    """A hook that pickles and deep-copies to one that does nothing, so that both remain possible.

    The copy has a method of the standard library in its place that takes anything and does nothing:
    to load such a pickle needs no actlab.
    """

    def __init__(self, work: Callable[..., None]) -> None:
        self._work = work

    def __call__(self, *args: Any) -> None:
        """Do the work."""
        self._work(*args)

    def __reduce__(self) -> tuple[Any, ...]:
        return getattr, (nullcontext(), "__exit__")


@dataclass(eq=False)
class ModelHooks:
    """A model being watched.

    `on_pass` is given each sampled pass once its gradients have arrived, or will not any more.
    Passes without gradients are recorded only while no pass with gradients was seen.
    """

    model: nn.Module
    name: str
    sampler: Sampler
    flat_slope: float
    on_pass: Callable[[SampledPass], None]
    counts: dict[Kind, int] = field(default_factory=lambda: {"training": 0, "inference": 0})
    faults: list[str] = field(default_factory=list)
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    _began: float | None = None
    _depth: int = 0
    _thread: int | None = None
    _pending: SampledPass | None = None
    _forward: ForwardSample | None = None
    _sampling: ExitStack | None = None
    _attached: ExitStack = field(default_factory=ExitStack)

    def attach(self) -> None:
        """Start to count the model's passes."""
        if isinstance(self.model, torch.jit.ScriptModule):
            self.faults.append(_("it is a scripted module, which runs outside Python"))
        elif getattr(self.model, "_compiled_call_impl", None) is not None:
            self._wrap_compiled_call()
        else:
            before = self.model.register_forward_pre_hook(Hook(self._before), prepend=True)
            after = self.model.register_forward_hook(Hook(self._after), always_call=True)
            self._attached.callback(after.remove)
            self._attached.callback(before.remove)

    def detach(self) -> None:
        """Take every hook away, and hand on the last sampled pass."""
        self._attached.close()
        self._guarded(self._stop_sampling)
        self._guarded(self._hand_on)

    @property
    def is_recording(self) -> bool:
        """Return whether a pass is being recorded now."""
        return self._sampling is not None

    def begin(self) -> None:
        """Count a pass that starts, and record it if it is due."""
        self._guarded(self._begin)

    def end(self, output: Any = None) -> None:
        """Note that the pass ended, with `output`; nothing happens if none was recorded."""
        if self._sampling is not None:
            self._guarded(lambda: self._end(output))

    def _begin(self) -> None:
        if self._sampling is not None or self.faults:
            return
        kind: Kind = "training" if torch.is_grad_enabled() else "inference"
        self.counts[kind] += 1
        if self._pending is not None and self._pending.is_complete:
            self._hand_on()
        if kind == "inference" and self.counts["training"] > 0:
            return
        if self._began is None:
            self._began = time.perf_counter()
        if self.sampler.is_due(self.counts[kind], self._burden):
            self._hand_on()
            self._sample()

    def _burden(self) -> float:
        """Return which share of the time since the first pass went into watching."""
        passed = time.perf_counter() - (self._began or 0.0)
        return self.stopwatch.seconds / max(passed, 1e-9)

    def _end(self, output: Any) -> None:
        forward = self._forward
        self._stop_sampling()
        if forward is None:
            return
        number = self.counts["training"] or self.counts["inference"]
        self._pending = SampledPass(number, forward, self.stopwatch)
        if torch.is_grad_enabled():
            self._pending.await_gradients(self.model)
            self._pending.note_answers(output)

    def _sample(self) -> None:
        if _is_capturing():
            return
        stack = ExitStack()
        stack.enter_context(eager())
        self._sampling = stack
        self._forward = stack.enter_context(
            sampled_forward(self.model, self.flat_slope, self.stopwatch)
        )

    def _stop_sampling(self) -> None:
        stack, self._sampling, self._forward = self._sampling, None, None
        if stack is not None:
            stack.close()

    def _hand_on(self) -> None:
        done, self._pending = self._pending, None
        if done is not None:
            done.close()
            self.on_pass(done)

    def _before(self, module: nn.Module, args: Any) -> None:  # noqa: ARG002  torch's signature
        if _is_traced() or not self._is_own_thread():
            return
        self._depth += 1
        if self._depth == 1:
            self.begin()

    def _after(self, module: nn.Module, args: Any, output: Any) -> None:  # noqa: ARG002  torch's signature
        if _is_traced() or not self._is_own_thread():
            return
        self._depth = max(self._depth - 1, 0)
        if self._depth == 0:
            self.end(output)

    def _is_own_thread(self) -> bool:
        """Return whether the thread is the first that ran the model: replicas are not recorded."""
        if self._thread is None:
            self._thread = threading.get_ident()
        return self._thread == threading.get_ident()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            with self.stopwatch:
                work()
        except Exception as error:  # the program that is watched comes first
            self.faults.append(
                _("watching stopped by a fault of actlab's own ({kind}: {text})").format(
                    kind=type(error).__name__, text=error
                )
            )
            self._stop_sampling()
            self._pending = None

    def _wrap_compiled_call(self) -> None:
        """Stand between `module(x)` and what `module.compile()` made of it: hooks are traced."""
        compiled: Any = self.model._compiled_call_impl

        def call(*args: Any, **kwargs: Any) -> Any:
            self._before(self.model, args)
            output: Any = None
            try:
                output = compiled(*args, **kwargs)
            finally:
                self._after(self.model, args, output)
            return output

        def restore() -> None:
            self.model._compiled_call_impl = compiled

        self.model._compiled_call_impl = call
        self._attached.callback(restore)


def _is_traced() -> bool:
    """Return whether torch.compile, export or jit.trace is reading the program."""
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def _is_capturing() -> bool:
    cuda: Any = torch.cuda
    return bool(cuda.is_initialized() and cuda.is_current_stream_capturing())
