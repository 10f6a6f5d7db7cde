"""The machine that trains: its devices, its cores, the memory of its processes, its description."""

import ctypes
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from actlab.errors import DeviceError
from actlab.i18n import _

Device = Literal["cpu", "cuda"]

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine(device: Device, cores: int) -> dict[str, Any]:
    """Return the system, the processor, the cores that this process may use and the device."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": cores,
        "device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
    }


def _processor() -> str:
    """Return the processor's model, which Python's platform module does not know on Linux."""
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text().splitlines():
            key, _separator, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def versions_of(libraries: Sequence[str]) -> dict[str, str]:
    """Return the versions of Python and of installed libraries, by name."""
    versions = {name: metadata.version(name) for name in libraries}
    return {"python": platform.python_version(), **versions}


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


def place(model: nn.Module, device: Device) -> nn.Module:
    """Return `model` on `device`, its weights laid out with the channels last.

    A training step of the published network then took 60 to 75 % of its time on a CPU.
    """
    placed: nn.Module = model.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch declares no overload with a memory format alone
    return placed


_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
"""Parameters of mallopt(3), from glibc's malloc.h."""

_LARGEST = 2**31 - 1
_LARGEST_MMAP_THRESHOLD = 2**30


def keep_pages() -> bool:
    """Tell the C library to return no memory to the system; return whether it understood.

    By default glibc maps each large block anew and unmaps it when it is freed, so every step pays
    for thousands of page faults. A C library without mallopt (musl, macOS) is left as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    mallopt.restype = ctypes.c_int
    return bool(
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_TRIM_THRESHOLD, _LARGEST)
    )
