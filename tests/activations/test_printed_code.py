"""What `--code` prints, run in its own framework: value and gradient, wherever f is finite."""

import ctypes
import math
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from actlab.activations import Function
from actlab.activations.code_lines import activation_line
from tests.contracts.functions import SCALAR

pytestmark = pytest.mark.slow

FAR = (1e4, 1e10, 1e20, 3e37)
PLACES = [side * x for x in (0.3, 0.7, 3.2, 12.0, 20.0, 90.0, 110.0, *FAR) for side in (1, -1)]
LARGEST = {"float64": 1.7e308, "float32": 3.4e38, "bfloat16": 3.3e38, "float16": 6.5e4}
TOLERANCE = {"float64": 1e-9, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3e-2}
Computed = tuple[list[float], list[float]]


@cache
def truth(name: str, dtype: str) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Return places that the dtype holds, and f and f' there."""
    module = next(f for f in SCALAR if f.name == name).module(dtype=torch.float64).eval()
    kind = getattr(torch, dtype)
    x = torch.tensor([p for p in PLACES if abs(p) <= LARGEST[dtype]]).to(kind).double()
    x.requires_grad_()
    y = module(x)
    slope = torch.autograd.grad(y.sum(), x)[0] if y.requires_grad else torch.zeros_like(y)
    return x.detach().numpy(), list(zip(y.tolist(), slope.tolist(), strict=True))


def compare(compute: Callable[[str, str, np.ndarray], Computed], dtypes: tuple[str, ...]) -> None:
    """Hold the printed code of every function against the module in float64."""
    wrong = []
    for function in SCALAR:
        for dtype in dtypes:
            x, pairs = truth(function.name, dtype)
            values, slopes = compute(function.name, dtype, x)
            largest, allowed = LARGEST[dtype], TOLERANCE[dtype]
            rows = zip(x, pairs, values, slopes, strict=True)
            for place, (value, slope), given, gradient in rows:
                scale = max(abs(value), min(abs(place), 1e4), 1.0)
                if abs(value) < largest / 4 and not abs(given - value) <= allowed * scale:
                    wrong.append((function.name, dtype, float(place), "value", given, value))
                close = abs(gradient - slope) <= 10 * allowed * max(1.0, abs(slope))
                if abs(value) < largest / 4 and abs(slope) < largest / 4 and not close:
                    wrong.append((function.name, dtype, float(place), "slope", gradient, slope))
    assert not wrong, wrong[:12]


def line_of(name: str, framework: Any) -> str:
    function: Function = next(f for f in SCALAR if f.name == name)
    return activation_line(function, framework)


def test_jax() -> None:
    jax = pytest.importorskip("jax")
    names = {"jax": jax, "jnp": jax.numpy, "math": math}

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        printed = eval(line_of(name, "jax"), names)
        points = jax.numpy.asarray(x).astype(dtype)
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(printed)))(points)
        assert values.dtype == dtype, name
        return values.astype("float32").tolist(), slopes.astype("float32").tolist()

    compare(compute, ("float32", "float16", "bfloat16"))


def test_keras() -> None:
    os.environ.setdefault("KERAS_BACKEND", "jax")
    keras, jax = pytest.importorskip("keras"), pytest.importorskip("jax")
    names = {"keras": keras, "math": math}

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        printed = eval(line_of(name, "keras"), names)
        points = jax.numpy.asarray(x).astype(dtype)
        if isinstance(printed, keras.layers.Layer):
            printed = type(printed).from_config({**printed.get_config(), "dtype": dtype})
            printed.build((None, 1))
            layer = printed
            printed = lambda p: layer(p.reshape(-1, 1)).reshape(p.shape)  # noqa: E731
        values, slopes = jax.jit(jax.vmap(jax.value_and_grad(printed)))(points)
        assert values.dtype == dtype, name
        return values.astype("float32").tolist(), slopes.astype("float32").tolist()

    compare(compute, ("float32", "float16", "bfloat16"))


