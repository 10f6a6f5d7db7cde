"""Does a kernel give the same when it is compiled, and when it is exported?"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn

from actlab.activations.conformance.results import Check, ConformanceError
from actlab.errors import unknown_name
from actlab.i18n import _

MODES = ("compiled", "exported")


class _Wrapped(nn.Module):
    def __init__(self, kernel: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self, x: Tensor) -> Tensor:
        return self.kernel(x)


@contextmanager
def _without_logs() -> Iterator[None]:
    """Keep what compilers log and print of a kernel that they cannot take: its reason is raised."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def agreement(kernel: Callable[[Tensor], Tensor], x: Tensor, mode: str, allowed: float) -> Check:
    """Return whether a kernel gives the same in a mode, up to `allowed` of max(|y|, |x|).

    Raises UnknownNameError for another mode, ConformanceError where it cannot be run in it.
    """
    if mode not in MODES:
        raise unknown_name(_("mode"), mode, MODES)
    x = x[x.isfinite()]
    module = kernel if isinstance(kernel, nn.Module) else _Wrapped(kernel)
    runs: Any
    with torch.no_grad(), _without_logs():
        wanted = module(x.clone())
        try:
            if mode == "compiled":
                torch.compiler.reset()
                runs = torch.compile(module, fullgraph=True)
            else:
                runs = torch.export.export(module, (x.clone(),)).module()
            found = runs(x.clone())
        except Exception as error:  # a compiler's own kinds have no common base
            message = _("The kernel cannot be {mode}: {reason}")
            words = {"compiled": _("compiled"), "exported": _("exported")}
            reason = str(error).strip().split("\n")[0] or type(error).__name__
            raise ConformanceError(message.format(mode=words[mode], reason=reason)) from None
    scale = torch.maximum(wanted.double().abs(), x.double().abs())
    off = (found.double() - wanted.double()).abs()
    fine = (off <= allowed * scale) | (found == wanted) | (found.isnan() & wanted.isnan())
    if bool(fine.all()):
        return Check(mode, True)
    first = torch.nonzero(~fine).flatten()[0]
    return Check(mode, False, None, float(x[first]), float(found[first]), float(wanted[first]))
