"""Each declared fact against two measurements that know nothing of it, nor of each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from actlab.activations.catalogue import ENTRIES, find
from actlab.activations.catalogue.declared import SCALAR_FACTS, Kink, gain
from actlab.activations.catalogue.entry import Entry
from actlab.activations.facts.curve import Curve
from actlab.activations.facts.gated import KEPT_VALUES, gated_facts, in_order
from actlab.activations.facts.measuring import measured
from actlab.activations.facts.module_route import ModuleRoute
from actlab.activations.facts.results import Route, Row
from actlab.activations.formula import NumpyBackend, parse
from actlab.activations.modules import build

_TOLERANCE: dict[Route, float] = {"formula": 1e-12, "module": 1e-7}
"""The tolerance relative to max(1, |declared|): of reals, and of finite differences."""


def verification(names: Sequence[str] | None) -> list[Row]:
    """Return the rows of the named functions, of all without names."""
    chosen = tuple(ENTRIES.values()) if names is None else tuple(find(name)[0] for name in names)
    return [row for function in chosen for row in rows_of(function)]


def rows_of(function: Entry) -> list[Row]:
    """Return the rows of one function."""
    if function.kind == "structural" or function.declared is None:
        return _structural_rows(function)
    declared = function.declared.facts()
    module = ModuleRoute(build(function, dtype=torch.float64).eval())
    measurements: dict[Route, Any] = {
        "formula": measured(function),
        "module": module.facts(declared),
    }
    rows = [
        _row(function, fact, getattr(declared, fact), getattr(found, fact), route)
        for route, found in measurements.items()
        for fact in SCALAR_FACTS
    ]
    return [*rows, *_agreement_rows(function, module), _learnable_row(function)]


def _row(function: Entry, fact: str, declared: Any, found: Any, route: Route) -> Row:
    assert function.declared is not None
    ok = agree(declared, found, _TOLERANCE[route])
    derivation = function.declared.derivation(fact)
    return Row(function.name, fact, declared, found, route, ok, derivation)


def agree(declared: Any, found: Any, tolerance: float) -> bool:
    """Return whether two facts are the same within a tolerance.

    A kink that was measured from a formula has no convention, and agrees with any.

    >>> agree(1.0, 1.0 + 1e-9, 1e-7), agree(None, 0.0, 1e-7)
    (True, False)
    """
    if isinstance(declared, Kink) and isinstance(found, Kink):
        pairs = [(declared.x, found.x), (declared.left, found.left), (declared.right, found.right)]
        if found.convention is not None:
            pairs.append((declared.convention or 0.0, found.convention))
        return all(agree(a, b, tolerance) for a, b in pairs)
    if isinstance(declared, tuple) and isinstance(found, tuple):
        return len(declared) == len(found) and all(
            agree(a, b, tolerance) for a, b in zip(declared, found, strict=True)
        )
    if isinstance(declared, bool | str | None) or isinstance(found, bool | str | None):
        return type(declared) is type(found) and bool(declared == found)
    if math.isinf(declared) or math.isinf(found):
        return bool(declared == found)
    return bool(abs(declared - found) <= tolerance * max(1.0, abs(declared)))


def _agreement_rows(function: Entry, module: ModuleRoute) -> list[Row]:
    """Return how far the module is from its formula, and autograd from finite differences."""
    curve = Curve.of(function)
    xs = np.concatenate([np.linspace(-9.97, 9.97, 48), [-400.3, -41.7, 37.1, 333.3]])
    true = np.array([float(curve.at(x)[0]) for x in xs])
    scale = np.maximum(np.abs(true), np.abs(xs))
    off = float(np.max(np.abs(module.value(xs) - true) / scale))
    width = 1e-4
    central = (
        8 * (module.value(xs + width) - module.value(xs - width))
        - (module.value(xs + 2 * width) - module.value(xs - 2 * width))
    ) / (12 * width)
    slopes = module.slope(xs)
    error = float(np.max(np.abs(slopes - central) / np.maximum(1.0, np.abs(slopes) + np.abs(xs))))
    return [
        Row(
            function.name,
            "value",
            0.0,
            off,
            "module",
            off < 1e-9,
            "the module's error against the formula with 60 digits, beside max(|f|, |x|)",
        ),
        Row(
            function.name,
            "gradient",
            0.0,
            error,
            "module",
            error < 1e-8,
            "autograd against central differences of the module, beside max(1, |f'| + |x|)",
        ),
    ]


def _learnable_row(function: Entry) -> Row:
    learns = any(parameter.requires_grad for parameter in build(function).parameters())
    text = "whether the module has parameters that require a gradient"
    same = learns == function.learnable
    return Row(function.name, "learnable", function.learnable, learns, "module", same, text)


def _structural_rows(function: Entry) -> list[Row]:
    """Return what can be checked of a function of several numbers: its width, what it learns."""
    width = 12
    formula = parse((function.output_width or "n").replace("n", "x"))
    values = {name: function.values[name] for name in formula.names}
    expected = int(formula.evaluate(NumpyBackend(), float(width), **values))
    with torch.no_grad():
        found = int(build(function)(torch.randn(3, width)).shape[-1])
    text = "the width of the module's output for an input of width 12"
    row = Row(function.name, "output_width", expected, found, "module", expected == found, text)
    gated = _gated_rows(function) if function.factors is not None else []
    return [row, _learnable_row(function), *gated]


_EDGES = np.arange(-9.0, 9.5, 0.5)


def _gated_rows(function: Entry) -> list[Row]:
    """Return the facts of a gated function against its module on a grid of both inputs."""
    facts, inputs = gated_facts(function)
    nodes, weights = np.polynomial.legendre.leggauss(6)
    x = (_EDGES[:-1, None] + 0.25 + 0.25 * nodes).ravel()
    mass = np.tile(0.25 * weights, len(_EDGES) - 1) * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
    a, b = (torch.from_numpy(part).requires_grad_() for part in np.meshgrid(x, x, indexing="ij"))
    share = torch.from_numpy(np.outer(mass, mass))
    module = build(function, dtype=torch.float64).eval()
    kept: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor.numel())
        return tensor

    pair = [part.reshape(-1, 1) for part in in_order(module, (a, b))]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        y = module(torch.cat(pair, -1)).reshape(a.shape)
    slopes = torch.autograd.grad(y.sum(), (a, b))

    def mean(values: torch.Tensor) -> float:
        return float((values.detach() * share).sum())

    second = [mean(slope**2) for slope in slopes]
    measured_facts: dict[str, tuple[Any, Any]] = {
        "mean_under_N01": (facts.mean_under_N01, mean(y)),
        "second_moment_N01": (facts.second_moment_N01, mean(y**2)),
        "gain_forward": (facts.gain_forward, gain(mean(y**2))),
        "gain_backward": (facts.gain_backward, gain(sum(second) / 2)),
        "kept_values": (KEPT_VALUES, round(sum(kept) / y.numel())),
    }
    for name, slope, moment in zip(("gate", "value"), slopes, second, strict=True):
        declared, tiny = inputs[name], slope.detach() == 0
        measured_facts |= {
            f"{name}.mean_grad_N01": (declared.mean_grad_N01, mean(slope)),
            f"{name}.second_moment_grad_N01": (declared.second_moment_grad_N01, moment),
            f"{name}.zero_grad_fraction_N01": (
                declared.zero_grad_fraction_N01,
                mean(tiny.double()),
            ),
        }
    text = "product of the two factors' moments; the module on a grid of both inputs"
    return [
        Row(function.name, fact, declared, found, "module", agree(declared, found, 1e-7), text)
        for fact, (declared, found) in measured_facts.items()
    ]