def test_torch() -> None:
    """The formula's own line; the catalogue's modules have tests of their own."""
    from actlab.activations.code_lines import _printed, formula_line

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        function = next(f for f in SCALAR if f.name == name)
        printed = eval(formula_line(_printed(function), "torch"), {"torch": torch, "math": math})
        points = torch.tensor(x).to(getattr(torch, dtype)).requires_grad_()
        values = printed(points)
        assert values.dtype == points.dtype, name
        slopes = torch.zeros_like(points)
        if values.requires_grad:
            slopes = torch.autograd.grad(values.float().sum(), points)[0]
        return values.tolist(), slopes.tolist()

    compare(compute, ("float32", "float16", "bfloat16"))


def test_numpy() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        names: dict[str, Any] = {}
        exec(line_of(name, "numpy"), names)
        kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else np.dtype(dtype)
        slope = next(value for key, value in names.items() if key.endswith("_gradient"))
        value = next(v for key, v in names.items() if key in (name, f"{name}_"))
        found = [function(x.astype(kind)) for function in (value, slope)]
        assert all(part.dtype == kind for part in found), name
        return found[0].astype(float).tolist(), found[1].astype(float).tolist()

    compare(compute, ("float64", "float32", "float16", "bfloat16"))


C_LOOP = """
void {name}_all(int n, const float *x, float *y, float *dy) {{
    for (int i = 0; i < n; i++) {{ y[i] = {value}(x[i]); dy[i] = {name}_gradient(x[i]); }}
}}
"""
CPP_LOOP = """
extern "C" void {name}_{kind}(int n, const double *x, double *y, double *dy) {{
    for (int i = 0; i < n; i++) {{
        const {type} z = static_cast<{type}>(x[i]);
        y[i] = static_cast<double>({value}<{type}>(z));
        dy[i] = static_cast<double>({name}_gradient<{type}>(z));
    }}
}}
"""


def compiled(source: str, folder: Path, compiler: str, *options: str) -> ctypes.CDLL:
    file = folder / ("printed.c" if compiler == "gcc" else "printed.cpp")
    file.write_text(source)
    library = folder / "printed.so"
    flags = ("-O1", "-shared", "-fPIC", "-Wall", "-Werror", *options)
    subprocess.run([compiler, *flags, str(file), "-o", str(library), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def function_of(name: str, source: str) -> str:
    return f"{name}_" if f"{name}_(" in source.replace(f"{name}_gradient", "") else name


def test_c(tmp_path: Path) -> None:
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    parts = ['#pragma GCC diagnostic ignored "-Wunused-function"']
    for function in SCALAR:
        source = line_of(function.name, "c")
        value = function_of(function.name, source)
        parts += [source, C_LOOP.format(name=function.name, value=value)]
    library = compiled("\n".join(parts), tmp_path, "gcc")

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        points = np.ascontiguousarray(x, np.float32)
        found = [np.empty_like(points) for _output in range(2)]
        pointers = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_float)) for a in (points, *found)]
        getattr(library, f"{name}_all")(len(points), *pointers)
        return found[0].tolist(), found[1].tolist()

    compare(compute, ("float32",))


def test_cpp(tmp_path: Path) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++")
    types = {"float64": "double", "float32": "float", "float16": "_Float16"}
    parts = []
    for function in SCALAR:
        source = line_of(function.name, "cpp")
        value = function_of(function.name, source)
        parts.append(source)
        parts += [
            CPP_LOOP.format(name=function.name, value=value, type=text, kind=kind)
            for kind, text in types.items()
        ]
    library = compiled("\n".join(parts), tmp_path, "g++", "-std=c++17")

    def compute(name: str, dtype: str, x: np.ndarray) -> Computed:
        points = np.ascontiguousarray(x, np.float64)
        found = [np.empty_like(points) for _output in range(2)]
        pointers = [a.ctypes.data_as(ctypes.POINTER(ctypes.c_double)) for a in (points, *found)]
        getattr(library, f"{name}_{dtype}")(len(points), *pointers)
        return found[0].tolist(), found[1].tolist()

    compare(compute, tuple(types))
