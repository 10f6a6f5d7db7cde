"""What `--code jax` prints, run in JAX: value and gradient finite wherever the function is."""

import math

import pytest
import torch

from actlab.activations import Function
from actlab.activations.code_lines import activation_line
from tests.contracts.functions import SCALAR, name_of

jax = pytest.importorskip("jax")
pytestmark = pytest.mark.slow

PLACES = {
    "float32": (90.0, -90.0, 12.0, -12.0, 0.7, -0.3),
    "float16": (12.0, -12.0, 90.0, -90.0),
    "bfloat16": (90.0, -90.0),
}
TOLERANCE = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 3e-2}


@pytest.mark.parametrize("function", SCALAR, ids=name_of)
def test_a_printed_line_is_finite_with_its_gradient(function: Function) -> None:
    line = activation_line(function, "jax")
    printed = eval(line, {"jax": jax, "jnp": jax.numpy, "math": math})
    module = function.module(dtype=torch.float64).eval()
    for dtype, places in PLACES.items():
        largest = float(jax.numpy.finfo(dtype).max) / 4
        for place in places:
            point = torch.tensor(place, dtype=torch.float64, requires_grad=True)
            value = module(point)
            if abs(value.item()) > largest:
                continue
            slope = torch.autograd.grad(value, point)[0].item() if value.requires_grad else 0.0
            x = jax.numpy.asarray(place, dtype)
            found = float(printed(x))
            scale = max(abs(value.item()), abs(place), 1.0)
            assert abs(found - value.item()) <= TOLERANCE[dtype] * scale, (dtype, place)
            if abs(slope) < largest:
                gradient = float(jax.grad(printed)(x))
                allowed = 10 * TOLERANCE[dtype] * max(1.0, abs(slope))
                assert abs(gradient - slope) <= allowed, (dtype, place)
