"""The explorer as text: whole, escaped, without an address to ask."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from actlab.activations.explorer import render, write
from actlab.activations.explorer.columns import COLUMNS, cells, interval, number, percent
from actlab.errors import ActlabError

from .explorers import english, explorer


@pytest.fixture(scope="module")
def page() -> str:
    return render(explorer(), translations=english())


def test_nothing_is_fetched(page: str) -> None:
    assert len(page) < 250_000
    own = page.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|src=\"|@import|url\((?!#)", own)
    assert "default-src 'none'" in page
    assert "unsafe-eval" not in page


def test_what_comes_in_is_escaped(page: str) -> None:
    assert "Watch out for &lt;b&gt;this&lt;/b&gt;." in page
    assert "torch.nn.silu(&#34;&amp;&#34;)" in page
    assert "Somebody &amp; others 2020" in page


def test_every_function_has_a_row_a_card_and_its_code(page: str) -> None:
    for function in explorer().functions:
        assert f'<tr data-name="{function.name}"' in page
        assert f'<template id="card-{function.name}">' in page
        assert f'"{function.name}": {{value: (x, p) => {function.value_code}' in page
    assert "Dauphin et al. 2016" in page


def test_a_function_of_two_inputs_has_its_moment_its_gains_and_what_is_kept() -> None:
    (glu,) = explorer().structural
    numbers = {"second_moment_N01": 0.29338, "gain_forward": 1.84622, "kept_values": 2}
    known = replace(glu, facts=numbers)
    page = render(explorer(structural=(known, glu)), translations=english())
    row = "".join(f'<td class="number">{text}</td>' for text in ("0.2934", "1.846", "–", "2"))
    assert page.count(row) == 1
    assert page.count('<td class="number">–</td>' * 4) == 1


def test_the_same_data_gives_the_same_page(page: str) -> None:
    assert render(explorer(), translations=english()) == page


def test_a_chosen_name_that_is_not_there_is_left_out() -> None:
    page = render(replace(explorer(), chosen=("relu", "nothing")), translations=english())
    assert '"chosen":["relu"]' in page


def test_a_page_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(ActlabError, match="Choose another -o"):
        write(tmp_path / "missing" / "page.html", explorer(), translations=english())
    path = write(tmp_path / "page.html", explorer(), translations=english())
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_cells_show_what_json_holds() -> None:
    facts = explorer().functions[0].facts
    shown = dict(zip((c.key for c in COLUMNS), cells(facts, english()), strict=True))
    assert shown["min_y"].text == "−0.278"
    assert shown["monotonic"].text == "not monotonic"
    assert shown["learnable"].text == "–"
    assert interval(facts | {"range_low": None}) == "–"
    assert number(1e-5) == "1e−05"
    assert percent(0.0) == "0 %"
