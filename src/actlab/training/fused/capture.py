"""Steps as one launch: on a CUDA device a step is recorded once and then replayed."""

from collections.abc import Callable

import torch

Step = Callable[[], None]

_EAGER = 1
"""Steps before the recording, in which libraries choose their kernels and take their memory."""


def captured(step: Step, device: torch.device) -> Step:
    """Return `step` as it is, or where `device` is CUDA as one that replays a graph of it.

    `step` must read and write the same memory in each call, and wait for nothing on the host.
    """
    return _Captured(step) if device.type == "cuda" else step


class _Captured:
    """The first calls are steps like all others, on a stream of their own, as capture asks for."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._eager = _EAGER
        self._stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch's
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        if self._eager > 0:
            self._eager -= 1
            self._stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self._stream):
                self._step()
            torch.cuda.current_stream().wait_stream(self._stream)
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):  # records, and computes nothing
                self._step()
        self._graph.replay()
