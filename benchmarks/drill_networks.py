"""A user's own network that goes wrong while it trains, for the fault drill.

It goes wrong once, as DRILL_FAULT says, in the training that comes first; the file that DRILL_FLAG
names is there from then on. Whatever the fault, it is the same network, so that its records can be
compared. Nobody needs more memory for it than a few megabytes.
"""

import ctypes
import multiprocessing
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from torch import Tensor, nn

GROUP = Path("/sys/fs/cgroup/memory/actlab_drill")


class Network(nn.Module):
    """A small network; the fault comes in its second training step."""

    def __init__(self, fault: Callable[[], object]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 16), nn.ReLU(),
            nn.Linear(16, 10),
        )  # fmt: skip
        self.fault = fault
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        """Return logits, or go wrong."""
        self.steps += self.training
        if self.steps == 2 and multiprocessing.parent_process() is not None:
            flag = Path(os.environ["DRILL_FLAG"])
            if not flag.exists():
                flag.touch()
                self.fault()
        found: Tensor = self.layers(x)
        return found


def starves() -> None:
    """Ask for memory that is refused: a MemoryError."""
    resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
    bytearray(2**34)


def is_killed_for_memory() -> None:
    """Meet the kernel's own killer, in a control group with little room."""
    (GROUP / "cgroup.procs").write_text(str(os.getpid()))
    list(map(bytearray, [2**24] * 200))


def talks_and_starts_things() -> None:
    """Leave output, threads, a process that would stay, a copy of the worker."""
    print("a word on standard output", flush=True)
    sys.stderr.write("a word on standard error\n")
    for _thread in range(5):
        threading.Thread(target=time.sleep, args=(600,)).start()
    subprocess.Popen(["sleep", "600"])
    os.fork()


FAULTS: dict[str, Callable[[], object]] = {
    "exits": lambda: os._exit(7),
    "crashes": lambda: ctypes.string_at(0),
    "hangs": lambda: time.sleep(10_000),
    "holds_the_interpreter": lambda: ctypes.PyDLL(None).sleep(10_000),
    "starves": starves,
    "is_killed_for_memory": is_killed_for_memory,
    "talks_and_starts_things": talks_and_starts_things,
}


def network() -> nn.Module:
    return Network(FAULTS[os.environ["DRILL_FAULT"]])
