"""`actlab explore`: the whole catalogue on one page."""

import json
from pathlib import Path

import pytest

from actlab import activations
from actlab.activations.explorer.data import explorer_data, slider
from actlab.i18n import translation
from tests.cli.invoke import actlab


def test_the_page_has_the_whole_catalogue(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "explorer.html"
    result = actlab(capsys, "explore", "-o", path, "--lang", "ko", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["explorer"] == str(path)
    page = path.read_text()
    assert '<html lang="ko">' in page
    for function in activations.functions():
        assert function.name in page


def test_another_language_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    result = actlab(capsys, "explore", "-o", tmp_path / "page.html", "--lang", "kr")
    assert result.code == 2
    assert 'Did you mean "ko"?' in result.err


def test_a_folder_that_is_missing_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = actlab(capsys, "explore", "-o", tmp_path / "none" / "page.html")
    assert result.code == 2
    assert result.err.count("\n") == 1


def test_every_slider_stays_in_its_domain() -> None:
    for function in activations.functions():
        for parameter in function.parameters:
            found = slider(parameter)
            assert found.low <= parameter.default <= found.high
            assert found.low < found.high
            assert parameter.admits(found.low)
            assert parameter.admits(found.high)
            assert 0 < found.step <= (found.high - found.low) / 20


def test_every_function_has_its_code_and_formula() -> None:
    data = explorer_data(translation("en"))
    assert len(data.functions) + len(data.structural) == len(activations.functions())
    for function in data.functions:
        assert function.formula_markup.startswith("<math")
        assert set(function.code) == {"torch", "keras", "jax", "numpy", "cpp", "c"}
        assert all(f"p.{slider.name}" in function.value_code for slider in function.sliders)
