"""The written page of the whole catalogue in headless Chromium: its numbers are ours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab import activations
from actlab.activations.formula import NumpyBackend, parse
from tests.chromium import Watched, browser, pytestmark
from tests.cli.invoke import actlab

__all__ = ["browser", "pytestmark"]


def test_every_function_of_the_page_computes_its_formula(
    browser: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "explorer.html"
    assert actlab(capsys, "explore", "-o", path).code == 0
    xs = np.linspace(-11.3, 11.1, 113)
    watched = Watched(browser, path)
    page = watched.page
    assert page.evaluate("state.chosen.map((entry) => entry.name)") == ["silu", "relu"]
    found = page.evaluate(
        """(xs) => Object.fromEntries(Object.entries(FORMULAS).map(([name, formula]) => {
            const p = defaults(name);
            return [name, {value: xs.map((x) => formula.value(x, p)),
                           slope: xs.map((x) => formula.slope(x, p))}];
        }))""",
        xs.tolist(),
    )
    watched.check()
    scalar = [function for function in activations.functions() if function.kind == "scalar"]
    assert set(found) == {function.name for function in scalar}
    for function in scalar:
        formula = parse(function.formula)
        for kind, expression in (("value", formula), ("slope", formula.derivative())):
            used = {name: function.values[name] for name in expression.names}
            np.testing.assert_allclose(
                np.array(found[function.name][kind], dtype=float),
                expression.evaluate(NumpyBackend(), xs, **used),
                rtol=1e-11,
                atol=1e-14,
                err_msg=f"{function.name} {kind}",
            )


def test_a_typed_formula_has_the_values_and_slopes_of_python(
    browser: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "explorer.html"
    assert actlab(capsys, "explore", "-o", path).code == 0
    watched = Watched(browser, path)
    xs = np.linspace(-7.3, 7.1, 97)
    scalar = [function for function in activations.functions() if function.kind == "scalar"]
    texts = {function.name: (function.formula, dict(function.values)) for function in scalar}
    texts |= {
        "powers": ("2*x**3 - -x**2/(1+abs(x))", {}),
        "choice": ("where((x>1 or x<-1) and x!=3, log1p(abs(x)), min(x, 0.5, x**2))", {}),
        "named": ("max(relu(x), a*x)", {"a": 0.1}),
    }
    found = watched.page.evaluate(
        """([xs, texts]) => Object.fromEntries(Object.entries(texts).map(([name, [text, p]]) => {
            const formula = readFormula(text);
            return [name, {value: xs.map((x) => formula.value(x, p)),
                           slope: xs.map((x) => formula.slope(x, p))}];
        }))""",
        [xs.tolist(), texts],
    )
    watched.check()
    for name, (text, values) in texts.items():
        formula = parse(text)
        for kind, expression in (("value", formula), ("slope", formula.derivative())):
            used = {key: values[key] for key in expression.names}
            np.testing.assert_allclose(
                np.array(found[name][kind], dtype=float),
                expression.evaluate(NumpyBackend(), xs, **used) * np.ones_like(xs),
                rtol=1e-9,
                atol=1e-12,
                err_msg=f"{name} {kind}",
            )
