"""What a module costs on this machine, next to a copy of the same tensor."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor

from actlab.activations.facts.measurable import Measurable, module_of
from actlab.activations.facts.numerical_errors import DTYPES
from actlab.activations.facts.results import Cost
from actlab.errors import DeviceError, unknown_name
from actlab.i18n import _

_RUNS = 9
_LEAST_SECONDS = 2e-3
"""One timed run repeats its work until it takes about this long."""


def timed(function: Measurable, dtype: str, device: str, *, compiled: bool, elements: int) -> Cost:
    """Return the median times of forward, backward and a copy, in nanoseconds per element.

    The three are timed in turns, so that a slow moment of the machine meets all of them. A ratio
    is the median of the ratios of neighbouring runs.
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    _check_device(device)
    x = torch.randn(elements, device=device).to(DTYPES[dtype]).requires_grad_()
    module = module_of(function).train().to(device=device, dtype=DTYPES[dtype])
    apply: Callable[[Tensor], Tensor] = torch.compile(module) if compiled else module
    output = apply(x)
    incoming = torch.ones_like(output)
    learnt = [x, *module.parameters()]
    source, target = x.detach(), torch.empty_like(x.detach())

    def forward() -> None:
        apply(x)

    def backward() -> None:
        torch.autograd.grad(output, learnt, incoming, retain_graph=True)

    def copy() -> None:
        target.copy_(source)

    works = (copy, forward, backward)
    repeats = [_repeats(work, device) for work in works]
    rows = [
        [_seconds(work, count, device) for work, count in zip(works, repeats, strict=True)]
        for _run in range(_RUNS)
    ]
    copies, forwards, backwards = zip(*rows, strict=True)
    per_element = 1e9 / elements
    return Cost(
        function=function.name,
        dtype=dtype,
        device=device,
        compiled=compiled,
        elements=elements,
        copy_ns=statistics.median(copies) * per_element,
        forward_ns=statistics.median(forwards) * per_element,
        backward_ns=statistics.median(backwards) * per_element,
        forward_ratio=statistics.median(row[1] / row[0] for row in rows),
        backward_ratio=statistics.median(row[2] / row[0] for row in rows),
        saved_bytes=saved_bytes(apply, x) / elements,
    )


def saved_bytes(apply: Callable[[Tensor], Tensor], x: Tensor) -> int:
    """Return the bytes that autograd keeps for the backward of `apply`, each storage once.

    >>> x = torch.zeros(8, requires_grad=True)
    >>> saved_bytes(torch.nn.SiLU(), x)
    32
    """
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage, size = tensor.untyped_storage(), tensor.numel() * tensor.element_size()
        before = kept.get(storage.data_ptr(), 0)  # two halves of one tensor are the whole
        kept[storage.data_ptr()] = min(storage.nbytes(), before + size)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        apply(x)
    return sum(kept.values())


def _check_device(device: str) -> None:
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError):
        message = _('The device "{device}" is not on this machine; "cpu" always is.')
        raise DeviceError(message.format(device=device)) from None


def _repeats(work: Callable[[], None], device: str) -> int:
    work()
    once = max(_seconds(work, 1, device), 1e-7)
    return max(1, min(1000, round(_LEAST_SECONDS / once)))


def _seconds(work: Callable[[], None], count: int, device: str) -> float:
    _synchronise(device)
    start = time.perf_counter()
    for _repeat in range(count):
        work()
    _synchronise(device)
    return (time.perf_counter() - start) / count


def _synchronise(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
