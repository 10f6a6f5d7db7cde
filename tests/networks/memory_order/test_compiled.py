"""Compiled loops work where nothing can be kept on disk."""

import numba
import numpy as np
import pytest
import torch

from actlab.networks.memory_order.compiled import Array, array, compiled


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
