"""Which device a study asked for, and whether it is there."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import nn

from actlab.errors import DeviceError
from actlab.i18n import _
from actlab.records import Precision
from actlab.training.precision import has_bf16

Device = Literal["cpu", "cuda"]


def resolve_device(asked: Literal["auto", "cpu", "cuda"]) -> Device:
    """Return the device that trials run on; `auto` is a GPU where there is one.

    Raises DeviceError for a device that is not there.

    >>> resolve_device("cpu")
    'cpu'
    """
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise DeviceError(
            _(
                "The device cuda was asked for, but torch {version} finds no CUDA device on this "
                "machine. Use --device cpu, or auto."
            ).format(version=torch.__version__)
        )
    if asked == "auto":
        return "cuda" if there else "cpu"
    return asked


def resolve_precision(
    asked: Literal["auto", "fp32", "bf16"], device: Device, faster: Callable[[], Precision]
) -> Precision:
    """Return the precision that trials run in on `device`.

    `auto` is fp32 where the device has no bf16 of its own, else what `faster` measures.

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
        return faster() if there else "fp32"
    return asked


def place(model: nn.Module, device: Device) -> nn.Module:
    """Return `model` on `device`, its weights laid out with the channels last.

    A training step of the published network then took 60 to 75 % of its time on a CPU.
    """
    placed: nn.Module = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares no overload with a memory format alone
    return placed
