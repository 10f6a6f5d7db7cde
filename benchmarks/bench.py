"""What the benchmarks share: the machine, medians, and one way to print a result."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from statistics import median
from typing import Any


def machine() -> dict[str, Any]:
    """Return what a figure must be read with: processor, cores, versions, time."""
    import torch

    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def processor() -> str:
    """Return the processor's name as the system gives it."""
    shown = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    names = [line.split(":", 1)[1].strip() for line in shown.splitlines() if "Model name" in line]
    return names[0] if names else platform.machine()


def spread(values: list[float]) -> dict[str, float]:
    """Return minimum, median and maximum of several runs."""
    return {"min": min(values), "median": median(values), "max": max(values)}


def publish(recipe: str, figures: dict[str, Any]) -> None:
    """Print recipe, machine and figures: a table for people, then one JSON line for scripts."""
    print(f"{recipe}\n  command: python {' '.join(sys.argv)}", file=sys.stderr)
    for name, value in figures.items():
        print(f"  {name:<40} {_shown(value)}", file=sys.stderr)
    print(json.dumps({"recipe": recipe, "machine": machine(), "figures": figures}))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{key} {_shown(item)}" for key, item in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
