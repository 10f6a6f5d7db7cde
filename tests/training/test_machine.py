"""The machine in words."""

import json
import os
import platform
from pathlib import Path

import pytest
import torch

from actlab.training import describe_machine, machine


def test_it_says_where_a_study_ran() -> None:
    found = describe_machine("cpu")
    assert found["cores"] == len(os.sched_getaffinity(0))
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
    assert describe_machine("cpu")["processor"] == "A Processor: 9"
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "nothing")
    assert describe_machine("cpu")["processor"] in {platform.processor(), platform.machine()}


def test_a_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
    assert describe_machine("cuda")["device"] == "A GPU"
