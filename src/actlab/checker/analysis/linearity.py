"""Whether a network is affine: a test on mixtures of inputs."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from actlab.capture import ops
from actlab.capture.reruns import Transform
from actlab.capture.trace import Call
from actlab.checker.analysis.origins import ancestors

if TYPE_CHECKING:
    from actlab.checker.analysis.step import Subject

_NONLINEAR = (
    ops.ACTIVATIONS | ops.RECURRENT | ops.ATTENTION | ops.NORMS - {"batch_norm"} | {"max_pool"}
)
_SHARE = 0.3
_TOLERANCE = 1e-3


def is_affine_up_to(subject: "Subject", call: Call) -> bool:
    """Return whether the network from its inputs to the output of `call` is one affine map.

    Nothing nonlinear lies on the way, and on two random pairs of inputs the output of a mixture is
    the mixture of the outputs. False where the model cannot be run on mixtures.
    """
    if any(before.op in _NONLINEAR for before in ancestors(call.output)):
        return False
    if not all(tensor.is_floating_point() for tensor in subject.input_tensors):
        return False
    return all(_mixes(subject, call, seed) for seed in (1, 2))


def _mixes(subject: "Subject", call: Call, seed: int) -> bool:
    def noise(tensor: Tensor, number: int) -> Tensor:
        generator = torch.Generator().manual_seed(10 * seed + number)
        drawn = torch.randn(tensor.shape, generator=generator)
        return drawn.to(tensor.device, tensor.dtype)

    first = _output(subject, call, lambda t: noise(t, 1))
    second = _output(subject, call, lambda t: noise(t, 2))
    mixed = _output(subject, call, lambda t: _SHARE * noise(t, 1) + (1 - _SHARE) * noise(t, 2))
    if first is None or second is None or mixed is None or first.shape != mixed.shape:
        return False
    expected = _SHARE * first + (1 - _SHARE) * second
    scale = float(expected.abs().max()) + 1e-12
    return float((mixed - expected).abs().max()) < _TOLERANCE * scale


def _output(subject: "Subject", call: Call, transform: Transform) -> Tensor | None:
    run = subject.probes.rerun(transform)
    twin = run.counterpart(call, subject.trace) if run is not None else None
    return None if twin is None else twin.output.tensor.detach().double()
