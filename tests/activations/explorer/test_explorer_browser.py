"""The explorer in headless Chromium: right numbers, every control, no request, no console error."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actlab.activations.explorer import write
from actlab.activations.formula import NumpyBackend, parse
from tests.chromium import Watched, browser, pytestmark

from .explorers import FORMULAS, english, explorer

__all__ = ["browser", "pytestmark"]


class Opened(Watched):
    """The explorer."""

    def settle(self) -> None:
        """Wait until what was changed is drawn."""
        frames = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        self.page.evaluate(frames)

    def chosen(self) -> list[str]:
        found: list[str] = self.page.evaluate("state.chosen.map((entry) => entry.name)")
        return found

    def curve(self, plot: str, name: str) -> list[list[float]]:
        self.settle()
        script = f"""(() => {{
            const data = document.getElementById("plot-{plot}").actlab.data;
            const trace = data.find((t) => t.name === "{name}" && t.mode === "lines");
            return trace.x.map((x, i) => [x, trace.y[i]]).filter(([, y]) => y !== null);
        }})()"""
        points: list[list[float]] = self.page.evaluate(script)
        return points

    def figure(self, name: str, figure: str) -> float:
        self.settle()
        text = self.page.locator(f'.card[data-name="{name}"] [data-figure="{figure}"]').inner_text()
        return float(text.replace("−", "-").replace(" %", ""))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explorer")
    return write(folder / "explorer.html", explorer(), translations=english())


def test_generated_code_computes_what_numpy_does(browser: Any, path: Path) -> None:
    opened = Opened(browser, path)
    xs = np.concatenate([np.linspace(-9.73, 9.61, 211), [1e-9, -40.0, 40.0]])
    for name, (text, values) in FORMULAS.items():
        for kind, formula in (("value", parse(text)), ("slope", parse(text).derivative())):
            used = {parameter: values[parameter] for parameter in formula.names}
            found = opened.page.evaluate(
                f"([xs, p]) => xs.map((x) => FORMULAS.{name}.{kind}(x, p))", [xs.tolist(), values]
            )
            expected = formula.evaluate(NumpyBackend(), xs, **used)
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15, err_msg=name)
    for name in ("gelu", "hardshrink", "tanh", "relu6"):
        facts = next(f.facts for f in explorer().functions if f.name == name)
        values = FORMULAS[name][1]
        found = opened.page.evaluate(f"(p) => normalFigures(FORMULAS.{name}, p)", values)
        for key, fact in (
            ("mean", "mean_under_N01"),
            ("second", "second_moment_N01"),
            ("slope", "mean_grad_N01"),
            ("flat", "zero_grad_fraction_N01"),
        ):
            assert found[key] == pytest.approx(facts[fact], abs=4e-4), (name, key)
    quantiles = opened.page.evaluate("[0.001, 0.2, 0.5, 0.975].map(normalQuantile)")
    assert quantiles == pytest.approx([-3.0902323, -0.8416212, 0.0, 1.9599640], abs=1e-7)
    opened.check()


def test_it_starts_with_silu_against_relu(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, viewport={"width": 1440, "height": 900})
    assert opened.chosen() == ["silu", "relu"]
    x, y = opened.curve("value", "silu")[0]
    assert y == pytest.approx(x / (1 + math.exp(-x)))
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 1440
    pins = opened.page.evaluate('document.getElementById("plot-outcome").actlab.layout.annotations')
    assert [pin["text"] for pin in pins] == ["relu: 50 %"]
    opened.check()


def test_moving_a_slider_moves_the_curves_and_the_figures(browser: Any, path: Path) -> None:
    opened = Opened(browser, path)
    opened.page.fill("#add-name", "prelu")
    opened.page.click("#add button")
    assert opened.chosen() == ["silu", "relu", "prelu"]
    before = opened.figure("prelu", "mean")
    slider = opened.page.locator("#prelu-a")
    slider.focus()
    for _press in range(3):
        slider.press("ArrowLeft")
    slope = float(slider.input_value())
    assert slope == pytest.approx(0.22)
    below = [y / x for x, y in opened.curve("value", "prelu") if x < 0]
    assert below == pytest.approx([slope] * len(below))
    assert {round(y, 9) for _x, y in opened.curve("slope", "prelu")} == {slope, 1.0}
    # E[f] = (1 - a) / sqrt(2 pi)
    assert opened.figure("prelu", "mean") == pytest.approx(0.78 / math.sqrt(2 * math.pi), abs=1e-4)
    assert opened.figure("prelu", "mean") != before
    assert "a=0.22" in opened.page.url
    opened.page.click('.card[data-name="prelu"] [data-reset]')
    assert opened.figure("prelu", "mean") == before
    opened.check()


@pytest.mark.slow
def test_a_function_is_added_and_removed_in_three_ways(browser: Any, path: Path) -> None:
    opened = Opened(browser, path)
    opened.page.fill("#add-name", "TanH")
    opened.page.press("#add-name", "Enter")
    opened.page.click('#facts [data-toggle="elu"]')
    assert opened.chosen() == ["silu", "relu", "tanh", "elu"]
    opened.page.click('[aria-label="Remove relu"]')
    opened.page.click('#facts [data-toggle="silu"]')
    assert opened.chosen() == ["tanh", "elu"]
    assert opened.page.locator(".card").count() == 2
    assert opened.page.locator('#facts [data-toggle="elu"]').get_attribute("aria-pressed") == "true"
    opened.page.fill("#add-name", "swish")
    opened.page.press("#add-name", "Enter")
    assert opened.chosen() == ["tanh", "elu", "silu"]  # by its alias
    opened.check()


@pytest.mark.slow
def test_what_cannot_be_added_is_said(browser: Any, path: Path) -> None:
    opened = Opened(browser, path)
    message = opened.page.locator("#message")
    opened.page.fill("#add-name", "rleu")
    opened.page.press("#add-name", "Enter")
    assert message.inner_text() == 'There is no function "rleu". Did you mean "relu"?'
    for name in ("tanh", "elu", "gelu", "mish"):
        opened.page.click(f'#facts [data-toggle="{name}"]')
    opened.page.click('#facts [data-toggle="isru"]')
    assert message.inner_text() == "Six functions are shown; remove one before adding another."
    assert len(opened.chosen()) == 6
    opened.check()


def test_the_table_filters_and_sorts(browser: Any, path: Path) -> None:
    opened = Opened(browser, path)
    names = opened.page.locator("#facts tbody tr:visible th")
    assert names.count() == len(FORMULAS)
    opened.page.fill("#filter-text", "RELU")
    assert names.all_inner_texts() == ["prelu", "relu", "relu6"]
    assert opened.page.locator("#count").inner_text() == f"3 of {len(FORMULAS)} functions"
    opened.page.check("#filter-learnable")
    assert names.all_inner_texts() == ["prelu"]
    opened.page.uncheck("#filter-learnable")
    opened.page.fill("#filter-text", "")
    opened.page.select_option("#filter-range", "bounded")
    assert "tanh" in names.all_inner_texts()
    assert "relu" not in names.all_inner_texts()
    opened.page.select_option("#filter-range", "")
    heading = opened.page.get_by_role("button", name="steepest")
    cells = opened.page.locator("#facts tbody tr:visible td:nth-child(6)")
    for sort in ("ascending", "descending"):
        heading.click()
        assert heading.locator("..").get_attribute("aria-sort") == sort
        shown = [float(text) for text in cells.all_inner_texts()]
        assert shown == sorted(shown, reverse=sort == "descending")
    opened.check()


@pytest.mark.slow
def test_an_address_brings_back_a_view(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, "#tanh,prelu:a=-0.5,nothing")
    assert opened.chosen() == ["tanh", "prelu"]
    assert opened.page.locator("#prelu-a").input_value() == "-0.5"
    opened.check()


def test_a_formula_is_typed_moved_and_kept_in_the_address(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, "#relu")
    page = opened.page
    page.fill("#add-name", "x*tanh(exp(a*x))")
    page.press("#add-name", "Enter")
    assert opened.chosen() == ["relu", "=x*tanh(exp(a*x))"]
    page.fill(".card .sliders input[type=number]", "2")
    page.locator(".card .sliders input[type=number]").blur()
    for x, y in opened.curve("value", "x*tanh(exp(a*x))")[::50]:
        assert y == pytest.approx(x * math.tanh(math.exp(2 * x)), abs=1e-9)
    again = Opened(browser, path, "#" + page.url.partition("#")[2])
    assert again.chosen() == opened.chosen()
    assert again.page.locator(".card .sliders input[type=number]").input_value() == "2"
    for typed, reason in (
        ("x*$", "“$” at character 3"),
        ("tanh(x", "Expected ), found the end."),
        ("clip(x, 1)", "clip takes 3 arguments, it has 2."),
        ("1+a", "A formula contains its input"),
    ):
        page.fill("#add-name", typed)
        page.press("#add-name", "Enter")
        assert reason in page.locator("#message").inner_text()
    assert len(opened.chosen()) == 2
    opened.check()


def test_near_curves_are_told_apart_by_their_difference(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, "#relu,silu?minus=1")
    assert {y for _x, y in opened.curve("value", "relu")} == {0.0}
    x, y = opened.curve("value", "silu")[100]
    assert y == pytest.approx(x / (1 + math.exp(-x)) - max(x, 0))
    labels = opened.page.locator("#plot-value .end").all_text_contents()
    assert labels == ["relu", "silu"]
    opened.page.click("#difference")
    assert "minus" not in opened.page.url
    opened.check()


def test_the_input_and_the_depth_follow_their_knobs(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, "#relu,tanh")
    page = opened.page
    signal = dict(opened.curve("signal", "relu"))
    assert signal[30] == pytest.approx(1.0, abs=2e-3)  # sqrt(2) keeps a ReLU's signal
    gradient = dict(opened.curve("gradient", "relu"))
    assert gradient[0] == pytest.approx(1.0, abs=2e-3)
    page.select_option("#gain", "1")
    assert dict(opened.curve("signal", "relu"))[10] == pytest.approx(0.5**5, rel=1e-2)
    assert opened.figure("relu", "mean") == pytest.approx(0.3989, abs=1e-4)
    page.fill("#spread", "2")
    assert opened.figure("relu", "mean") == pytest.approx(0.7979, abs=1e-3)
    page.fill("#mean", "3")
    assert "mean=3" in page.url
    assert opened.figure("relu", "mean") > 3
    opened.check()


def test_filters_come_first_and_choose(browser: Any, path: Path) -> None:
    opened = Opened(browser, path, "#relu")
    page = opened.page
    page.fill("#filter-text", "tanh")
    shown = page.locator("#matches button:visible")
    assert shown.evaluate_all("all => all.map((one) => one.dataset.toggle)") == ["tanh"]
    page.click('#matches [data-toggle="tanh"]')
    assert opened.chosen() == ["relu", "tanh"]
    opened.check()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_in_both_themes(browser: Any, path: Path, scheme: str) -> None:
    opened = Opened(browser, path, viewport={"width": 390, "height": 844}, color_scheme=scheme)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    heights = opened.page.locator("button:visible, select:visible").evaluate_all(
        "all => all.map((element) => element.getBoundingClientRect().height)"
    )
    assert min(heights) >= 24
    opened.check()
