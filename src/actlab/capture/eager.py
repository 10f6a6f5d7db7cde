"""Compiled models run as they are written, so that their calls can be recorded."""

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def eager() -> AbstractContextManager[Any]:
    """Return a context in which what `torch.compile` made runs without being compiled.

    torch before 2.6 has no such switch: there a compiled model stays compiled, and nothing of it is
    seen. https://docs.pytorch.org/docs/stable/generated/torch.compiler.set_stance.html
    """
    if "torch._dynamo" not in sys.modules:
        return nullcontext()  # nothing can have been compiled, and importing it takes seconds
    set_stance = getattr(torch.compiler, "set_stance", None)
    return nullcontext() if set_stance is None else set_stance("force_eager")
