"""Precision policies: how a network is applied in fp32 or bf16, and which one is faster here."""

import time
from collections.abc import Callable, Mapping
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.errors import DeviceError
from actlab.i18n import _
from actlab.records import Precision
from actlab.training.machine import Device

PrecisionPolicy = Callable[[nn.Module, Tensor], Tensor]
"""Applies a network to images; the outputs are in the precision of the weights."""

_STEPS = 10

CLEARLY_FASTER = 1.15
"""How many times faster bf16 must be for `auto` to take it: less is within what timings vary by."""

FEWEST_MULTIPLY_ADDS = 20_000_000
"""Of a batch, forward, for `auto` to look at bf16 at all.

Below, a step's time is its calls, not its arithmetic, and which precision wins is chance: the small
network on the digits has 3 million, the published one on MNIST 114 million."""


def in_fp32(model: nn.Module, images: Tensor) -> Tensor:
    """Apply `model` to `images` as they are."""
    return cast(Tensor, model(images))


def in_bf16(model: nn.Module, images: Tensor) -> Tensor:
    """Apply `model` with products and activations in bfloat16; weights stay in float32.

    Autocast was as fast as a bfloat16 copy of the float32 weights, and leaves the
    optimiser's steps in float32 without a second set of weights.
    """
    with torch.autocast(images.device.type, dtype=torch.bfloat16):
        outputs = model(images)
    return cast(Tensor, outputs.float())


POLICIES: dict[Precision, PrecisionPolicy] = {"fp32": in_fp32, "bf16": in_bf16}


def cpu_has_bf16() -> bool:
    """Return whether this processor multiplies bfloat16 numbers itself, without emulation.

    False where torch is too old (2.4) to say what the processor can do.
    """
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def has_bf16(device: str) -> bool:
    """Return whether `device`, "cpu" or "cuda", multiplies bfloat16 numbers itself."""
    if device == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return cpu_has_bf16()


def resolve_precision(
    asked: Literal["auto", "fp32", "bf16"],
    device: Device,
    faster: Callable[[], Precision],
    multiply_adds: int = FEWEST_MULTIPLY_ADDS,
) -> Precision:
    """Return the precision that trials run in on `device`.

    `auto` is fp32 where the device has no bf16 of its own or the network has fewer `multiply_adds`
    in a batch than `FEWEST_MULTIPLY_ADDS`, else what `faster` measures.

    Raises DeviceError for bf16 where the device would have to emulate it.

    >>> resolve_precision("fp32", "cpu", faster=lambda: "bf16")
    'fp32'
    """
    if asked == "fp32":
        return "fp32"
    there = has_bf16(device)
    if asked == "bf16" and not there:
        raise DeviceError(
            _(
                "The precision bf16 was asked for, but the device {device} of this machine does "
                "not compute in it. Use --precision fp32, or auto."
            ).format(device=device)
        )
    if asked == "auto":
        return faster() if there and multiply_adds >= FEWEST_MULTIPLY_ADDS else "fp32"
    return asked


def clearly_faster(seconds: Mapping[Precision, float]) -> Precision:
    """Return bf16 where its steps take less time by the factor `CLEARLY_FASTER`, else fp32.

    >>> clearly_faster({"fp32": 1.2, "bf16": 1.0}), clearly_faster({"fp32": 1.1, "bf16": 1.0})
    ('bf16', 'fp32')
    """
    return "bf16" if seconds["fp32"] >= CLEARLY_FASTER * seconds["bf16"] else "fp32"


def faster_precision(model: nn.Module, images: Tensor) -> Precision:
    """Return the precision in which training steps on `images` are clearly faster, fp32 if none.

    The weights stay as they are. The two take turns, and the quickest step of each counts, so
    that other work on the machine does not decide.
    """
    seconds: dict[Precision, float] = {}
    for precision, policy in list(POLICIES.items()) * _STEPS:
        taken = step_seconds(model, images, policy)
        seconds[precision] = min(taken, seconds.get(precision, taken))
    return clearly_faster(seconds)


def step_seconds(model: nn.Module, images: Tensor, policy: PrecisionPolicy) -> float:
    """Return how long a network takes for its outputs on `images` and all its gradients."""
    labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    started = time.perf_counter()
    outputs = policy(model, images)
    # What is minimised costs next to nothing: a network with other outputs is timed as well.
    loss = (
        F.cross_entropy(outputs, labels) if outputs.ndim == 2 else outputs.float().square().mean()
    )
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    gradients = torch.autograd.grad(loss, learning, allow_unused=True)
    # Reading a number waits until a GPU has finished.
    float(next(found for found in gradients if found is not None).flatten()[0])
    return time.perf_counter() - started
