"""Compiled models run as they are written, so that their calls can be recorded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch


@contextmanager
def eager() -> Iterator[None]:
    """Return a context in which what `torch.compile` made runs without being compiled.

    The switch is one for the whole process: of contexts that overlap, in threads as well, the first
    sets it and the last puts back what was before. torch before 2.6 has no such switch: there a
    compiled model stays compiled, and nothing of it is seen.
    https://docs.pytorch.org/docs/stable/generated/torch.compiler.set_stance.html
    """
    # Without dynamo nothing can have been compiled, and importing it takes seconds.
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        yield
        return
    _STANCE.hold()
    try:
        yield
    finally:
        _STANCE.release()


class _Stance:
    def __init__(self) -> None:
        self._lock = Lock()
        self._holders = 0
        self._forced: Any = None

    def hold(self) -> None:
        with self._lock:
            if not self._holders:
                self._forced = torch.compiler.set_stance("force_eager")
                self._forced.__enter__()
            self._holders += 1

    def release(self) -> None:
        with self._lock:
            self._holders -= 1
            if not self._holders:
                self._forced.__exit__(None, None, None)
                self._forced = None


_STANCE = _Stance()
