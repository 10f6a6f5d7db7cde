"""The written page of the whole catalogue in headless Chromium: its numbers are ours."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from actlab import catalogue
from actlab.catalogue.expression import NumpyBackend, parse
from tests.cli.invoke import actlab

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def test_every_function_of_the_page_computes_its_formula(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "explorer.html"
    assert actlab(capsys, "explore", "-o", path).code == 0
    xs = np.linspace(-11.3, 11.1, 113)
    said: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn]", state="attached")
        assert page.evaluate("state.chosen.map((entry) => entry.name)") == ["silu", "relu"]
        found = page.evaluate(
            """(xs) => Object.fromEntries(Object.entries(FORMULAS).map(([name, formula]) => {
                const p = defaults(name);
                return [name, {value: xs.map((x) => formula.value(x, p)),
                               slope: xs.map((x) => formula.slope(x, p))}];
            }))""",
            xs.tolist(),
        )
        browser.close()
    assert said == []
    scalar = [function for function in catalogue.functions() if function.kind == "scalar"]
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
