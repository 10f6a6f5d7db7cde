"""Compiled loops are found again by the next process, and work where nothing can be kept."""

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import torch

from actlab.networks.winograd.compiled import Array, array, compiled


def test_a_loop_without_a_file_is_compiled_all_the_same() -> None:
    names: dict[str, object] = {}
    exec("def add(values, out):\n    out[0] = values.sum()\n", names)
    add, out = names["add"], np.zeros(1)
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(add)
    compiled(add)(np.arange(4.0), out)  # type: ignore[type-var, operator]
    assert out[0] == 6


def test_an_array_is_the_memory_of_its_tensor() -> None:
    tensor = torch.zeros(2, 3, requires_grad=True)
    view: Array = array(tensor)
    view[1, 2] = 5
    assert tensor[1, 2] == 5
    assert array(tensor.t()).flags.c_contiguous


def test_an_array_of_bfloat16_has_its_bits() -> None:
    tensor = torch.tensor([1.0, -2.0], dtype=torch.bfloat16)
    view: Array = array(tensor)
    assert [hex(bits) for bits in view] == ["0x3f80", "0xc000"]
    view[0] = 0x4000
    assert tensor.tolist() == [2.0, -2.0]


@pytest.mark.slow
def test_the_next_process_compiles_nothing(tmp_path: Path) -> None:
    code = (
        "import torch\n"
        "from actlab.networks import build, winograd_first\n"
        "from actlab.training import POLICIES\n"
        "network = winograd_first(build('published_cnn', 'silu', 'tanh', 'logits'))\n"
        "outputs = POLICIES['bf16'](network, torch.zeros(2, 1, 28, 28))\n"
        "torch.autograd.backward(outputs.sum())\n"
    )
    found = []
    for _process in range(2):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        found.append(sorted(path.name for path in tmp_path.rglob("*.nbc")))
    assert len(found[0]) > 8
    assert found[1] == found[0]
