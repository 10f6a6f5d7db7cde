"""Memory that is kept: counted in page faults, in a process of its own."""

import ctypes
import subprocess
import sys

import pytest

COUNT_FAULTS = """
import resource
import torch
from actlab.training.allocator import keep_pages

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.empty(4_000_000).fill_(1.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
before = faults()
understood = keep_pages()
faults()
print(before, faults(), understood)
"""


def test_pages_stay_in_the_process() -> None:
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("this C library is not glibc")
    run = subprocess.run(
        [sys.executable, "-c", COUNT_FAULTS], capture_output=True, text=True, check=True
    )
    before, after, understood = run.stdout.split()
    assert understood == "True"
    assert int(before) > 1000
    assert int(after) < int(before) / 100


def test_a_library_without_mallopt_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from actlab.training import keep_pages

    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert keep_pages() is False
