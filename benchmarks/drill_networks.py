"""Networks of a user's own that go wrong while they train, for the fault drill.

Each goes wrong once, in the training that comes first; the file that DRILL_FLAG names is there from
then on. Nobody needs more memory for it than a few megabytes.
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
    """A small network; the fault comes in the fifth training step."""

    def __init__(self, fault: Callable[[], None]) -> None:
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
        if self.steps == 5 and multiprocessing.parent_process() is not None:
            flag = Path(os.environ["DRILL_FLAG"])
            if not flag.exists():
                flag.touch()
                self.fault()
        found: Tensor = self.layers(x)
        return found


def exits() -> nn.Module:
    return Network(lambda: os._exit(7))


def crashes() -> nn.Module:
    return Network(lambda: ctypes.string_at(0) and None)


def hangs() -> nn.Module:
    return Network(lambda: time.sleep(10_000))


def holds_the_interpreter() -> nn.Module:
    return Network(lambda: ctypes.PyDLL(None).sleep(10_000))


def starves() -> nn.Module:
    """A MemoryError: an allocation that is refused."""

    def fault() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
        bytearray(2**34)

    return Network(fault)


def is_killed_for_memory() -> nn.Module:
    """The kernel's own killer, in a control group with little room."""

    def fault() -> None:
        (GROUP / "cgroup.procs").write_text(str(os.getpid()))
        list(map(bytearray, [2**24] * 200))

    return Network(fault)


def talks_and_starts_things() -> nn.Module:
    """Output, threads, a process that would stay, a copy of the worker."""

    def fault() -> None:
        print("a word on standard output", flush=True)
        sys.stderr.write("a word on standard error\n")
        for _thread in range(5):
            threading.Thread(target=time.sleep, args=(600,)).start()
        subprocess.Popen(["sleep", "600"])
        os.fork()

    return Network(fault)
