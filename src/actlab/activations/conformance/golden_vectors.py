"""Golden vectors: true values for ports in other languages, and what ports made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from actlab.activations.catalogue.entry import Entry
from actlab.activations.conformance.checks import judged, points_of, truth_of
from actlab.activations.conformance.results import Check, ConformanceError, Report
from actlab.activations.facts.numerical_errors import DTYPES, Truth
from actlab.errors import unknown_name
from actlab.files import parse_json
from actlab.i18n import _

Table = Mapping[str, list[float]]


def vectors(function: Entry, dtype: str = "float32") -> dict[str, list[float]]:
    """Return inputs of a dtype with the true values and slopes, rounded to it, for ports.

    At a kink, where either slope may be meant, the input is left out. Raises ConformanceError for a
    function of several inputs.

    >>> from actlab.activations import get
    >>> sorted(vectors(get("relu")))
    ['dy', 'x', 'y']
    """
    if dtype not in DTYPES:
        raise unknown_name(_("dtype"), dtype, DTYPES)
    if function.kind == "structural":
        message = _("{name} has several inputs; golden vectors are of functions of one.")
        raise ConformanceError(message.format(name=function.name))
    kind, truth = DTYPES[dtype], truth_of(function)
    rows = [(x, *truth(x)) for x in points_of(kind, truth).tolist()]
    kept = [row for row in rows if row[2] is not None]
    columns = torch.tensor(kept, dtype=torch.float64).to(kind).double()
    finite = torch.isfinite(columns).all(1)
    x, y, dy = columns[finite].T.tolist()
    return {"x": x, "y": y, "dy": dy}


def check_vectors(folder: Path, function: Entry) -> list[Report]:
    """Compare what a port wrote (x, y and, where it has them, dy, by dtype) with the function.

    The files are JSON or npz in the form that `vectors` are written in. Raises ConformanceError
    where there is none, or one cannot be read.
    """
    files = sorted([*folder.glob("*.json"), *folder.glob("*.npz")])
    if not files:
        message = _("{folder} has no golden vectors: files .json or .npz with x, y and dy.")
        raise ConformanceError(message.format(folder=folder))
    truth = truth_of(function)
    return [
        _of_table(function, f"{file.name}: {dtype}", dtype, table, truth)
        for file in files
        for dtype, table in _tables(file).items()
    ]


def _of_table(function: Entry, label: str, dtype: str, table: Table, truth: Truth) -> Report:
    kind = DTYPES[dtype]
    x = torch.tensor(table["x"], dtype=torch.float64)
    checks: list[Check] = []
    for column, quantity in (("y", "value"), ("dy", "gradient")):
        if column not in table:
            continue
        given = torch.tensor(table[column], dtype=torch.float64)
        if given.shape != x.shape:
            checks.append(Check("shape", False))
            continue
        checks.append(judged(quantity, torch.stack([x, given], 1), truth, kind))
    return Report(function.name, label, tuple(checks))


def _tables(file: Path) -> dict[str, Table]:
    """Return the tables of a file by dtype."""
    try:
        if file.suffix == ".npz":
            with np.load(file, allow_pickle=False) as archive:
                columns = {name: archive[name] for name in archive.files}
            found: dict[str, dict[str, Any]] = {}
            for name, values in columns.items():
                dtype, _mark, column = name.rpartition("_")
                found.setdefault(dtype, {})[column] = np.asarray(values, dtype=float).tolist()
        else:
            found = parse_json(file.read_text(encoding="utf-8"))["dtypes"]
        return {dtype: _checked(table) for dtype, table in found.items() if dtype in DTYPES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = _("{file} cannot be read as golden vectors: {reason}")
        reason = str(error).split("\n")[0] or type(error).__name__
        raise ConformanceError(message.format(file=file, reason=reason)) from None


def _checked(table: Mapping[str, Any]) -> Table:
    return {
        column: [float(value) for value in table[column]]
        for column in ("x", "y", "dy")
        if column in table or column != "dy"
    }
