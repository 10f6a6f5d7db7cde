"""The machine in words, and memory that is kept: counted in page faults, in its own process."""

import ctypes
import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from actlab.training import describe_machine, machine


def test_it_says_where_a_study_ran() -> None:
    found = describe_machine("cpu", 3)
    assert found["cores"] == 3
    assert found["device"] == "cpu"
    assert platform.system() in found["system"]
    assert found["processor"]
    json.dumps(found)


def test_the_processor_s_model_is_read_where_the_system_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\nmodel name\t: A Processor: 9\nmodel name\t: another\n")
    monkeypatch.setattr(machine, "_CPUINFO", told)
    assert describe_machine("cpu", 3)["processor"] == "A Processor: 9"
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "nothing")
    assert describe_machine("cpu", 3)["processor"] in {platform.processor(), platform.machine()}


def test_a_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
    assert describe_machine("cuda", 3)["device"] == "A GPU"


COUNT_FAULTS = """
import resource
import torch
from actlab.training.machine import keep_pages

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
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert machine.keep_pages() is False
