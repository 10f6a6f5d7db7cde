"""What a training runs on, in words for the run folder."""

import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from actlab.training.device import Device

_CPUINFO = Path("/proc/cpuinfo")


def describe_machine(device: Device) -> dict[str, Any]:
    """Return the system, the processor, the cores that this process may use and the device."""
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
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
