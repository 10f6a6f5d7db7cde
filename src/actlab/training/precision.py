"""In which arithmetic a network runs, and which one is faster here."""

import time
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from actlab.records import Precision

Arithmetic = Callable[[nn.Module, Tensor], Tensor]
"""Applies a network to images; the outputs are in the precision of the weights."""

_STEPS = 10


def in_fp32(model: nn.Module, images: Tensor) -> Tensor:
    """Apply `model` to `images` as they are."""
    return cast(Tensor, model(images))


def in_bf16(model: nn.Module, images: Tensor) -> Tensor:
    """Apply `model` with products and activations in bfloat16; weights stay in float32.

    Autocast was as fast as a bfloat16 copy of the weights beside float32 ones, and leaves the
    optimiser's steps in float32 without a second set of weights.
    """
    with torch.autocast(images.device.type, dtype=torch.bfloat16):
        outputs = model(images)
    return cast(Tensor, outputs.float())


ARITHMETIC: dict[Precision, Arithmetic] = {"fp32": in_fp32, "bf16": in_bf16}


def cpu_has_bf16() -> bool:
    """Return whether this processor multiplies bfloat16 numbers itself, without emulation."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def has_bf16(device: str) -> bool:
    """Return whether `device`, "cpu" or "cuda", multiplies bfloat16 numbers itself."""
    if device == "cuda":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return cpu_has_bf16()


def faster_precision(model: nn.Module, images: Tensor) -> Precision:
    """Return the precision in which some training steps on `images` take less time.

    The weights stay as they are. The two take turns, and the quickest step of each counts, so
    that other work on the machine does not decide.
    """
    seconds: dict[Precision, float] = {}
    for precision, arithmetic in list(ARITHMETIC.items()) * _STEPS:
        taken = step_seconds(model, images, arithmetic)
        seconds[precision] = min(taken, seconds.get(precision, taken))
    return min(seconds, key=lambda precision: seconds[precision])


def step_seconds(model: nn.Module, images: Tensor, arithmetic: Arithmetic) -> float:
    """Return how long a network takes for its outputs on `images` and all its gradients."""
    labels = torch.zeros(len(images), dtype=torch.int64, device=images.device)
    started = time.perf_counter()
    loss = F.cross_entropy(arithmetic(model, images), labels)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    # Reading a number waits until a GPU has finished.
    float(gradients[0].flatten()[0])
    return time.perf_counter() - started
